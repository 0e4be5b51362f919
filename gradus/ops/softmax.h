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
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Softmax&) const = default;
};

/// The logarithm of Softmax, which stays finite where the softmax underflows.
struct LogSoftmax {
  int axis = 0;

  std::string_view name() const { return "log_softmax"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const LogSoftmax&) const = default;
};

/// The point of the probability simplex that is nearest to x along `axis` (Martins and Astudillo, "From softmax to
/// sparsemax", 2016): probabilities of which many are exactly 0.
struct Sparsemax {
  int axis = 0;

  std::string_view name() const { return "sparsemax"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Sparsemax&) const = default;
};

/// Probabilities along `axis` (same shape and type as `x`, which must be floating). Throws Error(axis, dtype).
Tensor softmax(const TensorArg& x, int axis = -1);
/// Logarithms of the probabilities along `axis`.
Tensor log_softmax(const TensorArg& x, int axis = -1);

/// softmax(-x): the smallest element gets the most.
Tensor softmin(const TensorArg& x, int axis = -1);
/// Sparse probabilities along `axis`; see Sparsemax. NaN in a row makes the row NaN.
Tensor sparsemax(const TensorArg& x, int axis = -1);

}  // namespace gradus
