#include "gradus/nn/losses/margin.h"

#include <fmt/format.h>

#include "gradus/nn/functional/distance.h"
#include "gradus/nn/losses/labels.h"
#include "gradus/nn/losses/support.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {
using detail::AtLine;
}  // namespace

Tensor margin_ranking_loss(const TensorArg& a, const TensorArg& b, const TensorArg& target_arg,
                           const MarginOptions& options) {
  constexpr const char* op = "margin_ranking_loss";
  const AtLine at{a.where()};
  const Tensor& first = detail::required(op, "input1", a);
  const Tensor& second = detail::required(op, "input2", b);
  const Tensor& target = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input1", first}, {"input2", second}, {"target", target}}, at.where);
  const Tensor lead = at(target) * at(at(first) - at(second));
  return detail::reduced(op, relu(at(at(options.margin) - at(lead))), options.reduction, at.where);
}

Tensor cosine_embedding_loss(const TensorArg& a, const TensorArg& b, const TensorArg& target_arg,
                             const MarginOptions& options) {
  constexpr const char* op = "cosine_embedding_loss";
  const AtLine at{a.where()};
  const Tensor& first = detail::required(op, "input1", a);
  const Tensor& second = detail::required(op, "input2", b);
  const Tensor& target = detail::required(op, "target", target_arg);
  detail::require_same_shapes(op, {{"input1", first}, {"input2", second}}, at.where);
  Shape expected = first.shape();
  if (expected.rank() > 0) expected.erase(expected.rank() - 1);
  if (first.rank() < 1 || first.rank() > 2 || target.shape() != expected) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input1", first.spec(), first.rank() < 1 || first.rank() > 2 ? "expected (n, d) or (d)" : "")
        .operand("target", target.spec(), "expected " + expected.str());
  }
  constexpr double tiny = 1e-12;
  const Tensor product = sum(at(at(first) * at(second)), -1);
  const Tensor power1 = at(sum(at(square(at(first))), -1)) + at(tiny);
  const Tensor power2 = at(sum(at(square(at(second))), -1)) + at(tiny);
  const Tensor cosine = at(product) / at(sqrt(at(at(power1) * at(power2))));
  const Tensor together = where(at(equal(at(target), at(1.0))), at(at(1.0) - at(cosine)), at(0.0));
  const Tensor apart = where(at(equal(at(target), at(-1.0))), at(relu(at(at(cosine) - at(options.margin)))), at(0.0));
  return detail::reduced(op, at(together) + at(apart), options.reduction, at.where);
}

Tensor triplet_margin_loss(const TensorArg& anchor_arg, const TensorArg& positive_arg, const TensorArg& negative_arg,
                           const TripletMarginLossOptions& options) {
  constexpr const char* op = "triplet_margin_loss";
  const AtLine at{anchor_arg.where()};
  const Tensor& anchor = detail::required(op, "anchor", anchor_arg);
  const Tensor& positive = detail::required(op, "positive", positive_arg);
  const Tensor& negative = detail::required(op, "negative", negative_arg);
  detail::require_same_shapes(op, {{"anchor", anchor}, {"positive", positive}, {"negative", negative}}, at.where);
  detail::require_value(options.margin > 0, op, "margin", options.margin, "positive", at.where);
  const PairwiseDistanceOptions distance{options.p, options.eps};
  const Tensor near = pairwise_distance(at(anchor), at(positive), distance);
  Tensor far = pairwise_distance(at(anchor), at(negative), distance);
  if (options.swap) far = minimum(at(far), at(pairwise_distance(at(positive), at(negative), distance)));
  return detail::reduced(op, relu(at(at(at(near) - at(far)) + at(options.margin))), options.reduction, at.where);
}

