// Attention as a composition of other operations: what serves where probabilities themselves are wanted (dropout, a look at
// them) and for derivatives of higher order.
#pragma once

#include "gradus/graph/tensor.h"

namespace gradus::detail {

/// Which keys a query may look at, and how scores are scaled.
struct AttentionRule {
  double scale = 1;
  bool causal = false;  ///< query i sees keys 0..i only
};

/// softmax(scale q k^T + mask) over the keys: q (.., L, E), k (.., S, E), mask undefined or floating, broadcast to (.., L, S)
/// and added to the scores. A query that may look at no key at all gets probabilities 0.
Tensor attention_probabilities(const Tensor& q, const Tensor& k, const Tensor& mask, const AttentionRule& rule,
                               SourceLocation where);

/// bool (L, S): whether query i may look at key j, which is j <= i.
Tensor causal_mask(std::int64_t queries, std::int64_t keys, SourceLocation where);

/// A mask as scores to add, of type `dtype`: true becomes 0 and false -infinity; floating masks stay as they are.
Tensor additive_mask(const Tensor& mask, DType dtype, SourceLocation where);

}  // namespace gradus::detail
