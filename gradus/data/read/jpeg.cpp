#include "gradus/data/read/jpeg.h"

#include <fmt/format.h>

#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <memory>
#include <vector>
// libjpeg's headers need size_t and FILE, and do not include them.
#include <jerror.h>
#include <jpeglib.h>

#include "gradus/base/error.h"
#include "gradus/data/file.h"

// libjpeg reports errors by a function that must not return: longjmp. The functions that call setjmp hold no object with
// a destructor; whatever must be released is owned by a Decoder or Encoder in the frame above.

namespace gradus::data {
namespace {

constexpr std::uint64_t most_samples = std::uint64_t{1} << 28;
/// A DC coefficient takes a bit at least, and stands for 256 pixels of chroma: 1,024 samples a byte. Four times that,
/// and a little for small images, is beyond doubt.
constexpr std::uint64_t most_samples_per_byte = 4096;
constexpr int most_scans = 200;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FileHandle = std::unique_ptr<std::FILE, CloseFile>;

struct Failure {
  jpeg_error_mgr manager;  // first: libjpeg hands out a pointer to it
  std::jmp_buf place;
  char text[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  info->err->format_message(info, failure->text);
  std::longjmp(failure->place, 1);
}

/// Negative levels are damage that libjpeg would paper over with grey; a few kinds do no harm to the picture.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM) return;
  on_error(info);
}

void on_progress(j_common_ptr info) {
  const auto* decoder = reinterpret_cast<j_decompress_ptr>(info);
  if (decoder->input_scan_number <= most_scans) return;
  auto* failure = reinterpret_cast<Failure*>(info->err);
  std::snprintf(failure->text, sizeof failure->text, "more than %d scans", most_scans);
  std::longjmp(failure->place, 1);
}

void prepare(Failure& failure) {
  jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
}

struct Decoder {
  Failure failure;
  jpeg_decompress_struct info{};
  jpeg_progress_mgr progress{};
  FileHandle file;

  Decoder() {
    prepare(failure);
    info.err = &failure.manager;
    progress.progress_monitor = on_progress;
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }  // does nothing to one that was never created
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
};

bool read_header(Decoder& decoder) {
  if (setjmp(decoder.failure.place)) return false;
  jpeg_create_decompress(&decoder.info);
  decoder.info.progress = &decoder.progress;
  jpeg_stdio_src(&decoder.info, decoder.file.get());
  jpeg_read_header(&decoder.info, TRUE);
  return true;
}

bool read_rows(Decoder& decoder, J_COLOR_SPACE wanted, JSAMPLE* samples, std::size_t row_samples) {
  if (setjmp(decoder.failure.place)) return false;
  decoder.info.out_color_space = wanted;
  decoder.info.dct_method = JDCT_ISLOW;
  jpeg_start_decompress(&decoder.info);
  while (decoder.info.output_scanline < decoder.info.output_height) {
    JSAMPROW row = samples + decoder.info.output_scanline * row_samples;
    jpeg_read_scanlines(&decoder.info, &row, 1);
  }
  jpeg_finish_decompress(&decoder.info);
  return true;
}

Error refusal(const std::string& path, const Decoder& decoder) {
  if (std::ferror(decoder.file.get())) return Error(ErrorKind::io, "read_jpeg", "cannot read the file").context(path);
  return Error(ErrorKind::format, "read_jpeg", decoder.failure.text).context(path);
}

void check_header(const std::string& path, const jpeg_decompress_struct& info, std::uint64_t file_bytes) {
  if (info.num_components != 1 && info.num_components != 3) {
    throw Error(ErrorKind::format, "read_jpeg", fmt::format("an image of {} channels", info.num_components))
        .context(path)
        .field("expected", "1 (grey) or 3 (colour)")
        .hint("convert CMYK first, for example: convert in.jpg -colorspace sRGB out.jpg");
  }
  const std::uint64_t samples = std::uint64_t{info.image_width} * info.image_height * 3;
  const std::string size = fmt::format("{} x {} pixels", info.image_width, info.image_height);
  if (samples > most_samples) {
    throw Error(ErrorKind::format, "read_jpeg", "the image is too large")
        .context(path)
        .field("header", size)
        .field("expected", fmt::format("at most {} samples", most_samples));
  }
  if (samples > file_bytes * most_samples_per_byte) {
    throw Error(ErrorKind::format, "read_jpeg", "the file is too short for the image that it announces")
        .context(path)
        .field("header", size)
        .field("found", fmt::format("{} bytes", file_bytes));
  }
}

struct Encoder {
  Failure failure;
  jpeg_compress_struct info{};
  FileHandle file;

