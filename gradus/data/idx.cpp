#include "gradus/data/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/data/file.h"

namespace gradus::data {
namespace {

struct ElementType {
  int code;
  std::string_view name;
  std::optional<DType> dtype;
};

constexpr std::array<ElementType, 6> element_types = {{{0x08, "unsigned byte", DType::u8},
                                                       {0x09, "signed byte", std::nullopt},
                                                       {0x0b, "short", std::nullopt},
                                                       {0x0c, "int", DType::i32},
                                                       {0x0d, "float", DType::f32},
                                                       {0x0e, "double", DType::f64}}};

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzHandle = std::unique_ptr<gzFile_s, CloseGz>;

/// A file that zlib reads, compressed or not.
class IdxFile {
 public:
  explicit IdxFile(const std::string& path) : path_(path), size_(file_size(path, "read_idx")) {
    handle_.reset(gzopen(path.c_str(), "rb"));
    if (!handle_) throw error(ErrorKind::io, "cannot open the file: " + system_message(errno));
    gzbuffer(handle_.get(), 1u << 17);
  }

  /// Fills `out` from the file; returns the bytes that were there.
  std::size_t read(std::span<std::byte> out) {
    std::size_t got = 0;
    while (got < out.size()) {
      const auto wanted = static_cast<unsigned>(std::min<std::size_t>(out.size() - got, 1u << 30));
      const int count = gzread(handle_.get(), out.data() + got, wanted);
      if (count < 0) fail();
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    return got;
  }

  /// True at the end of whole and sound data.
  bool at_end() {
    std::byte next;
    if (read({&next, 1}) != 0) return false;
    int code = Z_OK;
    gzerror(handle_.get(), &code);
    if (code == Z_BUF_ERROR) throw error(ErrorKind::format, "the compressed stream is cut off");
    return true;
  }

  bool plain() { return gzdirect(handle_.get()) != 0; }
  std::uint64_t size() const { return size_; }
  Error error(ErrorKind kind, std::string summary) const {
    return Error(kind, "read_idx", std::move(summary)).context(path_);
  }

 private:
  [[noreturn]] void fail() {
    int code = Z_OK;
    std::string text = gzerror(handle_.get(), &code);
    if (text.starts_with(path_ + ": ")) text.erase(0, path_.size() + 2);
    if (code == Z_ERRNO) throw error(ErrorKind::io, "cannot read the file: " + system_message(errno));
    throw error(ErrorKind::format, "the compressed stream is corrupted: " + text);
  }

  std::string path_;
  std::uint64_t size_;
  GzHandle handle_;
};

std::uint32_t big_endian(const std::byte* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

DType read_magic(IdxFile& file, int& rank) {
  std::array<std::byte, 4> magic;
  const std::size_t got = file.read(magic);
  if (got < magic.size()) {
    throw file.error(ErrorKind::format, "the file ends within the magic number")
        .field("expected", "4 bytes")
        .field("found", fmt::format("{} bytes", got));
  }
  const std::uint32_t value = big_endian(magic.data());
  const int code = static_cast<int>(value >> 8);
  const auto type =
      std::find_if(element_types.begin(), element_types.end(), [&](const auto& t) { return t.code == code; });
  if (type == element_types.end()) {
    throw file.error(ErrorKind::format, "this is not an IDX file")
        .field("expected", "00 00, an element type (08, 0c, 0d or 0e), the rank")
        .field("found", fmt::format("{:02x} {:02x} {:02x} {:02x}", value >> 24, value >> 16 & 255, value >> 8 & 255,
                                    value & 255));
  }
  if (!type->dtype) {
    throw file
        .error(ErrorKind::format, fmt::format("elements of type {} ({:#04x}) are not supported", type->name, code))
        .hint("unsigned byte, int, float and double are");
  }
  rank = static_cast<int>(value & 255);
  if (rank < 1 || rank > Shape::max_rank) {
    throw file.error(ErrorKind::format, fmt::format("a rank of {} is not supported", rank))
        .field("expected", fmt::format("1 to {}", Shape::max_rank));
  }
  return *type->dtype;
}

/// Checks the claimed sizes against the length of the file.
TensorSpec read_header(IdxFile& file, std::uint64_t& bytes) {
  int rank = 0;
  const DType dtype = read_magic(file, rank);
  std::array<std::byte, 4 * Shape::max_rank> raw;
  const std::size_t length = 4 * static_cast<std::size_t>(rank);
  if (const std::size_t got = file.read(std::span(raw).first(length)); got < length) {
    throw file.error(ErrorKind::format, "the file ends within the sizes")
        .field("expected", fmt::format("{} sizes, {} bytes", rank, length))
        .field("found", fmt::format("{} bytes", got));
  }
  std::vector<std::int64_t> sizes;
  std::uint64_t elements = 1;  // as if empty axes had size 1: what a Shape may have
  bool fits = true, empty = false;
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank); ++axis) {
    const std::uint64_t size = big_endian(raw.data() + 4 * axis);
    sizes.push_back(static_cast<std::int64_t>(size));
    empty |= size == 0;
    fits &= !__builtin_mul_overflow(elements, std::max<std::uint64_t>(size, 1), &elements) &&
            elements <= static_cast<std::uint64_t>(Shape::max_elements);
  }
  bytes = empty ? 0 : elements * size_of(dtype);
  const std::uint64_t header = 4 + length;
  const std::uint64_t room = file.plain() ? file.size() - header : most_inflated(file.size());
  if (!fits || bytes > room) {
    throw file.error(ErrorKind::format, "the file is shorter than its header says")
        .field("header", fmt::format("{} [{}]", name_of(dtype), fmt::join(sizes, ", ")))
        .field("expected",
               fits ? fmt::format("{} bytes of data", bytes) : std::string("more bytes than can be addressed"))
        .field("found", file.plain() ? fmt::format("{} bytes of data", room)
                                     : fmt::format("{} compressed bytes, which hold at most {}", file.size(), room))
        .hint("a download or a copy that was cut off? Get the file once more");
  }
  return {dtype, Shape(sizes)};
}

template <class Word>
void swap_bytes(std::byte* data, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i, data += sizeof(Word)) std::reverse(data, data + sizeof(Word));
}

/// Between the file's order, big-endian, and ours.
void swap_elements(std::byte* data, const TensorSpec& spec) {
  static_assert(std::endian::native == std::endian::little, "big-endian machines need no swap here");
  const auto count = static_cast<std::size_t>(spec.shape.numel());
  if (size_of(spec.dtype) == 4) swap_bytes<std::uint32_t>(data, count);
  if (size_of(spec.dtype) == 8) swap_bytes<std::uint64_t>(data, count);
}

}  // namespace

