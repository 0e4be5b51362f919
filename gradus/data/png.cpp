#include "gradus/data/png.h"

#include <fmt/format.h>
#include <png.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <memory>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/data/file.h"

// libpng reports errors by longjmp. The functions that call setjmp hold no object with a destructor: whatever must be
// released is owned by a Reader or Writer in the frame above, and they return false instead of throwing.

namespace gradus::data {
namespace {

constexpr std::uint64_t most_samples = std::uint64_t{1} << 28;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

struct Failure {
  char text[160] = "";
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  std::snprintf(static_cast<Failure*>(png_get_error_ptr(png))->text, sizeof(Failure::text), "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

struct Reader {
  Failure failure;
  png_structp png = nullptr;
  png_infop info = nullptr;
  FileHandle file;
  png_uint_32 width = 0, height = 0;
  std::uint64_t stored_row_bytes = 0;  ///< as in the file, before anything is expanded
  std::size_t row_bytes = 0;
  int channels = 0;

  Reader() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
  }
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

bool read_header(Reader& reader) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_init_io(reader.png, reader.file.get());
  png_set_user_limits(reader.png, 1u << 24, 1u << 24);
  png_set_chunk_cache_max(reader.png, 64);
  png_set_chunk_malloc_max(reader.png, 1u << 22);
  png_read_info(reader.png, reader.info);
  reader.width = png_get_image_width(reader.png, reader.info);
  reader.height = png_get_image_height(reader.png, reader.info);
  reader.stored_row_bytes = png_get_rowbytes(reader.png, reader.info);
  png_set_expand(reader.png);
  png_set_scale_16(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  reader.row_bytes = png_get_rowbytes(reader.png, reader.info);
  reader.channels = png_get_channels(reader.png, reader.info);
  return true;
}

bool read_rows(Reader& reader, png_bytepp rows) {
  if (setjmp(png_jmpbuf(reader.png))) return false;
  png_read_image(reader.png, rows);
  png_read_end(reader.png, nullptr);  // checks what is left, the end mark included
  return true;
}

Error refusal(const std::string& path, const Reader& reader) {
  if (std::ferror(reader.file.get())) return Error(ErrorKind::io, "read_png", "cannot read the file").context(path);
  return Error(ErrorKind::format, "read_png", reader.failure.text).context(path);
}

void check_size(const std::string& path, const Reader& reader, std::uint64_t file_bytes) {
  const std::uint64_t samples = std::uint64_t{reader.height} * reader.row_bytes;
  const std::string size = fmt::format("{} x {} pixels, {} channels", reader.width, reader.height, reader.channels);
  if (samples > most_samples) {
    throw Error(ErrorKind::format, "read_png", "the image is too large")
        .context(path)
        .field("header", size)
        .field("expected", fmt::format("at most {} samples", most_samples));
  }
  if (reader.height * reader.stored_row_bytes > most_inflated(file_bytes)) {
    throw Error(ErrorKind::format, "read_png", "the file is too short for the image that it announces")
        .context(path)
        .field("header", size)
        .field("found", fmt::format("{} bytes", file_bytes));
  }
}

/// The sample of output channel `c` of `wanted`, from one pixel.
png_byte converted(const png_byte* pixel, int channels, int c, int wanted) {
  if (wanted == 0) return pixel[c];
  if (channels <= 2) return pixel[0];
  if (wanted == 3) return pixel[c];
  return static_cast<png_byte>((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 32768u) >> 16);
}

/// Rows of interleaved samples -> planes.
Tensor to_planes(const Reader& reader, const std::vector<png_byte>& samples, int wanted) {
  const std::size_t stored = static_cast<std::size_t>(reader.channels);
  const std::size_t planes = wanted == 0 ? stored : static_cast<std::size_t>(wanted);
  const std::size_t pixels = std::size_t{reader.width} * reader.height;
  const TensorSpec spec{DType::u8, {static_cast<std::int64_t>(planes), reader.height, reader.width}};
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  auto* out = reinterpret_cast<png_byte*>(buffer->data());
  for (std::size_t c = 0; c < planes; ++c) {
    for (std::size_t p = 0; p < pixels; ++p) {
      *out++ = converted(samples.data() + p * stored, reader.channels, static_cast<int>(c), wanted);
    }
  }
  return leaf(spec, std::move(buffer));
}

struct Writer {
  Failure failure;
  png_structp png = nullptr;
  png_infop info = nullptr;
  FileHandle file;

  Writer() {
    png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &failure, on_error, on_warning);
    if (png) info = png_create_info_struct(png);
  }
  ~Writer() { png_destroy_write_struct(&png, &info); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
};

struct Layout {
  png_uint_32 width, height;
  int channels;
};

bool write_rows(Writer& writer, const Layout& layout, png_bytepp rows) {
  constexpr int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGBA};
  if (setjmp(png_jmpbuf(writer.png))) return false;
  png_init_io(writer.png, writer.file.get());
  png_set_IHDR(writer.png, writer.info, layout.width, layout.height, 8, colours[layout.channels - 1],
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(writer.png, writer.info);
  png_write_image(writer.png, rows);
  png_write_end(writer.png, nullptr);
  return true;
}

Layout checked_layout(const std::string& path, const TensorSpec& spec) {
  if (spec.dtype != DType::u8) {
    throw Error(ErrorKind::dtype, "write_png").context(path).operand("image", spec, "expected u8");
  }
  const Shape& shape = spec.shape;
  const int rank = shape.rank();
  const bool ranks = rank == 2 || (rank == 3 && shape[0] >= 1 && shape[0] <= 4);
  constexpr std::int64_t longest = 1 << 24;
  if (!ranks || shape[rank - 1] < 1 || shape[rank - 2] < 1 || shape[rank - 1] > longest || shape[rank - 2] > longest) {
    throw Error(ErrorKind::shape, "write_png")
        .context(path)
        .operand("image", spec, "expected [height, width] or [1 to 4, height, width], not empty");
  }
  return {static_cast<png_uint_32>(shape[rank - 1]), static_cast<png_uint_32>(shape[rank - 2]),
          rank == 2 ? 1 : static_cast<int>(shape[0])};
}

std::vector<png_bytep> row_pointers(png_byte* samples, std::size_t rows, std::size_t row_bytes) {
  std::vector<png_bytep> pointers(rows);
  for (std::size_t y = 0; y < rows; ++y) pointers[y] = samples + y * row_bytes;
  return pointers;
}

}  // namespace

Tensor read_png(const std::string& path, const PngOptions& options) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3) {
    throw Error(ErrorKind::value, "read_png",
                fmt::format("channels is {}, expected 0 (as stored), 1 or 3", options.channels))
        .context(path);
  }
  const std::uint64_t file_bytes = file_size(path, "read_png");
  Reader reader;
  reader.file.reset(std::fopen(path.c_str(), "rb"));
  if (!reader.file) {
    throw Error(ErrorKind::io, "read_png", "cannot open the file: " + system_message(errno)).context(path);
  }
  if (!reader.info) throw Error(ErrorKind::io, "read_png", "cannot start libpng").context(path);
  if (!read_header(reader)) throw refusal(path, reader);
  check_size(path, reader, file_bytes);
  std::vector<png_byte> samples(reader.row_bytes * reader.height);
  std::vector<png_bytep> rows = row_pointers(samples.data(), reader.height, reader.row_bytes);
  if (!read_rows(reader, rows.data())) throw refusal(path, reader);
  return to_planes(reader, samples, options.channels);
}

void write_png(const std::string& path, const Tensor& image) {
  const Layout layout = checked_layout(path, image.spec());
  const std::size_t channels = static_cast<std::size_t>(layout.channels);
  const std::size_t pixels = std::size_t{layout.width} * layout.height;
  std::vector<png_byte> samples(pixels * channels);
  const std::span<const std::uint8_t> planes = image.data<std::uint8_t>();
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) samples[p * channels + c] = planes[c * pixels + p];
  }
  std::vector<png_bytep> rows = row_pointers(samples.data(), layout.height, layout.width * channels);

  Writer writer;
  writer.file.reset(std::fopen(path.c_str(), "wb"));
  if (!writer.file) {
    throw Error(ErrorKind::io, "write_png", "cannot open the file: " + system_message(errno)).context(path);
  }
  if (!writer.info) throw Error(ErrorKind::io, "write_png", "cannot start libpng").context(path);
  errno = 0;
  const bool encoded = write_rows(writer, layout, rows.data());
  const bool closed = std::fclose(writer.file.release()) == 0;
  if (!encoded || !closed) {
    const int reason = errno;
    remove_partial(path);
    throw Error(ErrorKind::io, "write_png",
                "cannot write the file: " + (reason != 0 ? system_message(reason) : std::string(writer.failure.text)))
        .context(path);
  }
}

}  // namespace gradus::data
