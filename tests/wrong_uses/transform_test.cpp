// What users do wrong with derivatives, and what they are told.
#include <cmath>

#include "gradus/engine/anomaly.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/gradcheck.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/checkpoint.h"
#include "gradus/transform/custom_gradient.h"
#include "gradus/transform/derivatives.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/simplify.h"
#include "gradus/transform/vmap.h"
#include "wrong_uses.h"

namespace gradus::testing {
namespace {

const SourceLocation earlier{"train.cpp", 12};

Tensor vector3() { return tensor({1.0, 2.0, 3.0}); }

/// A rule of which each case breaks something.
struct Broken {
  int how = 0;

  std::string_view name() const { return "broken"; }
  Tensors forward(const Tensors& x) const {
    if (how == 0) return {};
    if (how == 1) return {Tensor()};
    return {x[0] * 2.0};
  }
  Tensors vjp(const VjpArgs& args) const {
    const Tensor& g = args.cotangents[0];
    if (how == 2) return {g, g};
    if (how == 3) return {sum(g)};
    if (how == 4) return {cast(g, DType::f32)};
    if (how == 5) return {g * g};
    return {g * 3.0};
  }
  bool operator==(const Broken&) const = default;
};

Tensor broken(int how, const Tensor& x) { return custom_gradient(Broken{how}, {x})[0]; }

std::vector<WrongUse> losses() {
  return {
      {"undefined loss", [] { grad(Tensor(), {vector3()}); }, "state error in gradients: the loss is undefined"},
      {"loss that is no scalar",
       [] {
         const Tensor x = vector3();
         grad(x * x, {x});
       },
       "shape error in gradients: the loss must be a scalar\n"
       "  loss  f64 [3]   mul of f64 [3]\n"
       "  hint: reduce it with mean() or sum(), or use vjp() with a cotangent"},
      {"integer loss",
       [] {
         grad(sum(tensor({1, 2})), {vector3()});
       },
       "dtype error in gradients: the loss must be floating\n"
       "  loss  i64 []"},
      {"evaluated loss",
       [] {
         const Tensor x = vector3(), loss = sum(x * x);
         loss.item<double>(earlier);
         grad(loss, {x});
       },
       "state error in gradients: the tensor to differentiate was evaluated before\n"
       "  loss  f64 []   evaluated at train.cpp:12\n"
       "  hint: take the gradients before item(), to_vector() or eval(); optimizer.minimize(loss) evaluates the loss "
       "as well"},
      {"evaluated on the way",
       [] {
         const nn::Linear layer(3, 2);
         const Tensor hidden = layer(ones({1, 3}));
         hidden.to_vector<float>(earlier);
         gradients(sum(hidden * hidden), layer);
       },
       "state error in gradients: a tensor between the loss and the parameters was evaluated before\n"
       "  add  f32 [1, 2]   evaluated at train.cpp:12\n"
       "  hint: an evaluated tensor is a constant: take the gradients first, or wrap it in stop_gradient() if a "
       "constant is meant"},
  };
}

std::vector<WrongUse> cotangents_and_tangents() {
  return {
      {"cotangent of another shape",
       [] {
         const Tensor x = vector3(), y = x * x, g = tensor({1.0});
         vjp(std::span(&y, 1), std::span(&g, 1), std::span(&x, 1));
       },
       "shape error in vjp: a cotangent must have the type and shape of its output\n"
       "  output     f64 [3]\n"
       "  cotangent  f64 [1]"},
      {"no cotangent",
       [] {
         const Tensor x = vector3(), y = x * x;
         vjp(std::span(&y, 1), {}, std::span(&x, 1));
       },
       "shape error in vjp: a cotangent must have the type and shape of its output\n"
       "  output  f64 [3]"},
      {"jvp of nothing", [] { jvp({Tensor()}, {vector3()}, {vector3()}); },
       "state error in jvp: the tensor to differentiate is undefined"},
      {"jvp of an evaluated tensor",
       [] {
         const Tensor x = vector3(), y = x * x;
         y.to_vector<double>(earlier);
         jvp({y}, {x}, {x});
       },
       "state error in jvp: the tensor to differentiate was evaluated before\n"
       "  output  f64 [3]   evaluated at train.cpp:12\n"
       "  hint: take the derivatives before item(), to_vector() or eval()"},
      {"too few tangents",
       [] {
         const Tensor x = vector3();
         jvp({x * x}, {x, x}, {x});
       },
       "shape error in jvp: 1 tangents for 2 tensors\n"
       "  hint: pass one tangent per tensor; an undefined one is zero"},
      {"tangent of another type",
       [] {
         const Tensor x = vector3();
         jvp({x * x}, {x}, {ones({3})});
       },
       "shape error in jvp: a tangent must have the type and shape of its tensor\n"
       "  tensor   f64 [3]\n"
       "  tangent  f32 [3]"},
  };
}

std::vector<WrongUse> jacobians() {
  return {
      {"rule that is not linear",
       [] {
         const Tensor x = vector3();
         jvp({broken(5, x)}, {x}, {x});
       },
       "usage error in jvp: a gradient rule is not linear in its cotangent\n"
       "  output  f64 [3]   gradient of gradient of broken of f64 [3]\n"
       "  hint: vjp() of a custom gradient must be linear in args.cotangents, or forward mode does not exist"},
      {"jacobian of integers",
       [] {
         jacobian(tensor({1, 2}), vector3());
       },
       "dtype error in jacobian: the output must be floating\n"
       "  output  i64 [2]   a leaf"},
      {"jacobian with respect to nothing", [] { jacobian(vector3(), Tensor()); },
       "state error in jacobian: the input is undefined"},
      {"jacobian with too many axes",
       [] {
         const Tensor x = ones({1, 1, 1, 1, 2});
         jacobian(x * x, x);
       },
       "shape error in jacobian: more than 8 axes\n"
       "  output  f32 [1, 1, 1, 1, 2]\n"
       "  input   f32 [1, 1, 1, 1, 2]\n"
       "  hint: the Jacobian has the axes of both: take it of reshape(output, {-1})"},
      {"hessian of a vector",
       [] {
         const Tensor x = vector3();
         hessian(x * x, x);
       },
       "shape error in gradients: the loss must be a scalar\n"
       "  loss  f64 [3]   mul of f64 [3]\n"
       "  hint: reduce it with mean() or sum(), or use vjp() with a cotangent"},
  };
}

std::vector<WrongUse> hessians() {
  return {
      {"too few vectors",
       [] {
         const Tensor x = vector3();
         hessian_vector_product(sum(x * x), {x, x}, {x});
       },
       "shape error in hessian_vector_product: 1 vectors for 2 tensors"},
      {"vector of another shape",
       [] {
         const Tensor x = vector3();
         hessian_vector_product(sum(x * x), {x}, {tensor({1.0})});
       },
       "shape error in hessian_vector_product: a vector must have the type and shape of its tensor\n"
       "  tensor  f64 [3]\n"
       "  vector  f64 [1]"},
      {"vector of another model",
       [] {
         const nn::Linear layer(3, 2), other(4, 2);
         hessian_vector_product(sum(layer(ones({1, 3}))), layer, other);
       },
       "shape error in hessian_vector_product: the vector does not fit the model\n"
       "  parameter  f32 [2, 3]   weight\n"
       "  vector     f32 [2, 4]"},
      {"unknown rule", [] { transform::set_rule_enabled("no_such_rule", true); },
       "value error in set_rule_enabled: no rule of that name\n"
       "  rule  no_such_rule"},
  };
}

std::vector<WrongUse> batch_axes() {
  const auto twice = [](const Tensor& x) { return x * 2.0; };
  const auto dot = [](const Tensor& a, const Tensor& b) { return sum(a * b); };
  return {
      {"nothing batched", [=] { vmap(twice, {std::nullopt})(vector3()); },
       "usage error in vmap: no argument is batched\n"
       "  hint: at least one of in_axes must name an axis"},
      {"too many in_axes",
       [=] {
         vmap(twice, {0, 0})(vector3());
       },
       "usage error in vmap: 2 in_axes for 1 arguments\n"
       "  hint: give one axis per argument, {} for those that all examples share, or a single one for all"},
      {"in_axes out of range", [=] { vmap(twice, {1})(vector3()); },
       "axis error in vmap: axis 1 of a tensor with rank 1; it must be in [-1, 0]\n"
       "  input  f64 [3]"},
      {"scalar argument", [=] { vmap(twice)(tensor(1.0)); },
       "axis error in vmap: axis 0 of a scalar, which has none\n"
       "  input  f64 []"},
      {"undefined argument", [=] { vmap(twice)(Tensor()); }, "state error in vmap: an operand is an undefined tensor"},
      {"numbers of examples differ",
       [=] {
         vmap(dot)(ones({3, 2}), ones({4, 2}));
       },
       "shape error in vmap: the numbers of examples differ\n"
       "  batched 0   f32 [3, 2]   axis 0 is 3\n"
       "  argument 1  f32 [4, 2]   axis 0 is 4"},
  };
}

std::vector<WrongUse> batch_results() {
  const auto twice = [](const Tensor& x) { return x * 2.0; };
  return {
      {"out_axes out of range",
       [=] {
         vmap(twice, {0}, {2})(ones({3, 2}));
       },
       "axis error in vmap: axis 2 of a tensor with rank 2; it must be in [-2, 1]\n"
       "  input  f32 [3, 2]\n"
       "  input comes from mul of f32 [3, 2]"},
      {"too many out_axes",
       [=] {
         vmap(twice, {0}, {0, 0})(ones({3, 2}));
       },
       "usage error in vmap: 2 out_axes for 1 results\n"
       "  hint: give one axis per result, or a single one for all"},
      {"no out_axis",
       [=] {
         vmap(twice, {0}, {std::nullopt})(ones({3, 2}));
       },
       "usage error in vmap: out_axes must name an axis for every result"},
      {"wrong shapes of examples",
       [=] {
         vmap([](const Tensor& x) { return matmul(x, x); })(ones({5, 2, 3}));
       },
       "shape error in matmul: the inner axes differ\n"
       "  a  f32 [2, 3]   axis 1 is 3\n"
       "  b  f32 [2, 3]   axis 0 is 2, expected 3"},
      {"a branch on an example", [] { vmap([](const Tensor& x) { return x.item<double>() > 0 ? x : -x; })(vector3()); },
       "state error in eval: the elements of a tensor inside vmap() are not known while it records\n"
       "  example  f64 []\n"
       "  hint: compute with tensor functions, where() in place of if; evaluate after vmap() returned"},
      {"undefined result", [] { vmap([](const Tensor&) { return Tensor(); })(vector3()); },
       "state error in vmap: an output is an undefined tensor"},
  };
}

std::vector<WrongUse> examples() {
  return {
      {"no examples",
       [] {
         const Tensor y = vector3() * 2.0;
         vmap(std::span(&y, 1), {}, {});
       },
       "usage error in vmap: 0 batched tensors for 0 examples\n"
       "  hint: pass at least one example, and a batched tensor for each"},
      {"batched tensor of another shape",
       [] {
         const Tensor x = vector3(), y = x * 2.0, all = ones({5, 2}, DType::f64);
         vmap(std::span(&y, 1), std::span(&x, 1), std::span(&all, 1));
       },
       "shape error in vmap\n"
       "  example  f64 [3]\n"
       "  batched  f64 [5, 2]   expected the example's type and shape behind an axis that counts them"},
      {"batched tensor of another type",
       [] {
         const Tensor x = vector3(), y = x * 2.0, all = ones({5, 3});
         vmap(std::span(&y, 1), std::span(&x, 1), std::span(&all, 1));
       },
       "dtype error in vmap\n"
       "  example  f64 [3]\n"
       "  batched  f32 [5, 3]   expected the example's type and shape behind an axis that counts them"},
      {"scalars as examples",
       [] {
         const auto loss = [](const nn::Linear& m, const Tensor& x, const Tensor&) { return sum(m(x)); };
         per_sample_gradients(loss, nn::Linear(3, 2), tensor(1.f), tensor({1, 2}));
       },
       "shape error in per_sample_gradients\n"
       "  inputs  f32 []   expected the examples along axis 0"},
      {"more targets than inputs",
       [] {
         const auto loss = [](const nn::Linear& m, const Tensor& x, const Tensor&) { return sum(m(x)); };
         per_sample_gradients(loss, nn::Linear(3, 2), ones({2, 3}), tensor({1, 2, 3}));
       },
       "shape error in per_sample_gradients: the numbers of examples differ\n"
       "  inputs   f32 [2, 3]\n"
       "  targets  i64 [3]"},
  };
}

std::vector<WrongUse> functions() {
  return {
      {"checkpoint of nothing", [] { checkpoint([](const Tensor&) { return Tensors(); }, vector3()); },
       "usage error in checkpoint: the function returned no tensors"},
      {"checkpoint of an undefined tensor", [] { checkpoint([](const Tensor&) { return Tensor(); }, vector3()); },
       "state error in checkpoint: the function returned an undefined tensor"},
      {"forward returns nothing", [] { broken(0, vector3()); },
       "usage error in broken: its forward returned no tensors"},
      {"forward returns an undefined tensor", [] { broken(1, vector3()); },
       "state error in broken: its forward returned an undefined tensor"},
      {"vjp returns too many",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(2, x)), {x});
       },
       "usage error in broken: its vjp returned 2 tensors for 1 inputs\n"
       "  hint: return one tensor per input; an undefined one where no gradient flows"},
      {"vjp returns another shape",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(3, x)), {x});
       },
       "shape error in broken: its vjp returned a tensor that does not fit its input\n"
       "  input 0   f64 [3]\n"
       "  gradient  f64 []   expected the input's type and shape"},
      {"vjp returns another type",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(4, x)), {x});
       },
       "dtype error in broken: its vjp returned a tensor that does not fit its input\n"
       "  input 0   f64 [3]\n"
       "  gradient  f32 [3]   expected the input's type and shape"},
  };
}

