#include "gradus/nn/functional/bilinear.h"

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

struct At {
  SourceLocation where;
  TensorArg operator()(const Tensor& x) const { return TensorArg(x, where); }
};

}  // namespace

Tensor bilinear(const TensorArg& a, const TensorArg& b, const TensorArg& weight_arg, const TensorArg& bias) {
  constexpr const char* op = "bilinear";
  const At at{a.where()};
  const Tensor& x1 = detail::required_floating(op, "input1", a);
  const Tensor& x2 = detail::required_floating(op, "input2", TensorArg(b.tensor(), at.where));
  const Tensor& weight = detail::required_floating(op, "weight", TensorArg(weight_arg.tensor(), at.where));
  bool fits = weight.rank() == 3 && x1.rank() >= 1 && x1.rank() == x2.rank() &&
              x1.shape()[x1.rank() - 1] == weight.shape()[1] && x2.shape()[x2.rank() - 1] == weight.shape()[2];
  for (int axis = 0; fits && axis + 1 < x1.rank(); ++axis) fits = x1.shape()[axis] == x2.shape()[axis];
  if (!fits) {
    throw Error(ErrorKind::shape, op)
        .at(at.where)
        .operand("input1", x1.spec(), "expected (.., in1)")
        .operand("input2", x2.spec(), "expected (.., in2)")
        .operand("weight", weight.spec(), "(out, in1, in2)");
  }
  const Tensor products = at(unsqueeze(at(x1), -1)) * at(unsqueeze(at(x2), -2));
  const Tensor pairs = flatten(at(products), products.rank() - 2, -1);
  const Tensor flat = flatten(at(weight), 1, 2);
  return detail::named(op, linear(at(pairs), at(flat), at(bias.tensor()), at.where));
}

}  // namespace gradus
