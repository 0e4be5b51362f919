#include "gradus/nn/losses/classification.h"

#include <fmt/format.h>

#include "gradus/nn/losses/labels.h"
#include "gradus/nn/losses/logistic.h"
#include "gradus/nn/losses/support.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/index.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using detail::AtLine;

/// What cross_entropy and nll_loss share from the log probabilities (n, classes, d...) on.
struct Likelihood {
  const char* op;
  Tensor log_p;
  Tensor weight;  ///< [classes] or undefined
  std::int64_t ignore_index;
  double smoothing;
  Reduction reduction;
  AtLine at;

  std::int64_t classes() const { return log_p.shape()[1]; }

  /// A vector over the classes, as it meets log_p.
  Tensor along_classes(const Tensor& vector) const {
    Shape shape;
    for (int axis = 0; axis < log_p.rank(); ++axis) shape.push_back(axis == 1 ? classes() : 1);
    return reshape(at(vector), shape);
  }

  Tensor with_labels(const Tensor& labels) const {
    const Tensor number = cast(at(labels), DType::i64);
    const Tensor counts = not_equal(at(number), at(constant(static_cast<double>(ignore_index), DType::i64)));
    const Tensor chosen = where(at(counts), at(number), at(constant(0, DType::i64)));
    const Tensor picked = squeeze(at(gather(at(log_p), 1, at(unsqueeze(at(chosen), 1)))), 1);
    Tensor losses = -at(picked);
    Tensor share;
    if (weight.defined()) {
      share = take(at(weight), at(chosen));
      losses = at(losses) * at(share);
    }
    if (smoothing > 0) {
      const Tensor each = weight.defined() ? at(log_p) * at(along_classes(weight)) : log_p;
      const Tensor spread = -at(sum(at(each), 1));
      losses = at(at(losses) * at(1 - smoothing)) + at(at(spread) * at(smoothing / static_cast<double>(classes())));
    }
    const Tensor zero = constant(0, log_p.dtype());
    losses = where(at(counts), at(losses), at(zero));
    if (reduction != Reduction::mean) return detail::reduced(op, losses, reduction, at.where);
    const Tensor parts = weight.defined() ? where(at(counts), at(share), at(zero)) : cast(at(counts), log_p.dtype());
    return detail::named(op, at(sum(at(losses))) / at(sum(at(parts))));
  }

  Tensor with_probabilities(Tensor target) const {
    const auto count = static_cast<double>(classes());
    if (smoothing > 0) target = at(at(target) * at(1 - smoothing)) + at(smoothing / count);
    if (weight.defined()) target = at(target) * at(along_classes(weight));
    const Tensor losses = -at(sum(at(at(log_p) * at(target)), 1));
    return detail::reduced(op, losses, reduction, at.where);
  }
};

}  // namespace

Tensor cross_entropy(const TensorArg& logits_arg, const TensorArg& labels_arg, const CrossEntropyOptions& options) {
  constexpr const char* op = "cross_entropy";
  const AtLine at{logits_arg.where()};
  const Tensor& logits = detail::required(op, "logits", logits_arg);
  const Tensor& labels = detail::required(op, "labels", labels_arg);
  const bool probabilities = is_floating(logits.dtype()) && is_floating(labels.dtype()) && logits.rank() >= 2 &&
                             labels.shape() == logits.shape();
  if (!probabilities) detail::check_classification(op, "logits", logits, labels, at.where);
  detail::require_value(options.label_smoothing >= 0 && options.label_smoothing <= 1, op, "label_smoothing",
                        options.label_smoothing, "in [0, 1]", at.where);
  if (!probabilities) detail::check_evaluated_labels(op, "logits", logits, labels, options.ignore_index, at.where);
  Tensor weight;
  if (options.weight.defined()) weight = detail::class_weight(op, options.weight, logits, at.where);
  const Tensor log_p = log_softmax(at(detail::widened(logits, at.where)), 1);
  const Likelihood likelihood{op, log_p, weight, options.ignore_index, options.label_smoothing, options.reduction, at};
  return probabilities ? likelihood.with_probabilities(detail::widened(labels, at.where))
                       : likelihood.with_labels(labels);
}

