#include "gradus/io/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::io {
namespace {

struct NpyType {
  std::string_view code;  ///< without the byte order
  DType dtype;
};

constexpr std::array<NpyType, dtype_count> types = {{{"f4", DType::f32},
                                                     {"f8", DType::f64},
                                                     {"V2", DType::bf16},
                                                     {"i4", DType::i32},
                                                     {"i8", DType::i64},
                                                     {"u1", DType::u8},
                                                     {"b1", DType::boolean}}};

constexpr std::size_t longest_header = std::size_t{1} << 16;

/// Reads the dictionary { 'descr': TEXT, 'fortran_order': True or False, 'shape': (SIZE, ...) }, its keys in any order.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = string();
      expect(':');
      if (key == "descr" && !descr_) {
        if (peek() == '[') throw error("records of several fields are not supported");
        descr_ = string();
      } else if (key == "fortran_order" && !fortran_) {
        fortran_ = truth();
      } else if (key == "shape" && !shape_) {
        shape_ = shape();
      } else {
        throw error(fmt::format("the key '{}' is unknown or occurs twice", key));
      }
      if (!accept(',') && peek() != '}') throw error("expected , or }");
    }
    skip();
    if (at_ != text_.size()) throw error("text behind the closing brace");
    if (!descr_ || !fortran_ || !shape_) throw error("descr, fortran_order or shape is missing");
  }

  std::string_view descr() const { return *descr_; }
  bool fortran() const { return *fortran_; }
  const std::vector<std::int64_t>& sizes() const { return *shape_; }

 private:
  Error error(std::string summary) const {
    return Error(ErrorKind::format, "load_npy", "bad header: " + std::move(summary))
        .context(name_)
        .field("at", fmt::format("character {} of the header", at_));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) throw error(fmt::format("expected {}", c));
  }
  std::string_view string() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') throw error("expected a text in quotes");
    const std::size_t begin = ++at_;
    const std::size_t end = text_.find(quote, begin);
    if (end == text_.npos) throw error("a text without an end");
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  bool truth() {
    skip();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    throw error("expected True or False");
  }
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip();
      std::int64_t size = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), size);
      if (code != std::errc() || size < 0) throw error("expected a size, 0 or more");
      at_ = static_cast<std::size_t>(end - text_.data());
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // written by Python 2
      sizes.push_back(size);
      if (!accept(',') && peek() != ')') throw error("expected , or )");
      if (sizes.size() > Shape::max_rank) throw error(fmt::format("more than {} axes", Shape::max_rank));
    }
    return sizes;
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  std::optional<std::string_view> descr_;
  std::optional<bool> fortran_;
  std::optional<std::vector<std::int64_t>> shape_;
};

std::string_view conversion_hint(std::string_view code) {
  if (code == "f2") return "x.astype(numpy.float32)";
  if (code == "i1" || code == "i2" || code == "u2") return "x.astype(numpy.int32)";
  if (code == "u4" || code == "u8") return "x.astype(numpy.int64)";
  return {};
}

/// "<f4" -> f32, little-endian.
DType parse_type(std::string_view descr, bool& big_endian, const std::string& name) {
  const char order = descr.empty() ? '\0' : descr[0];
  const std::string_view code = descr.size() < 2 ? std::string_view() : descr.substr(1);
  const bool known_order = order == '<' || order == '>' || order == '|' || order == '=';
  const auto type = std::find_if(types.begin(), types.end(), [&](const NpyType& t) { return t.code == code; });
  if (!known_order || type == types.end()) {
    Error error(ErrorKind::format, "load_npy", fmt::format("elements of type '{}' are not supported", descr));
    error.context(name).field("known", "f4, f8, i4, i8, u1, b1, V2 (bf16)");
    const std::string_view hint = known_order ? conversion_hint(code) : std::string_view();
    if (!hint.empty()) error.hint(fmt::format("convert it in NumPy: {}", hint));
    throw error;
  }
  big_endian = order == '>' && size_of(type->dtype) > 1;
  return type->dtype;
}

void swap_bytes(std::byte* data, std::size_t bytes, std::size_t size) {
  for (std::size_t at = 0; at + size <= bytes; at += size) std::reverse(data + at, data + at + size);
}

