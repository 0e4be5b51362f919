#include "gradus/ops/random.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/index.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"

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

/// One tensor for each key of a batch, along a new first axis.
template <class T>
Tensor for_each_key(const T& op, const BatchArgs& args) {
  Tensors parts;
  for (std::int64_t i = 0; i < args.size; ++i) {
    const Tensor part = record(op, {reshape(slice(args.inputs[0], 0, i, i + 1), Shape{})});
    Shape shape{1};
    for (int axis = 0; axis < part.rank(); ++axis) shape.push_back(part.shape()[axis]);
    parts.push_back(reshape(part, shape));
  }
  return concat(parts, 0);
}

Tensor floating_operand(const TensorArg& x, std::string_view op) {
  const Tensor input = detail::operand(x, op);
  if (is_floating(input.dtype())) return input;
  throw detail::refusal(ErrorKind::dtype, op, "expected a floating type", input, x.where())
      .hint("convert it: cast(x, DType::f32)");
}

void require(bool holds, std::string_view op, std::string summary, SourceLocation where) {
  if (!holds) throw Error(ErrorKind::value, std::string(op), std::move(summary)).at(where);
}

}  // namespace

Specs RandomUniform::infer(std::span<const TensorSpec> inputs) const {
  return infer_real(name(), inputs[0], shape, dtype);
}
Tensors RandomUniform::vjp(const VjpArgs&) const { return {Tensor()}; }
Tensors RandomUniform::batch(const BatchArgs& args) const { return {for_each_key(*this, args)}; }

Specs RandomNormal::infer(std::span<const TensorSpec> inputs) const {
  return infer_real(name(), inputs[0], shape, dtype);
}
Tensors RandomNormal::vjp(const VjpArgs&) const { return {Tensor()}; }
Tensors RandomNormal::batch(const BatchArgs& args) const { return {for_each_key(*this, args)}; }

Specs RandomPermutation::infer(std::span<const TensorSpec> inputs) const {
  require_key(name(), inputs[0]);
  if (n < 0) throw Error(ErrorKind::value, "permutation", fmt::format("of {} elements", n));
  return {{DType::i64, {n}}};
}
Tensors RandomPermutation::vjp(const VjpArgs&) const { return {Tensor()}; }
Tensors RandomPermutation::batch(const BatchArgs& args) const { return {for_each_key(*this, args)}; }

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

Tensor rand_like(const TensorArg& x, std::optional<Key> key) {
  const DType dtype = floating_operand(x, "rand_like").dtype();
  const Tensor drawn = uniform(x.tensor().shape(), {.dtype = detail::compute_type(dtype)}, key, x.where());
  return detail::narrow(drawn, dtype, x.where());
}
Tensor randn_like(const TensorArg& x, std::optional<Key> key) {
  const DType dtype = floating_operand(x, "randn_like").dtype();
  const Tensor drawn = normal(x.tensor().shape(), {.dtype = detail::compute_type(dtype)}, key, x.where());
  return detail::narrow(drawn, dtype, x.where());
}

Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, std::optional<Key> key, SourceLocation where) {
  const auto count = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  require(low < high && count <= std::uint64_t{1} << 53, "randint",
          fmt::format("the range [{}, {}) must have 1 to 2^53 integers", low, high), where);
  const Tensor unit = uniform(shape, {.dtype = DType::f64}, key, where);
  const Tensor steps = cast(TensorArg(mul(TensorArg(unit, where), static_cast<double>(count)), where), DType::i64);
  const std::int64_t offset[] = {low};
  return add(TensorArg(steps, where), leaf<std::int64_t>(Shape{}, std::span(offset)));
}

Tensor truncated_normal(const Shape& shape, TruncatedNormalOptions options, std::optional<Key> key,
                        SourceLocation where) {
  const auto [mean, stddev, low, high, dtype] = options;
  require(std::isfinite(mean) && std::isfinite(stddev) && stddev > 0, "truncated_normal",
          fmt::format("mean {} and standard deviation {}", mean, stddev), where);
  require(low < high, "truncated_normal", fmt::format("the range [{}, {}] is empty", low, high), where);
  constexpr double root_two = 1.4142135623730951;
  const double from = std::erf((low - mean) / (stddev * root_two)), to = std::erf((high - mean) / (stddev * root_two));
  const TensorArg angle(uniform(shape, {.low = from, .high = to, .dtype = dtype}, key, where), where);
  const Tensor standard = erfinv(angle);
  return clamp(TensorArg(stretch(standard, stddev * root_two, mean, where), where), low, high);
}

Tensor exponential(const Shape& shape, ExponentialOptions options, std::optional<Key> key, SourceLocation where) {
  require(std::isfinite(options.rate) && options.rate > 0, "exponential", fmt::format("rate {}", options.rate), where);
  const TensorArg unit(uniform(shape, {.dtype = options.dtype}, key, where), where);
  const TensorArg logarithm(log1p(TensorArg(neg(unit), where)), where);
  return mul(logarithm, -1 / options.rate);
}

