#include "gradus/nn/losses/binary.h"

#include <fmt/format.h>

#include "gradus/nn/losses/logistic.h"
#include "gradus/nn/losses/support.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using detail::AtLine;

/// Two operands of one shape, bf16 as f32.
struct Pair {
  Tensor input, target;
};

Pair checked(const char* op, const TensorArg& input_arg, const TensorArg& target_arg) {
  const SourceLocation where = input_arg.where();
  const Tensor& input = detail::required(op, "input", input_arg);
  const Tensor& target = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input", input}, {"target", target}}, where);
  return {detail::widened(input, where), detail::widened(target, where)};
}

/// `losses` times a weight that must broadcast to their shape.
Tensor weighted(const char* op, const char* role, const Tensor& losses, const Tensor& weight, const AtLine& at) {
  if (!weight.defined()) return losses;
  Shape shape;
  if (!broadcast_shapes(losses.shape(), weight.shape(), shape) || shape != losses.shape()) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input", losses.spec())
        .operand(role, weight.spec(), "does not broadcast to the input");
  }
  return at(losses) * at(weight);
}

void check_probabilities(const Tensor& input, SourceLocation where) {
  if (!input.evaluated() || input.dtype() != DType::f32) return;
  const auto values = input.data<float>();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] >= 0 && values[i] <= 1) continue;
    throw Error(ErrorKind::value, "binary_cross_entropy", fmt::format("element {} of the input is {}", i, values[i]))
        .at(where)
        .operand("input", input.spec(), "expected probabilities in [0, 1]")
        .hint("binary_cross_entropy_with_logits takes the numbers before the sigmoid");
  }
}

/// log(p), not below -100, with gradient 0 at p = 0.
Tensor bounded_log(const Tensor& p, const AtLine& at) {
  const Tensor positive = greater(at(p), at(0.0));
  const Tensor safe = where(at(positive), at(p), at(1.0));
  return where(at(positive), at(maximum(at(log(at(safe))), at(-100.0))), at(-100.0));
}

}  // namespace

Tensor detail::softplus_of(const Tensor& x, SourceLocation where) {
  const AtLine at{where};
  return at(maximum(at(x), at(0.0))) + at(log1p(at(exp(at(-at(abs(at(x))))))));
}

Tensor detail::logistic_losses(const Tensor& logits, const Tensor& target, const Tensor& pos_weight,
                               SourceLocation where) {
  const AtLine at{where};
  Tensor tail = softplus_of(-at(logits), where);  // -log(sigmoid(logits))
  if (pos_weight.defined()) tail = at(tail) * at(at(at(at(pos_weight) - at(1.0)) * at(target)) + at(1.0));
  return at(at(at(1.0) - at(target)) * at(logits)) + at(tail);
}

Tensor binary_cross_entropy(const TensorArg& input_arg, const TensorArg& target_arg,
                            const BinaryCrossEntropyOptions& options) {
  constexpr const char* op = "binary_cross_entropy";
  const AtLine at{input_arg.where()};
  const auto [input, target] = checked(op, input_arg, target_arg);
  check_probabilities(input, at.where);
  const Tensor yes = at(target) * at(bounded_log(input, at));
  const Tensor no = at(at(1.0) - at(target)) * at(bounded_log(at(1.0) - at(input), at));
  const Tensor losses = -at(at(yes) + at(no));
  return detail::reduced(op, weighted(op, "weight", losses, options.weight, at), options.reduction, at.where);
}

Tensor binary_cross_entropy_with_logits(const TensorArg& logits_arg, const TensorArg& target_arg,
                                        const BinaryCrossEntropyWithLogitsOptions& options) {
  constexpr const char* op = "binary_cross_entropy_with_logits";
  const AtLine at{logits_arg.where()};
  const auto [logits, target] = checked(op, logits_arg, target_arg);
  if (options.pos_weight.defined()) weighted(op, "pos_weight", target, options.pos_weight, at);  // checks its shape
  const Tensor losses = detail::logistic_losses(logits, target, options.pos_weight, at.where);
  return detail::reduced(op, weighted(op, "weight", losses, options.weight, at), options.reduction, at.where);
}

Tensor soft_margin_loss(const TensorArg& input_arg, const TensorArg& target_arg, const LossOptions& options) {
  constexpr const char* op = "soft_margin_loss";
  const AtLine at{input_arg.where()};
  const auto [input, target] = checked(op, input_arg, target_arg);
  const Tensor losses = detail::softplus_of(-at(at(target) * at(input)), at.where);
  return detail::reduced(op, losses, options.reduction, at.where);
}

Tensor multilabel_soft_margin_loss(const TensorArg& input_arg, const TensorArg& target_arg,
                                   const MultilabelSoftMarginLossOptions& options) {
  constexpr const char* op = "multilabel_soft_margin_loss";
  const AtLine at{input_arg.where()};
  const auto [input, target] = checked(op, input_arg, target_arg);
  if (input.rank() < 1) throw Error(ErrorKind::shape, op).at(at.where).operand("input", input.spec(), "has no classes");
  const Tensor losses =
      weighted(op, "weight", detail::logistic_losses(input, target, Tensor(), at.where), options.weight, at);
  return detail::reduced(op, mean(at(losses), -1), options.reduction, at.where);
}

Tensor hinge_embedding_loss(const TensorArg& input_arg, const TensorArg& target_arg,
                            const HingeEmbeddingLossOptions& options) {
  constexpr const char* op = "hinge_embedding_loss";
  const AtLine at{input_arg.where()};
  const auto [input, target] = checked(op, input_arg, target_arg);
  const Tensor apart = relu(at(at(options.margin) - at(input)));
  const Tensor negative = where(at(not_equal(at(target), at(1.0))), at(apart), at(0.0));
  const Tensor positive = where(at(not_equal(at(target), at(-1.0))), at(input), at(0.0));
  return detail::reduced(op, at(negative) + at(positive), options.reduction, at.where);
}

}  // namespace gradus
