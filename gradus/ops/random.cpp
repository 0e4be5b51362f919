#include "gradus/ops/random.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"

namespace gradus {
namespace {

void require_key(std::string_view op, const TensorSpec& key) {
  if (key == TensorSpec{DType::i64, {}}) return;
  throw Error(ErrorKind::shape, std::string(op)).operand("key", key, "expected i64 []");
}

Specs infer_real(std::string_view op, const TensorSpec& key, const Shape& shape, DType dtype) {
  require_key(op, key);
  if (dtype != DType::f32 && dtype != DType::f64) {
    throw Error(ErrorKind::dtype, std::string(op), fmt::format("{} random numbers", name_of(dtype)))
        .hint("draw f32 or f64 and convert with cast()");
  }
  return {{dtype, shape}};
}

/// offset + scale * x; numbers that a user chose are leaves.
Tensor stretch(const Tensor& x, double scale, double offset, SourceLocation where) {
  Tensor result = x;
  if (scale != 1) result = mul(TensorArg(result, where), TensorArg(scale, where));
  if (offset != 0) result = add(TensorArg(result, where), TensorArg(offset, where));
  return result;
}

}  // namespace

Specs RandomUniform::infer(std::span<const TensorSpec> inputs) const {
  return infer_real(name(), inputs[0], shape, dtype);
}
Tensors RandomUniform::vjp(const VjpArgs&) const { return {Tensor()}; }

Specs RandomNormal::infer(std::span<const TensorSpec> inputs) const {
  return infer_real(name(), inputs[0], shape, dtype);
}
Tensors RandomNormal::vjp(const VjpArgs&) const { return {Tensor()}; }

Specs RandomPermutation::infer(std::span<const TensorSpec> inputs) const {
  require_key(name(), inputs[0]);
  if (n < 0) throw Error(ErrorKind::value, "permutation", fmt::format("of {} elements", n));
  return {{DType::i64, {n}}};
}
Tensors RandomPermutation::vjp(const VjpArgs&) const { return {Tensor()}; }

Tensor key_leaf(Key key) {
  const auto value = static_cast<std::int64_t>(key.value);
  return leaf<std::int64_t>(Shape{}, std::span(&value, 1));
}

Tensor uniform(const Shape& shape, UniformOptions options, std::optional<Key> key, SourceLocation where) {
  if (!std::isfinite(options.low) || !std::isfinite(options.high) || options.low > options.high) {
    throw Error(ErrorKind::value, "uniform", fmt::format("the range [{}, {}) is not one", options.low, options.high))
        .at(where);
  }
  const Key used = key ? *key : next_key();
  const Tensor unit = record(RandomUniform{shape, options.dtype}, {key_leaf(used)}, where);
  return stretch(unit, options.high - options.low, options.low, where);
}

Tensor normal(const Shape& shape, NormalOptions options, std::optional<Key> key, SourceLocation where) {
  if (!std::isfinite(options.mean) || !std::isfinite(options.stddev) || options.stddev < 0) {
    throw Error(ErrorKind::value, "normal",
                fmt::format("mean {} and standard deviation {}", options.mean, options.stddev))
        .at(where);
  }
  const Key used = key ? *key : next_key();
  const Tensor standard = record(RandomNormal{shape, options.dtype}, {key_leaf(used)}, where);
  return stretch(standard, options.stddev, options.mean, where);
}

Tensor permutation(std::int64_t n, std::optional<Key> key, SourceLocation where) {
  const Key used = key ? *key : next_key();
  return record(RandomPermutation{n}, {key_leaf(used)}, where);
}

}  // namespace gradus
