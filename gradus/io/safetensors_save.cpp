#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <unordered_set>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/safetensors.h"

namespace gradus::io {
namespace {

void check_names(const std::string& path, const NamedTensors& tensors) {
  const auto refuse = [&](const std::string& name, const char* what) {
    throw Error(ErrorKind::value, "save", fmt::format("\"{}\" {}", name, what)).context(path);
  };
  std::unordered_set<std::string_view> names;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) refuse(name, "is an undefined tensor");
    if (name == "__metadata__") refuse(name, "is a reserved name");
    if (!names.insert(name).second) refuse(name, "occurs twice");
  }
}

/// The order of the data. Blocks of a multiple of 64 bytes come first, so that all of them can be used where they are
/// mapped; the others by falling element size, so that every element is aligned.
std::vector<std::size_t> data_order(const std::vector<SafetensorsEntry>& entries) {
  const auto rank = [&](std::size_t i) {
    const TensorSpec& spec = entries[i].spec;
    return spec.bytes() % Buffer::alignment == 0 ? std::size_t{0} : std::size_t{16} - size_of(spec.dtype);
  };
  std::vector<std::size_t> order(entries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
  return order;
}

std::array<std::byte, 8> little_endian(std::uint64_t value) {
  std::array<std::byte, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i) & 255);
  return bytes;
}

}  // namespace

void save(const std::string& path, const NamedTensors& tensors, const Metadata& metadata, SourceLocation where) {
  static_assert(std::endian::native == std::endian::little, "the file holds little-endian elements");
  check_names(path, tensors);
  Tensors values;
  for (const auto& [name, tensor] : tensors) values.push_back(tensor);
  eval(values, where);

  SafetensorsHeader header;
  header.metadata = metadata;
  header.metadata.emplace("format", "pt");
  for (const auto& [name, tensor] : tensors) header.entries.push_back({name, tensor.spec(), 0, 0});
  const std::vector<std::size_t> order = data_order(header.entries);
  std::uint64_t offset = 0;
  for (const std::size_t i : order) {
    header.entries[i].begin = offset;
    offset += header.entries[i].spec.bytes();
    header.entries[i].end = offset;
  }
  const std::string json = safetensors_header_json(header, path);
  AtomicFile file(path);
  file.write(little_endian(json.size()));
  file.write(json);
  for (const std::size_t i : order) file.write(std::span(values[i].buffer()->data(), values[i].spec().bytes()));
  file.commit();
}

}  // namespace gradus::io
