#include "gradus/io/safetensors_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "gradus/base/error.h"

namespace gradus::io {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, dtype_count> dtypes = {{{"F32", DType::f32},
                                                                                 {"F64", DType::f64},
                                                                                 {"BF16", DType::bf16},
                                                                                 {"I32", DType::i32},
                                                                                 {"I64", DType::i64},
                                                                                 {"U8", DType::u8},
                                                                                 {"BOOL", DType::boolean}}};

std::string_view safetensors_name(DType dtype) {
  return std::find_if(dtypes.begin(), dtypes.end(), [&](const auto& pair) { return pair.second == dtype; })->first;
}

Error refusal(const std::string& path, std::string summary) {
  return Error(ErrorKind::format, "load", std::move(summary)).context(path);
}

/// Receives the events of the JSON parser and accepts nothing but
///   { NAME: {"dtype": TEXT, "shape": [SIZE...], "data_offsets": [BEGIN, END]}..., "__metadata__": {TEXT: TEXT...} }
/// so that neither depth nor size of the header matters.
class HeaderHandler {
 public:
  explicit HeaderHandler(const std::string& path) : path_(path) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a truth value"); }
  bool number_integer(std::int64_t value) { return unexpected(fmt::format("{}", value)); }
  bool number_float(double, const std::string& text) { return unexpected(text); }
  bool binary(std::vector<std::uint8_t>&) { return unexpected("binary data"); }

  bool number_unsigned(std::uint64_t value) {
    if (place_ != Place::shape && place_ != Place::offsets) return unexpected(fmt::format("{}", value));
    if (numbers_.size() == most_numbers) {
      throw about_entry(fmt::format("{} has more than {} entries", key_, most_numbers));
    }
    numbers_.push_back(value);
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      header_.metadata[key_] = text;
    } else if (place_ == Place::entry && key_ == "dtype") {
      dtype_ = text;
    } else {
      return unexpected(fmt::format("the text \"{}\"", text));
    }
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == Place::start) {
      place_ = Place::top;
    } else if (place_ == Place::top) {
      place_ = key_ == "__metadata__" ? Place::metadata : Place::entry;
      if (place_ == Place::entry) begin_entry();
    } else {
      return unexpected("an object");
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::entry) finish_entry();
    place_ = place_ == Place::top ? Place::end : Place::top;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::entry || key_ == "dtype") return unexpected("a list");
    place_ = key_ == "shape" ? Place::shape : Place::offsets;
    numbers_.clear();
    return true;
  }

  bool end_array() {
    (place_ == Place::shape ? shape_ : offsets_) = numbers_;
    place_ = Place::entry;
    return true;
  }

  bool key(std::string& name) {
    if (place_ == Place::top) {
      if (!names_.insert(name).second) throw refusal(path_, fmt::format("the name \"{}\" occurs twice", name));
    } else if (place_ == Place::metadata) {
      if (header_.metadata.contains(name))
        throw refusal(path_, fmt::format("the metadata key \"{}\" occurs twice", name));
    } else {
      if (name != "dtype" && name != "shape" && name != "data_offsets") {
        throw about_entry(fmt::format("unknown key \"{}\"", name)).field("expected", "dtype, shape, data_offsets");
      }
      if ((name == "dtype" && dtype_) || (name == "shape" && shape_) || (name == "data_offsets" && offsets_)) {
        throw about_entry(fmt::format("the key \"{}\" occurs twice", name));
      }
    }
    key_ = name;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) {
    throw refusal(path_, fmt::format("the header is not JSON, from byte {} on", 8 + position)).note(error.what());
  }

 private:
  /// Where in the grammar the parser stands. Nothing follows `end`: the parser refuses a second value itself.
  enum class Place { start, top, entry, shape, offsets, metadata, end };
  static constexpr std::size_t most_numbers = 64;

  bool unexpected(const std::string& what) {
    if (place_ == Place::top) {
      throw refusal(path_, fmt::format("\"{}\" is {}, expected the description of a tensor", key_, what));
    }
    if (place_ == Place::metadata) {
      throw refusal(path_, fmt::format("the metadata entry \"{}\" is {}, expected a text", key_, what));
    }
    throw about_entry(fmt::format("{} holds {}", key_, what));
  }

  Error about_entry(std::string summary) const { return refusal(path_, std::move(summary)).field("tensor", entry_); }

  void begin_entry() {
    entry_ = key_;
    dtype_.reset();
    shape_.reset();
    offsets_.reset();
  }

  void finish_entry() {
    for (const auto& [key, there] : {std::pair("dtype", dtype_.has_value()), std::pair("shape", shape_.has_value()),
                                     std::pair("data_offsets", offsets_.has_value())}) {
      if (!there) throw about_entry(fmt::format("the key \"{}\" is missing", key));
    }
    SafetensorsEntry entry;
    entry.name = entry_;
    entry.spec.dtype = checked_dtype();
    const std::uint64_t bytes = checked_shape(entry.spec);
    if (offsets_->size() != 2 || (*offsets_)[0] > (*offsets_)[1]) {
      throw about_entry(fmt::format("data_offsets is [{}]", fmt::join(*offsets_, ", ")))
          .field("expected", "[begin, end], begin <= end");
    }
    entry.begin = (*offsets_)[0];
    entry.end = (*offsets_)[1];
    if (entry.end - entry.begin != bytes) {
      throw about_entry("the size of the data does not fit the shape")
          .field("shape", entry.spec.str())
          .field("expected", fmt::format("{} bytes", bytes))
          .field("found",
                 fmt::format("{} bytes, data_offsets [{}, {}]", entry.end - entry.begin, entry.begin, entry.end));
    }
    header_.entries.push_back(std::move(entry));
  }

  DType checked_dtype() const {
    for (const auto& [name, dtype] : dtypes) {
      if (name == *dtype_) return dtype;
    }
    throw about_entry(fmt::format("the dtype \"{}\" is not supported", *dtype_))
        .field("expected", "F32, F64, BF16, I32, I64, U8 or BOOL");
  }

  /// Sets the shape; returns the bytes that it takes.
  std::uint64_t checked_shape(TensorSpec& spec) const {
    if (shape_->size() > static_cast<std::size_t>(Shape::max_rank)) {
      throw about_entry(fmt::format("the shape [{}] has {} axes", fmt::join(*shape_, ", "), shape_->size()))
          .field("expected", fmt::format("at most {} axes", Shape::max_rank));
    }
    std::uint64_t extent = size_of(spec.dtype);  // as if empty axes had size 1: no product of sizes may overflow
    bool empty = false;
    for (const std::uint64_t size : *shape_) {
      empty |= size == 0;
      if (__builtin_mul_overflow(extent, std::max<std::uint64_t>(size, 1), &extent) ||
          extent / size_of(spec.dtype) > static_cast<std::uint64_t>(Shape::max_elements)) {
        throw about_entry(fmt::format("the shape [{}] is too large", fmt::join(*shape_, ", ")));
      }
      spec.shape.push_back(static_cast<std::int64_t>(size));
    }
    return empty ? 0 : extent;
  }

  const std::string& path_;
  Place place_ = Place::start;
  std::string key_, entry_;
  std::optional<std::string> dtype_;
  std::optional<std::vector<std::uint64_t>> shape_, offsets_;
  std::vector<std::uint64_t> numbers_;
  std::unordered_set<std::string> names_;
  SafetensorsHeader header_;
};

