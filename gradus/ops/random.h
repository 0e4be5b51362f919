// Random tensors. The key is a leaf, so another key is not another plan, and element i depends on (key, i) alone: the
// same bits for any number of threads, now and after a resume.
//
//   Tensor mask = less(uniform(x.shape(), {}, key.fold(step)), 0.9f);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gradus/base/random.h"
#include "gradus/graph/op.h"

namespace gradus {

/// Uniform in [0, 1). Input: the key, i64 []. f32 or f64.
struct RandomUniform {
  Shape shape;
  DType dtype = DType::f32;

  std::string_view name() const { return "random_uniform"; }
  OpFamily family() const { return OpFamily::random; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const RandomUniform&) const = default;
};

/// Standard normal. Input: the key, i64 []. f32 or f64.
struct RandomNormal {
  Shape shape;
  DType dtype = DType::f32;

  std::string_view name() const { return "random_normal"; }
  OpFamily family() const { return OpFamily::random; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const RandomNormal&) const = default;
};

/// A permutation of 0..n-1, i64. Input: the key, i64 [].
struct RandomPermutation {
  std::int64_t n = 0;

  std::string_view name() const { return "random_permutation"; }
  OpFamily family() const { return OpFamily::random; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const RandomPermutation&) const = default;
};

/// The leaf by which an operation gets its key.
Tensor key_leaf(Key key);

struct UniformOptions {
  double low = 0, high = 1;
  DType dtype = DType::f32;
};

struct NormalOptions {
  double mean = 0, stddev = 1;
  DType dtype = DType::f32;
};

/// Uniform in [low, high) up to rounding. Without a key: the next one of the default stream (`manual_seed`). Throws
/// Error(dtype) unless f32 or f64, Error(value) unless low <= high and both are finite.
Tensor uniform(const Shape& shape, UniformOptions options = {}, std::optional<Key> key = {},
               SourceLocation where = SourceLocation::current());
/// Normal with `mean` and `stddev` >= 0.
Tensor normal(const Shape& shape, NormalOptions options = {}, std::optional<Key> key = {},
              SourceLocation where = SourceLocation::current());
/// A uniformly random permutation of 0..n-1, i64 [n]; the elements of random_permutation(n, key). Throws Error(value)
/// for a negative n.
Tensor permutation(std::int64_t n, std::optional<Key> key = {}, SourceLocation where = SourceLocation::current());

/// Uniform in [0, 1), and standard normal, of the shape and type of x, which must be floating.
Tensor rand_like(const TensorArg& x, std::optional<Key> key = {});
Tensor randn_like(const TensorArg& x, std::optional<Key> key = {});
/// Uniform integers low, ..., high - 1, i64. Throws Error(value) unless low < high and high - low <= 2^53.
Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, std::optional<Key> key = {},
               SourceLocation where = SourceLocation::current());

struct TruncatedNormalOptions {
  double mean = 0, stddev = 1;
  double low = -2, high = 2;  ///< bounds of the numbers themselves, as in torch.nn.init.trunc_normal_
  DType dtype = DType::f32;
};
/// Normal with `mean` and `stddev`, given that it lies in [low, high]; by inversion of the distribution function, so meant
/// for bounds within 5 (f64: 8) standard deviations. Throws Error(value) unless stddev > 0 and low < high.
Tensor truncated_normal(const Shape& shape, TruncatedNormalOptions options = {}, std::optional<Key> key = {},
                        SourceLocation where = SourceLocation::current());

struct ExponentialOptions {
  double rate = 1;
  DType dtype = DType::f32;
};
/// Exponential with mean 1 / rate, >= 0. Throws Error(value) unless rate > 0.
Tensor exponential(const Shape& shape, ExponentialOptions options = {}, std::optional<Key> key = {},
                   SourceLocation where = SourceLocation::current());
/// Standard Gumbel: -log of a standard exponential. Finite.
Tensor gumbel(const Shape& shape, DType dtype = DType::f32, std::optional<Key> key = {},
              SourceLocation where = SourceLocation::current());

/// 1 with probability p, else 0, for each element of p (floating), in its type. Nothing checks that the elements of p are
/// probabilities: below 0 counts as 0, above 1 as 1.
Tensor bernoulli(const TensorArg& p, std::optional<Key> key = {});
/// The same for one p, f32. Throws Error(value) unless 0 <= p <= 1.
Tensor bernoulli(const Shape& shape, double p, std::optional<Key> key = {},
                 SourceLocation where = SourceLocation::current());

struct CategoricalOptions {
  /// Samples of each distribution, as a new last axis; without it one sample and no axis.
  std::optional<std::int64_t> num_samples;
  bool replacement = true;
};
/// Classes drawn from the distributions softmax(logits) along the last axis [..., classes], i64 [...]. By the Gumbel-max trick;
/// without replacement its largest num_samples, each found by a pass of its own. Throws Error(shape) without classes,
/// Error(value) for more samples than classes without replacement.
Tensor categorical(const TensorArg& logits, CategoricalOptions options = {}, std::optional<Key> key = {});
/// The same from weights >= 0 in place of logits; they need not sum to 1. The default is without replacement, as PyTorch's.
Tensor multinomial(const TensorArg& weights, std::int64_t num_samples, bool replacement = false,
                   std::optional<Key> key = {});

struct GumbelSoftmaxOptions {
  double tau = 1;     ///< temperature
  bool hard = false;  ///< one-hot, with the gradient of the soft sample
  int axis = -1;
};
/// softmax((logits + gumbel) / tau) (Jang et al., 2016). Throws Error(value) unless tau > 0.
Tensor gumbel_softmax(const TensorArg& logits, GumbelSoftmaxOptions options = {}, std::optional<Key> key = {});

/// In training each element becomes 0 with probability p and 1 / (1 - p) times itself otherwise; else x. Throws Error(value)
/// unless 0 <= p <= 1, Error(dtype) unless x is floating. The probability is a leaf: another one is not another plan.
Tensor dropout(const TensorArg& x, double p = 0.5, bool training = true, std::optional<Key> key = {});

}  // namespace gradus