Tensor gumbel(const Shape& shape, DType dtype, std::optional<Key> key, SourceLocation where) {
  const TensorArg unit(uniform(shape, {.dtype = dtype}, key, where), where);
  const double least = dtype == DType::f64 ? 0x1p-54 : 0x1p-25;  // half of the smallest step of uniform numbers
  const TensorArg inside(clamp_min(unit, least), where);
  const TensorArg logarithm(log1p(TensorArg(neg(inside), where)), where);
  return neg(TensorArg(log(TensorArg(neg(logarithm), where)), where));
}

Tensor bernoulli(const TensorArg& p, std::optional<Key> key) {
  const Tensor chance = floating_operand(p, "bernoulli");
  const TensorArg unit(uniform(chance.shape(), {.dtype = detail::compute_type(chance.dtype())}, key, p.where()),
                       p.where());
  return cast(TensorArg(less(unit, chance), p.where()), chance.dtype());
}

Tensor bernoulli(const Shape& shape, double p, std::optional<Key> key, SourceLocation where) {
  require(p >= 0 && p <= 1, "bernoulli", fmt::format("the probability {} is not in [0, 1]", p), where);
  const TensorArg unit(uniform(shape, {}, key, where), where);
  return cast(TensorArg(less(unit, p), where), DType::f32);
}

Tensor categorical(const TensorArg& logits, CategoricalOptions options, std::optional<Key> key) {
  const SourceLocation where = logits.where();
  const Tensor input = floating_operand(logits, "categorical");
  const std::int64_t classes = input.rank() == 0 ? 0 : input.size(-1), samples = options.num_samples.value_or(1);
  if (classes == 0) {
    throw detail::refusal(ErrorKind::shape, "categorical", "there are no classes along the last axis", input, where);
  }
  require(samples >= 1, "categorical", fmt::format("{} samples", samples), where);
  require(options.replacement || samples <= classes, "categorical",
          fmt::format("{} samples of {} classes without replacement", samples, classes), where);
  const DType dtype = detail::compute_type(input.dtype());
  Shape shape;  // [..., samples, classes], or [..., 1, classes] where the samples share the noise
  for (int axis = 0; axis + 1 < input.rank(); ++axis) shape.push_back(input.size(axis));
  const Shape batch = shape;
  shape.push_back(options.replacement ? samples : 1);
  shape.push_back(classes);
  const Tensor noise = gumbel(shape, dtype, key, where);
  Tensor score = add(TensorArg(noise, where), unsqueeze(TensorArg(input, where), -2));
  Tensors drawn{argmax(TensorArg(score, where), -1)};
  for (std::int64_t i = 1; !options.replacement && i < samples; ++i) {
    const TensorArg taken(cast(one_hot(drawn.back(), classes), DType::boolean), where);
    score = gradus::where(taken, -std::numeric_limits<double>::infinity(), score);
    drawn.push_back(argmax(TensorArg(score, where), -1));
  }
  const Tensor all = drawn.size() == 1 ? drawn.front() : concat(drawn, -1, where);
  return options.num_samples ? all : reshape(TensorArg(all, where), batch);
}

Tensor multinomial(const TensorArg& weights, std::int64_t num_samples, bool replacement, std::optional<Key> key) {
  const TensorArg logits(log(TensorArg(floating_operand(weights, "multinomial"), weights.where())), weights.where());
  return categorical(logits, {.num_samples = num_samples, .replacement = replacement}, key);
}

Tensor gumbel_softmax(const TensorArg& logits, GumbelSoftmaxOptions options, std::optional<Key> key) {
  const SourceLocation where = logits.where();
  const Tensor input = floating_operand(logits, "gumbel_softmax");
  require(options.tau > 0, "gumbel_softmax", fmt::format("the temperature {} is not above 0", options.tau), where);
  const int axis = detail::normalize_axis(options.axis, input, "gumbel_softmax", where);
  const Tensor noise = gumbel(input.shape(), detail::compute_type(input.dtype()), key, where);
  const TensorArg score(div(TensorArg(add(TensorArg(noise, where), input), where), options.tau), where);
  const Tensor soft = softmax(score, axis);
  if (!options.hard) return detail::narrow(soft, input.dtype(), where);
  const TensorArg at(soft, where);
  const Tensor chosen = cast(equal(at, max(at, axis, {.keepdim = true})), soft.dtype());
  return detail::narrow(add(TensorArg(sub(TensorArg(chosen, where), stop_gradient(at)), where), soft), input.dtype(),
                        where);
}

Tensor dropout(const TensorArg& x, double p, bool training, std::optional<Key> key) {
  const Tensor input = floating_operand(x, "dropout");
  require(p >= 0 && p <= 1, "dropout", fmt::format("the probability {} is not in [0, 1]", p), x.where());
  if (!training) return input;
  const TensorArg unit(uniform(input.shape(), {}, key, x.where()), x.where());
  const Tensor kept = mul(TensorArg(input, x.where()), p == 1 ? 0 : 1 / (1 - p));
  return where(TensorArg(greater_equal(unit, p), x.where()), kept, 0.0);
}

}  // namespace gradus