Tensor nll_loss(const TensorArg& log_p_arg, const TensorArg& labels_arg, const NllLossOptions& options) {
  constexpr const char* op = "nll_loss";
  const AtLine at{log_p_arg.where()};
  const Tensor& log_p = detail::required(op, "log_probabilities", log_p_arg);
  const Tensor& labels = detail::required(op, "labels", labels_arg);
  detail::check_classification(op, "log_probabilities", log_p, labels, at.where);
  detail::check_evaluated_labels(op, "log_probabilities", log_p, labels, options.ignore_index, at.where);
  Tensor weight;
  if (options.weight.defined()) weight = detail::class_weight(op, options.weight, log_p, at.where);
  const Tensor wide = detail::widened(log_p, at.where);
  return Likelihood{op, wide, weight, options.ignore_index, 0, options.reduction, at}.with_labels(labels);
}

Tensor kl_div(const TensorArg& input_arg, const TensorArg& target_arg, const KlDivOptions& options) {
  constexpr const char* op = "kl_div";
  const AtLine at{input_arg.where()};
  const Tensor& given = detail::required(op, "input", input_arg);
  const Tensor& wanted = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input", given}, {"target", wanted}}, at.where);
  const Tensor input = detail::widened(given, at.where), target = detail::widened(wanted, at.where);
  Tensor losses;
  if (options.log_target) {
    losses = at(exp(at(target))) * at(at(target) - at(input));
  } else {  // 0 log 0 = 0
    const Tensor positive = greater(at(target), at(0.0));
    const Tensor logarithm = log(at(where(at(positive), at(target), at(1.0))));
    losses = at(target) * at(at(logarithm) - at(input));
  }
  if (!options.batch_mean) return detail::reduced(op, losses, options.reduction, at.where);
  if (input.rank() == 0 || input.shape()[0] == 0) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input", input.spec(), "batch_mean needs an axis of examples");
  }
  return detail::named(op, at(sum(at(losses))) * at(1.0 / static_cast<double>(input.shape()[0])));
}

Tensor sigmoid_focal_loss(const TensorArg& logits_arg, const TensorArg& targets_arg, const FocalLossOptions& options) {
  constexpr const char* op = "sigmoid_focal_loss";
  const AtLine at{logits_arg.where()};
  const Tensor& given = detail::required(op, "logits", logits_arg);
  const Tensor& wanted = detail::required(op, "targets", targets_arg);
  detail::require_same_shapes(op, {{"logits", given}, {"targets", wanted}}, at.where);
  detail::require_value(options.gamma >= 0, op, "gamma", options.gamma, ">= 0", at.where);
  const Tensor x = detail::widened(given, at.where), target = detail::widened(wanted, at.where);
  const Tensor entropy = detail::logistic_losses(x, target, Tensor(), at.where);
  // 1 - p of the right answer is sigmoid(-x) for a positive target and sigmoid(x) for a negative one.
  const Tensor signed_x = at(x) * at(at(at(target) * at(2.0)) - at(1.0));
  const Tensor missed = exp(at(at(detail::softplus_of(signed_x, at.where)) * at(-options.gamma)));
  Tensor losses = at(entropy) * at(missed);
  if (options.alpha >= 0) {
    const Tensor share = at(at(target) * at(2 * options.alpha - 1)) + at(1 - options.alpha);
    losses = at(losses) * at(share);
  }
  return detail::reduced(op, losses, options.reduction, at.where);
}

Tensor accuracy(const TensorArg& logits_arg, const TensorArg& labels_arg) {
  const AtLine at{logits_arg.where()};
  const Tensor& logits = detail::required("accuracy", "logits", logits_arg);
  const Tensor& labels = detail::required("accuracy", "labels", labels_arg);
  detail::check_classification("accuracy", "logits", logits, labels, at.where);
  const Tensor hits = equal(at(argmax(at(logits), 1)), at(cast(at(labels), DType::i64)));
  return mean(at(cast(at(hits), DType::f32)));
}

}  // namespace gradus
