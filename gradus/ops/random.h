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
  bool operator==(const RandomNormal&) const = default;
};

/// A permutation of 0..n-1, i64. Input: the key, i64 [].
struct RandomPermutation {
  std::int64_t n = 0;

  std::string_view name() const { return "random_permutation"; }
  OpFamily family() const { return OpFamily::random; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
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

}  // namespace gradus
