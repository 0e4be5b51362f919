#include "gradus/nn/losses/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"

namespace gradus {
namespace {

/// (n, classes, d...) -> (n, d...)
Shape label_shape(const Shape& logits) {
  Shape shape = logits;
  shape.erase(1);
  return shape;
}

template <class T>
void check_labels(std::string_view op, std::string_view role, std::span<const T> values, const Tensor& logits,
                  const Tensor& labels, std::optional<std::int64_t> ignore, SourceLocation where) {
  const std::int64_t classes = logits.shape()[1];
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto label = static_cast<std::int64_t>(values[i]);
    if ((label >= 0 && label < classes) || (ignore && label == *ignore)) continue;
    const std::int64_t per_row = std::max<std::int64_t>(1, labels.shape().numel(1, labels.rank()));
    const std::int64_t row = static_cast<std::int64_t>(i) / per_row;
    throw Error(ErrorKind::index, std::string(op),
                fmt::format("row {} has label {}, but there are {} classes", row, label, classes))
        .at(where)
        .operand(std::string(role), logits.spec(), fmt::format("labels go from 0 to {}", classes - 1))
        .operand("labels", labels.spec(), fmt::format("element {} is {}", i, label))
        .hint(label == classes ? "are the labels counted from 1?"
              : ignore         ? "ignore_index passes labels by"
                               : "labels count from 0");
  }
}

}  // namespace

namespace detail {

void check_classification(std::string_view op, std::string_view role, const Tensor& logits, const Tensor& labels,
                          SourceLocation where) {
  const auto error = [&](ErrorKind kind, std::string of_logits, std::string of_labels) -> Error {
    return Error(kind, std::string(op))
        .at(where)
        .operand(std::string(role), logits.spec(), of_logits)
        .operand("labels", labels.spec(), of_labels);
  };
  if (!is_floating(logits.dtype())) throw error(ErrorKind::dtype, "expected a floating type", "");
  if (!is_integral(labels.dtype()))
    throw error(ErrorKind::dtype, "", "expected integers")
        .hint("labels are class numbers, or probabilities of the shape of the logits");
  if (logits.rank() < 2) throw error(ErrorKind::shape, "expected 2 or more axes: (n, classes, ...)", "");
  if (logits.shape()[1] == 0) throw error(ErrorKind::shape, "axis 1 is empty: there are no classes", "");
  const Shape expected = label_shape(logits.shape());
  if (labels.shape() == expected) return;
  Error mismatch = error(ErrorKind::shape, "", "expected " + expected.str());
  if (labels.numel() == expected.numel()) mismatch.hint(fmt::format("reshape the labels to {}", expected.str()));
  throw mismatch;
}

void check_evaluated_labels(std::string_view op, std::string_view role, const Tensor& logits, const Tensor& labels,
                            std::optional<std::int64_t> ignore, SourceLocation where) {
  if (!labels.evaluated()) return;  // gather checks them when it runs
  switch (labels.dtype()) {
    case DType::i64: return check_labels(op, role, labels.data<std::int64_t>(), logits, labels, ignore, where);
    case DType::i32: return check_labels(op, role, labels.data<std::int32_t>(), logits, labels, ignore, where);
    default: return check_labels(op, role, labels.data<std::uint8_t>(), logits, labels, ignore, where);
  }
}

Tensor class_weight(std::string_view op, const Tensor& weight, const Tensor& logits, SourceLocation where) {
  const std::int64_t classes = logits.shape()[1];
  if (!is_floating(weight.dtype()) || weight.shape() != Shape{classes}) {
    throw Error(is_floating(weight.dtype()) ? ErrorKind::shape : ErrorKind::dtype, std::string(op))
        .at(where)
        .operand("logits", logits.spec(), fmt::format("{} classes", classes))
        .operand("weight", weight.spec(), fmt::format("expected floating {}", Shape{classes}.str()));
  }
  return cast(TensorArg(weight, where), widened(logits, where).dtype());
}

}  // namespace detail
}  // namespace gradus
