#include "gradus/train/metrics/input.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"

namespace gradus::metrics::detail {
namespace {

const Tensor& tensor_of(const TensorArg& arg, const char* op, const char* role) {
  if (!arg.is_number() && arg.tensor().defined()) return arg.tensor();
  throw Error(ErrorKind::usage, op,
              fmt::format("{} is {}, expected a tensor", role, arg.is_number() ? "a number" : "undefined"))
      .at(arg.where());
}

}  // namespace

std::vector<std::int64_t> classes_of(const TensorArg& arg, std::int64_t classes, const char* op, const char* role) {
  const Tensor& tensor = tensor_of(arg, op, role);
  if (!is_integral(tensor.dtype())) {
    throw Error(ErrorKind::dtype, op)
        .at(arg.where())
        .operand(role, tensor.spec(), "expected integers")
        .hint("class numbers; argmax(logits, 1) gives those of a model's answer");
  }
  if (tensor.rank() != 1)
    throw Error(ErrorKind::shape, op).at(arg.where()).operand(role, tensor.spec(), "expected [n], one class each");
  std::vector<std::int64_t> values = tensor.to_vector<std::int64_t>(arg.where());
  for (std::size_t row = 0; row < values.size(); ++row) {
    if (values[row] >= 0 && values[row] < classes) continue;
    throw Error(ErrorKind::index, op,
                fmt::format("row {} of {} is {}, but there are {} classes", row, role, values[row], classes))
        .at(arg.where());
  }
  return values;
}

std::vector<double> numbers_of(const TensorArg& arg, const char* op, const char* role) {
  const Tensor& tensor = tensor_of(arg, op, role);
  if (!is_floating(tensor.dtype())) {
    throw Error(ErrorKind::dtype, op).at(arg.where()).operand(role, tensor.spec(), "expected a floating type");
  }
  std::vector<double> values = tensor.to_vector<double>(arg.where());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw Error(ErrorKind::value, op, fmt::format("element {} of {} is {}", i, role, values[i]))
        .at(arg.where())
        .operand(role, tensor.spec());
  }
  return values;
}

void check_same_shape(const TensorArg& a, const char* role_a, const TensorArg& b, const char* role_b, const char* op) {
  const Tensor &x = tensor_of(a, op, role_a), &y = tensor_of(b, op, role_b);
  if (x.shape() == y.shape()) return;
  throw Error(ErrorKind::shape, op, "the shapes must be equal")
      .at(a.where())
      .operand(role_a, x.spec())
      .operand(role_b, y.spec());
}

}  // namespace gradus::metrics::detail
