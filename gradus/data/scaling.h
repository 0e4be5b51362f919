// From stored elements to what a model reads: f32, scaled and normalised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::data {

/// (x * scale - mean) / std, in f64, rounded once to f32. `mean` and `std` are empty (0 and 1), or have one entry for
/// all channels or one for each; channels are axis 1 of the examples.
///
///   data::Scaling{.scale = 1 / 255.0, .mean = {0.2860}, .std = {0.3530}}
struct Scaling {
  double scale = 1;
  std::vector<double> mean = {}, std = {};

  friend bool operator==(const Scaling&, const Scaling&) = default;
};

/// A Scaling, prepared for examples of one type and shape. Const calls from several threads are safe.
class Scaler {
 public:
  /// `examples`: u8 or f32 [N, ...]. Throws Error(dtype), Error(shape), or Error(value) for a mean or std that does not
  /// fit the channels, is not finite, or a std that is not positive.
  Scaler(const TensorSpec& examples, const Scaling& scaling);

  /// Elements of one example.
  std::int64_t example_numel() const { return channels_ * plane_; }
  /// Scales example number `example` of `examples` into `out`, which has room for example_numel() elements.
  void operator()(const std::byte* examples, std::int64_t example, float* out) const;

 private:
  double value(double element, std::size_t channel) const {
    return (element * scale_ - mean_[channel]) / std_[channel];
  }

  DType dtype_;
  std::int64_t channels_ = 1, plane_ = 1;
  double scale_;
  std::vector<double> mean_, std_;  ///< one per channel
  std::vector<float> table_;        ///< of u8 examples: 256 results per channel
  bool identity_ = false;
};

/// All examples of an evaluated u8 or f32 tensor [N, ...], scaled: f32 of the same shape. For single images:
///
///   Tensor image = data::read_png(path, {.channels = 1});                      // u8 [1, 28, 28]
///   Tensor input = data::scaled(data::stack({image}), {.scale = 1 / 255.0});   // f32 [1, 1, 28, 28]
Tensor scaled(const Tensor& examples, const Scaling& scaling);

/// Evaluated tensors of one type and shape, [...] each, as one tensor [count, ...]. Throws Error(shape) or Error(dtype)
/// when they differ, Error(value) when there are none.
Tensor stack(const Tensors& examples);

}  // namespace gradus::data
