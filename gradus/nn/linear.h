// The fully connected layer.
#pragma once

#include "gradus/nn/parameter.h"

namespace gradus::nn {

struct LinearOptions {
  bool bias = true;
};

/// x weight^T + bias: (.., in) -> (.., out). Weight (out, in) and bias (out) start as U(-b, b) with b = 1 / sqrt(in), as
/// PyTorch's do.
struct Linear {
  Parameter weight;
  Parameter bias;  ///< undefined without bias
  static constexpr int field_count = 2;

  /// Throws Error(value) unless both sizes are positive.
  Linear(std::int64_t in_features, std::int64_t out_features, LinearOptions options = {},
         SourceLocation where = SourceLocation::current());

  Tensor operator()(const TensorArg& x) const;

  std::int64_t in_features() const { return weight.shape()[1]; }
  std::int64_t out_features() const { return weight.shape()[0]; }
};

}  // namespace gradus::nn