  Encoder() {
    prepare(failure);
    info.err = &failure.manager;
  }
  ~Encoder() { jpeg_destroy_compress(&info); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
};

struct Picture {
  JDIMENSION width = 0, height = 0;
  int channels = 1;
};

bool write_rows(Encoder& encoder, const Picture& picture, int quality, JSAMPLE* samples) {
  if (setjmp(encoder.failure.place)) return false;
  jpeg_compress_struct& info = encoder.info;
  jpeg_create_compress(&info);
  jpeg_stdio_dest(&info, encoder.file.get());
  info.image_width = picture.width;
  info.image_height = picture.height;
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = samples + std::size_t{info.next_scanline} * picture.width * static_cast<unsigned>(picture.channels);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

Picture checked_picture(const std::string& path, const TensorSpec& spec) {
  if (spec.dtype != DType::u8) {
    throw Error(ErrorKind::dtype, "write_jpeg").context(path).operand("image", spec, "expected u8");
  }
  const Shape& shape = spec.shape;
  const int rank = shape.rank();
  const bool ranks = rank == 2 || (rank == 3 && (shape[0] == 1 || shape[0] == 3));
  if (!ranks || shape[rank - 1] < 1 || shape[rank - 2] < 1 || shape[rank - 1] > JPEG_MAX_DIMENSION ||
      shape[rank - 2] > JPEG_MAX_DIMENSION) {
    throw Error(ErrorKind::shape, "write_jpeg")
        .context(path)
        .operand("image", spec, "expected [height, width] or [1 or 3, height, width], 1 to 65500 each");
  }
  return {static_cast<JDIMENSION>(shape[rank - 1]), static_cast<JDIMENSION>(shape[rank - 2]),
          rank == 2 ? 1 : static_cast<int>(shape[0])};
}

}  // namespace

Tensor read_jpeg(const std::string& path, const JpegOptions& options) {
  if (options.channels != 0 && options.channels != 1 && options.channels != 3) {
    throw Error(ErrorKind::value, "read_jpeg",
                fmt::format("channels is {}, expected 0 (as stored), 1 or 3", options.channels))
        .context(path);
  }
  const std::uint64_t file_bytes = file_size(path, "read_jpeg");
  Decoder decoder;
  decoder.file.reset(std::fopen(path.c_str(), "rb"));
  if (!decoder.file) {
    throw Error(ErrorKind::io, "read_jpeg", "cannot open the file: " + system_message(errno)).context(path);
  }
  if (!read_header(decoder)) throw refusal(path, decoder);
  check_header(path, decoder.info, file_bytes);
  const auto channels =
      static_cast<std::size_t>(options.channels == 0 ? decoder.info.num_components : options.channels);
  const std::size_t width = decoder.info.image_width, height = decoder.info.image_height;
  std::vector<JSAMPLE> samples(width * height * channels);
  if (!read_rows(decoder, channels == 1 ? JCS_GRAYSCALE : JCS_RGB, samples.data(), width * channels)) {
    throw refusal(path, decoder);
  }
  const TensorSpec spec{
      DType::u8,
      {static_cast<std::int64_t>(channels), static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)}};
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  auto* out = reinterpret_cast<JSAMPLE*>(buffer->data());
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t p = 0; p < width * height; ++p) *out++ = samples[p * channels + c];
  }
  return leaf(spec, std::move(buffer));
}

void write_jpeg(const std::string& path, const Tensor& image, int quality) {
  const Picture picture = checked_picture(path, image.spec());
  if (quality < 1 || quality > 100) {
    throw Error(ErrorKind::value, "write_jpeg", fmt::format("quality is {}, expected 1 to 100", quality)).context(path);
  }
  const auto channels = static_cast<std::size_t>(picture.channels);
  const std::size_t pixels = std::size_t{picture.width} * picture.height;
  std::vector<JSAMPLE> samples(pixels * channels);
  const std::span<const std::uint8_t> planes = image.data<std::uint8_t>();
  for (std::size_t p = 0; p < pixels; ++p) {
    for (std::size_t c = 0; c < channels; ++c) samples[p * channels + c] = planes[c * pixels + p];
  }
  Encoder encoder;
  encoder.file.reset(std::fopen(path.c_str(), "wb"));
  if (!encoder.file) {
    throw Error(ErrorKind::io, "write_jpeg", "cannot open the file: " + system_message(errno)).context(path);
  }
  errno = 0;
  const bool encoded = write_rows(encoder, picture, quality, samples.data());
  const bool closed = std::fclose(encoder.file.release()) == 0;
  if (encoded && closed) return;
  const int reason = errno;
  remove_partial(path);
  throw Error(ErrorKind::io, "write_jpeg",
              "cannot write the file: " + (reason != 0 ? system_message(reason) : std::string(encoder.failure.text)))
      .context(path);
}

}  // namespace gradus::data