std::vector<WrongUse> checks() {
  return {
      {"gradcheck in f32", [] { gradcheck([](const Tensors& x) { return exp(x[0]); }, {ones({2})}); },
       "dtype error in gradcheck: inputs must be f64\n"
       "  input 0  f32 [2]\n"
       "  hint: central differences need the precision: cast(x, DType::f64)"},
      {"gradcheck of integers",
       [] {
         gradcheck([](const Tensors& x) { return exp(x[0]); }, {tensor({1, 2})});
       },
       "usage error in gradcheck: no input is floating"},
      {"gradcheck of nothing", [] { gradcheck([](const Tensors& x) { return exp(x[0]); }, {Tensor()}); },
       "state error in gradcheck: input 0 is undefined"},
      {"NaN in the forward pass",
       [] {
         const engine::AnomalyMode anomalies;
         eval(sum(exp(log(tensor({1.0, -1.0})))));
       },
       "value error in log: gave nan at element 1\n"
       "  result  f64 [2]\n"
       "  hint: all that it was computed from is finite: look at the range of its operands"},
      {"infinity in the backward pass",
       [] {
         const Tensor x = tensor({0.0, 1.0});
         const Tensor g = grad(sum(sqrt(x)), {x})[0];
         const engine::AnomalyMode anomalies;
         eval(g);
       },
       "value error in div: gave inf at element 0\n"
       "  result  f64 [2]\n"
       "  in the backward pass: part of the gradient of sqrt\n"
       "  hint: all that it was computed from is finite: look at the range of its operands"},
      {"NaN among the data",
       [] {
         const engine::AnomalyMode anomalies({.infinities = false});
         eval(exp(tensor({1.0, std::nan("")})));
       },
       "value error in eval: a leaf holds nan at element 1\n"
       "  leaf  f64 [2]\n"
       "  hint: look at the data or at the last update of this parameter"},
  };
}

TEST(WrongUses, OfDerivatives) {
  for (const auto& table : {losses(), cotangents_and_tangents(), jacobians(), hessians()}) check_wrong_uses(table);
}
TEST(WrongUses, OfBatches) {
  for (const auto& table : {batch_axes(), batch_results(), examples()}) check_wrong_uses(table);
}
TEST(WrongUses, OfFunctionsWithGradients) {
  for (const auto& table : {functions(), checks()}) check_wrong_uses(table);
}

}  // namespace
}  // namespace gradus::testing
