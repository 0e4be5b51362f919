#include "gradus/nn/losses.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/index.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

const Tensor& tensor_of(const TensorArg& arg, const char* op, const char* role) {
  if (!arg.is_number() && arg.tensor().defined()) return arg.tensor();
  throw Error(ErrorKind::usage, op,
              fmt::format("{} is {}, expected a tensor", role, arg.is_number() ? "a number" : "undefined"))
      .at(arg.where());
}

/// (n, classes, d...) -> (n, d...)
Shape label_shape(const Shape& logits) {
  Shape shape = logits;
  shape.erase(1);
  return shape;
}

/// Logits (n, classes, d...) against labels (n, d...).
void check_classification(const char* op, const Tensor& logits, const Tensor& labels, SourceLocation where) {
  const auto error = [&](ErrorKind kind, std::string of_logits, std::string of_labels) -> Error {
    return Error(kind, op)
        .at(where)
        .operand("logits", logits.spec(), of_logits)
        .operand("labels", labels.spec(), of_labels);
  };
  if (!is_floating(logits.dtype())) throw error(ErrorKind::dtype, "expected a floating type", "");
  if (!is_integral(labels.dtype()))
    throw error(ErrorKind::dtype, "", "expected integers").hint("labels are class numbers");
  if (logits.rank() < 2) throw error(ErrorKind::shape, "expected 2 or more axes: (n, classes, ...)", "");
  if (logits.shape()[1] == 0) throw error(ErrorKind::shape, "axis 1 is empty: there are no classes", "");
  const Shape expected = label_shape(logits.shape());
  if (labels.shape() == expected) return;
  Error mismatch = error(ErrorKind::shape, "", "expected " + expected.str());
  if (labels.numel() == expected.numel()) mismatch.hint(fmt::format("reshape the labels to {}", expected.str()));
  throw mismatch;
}

template <class T>
void check_labels(std::span<const T> values, const Tensor& logits, const Tensor& labels, std::int64_t ignore,
                  SourceLocation where) {
  const std::int64_t classes = logits.shape()[1];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto label = static_cast<std::int64_t>(values[i]);
    if ((label >= 0 && label < classes) || label == ignore) continue;
    const std::int64_t per_row = std::max<std::int64_t>(1, labels.shape().numel(1, labels.rank()));
    const std::int64_t row = static_cast<std::int64_t>(i) / per_row;
    throw Error(ErrorKind::index, "cross_entropy",
                fmt::format("row {} has label {}, but there are {} classes", row, label, classes))
        .at(where)
        .operand("logits", logits.spec(), fmt::format("labels go from 0 to {}", classes - 1))
        .operand("labels", labels.spec(), fmt::format("element {} is {}", i, label))
        .hint(label == classes ? "are the labels counted from 1?" : "ignore_index passes labels by");
  }
}

void check_evaluated_labels(const Tensor& logits, const Tensor& labels, std::int64_t ignore, SourceLocation where) {
  if (!labels.evaluated()) return;  // gather checks them when it runs
  switch (labels.dtype()) {
    case DType::i64: return check_labels(labels.data<std::int64_t>(), logits, labels, ignore, where);
    case DType::i32: return check_labels(labels.data<std::int32_t>(), logits, labels, ignore, where);
    default: return check_labels(labels.data<std::uint8_t>(), logits, labels, ignore, where);
  }
}

Tensor reduced(const Tensor& losses, Reduction reduction, SourceLocation where) {
  switch (reduction) {
    case Reduction::none: return losses;
    case Reduction::sum: return sum(TensorArg(losses, where));
    case Reduction::mean: break;
  }
  return mean(TensorArg(losses, where));
}

}  // namespace

Tensor cross_entropy(const TensorArg& logits_arg, const TensorArg& labels_arg, const CrossEntropyOptions& options) {
  const SourceLocation where = logits_arg.where();
  const Tensor& logits = tensor_of(logits_arg, "cross_entropy", "logits");
  const Tensor& labels = tensor_of(labels_arg, "cross_entropy", "labels");
  check_classification("cross_entropy", logits, labels, where);
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    throw Error(ErrorKind::value, "cross_entropy",
                fmt::format("label_smoothing is {}, not in [0, 1]", options.label_smoothing))
        .at(where);
  }
  check_evaluated_labels(logits, labels, options.ignore_index, where);

  const auto at = [&](const Tensor& x) { return TensorArg(x, where); };
  const DType dtype = logits.dtype();
  const Tensor classes = cast(at(labels), DType::i64);
  const Tensor counts = not_equal(at(classes), at(constant(static_cast<double>(options.ignore_index), DType::i64)));
  const Tensor zero = constant(0, dtype);
  const Tensor chosen = gradus::where(at(counts), at(classes), at(constant(0, DType::i64)));
  const Tensor log_p = log_softmax(at(logits), 1);
  const Tensor picked = squeeze(at(gather(at(log_p), 1, at(unsqueeze(at(chosen), 1)))), 1);
  Tensor losses = -at(picked);
  if (options.label_smoothing > 0) {
    const Tensor spread = -at(sum(at(log_p), 1));
    const double share = options.label_smoothing / static_cast<double>(logits.shape()[1]);
    losses = at(at(losses) * TensorArg(1 - options.label_smoothing, where)) + at(at(spread) * TensorArg(share, where));
  }
  losses = gradus::where(at(counts), at(losses), at(zero));
  if (options.reduction != Reduction::mean) return reduced(losses, options.reduction, where);
  return at(sum(at(losses))) / at(sum(at(cast(at(counts), dtype))));
}

Tensor mse_loss(const TensorArg& input_arg, const TensorArg& target_arg, const MseLossOptions& options) {
  const SourceLocation where = input_arg.where();
  const Tensor& input = tensor_of(input_arg, "mse_loss", "input");
  const Tensor& target = tensor_of(target_arg, "mse_loss", "target");
  const bool floating = is_floating(input.dtype()) && is_floating(target.dtype());
  if (!floating || input.shape() != target.shape()) {
    Error error(floating ? ErrorKind::shape : ErrorKind::dtype, "mse_loss",
                floating ? "the shapes must be equal" : "both must be floating");
    error.at(where).operand("input", input.spec()).operand("target", target.spec());
    if (floating && input.numel() == target.numel()) error.hint("reshape one of them to the shape of the other");
    throw error;
  }
  return reduced(square(TensorArg(TensorArg(input, where) - TensorArg(target, where), where)), options.reduction,
                 where);
}

Tensor accuracy(const TensorArg& logits_arg, const TensorArg& labels_arg) {
  const SourceLocation where = logits_arg.where();
  const Tensor& logits = tensor_of(logits_arg, "accuracy", "logits");
  const Tensor& labels = tensor_of(labels_arg, "accuracy", "labels");
  check_classification("accuracy", logits, labels, where);
  const auto at = [&](const Tensor& x) { return TensorArg(x, where); };
  const Tensor hits = equal(at(argmax(at(logits), 1)), at(cast(at(labels), DType::i64)));
  return mean(at(cast(at(hits), DType::f32)));
}

}  // namespace gradus
