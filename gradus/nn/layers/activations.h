// Activation functions as layers, with the names, settings and defaults of torch.nn; `axis` is PyTorch's dim. What each
// computes stands with its function in ops/activation.h and ops/softmax.h. ReLU, Tanh and Sigmoid are in nn/sequential.h.
//
//   nn::Sequential net{nn::Linear(4, 8), nn::GELU{}, nn::Linear(8, 8), nn::LeakyReLU{0.2}, nn::PReLU(8)};
#pragma once

#include <cstdint>

#include "gradus/nn/parameter.h"
#include "gradus/ops/activation.h"

namespace gradus::nn {

struct LeakyReLU {
  double negative_slope = 0.01;
  Tensor operator()(const TensorArg& x) const;
};
struct ELU {
  double alpha = 1;
  Tensor operator()(const TensorArg& x) const;
};
struct CELU {
  double alpha = 1;
  Tensor operator()(const TensorArg& x) const;
};
struct SELU {
  Tensor operator()(const TensorArg& x) const;
};
struct GELU {
  GeluApproximation approximate = GeluApproximation::none;
  Tensor operator()(const TensorArg& x) const;
};
struct SiLU {
  Tensor operator()(const TensorArg& x) const;
};
struct Mish {
  Tensor operator()(const TensorArg& x) const;
};
struct Softplus {
  double beta = 1;
  double threshold = 20;
  Tensor operator()(const TensorArg& x) const;
};
struct Softsign {
  Tensor operator()(const TensorArg& x) const;
};
struct Hardtanh {
  double min_val = -1, max_val = 1;
  Tensor operator()(const TensorArg& x) const;
};
struct ReLU6 {
  Tensor operator()(const TensorArg& x) const;
};
struct Hardsigmoid {
  Tensor operator()(const TensorArg& x) const;
};
struct Hardswish {
  Tensor operator()(const TensorArg& x) const;
};
struct LogSigmoid {
  Tensor operator()(const TensorArg& x) const;
};
struct Tanhshrink {
  Tensor operator()(const TensorArg& x) const;
};
struct Softshrink {
  double lambd = 0.5;
  Tensor operator()(const TensorArg& x) const;
};
struct Hardshrink {
  double lambd = 0.5;
  Tensor operator()(const TensorArg& x) const;
};
struct Threshold {
  double threshold = 0;
  double value = 0;
  Tensor operator()(const TensorArg& x) const;
};
/// Halves `axis`.
struct GLU {
  int axis = -1;
  Tensor operator()(const TensorArg& x) const;
};
struct Softmax {
  int axis = -1;
  Tensor operator()(const TensorArg& x) const;
};
struct LogSoftmax {
  int axis = -1;
  Tensor operator()(const TensorArg& x) const;
};
struct Softmin {
  int axis = -1;
  Tensor operator()(const TensorArg& x) const;
};

/// Random slopes while it trains, their mean in evaluation mode (nn/mode.h).
struct RReLU {
  double lower = 1.0 / 8, upper = 1.0 / 3;
  TrainingFlag training = true;
  static constexpr int field_count = 3;
  Tensor operator()(const TensorArg& x) const;
};

/// leaky_relu with a learned slope, one for all or one for each channel (axis 1). The weight (num_parameters) starts as
/// `init`. He et al., 2015.
struct PReLU {
  Parameter weight;
  static constexpr int field_count = 1;

  /// Throws Error(value) unless num_parameters is positive.
  explicit PReLU(std::int64_t num_parameters = 1, double init = 0.25, SourceLocation where = SourceLocation::current());
  /// Throws Error(shape) when the number of channels differs.
  Tensor operator()(const TensorArg& x) const;
};

}  // namespace gradus::nn