Tensor read_idx(const std::string& path) {
  IdxFile file(path);
  std::uint64_t bytes = 0;
  const TensorSpec spec = read_header(file, bytes);
  Ref<Buffer> buffer;
  try {
    buffer = Buffer::allocate(bytes);
  } catch (const std::bad_alloc&) {
    throw file.error(ErrorKind::io, fmt::format("no memory for {} bytes of {}", bytes, spec.str()));
  }
  const std::size_t got = file.read({buffer->data(), static_cast<std::size_t>(bytes)});
  if (got < bytes) {
    throw file.error(ErrorKind::format, "the file ends before its data do")
        .field("header", spec.str())
        .field("expected", fmt::format("{} bytes of data", bytes))
        .field("found", fmt::format("{} bytes", got))
        .hint("a download or a copy that was cut off? Get the file once more");
  }
  if (!file.at_end()) {
    throw file.error(ErrorKind::format, "the file goes on behind its data")
        .field("header", spec.str())
        .field("expected", fmt::format("{} bytes of data", bytes));
  }
  swap_elements(buffer->data(), spec);
  return leaf(spec, std::move(buffer));
}

void write_idx(const std::string& path, const Tensor& tensor) {
  const TensorSpec& spec = tensor.spec();
  const auto type = std::find_if(element_types.begin(), element_types.end(),
                                 [&](const ElementType& t) { return t.dtype == spec.dtype; });
  if (type == element_types.end()) {
    throw Error(ErrorKind::dtype, "write_idx").context(path).operand("tensor", spec, "IDX holds u8, i32, f32 and f64");
  }
  const bool too_large = std::any_of(spec.shape.begin(), spec.shape.end(), [](std::int64_t n) { return n >> 32 != 0; });
  if (spec.shape.rank() == 0 || too_large) {
    throw Error(ErrorKind::shape, "write_idx")
        .context(path)
        .operand("tensor", spec, "IDX holds 1 to 8 axes below 2^32");
  }
  std::vector<std::byte> content = {std::byte{0}, std::byte{0}, static_cast<std::byte>(type->code),
                                    static_cast<std::byte>(spec.shape.rank())};
  for (const std::int64_t size : spec.shape) {
    for (const int shift : {24, 16, 8, 0}) content.push_back(static_cast<std::byte>(size >> shift & 255));
  }
  const std::size_t header = content.size();
  const std::byte* data = tensor.buffer()->data();
  content.insert(content.end(), data, data + spec.bytes());
  swap_elements(content.data() + header, spec);

  GzHandle file(gzopen(path.c_str(), path.ends_with(".gz") ? "wb6" : "wbT"));
  const bool opened = file != nullptr;
  bool written = opened;
  for (std::size_t at = 0; written && at < content.size();) {
    const auto count = static_cast<unsigned>(std::min<std::size_t>(content.size() - at, 1u << 30));
    written = gzwrite(file.get(), content.data() + at, count) == static_cast<int>(count);
    at += count;
  }
  if (file) written = gzclose(file.release()) == Z_OK && written;
  if (!written) {
    const std::string reason = system_message(errno);
    if (opened) remove_partial(path);
    throw Error(ErrorKind::io, "write_idx", "cannot write the file: " + reason).context(path);
  }
}

}  // namespace gradus::data
