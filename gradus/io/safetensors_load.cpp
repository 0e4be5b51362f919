#include <fmt/format.h>

#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/mapped_file.h"
#include "gradus/io/safetensors.h"

namespace gradus::io {
namespace {

constexpr std::uint64_t most_header_bytes = 100'000'000;

Error refusal(const std::string& path, std::string summary) {
  return Error(ErrorKind::format, "load", std::move(summary)).context(path);
}

/// Length of the header, checked against the file.
std::uint64_t header_length(std::span<const std::byte> file, const std::string& path) {
  if (file.size() < 8) {
    throw refusal(path, "the file is too short for a safetensors file")
        .field("expected", "8 bytes or more")
        .field("found", fmt::format("{} bytes", file.size()));
  }
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | std::to_integer<std::uint64_t>(file[i]);
  if (length > most_header_bytes) {
    throw refusal(path, "the header is too long: this is not a safetensors file")
        .field("expected", fmt::format("at most {} bytes", most_header_bytes))
        .field("found", fmt::format("{} bytes", length));
  }
  if (length > file.size() - 8) {
    throw refusal(path, "the file ends within its header")
        .field("expected", fmt::format("{} bytes of header", length))
        .field("found", fmt::format("{} bytes", file.size() - 8))
        .hint("a download or a copy that was cut off? Get the file once more");
  }
  return length;
}

/// A stored truth value is 0 or 1; anything else would be undefined behaviour later.
void check_booleans(std::span<const std::byte> data, const SafetensorsEntry& entry, const std::string& path) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data[i] <= std::byte{1}) continue;
    throw refusal(path, fmt::format("element {} is {}, expected 0 or 1", i, std::to_integer<int>(data[i])))
        .field("tensor", fmt::format("{}, {}", entry.name, entry.spec.str()));
  }
}

Ref<Buffer> buffer_of(std::span<const std::byte> data, const std::shared_ptr<const MappedFile>& file) {
  if (reinterpret_cast<std::uintptr_t>(data.data()) % Buffer::alignment == 0 && !data.empty()) {
    // Never written to: adopted memory is not donated.
    return Buffer::adopt(const_cast<std::byte*>(data.data()), data.size(), [file] {});
  }
  Ref<Buffer> buffer = Buffer::allocate(data.size());
  if (!data.empty()) std::memcpy(buffer->data(), data.data(), data.size());
  return buffer;
}

Safetensors load_file(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path, "load");
  const std::span<const std::byte> bytes = file->bytes();
  const auto length = static_cast<std::size_t>(header_length(bytes, path));
  const std::string_view json(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  const std::span<const std::byte> data = bytes.subspan(8 + length);
  SafetensorsHeader header = parse_safetensors_header(json, data.size(), path);
  Safetensors result;
  result.metadata = std::move(header.metadata);
  result.tensors.reserve(header.entries.size());
  for (SafetensorsEntry& entry : header.entries) {
    const std::span<const std::byte> piece = data.subspan(static_cast<std::size_t>(entry.begin), entry.spec.bytes());
    if (entry.spec.dtype == DType::boolean) check_booleans(piece, entry, path);
    result.tensors.emplace_back(std::move(entry.name), leaf(entry.spec, buffer_of(piece, file)));
  }
  return result;
}

struct Index {
  std::vector<std::pair<std::string, std::string>> weight_map;  ///< tensor -> file
  Metadata metadata;
};

/// Refuses names that occur twice, which the parser would let pass.
nlohmann::json parse_index(const std::string& path) {
  const std::string text = read_file(path, most_header_bytes);
  std::vector<std::set<std::string>> names;
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 8) throw refusal(path, "the index is nested too deeply");
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second) {
      throw refusal(path, fmt::format("the name \"{}\" occurs twice", parsed.get<std::string>()));
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::exception& error) {
    throw refusal(path, "the index is not JSON").note(error.what());
  }
}

Index read_index(const std::string& path) {
  const nlohmann::json json = parse_index(path);
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (!json.is_object() || map == json.end() || !map->is_object()) throw refusal(path, "the index has no weight_map");
  Index index;
  for (const auto& [name, file] : map->items()) {
    if (!file.is_string()) throw refusal(path, fmt::format("the file of \"{}\" is not a text", name));
    const auto& text = file.get_ref<const std::string&>();
    if (text.empty() || text == "." || text == ".." || text.find_first_of(std::string_view("/\\\0", 3)) != text.npos) {
      throw refusal(path, "a file of the set must lie beside its index").field("tensor", name).field("file", text);
    }
    index.weight_map.emplace_back(name, text);
  }
  if (const auto metadata = json.find("metadata"); metadata != json.end() && metadata->is_object()) {
    for (const auto& [key, value] : metadata->items()) {
      if (value.is_string()) index.metadata[key] = value.get<std::string>();
    }
  }
  return index;
}

Safetensors load_sharded(const std::string& path) {
  Index index = read_index(path);
  const std::size_t slash = path.find_last_of('/');
  const std::string folder = slash == path.npos ? "" : path.substr(0, slash + 1);
  std::map<std::string, std::map<std::string, Tensor>> shards;
  for (const auto& [name, file] : index.weight_map) {
    if (shards.contains(file)) continue;
    std::map<std::string, Tensor>& shard = shards[file];
    for (auto& [key, tensor] : load_file(folder + file).tensors) shard.emplace(key, tensor);
  }
  Safetensors result;
  result.metadata = std::move(index.metadata);
  for (auto& [name, file] : index.weight_map) {
    const auto found = shards[file].extract(name);
    if (found.empty()) {
      throw refusal(path, "a tensor is not in the file that the index names").field("tensor", name).field("file", file);
    }
    result.tensors.emplace_back(name, found.mapped());
  }
  for (const auto& [file, shard] : shards) {
    if (shard.empty()) continue;
    throw refusal(path, "a file of the set holds a tensor that the index does not name")
        .field("tensor", shard.begin()->first)
        .field("file", file);
  }
  return result;
}

}  // namespace

Safetensors load_with_metadata(const std::string& path) {
  return path.ends_with(".json") ? load_sharded(path) : load_file(path);
}

NamedTensors load(const std::string& path) { return load_with_metadata(path).tensors; }

}  // namespace gradus::io
