// Softmax and its logarithm.
#pragma once

#include <span>

#include "gradus/graph/op.h"
#include "gradus/ops/argument.h"

namespace gradus {

/// exp(x) / sum(exp(x)) along `axis`, computed on x - max(x).
struct Softmax {
  int axis = 0;

  std::string_view name() const { return "softmax"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  bool operator==(const Softmax&) const = default;
};

/// The logarithm of Softmax, which stays finite where the softmax underflows.
struct LogSoftmax {
  int axis = 0;

  std::string_view name() const { return "log_softmax"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  bool operator==(const LogSoftmax&) const = default;
};

/// Probabilities along `axis` (same shape and type as `x`, which must be floating). Throws Error(axis, dtype).
Tensor softmax(const TensorArg& x, int axis = -1);
/// Logarithms of the probabilities along `axis`.
Tensor log_softmax(const TensorArg& x, int axis = -1);

}  // namespace gradus
