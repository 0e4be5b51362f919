#include "gradus/data/scaling.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>

#include "gradus/base/error.h"

namespace gradus::data {
namespace {

/// One entry per channel.
std::vector<double> per_channel(std::string_view name, const std::vector<double>& given, double otherwise,
                                std::int64_t channels, const TensorSpec& examples) {
  const auto count = static_cast<std::size_t>(channels);
  if (given.empty()) return std::vector<double>(count, otherwise);
  if (given.size() != 1 && given.size() != count) {
    throw Error(ErrorKind::value, "scaling", fmt::format("{} has {} entries", name, given.size()))
        .operand("examples", examples, fmt::format("{} channels", channels))
        .hint("give one entry for all channels or one for each");
  }
  for (const double entry : given) {
    if (!std::isfinite(entry) || (name == "std" && entry <= 0)) {
      throw Error(ErrorKind::value, "scaling", fmt::format("{} is {}", name, entry))
          .field("expected", name == "std" ? "positive numbers" : "finite numbers");
    }
  }
  return given.size() == count ? given : std::vector<double>(count, given[0]);
}

}  // namespace

Scaler::Scaler(const TensorSpec& examples, const Scaling& scaling) : dtype_(examples.dtype), scale_(scaling.scale) {
  const Shape& shape = examples.shape;
  if (dtype_ != DType::u8 && dtype_ != DType::f32) {
    throw Error(ErrorKind::dtype, "scaling").operand("examples", examples, "expected u8 or f32");
  }
  if (shape.rank() == 0) {
    throw Error(ErrorKind::shape, "scaling").operand("examples", examples, "expected [N, ...]");
  }
  if (!std::isfinite(scale_)) throw Error(ErrorKind::value, "scaling", fmt::format("scale is {}", scale_));
  if (shape.rank() > 1) channels_ = shape[1];
  if (shape.rank() > 2) plane_ = shape.numel(2, shape.rank());
  mean_ = per_channel("mean", scaling.mean, 0, channels_, examples);
  std_ = per_channel("std", scaling.std, 1, channels_, examples);
  identity_ = dtype_ == DType::f32 && scale_ == 1;
  for (std::size_t c = 0; c < mean_.size(); ++c) identity_ = identity_ && mean_[c] == 0 && std_[c] == 1;
  if (dtype_ == DType::u8) {
    // Without a mean and a std one table serves all channels: they become one plane.
    if (scaling.mean.size() <= 1 && scaling.std.size() <= 1 && channels_ > 0) {
      plane_ *= channels_;
      channels_ = 1;
    }
    table_.resize(256 * static_cast<std::size_t>(channels_));
    for (std::size_t i = 0; i < table_.size(); ++i) {
      table_[i] = static_cast<float>(value(static_cast<double>(i % 256), i / 256));
    }
  }
}

void Scaler::operator()(const std::byte* examples, std::int64_t example, float* out) const {
  const auto plane = static_cast<std::size_t>(plane_);
  if (identity_) {
    const std::size_t bytes = static_cast<std::size_t>(example_numel()) * sizeof(float);
    if (bytes != 0) std::memcpy(out, examples + static_cast<std::size_t>(example) * bytes, bytes);
    return;
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(channels_); ++c, out += plane) {
    const std::size_t first = static_cast<std::size_t>(example * example_numel()) + c * plane;
    if (dtype_ == DType::u8) {
      const auto* in = reinterpret_cast<const std::uint8_t*>(examples) + first;
      const float* table = table_.data() + 256 * c;
      for (std::size_t i = 0; i < plane; ++i) out[i] = table[in[i]];
    } else {
      const auto* in = reinterpret_cast<const float*>(examples) + first;
      for (std::size_t i = 0; i < plane; ++i) out[i] = static_cast<float>(value(in[i], c));
    }
  }
}

Tensor scaled(const Tensor& examples, const Scaling& scaling) {
  const Scaler scaler(examples.spec(), scaling);
  const TensorSpec spec{DType::f32, examples.shape()};
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  auto* out = reinterpret_cast<float*>(buffer->data());
  for (std::int64_t n = 0; n < spec.shape[0]; ++n) {
    scaler(examples.buffer()->data(), n, out + n * scaler.example_numel());
  }
  return leaf(spec, std::move(buffer));
}

Tensor stack(const Tensors& examples) {
  if (examples.empty()) throw Error(ErrorKind::value, "stack", "there are no examples");
  const TensorSpec& first = examples.front().spec();
  for (const Tensor& example : examples) {
    if (example.spec() == first) continue;
    throw Error(example.dtype() == first.dtype ? ErrorKind::shape : ErrorKind::dtype, "stack")
        .operand("first", first)
        .operand("other", example.spec(), "differs from the first");
  }
  if (first.shape.rank() == Shape::max_rank) {
    throw Error(ErrorKind::shape, "stack").operand("example", first, "no room for one more axis");
  }
  TensorSpec spec = first;
  spec.shape.insert(0, static_cast<std::int64_t>(examples.size()));
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  std::byte* out = buffer->data();
  for (const Tensor& example : examples) {
    if (first.bytes() != 0) std::memcpy(out, example.buffer()->data(), first.bytes());
    out += first.bytes();
  }
  return leaf(spec, std::move(buffer));
}

}  // namespace gradus::data
