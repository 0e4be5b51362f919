// For the losses' own sources: class labels and class weights.
#pragma once

#include <optional>
#include <string_view>

#include "gradus/graph/tensor.h"

namespace gradus::detail {

/// Logits (n, classes, d...) against integer labels (n, d...). `role`: what the message calls the logits. Throws
/// Error(shape, dtype).
void check_classification(std::string_view op, std::string_view role, const Tensor& logits, const Tensor& labels,
                          SourceLocation where);
/// Throws Error(index) for a label in memory that is no class and not `ignore`.
void check_evaluated_labels(std::string_view op, std::string_view role, const Tensor& logits, const Tensor& labels,
                            std::optional<std::int64_t> ignore, SourceLocation where);
/// `weight`, which must be floating [classes], in the type in which losses of these logits are computed.
Tensor class_weight(std::string_view op, const Tensor& weight, const Tensor& logits, SourceLocation where);

}  // namespace gradus::detail