/// The entries must lie one behind the other and fill the data section.
void check_cover(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes, const std::string& path) {
  std::vector<const SafetensorsEntry*> order;
  order.reserve(entries.size());
  for (const SafetensorsEntry& entry : entries) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry* entry : order) {
    if (entry->end > data_bytes) {
      throw refusal(path, "the file ends before its data do")
          .field("tensor", entry->name)
          .field("expected", fmt::format("{} bytes of data", entry->end))
          .field("found", fmt::format("{} bytes", data_bytes))
          .hint("a download or a copy that was cut off? Get the file once more");
    }
    if (entry->begin != covered) {
      throw refusal(path, entry->begin < covered ? "the data of two tensors overlap" : "there is a hole in the data")
          .field("tensor", entry->name)
          .field("expected", fmt::format("its data from byte {} on", covered))
          .field("found", fmt::format("data_offsets [{}, {}]", entry->begin, entry->end));
    }
    covered = entry->end;
  }
  if (covered != data_bytes) {
    throw refusal(path, "the file goes on behind its data")
        .field("expected", fmt::format("{} bytes of data", covered))
        .field("found", fmt::format("{} bytes", data_bytes));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes, const std::string& path) {
  if (!json.starts_with('{')) throw refusal(path, "the header does not start with {: this is not a safetensors file");
  HeaderHandler handler(path);
  nlohmann::json::sax_parse(json, &handler);
  SafetensorsHeader header = handler.take();
  check_cover(header.entries, data_bytes, path);
  return header;
}

std::string safetensors_header_json(const SafetensorsHeader& header, const std::string& path) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  // Assigning by key would search all earlier ones each time.
  auto& members = json.get_ref<nlohmann::ordered_json::object_t&>();
  for (const SafetensorsEntry& entry : header.entries) {
    const std::span<const std::int64_t> sizes = entry.spec.shape.sizes();
    nlohmann::ordered_json item;
    item["dtype"] = safetensors_name(entry.spec.dtype);
    item["shape"] = std::vector<std::int64_t>(sizes.begin(), sizes.end());
    item["data_offsets"] = {entry.begin, entry.end};
    members.push_back({entry.name, std::move(item)});
  }
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::type_error&) {
    throw Error(ErrorKind::value, "save", "a name or the metadata is not valid UTF-8").context(path);
  }
  constexpr std::size_t unit = 64;
  const std::size_t padded = (8 + text.size() + unit - 1) / unit * unit - 8;
  text.resize(padded, ' ');
  return text;
}

}  // namespace gradus::io
