#include "gradus/nn/functional/distance.h"

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"

namespace gradus {

Tensor pairwise_distance(const TensorArg& a, const TensorArg& b, const PairwiseDistanceOptions& options) {
  constexpr const char* op = "pairwise_distance";
  const SourceLocation where = a.where();
  const auto at = [&](auto x) { return TensorArg(x, where); };
  const Tensor& first = detail::required_floating(op, "x1", a);
  const Tensor& second = detail::required_floating(op, "x2", TensorArg(b.tensor(), where));
  detail::require_value(options.p > 0, op, "p", options.p, "positive", where);
  const Tensor d = at(at(first) - at(second)) + at(options.eps);
  if (options.p == 2) return detail::named(op, sqrt(at(sum(at(square(at(d))), -1, {options.keepdim}))));
  const Tensor powers = options.p == 1 ? abs(at(d)) : pow(at(abs(at(d))), at(options.p));
  const Tensor total = sum(at(powers), -1, {options.keepdim});
  return detail::named(op, options.p == 1 ? total : pow(at(total), at(1 / options.p)));
}

Tensor cosine_similarity(const TensorArg& a, const TensorArg& b, const CosineSimilarityOptions& options) {
  constexpr const char* op = "cosine_similarity";
  const SourceLocation where = a.where();
  const auto at = [&](auto x) { return TensorArg(x, where); };
  const Tensor& first = detail::required_floating(op, "x1", a);
  const Tensor& second = detail::required_floating(op, "x2", TensorArg(b.tensor(), where));
  const auto length = [&](const Tensor& x) {
    return maximum(at(sqrt(at(sum(at(square(at(x))), options.axis, {.keepdim = true})))), at(options.eps));
  };
  const Tensor unit1 = at(first) / at(length(first)), unit2 = at(second) / at(length(second));
  return detail::named(op, sum(at(at(unit1) * at(unit2)), options.axis));
}

}  // namespace gradus