/// From Fortran's order, first axis fastest, to row-major.
void copy_transposed(const std::byte* from, std::byte* to, const TensorSpec& spec) {
  const std::size_t size = size_of(spec.dtype);
  const Shape& shape = spec.shape;
  std::array<std::int64_t, Shape::max_rank> strides{}, index{};
  std::int64_t stride = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  std::int64_t source = 0;
  for (std::int64_t n = shape.numel(); n > 0; --n, to += size) {
    std::copy_n(from + static_cast<std::size_t>(source) * size, size, to);
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      source += strides[a];
      if (++index[a] < shape[axis]) break;
      source -= strides[a] * shape[axis];
      index[a] = 0;
    }
  }
}

}  // namespace

NpyHeader read_npy_header(std::span<const std::byte> file, const std::string& name) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::size_t>(file[at]); };
  const std::string_view all(reinterpret_cast<const char*>(file.data()), file.size());
  if (!all.starts_with("\x93NUMPY")) {
    throw Error(ErrorKind::format, "load_npy", "this is not a .npy file")
        .context(name)
        .field("expected", "the bytes 93 4e 55 4d 50 59 at its start");
  }
  if (file.size() < 12) throw Error(ErrorKind::format, "load_npy", "the file ends within its header").context(name);
  const std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) {
    throw Error(ErrorKind::format, "load_npy", fmt::format("version {}.{} is unknown", version, byte(7)))
        .context(name)
        .field("known", "1.0, 2.0, 3.0");
  }
  const std::size_t begin = version == 1 ? 10 : 12;
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > longest_header) {
    throw Error(ErrorKind::format, "load_npy", fmt::format("the header has {} bytes", length))
        .context(name)
        .field("expected", fmt::format("at most {}", longest_header));
  }
  if (file.size() - begin < length) {
    throw Error(ErrorKind::format, "load_npy", "the file ends within its header").context(name);
  }
  HeaderParser parser(all.substr(begin, length), name);
  parser.parse();
  NpyHeader header;
  header.data_begin = begin + length;
  header.fortran_order = parser.fortran();
  header.spec.dtype = parse_type(parser.descr(), header.big_endian, name);
  try {
    header.spec.shape = Shape(std::span<const std::int64_t>(parser.sizes()));
  } catch (const Error&) {
    throw Error(ErrorKind::format, "load_npy", "the shape is beyond what a tensor may have")
        .context(name)
        .field("shape", fmt::format("({})", fmt::join(parser.sizes(), ", ")));
  }
  return header;
}

std::string npy_header(const TensorSpec& spec) {
  const auto type = std::find_if(types.begin(), types.end(), [&](const NpyType& t) { return t.dtype == spec.dtype; });
  std::string shape;
  for (const std::int64_t size : spec.shape) shape += fmt::format("{}, ", size);
  if (spec.shape.rank() > 1) shape.pop_back(), shape.pop_back();
  if (spec.shape.rank() == 1) shape.pop_back();
  std::string text = fmt::format("{{'descr': '{}{}', 'fortran_order': False, 'shape': ({}), }}",
                                 size_of(spec.dtype) == 1 ? '|' : '<', type->code, shape);
  constexpr std::size_t begin = 10, alignment = 64;
  text.append((alignment - (begin + text.size() + 1) % alignment) % alignment, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 255);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

Tensor parse_npy(std::span<const std::byte> file, const std::string& name) {
  const NpyHeader header = read_npy_header(file, name);
  const std::span<const std::byte> data = file.subspan(header.data_begin);
  const std::size_t bytes = header.spec.bytes(), size = size_of(header.spec.dtype);
  if (data.size() != bytes) {
    throw Error(ErrorKind::format, "load_npy",
                data.size() < bytes ? "the file ends before its data do" : "the file goes on behind its data")
        .context(name)
        .field("header", header.spec.str())
        .field("expected", fmt::format("{} bytes of data", bytes))
        .field("found", fmt::format("{} bytes", data.size()));
  }
  Ref<Buffer> buffer = Buffer::allocate(bytes);
  if (header.fortran_order && header.spec.shape.rank() > 1) {
    copy_transposed(data.data(), buffer->data(), header.spec);
  } else {
    std::copy(data.begin(), data.end(), buffer->data());
  }
  if (header.big_endian) swap_bytes(buffer->data(), bytes, size);
  if (header.spec.dtype ==
      DType::boolean) {  // a bool that is neither 0 nor 1 is undefined behaviour for whoever reads it
    for (std::size_t i = 0; i < bytes; ++i) {
      if (std::to_integer<int>(buffer->data()[i]) > 1) {
        throw Error(ErrorKind::format, "load_npy", fmt::format("element {} is no truth value", i)).context(name);
      }
    }
  }
  return leaf(header.spec, std::move(buffer));
}

}  // namespace gradus::io
