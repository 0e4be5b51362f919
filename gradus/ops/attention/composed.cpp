#include "gradus/ops/attention/composed.h"

#include <limits>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus::detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

Tensor causal_mask(std::int64_t queries, std::int64_t keys, SourceLocation where) {
  const Tensor query = unsqueeze(TensorArg(arange(queries, where), where), 1);
  return greater_equal(TensorArg(query, where), TensorArg(arange(keys, where), where));
}

Tensor additive_mask(const Tensor& mask, DType dtype, SourceLocation where) {
  if (mask.dtype() != DType::boolean) return cast(TensorArg(mask, where), dtype);
  const TensorArg shut(constant(-infinity, dtype), where), open(constant(0, dtype), where);
  return gradus::where(TensorArg(mask, where), open, shut);
}

Tensor attention_probabilities(const Tensor& q, const Tensor& k, const Tensor& mask, const AttentionRule& rule,
                               SourceLocation where) {
  const auto at = [&](const Tensor& x) { return TensorArg(x, where); };
  const DType dtype = q.dtype();
  const Tensor low = constant(-infinity, dtype), zero = constant(0, dtype), one = constant(1, dtype);
  Tensor scores = at(matmul(at(q), at(transpose(at(k), -2, -1)))) * TensorArg(rule.scale, where);
  if (rule.causal) {
    const Tensor open = causal_mask(q.size(-2), k.size(-2), where);
    scores = gradus::where(at(open), at(scores), at(low));
  }
  if (mask.defined()) scores = at(scores) + at(mask);
  if (k.size(-2) == 0) return scores;
  // As softmax, except that a row of -infinity has no probabilities instead of NaN.
  const Tensor largest = stop_gradient(at(max(at(scores), -1, {.keepdim = true})));
  const Tensor shift = gradus::where(at(equal(at(largest), at(low))), at(zero), at(largest));
  const Tensor weight = exp(at(at(scores) - at(shift)));
  const Tensor total = sum(at(weight), -1, {.keepdim = true});
  return at(weight) / at(gradus::where(at(equal(at(total), at(zero))), at(one), at(total)));
}

}  // namespace gradus::detail
