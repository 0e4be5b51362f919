// The JSON header of a safetensors file, read without trust.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/base/shape.h"

namespace gradus::io {

using Metadata = std::map<std::string, std::string>;

/// One tensor: its bytes lie in [begin, end) of the data section.
struct SafetensorsEntry {
  std::string name;
  TensorSpec spec;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< in the order of the file
  Metadata metadata;
};

/// Parses and checks everything: the grammar, names used twice, unknown dtypes, sizes against shape and type, and that
/// the entries cover the `data_bytes` of the data section without holes and overlaps. Throws Error(format) for `path`.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& path);

/// The header of a new file, padded by spaces so that 8 + its length is a multiple of 64. Entries must have valid
/// offsets.
/// Throws Error(value) when a name or the metadata is not UTF-8.
std::string safetensors_header_json(const SafetensorsHeader& header, const std::string& path);

}  // namespace gradus::io
