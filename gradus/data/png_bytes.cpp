#include "gradus/data/png_bytes.h"

#include <fmt/format.h>
#include <png.h>

#include <vector>

#include "gradus/base/error.h"

namespace gradus::data {

std::string png_bytes(const Tensor& image, SourceLocation where) {
  const TensorSpec& spec = image.spec();
  if (spec.dtype != DType::u8)
    throw Error(ErrorKind::dtype, "png_bytes").at(where).operand("image", spec, "expected u8");
  const bool plain = spec.shape.rank() == 2;
  const std::int64_t channels = plain ? 1 : spec.shape.rank() == 3 ? spec.shape[0] : 0;
  if (channels < 1 || channels > 4 || spec.shape.numel() == 0) {
    throw Error(ErrorKind::shape, "png_bytes")
        .at(where)
        .operand("image", spec, "expected [height, width] or [1 to 4 channels, height, width]");
  }
  const std::int64_t height = spec.shape[plain ? 0 : 1], width = spec.shape[plain ? 1 : 2];
  const auto planes = image.data<std::uint8_t>();
  std::vector<png_byte> samples(planes.size());
  for (std::int64_t i = 0; i < height * width * channels; ++i) {
    samples[static_cast<std::size_t>(i)] =
        planes[static_cast<std::size_t>(i % channels * height * width + i / channels)];
  }
  constexpr png_uint_32 formats[] = {PNG_FORMAT_GRAY, PNG_FORMAT_GA, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
  png_image head{};
  head.version = PNG_IMAGE_VERSION;
  head.width = static_cast<png_uint_32>(width);
  head.height = static_cast<png_uint_32>(height);
  head.format = formats[channels - 1];
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(head);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&head, bytes.data(), &size, 0, samples.data(), 0, nullptr) == 0) {
    throw Error(ErrorKind::value, "png_bytes", head.message).at(where).operand("image", spec);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace gradus::data