Tensor multi_margin_loss(const TensorArg& input_arg, const TensorArg& labels_arg,
                         const MultiMarginLossOptions& options) {
  constexpr const char* op = "multi_margin_loss";
  const AtLine at{input_arg.where()};
  const Tensor& given = detail::required(op, "input", input_arg);
  const Tensor& labels = detail::required(op, "labels", labels_arg);
  detail::check_classification(op, "input", given, labels, at.where);
  if (given.rank() != 2) {
    throw Error(ErrorKind::shape, op).at(at.where).operand("input", given.spec(), "expected (n, classes)");
  }
  detail::require_value(options.p == 1 || options.p == 2, op, "p", options.p, "1 or 2", at.where);
  detail::check_evaluated_labels(op, "input", given, labels, {}, at.where);
  const Tensor input = detail::widened(given, at.where);
  const std::int64_t classes = input.shape()[1];
  const Tensor picked = unsqueeze(at(cast(at(labels), DType::i64)), 1);
  const Tensor own = gather(at(input), 1, at(picked));
  Tensor hinges = relu(at(at(at(options.margin) - at(own)) + at(input)));
  if (options.p == 2) hinges = square(at(hinges));
  if (options.weight.defined()) {
    const Tensor weight = detail::class_weight(op, options.weight, given, at.where);
    hinges = at(hinges) * at(unsqueeze(at(take(at(weight), at(cast(at(labels), DType::i64)))), 1));
  }
  const Tensor others = not_equal(at(arange(classes)), at(picked));
  const Tensor losses = sum(at(where(at(others), at(hinges), at(0.0))), 1);
  return detail::reduced(op, at(losses) * at(1.0 / static_cast<double>(classes)), options.reduction, at.where);
}

Tensor multilabel_margin_loss(const TensorArg& input_arg, const TensorArg& labels_arg, const LossOptions& options) {
  constexpr const char* op = "multilabel_margin_loss";
  const AtLine at{input_arg.where()};
  const Tensor& given = detail::required_floating(op, "input", input_arg);
  const Tensor& labels = detail::required(op, "labels", labels_arg);
  if (given.rank() != 2 || labels.shape() != given.shape() || !is_integral(labels.dtype())) {
    throw Error(is_integral(labels.dtype()) ? ErrorKind::shape : ErrorKind::dtype, op)
        .at(at.where)
        .operand("input", given.spec(), given.rank() != 2 ? "expected (n, classes)" : "")
        .operand("labels", labels.spec(), "expected integers " + given.shape().str());
  }
  const Tensor input = detail::widened(given, at.where);
  const std::int64_t classes = input.shape()[1];
  // A label counts when no -1 stands before it: the running count of negative ones, by a triangular matrix, is 0.
  const Tensor steps = arange(classes);
  const Tensor triangle = cast(at(less_equal(at(unsqueeze(at(steps), 1)), at(steps))), input.dtype());
  const Tensor ends = matmul(at(cast(at(less(at(labels), at(0.0))), input.dtype())), at(triangle));
  const Tensor counts = cast(at(equal(at(ends), at(0.0))), input.dtype());
  const Tensor chosen =
      where(at(equal(at(ends), at(0.0))), at(cast(at(labels), DType::i64)), at(constant(0, DType::i64)));
  const Tensor marks = at(cast(at(one_hot(at(chosen), classes)), input.dtype())) * at(unsqueeze(at(counts), 2));
  const Tensor absent = cast(at(equal(at(sum(at(marks), 1)), at(0.0))), input.dtype());
  const Tensor own = gather(at(input), 1, at(chosen));
  const Tensor hinges = relu(at(at(at(1.0) - at(unsqueeze(at(own), 2))) + at(unsqueeze(at(input), 1))));
  const Tensor wanted = at(unsqueeze(at(counts), 2)) * at(unsqueeze(at(absent), 1));
  const Tensor losses = sum(at(at(hinges) * at(wanted)), {1, 2});
  return detail::reduced(op, at(losses) * at(1.0 / static_cast<double>(classes)), options.reduction, at.where);
}

}  // namespace gradus
