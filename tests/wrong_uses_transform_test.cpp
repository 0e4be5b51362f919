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

std::vector<WrongUse> gradients_gone_wrong() {
  return {
      {"undefined loss", [] { grad(Tensor(), {vector3()}); }, ""},
      {"loss that is no scalar",
       [] {
         const Tensor x = vector3();
         grad(x * x, {x});
       },
       ""},
      {"integer loss",
       [] {
         grad(sum(tensor({1, 2})), {vector3()});
       },
       ""},
      {"evaluated loss",
       [] {
         const Tensor x = vector3(), loss = sum(x * x);
         loss.item<double>(earlier);
         grad(loss, {x});
       },
       ""},
      {"evaluated on the way",
       [] {
         const nn::Linear layer(3, 2);
         const Tensor hidden = layer(ones({1, 3}));
         hidden.to_vector<float>(earlier);
         gradients(sum(hidden * hidden), layer);
       },
       ""},
      {"cotangent of another shape",
       [] {
         const Tensor x = vector3(), y = x * x, g = tensor({1.0});
         vjp(std::span(&y, 1), std::span(&g, 1), std::span(&x, 1));
       },
       ""},
      {"no cotangent",
       [] {
         const Tensor x = vector3(), y = x * x;
         vjp(std::span(&y, 1), {}, std::span(&x, 1));
       },
       ""},
      {"jvp of nothing", [] { jvp({Tensor()}, {vector3()}, {vector3()}); }, ""},
      {"jvp of an evaluated tensor",
       [] {
         const Tensor x = vector3(), y = x * x;
         y.to_vector<double>(earlier);
         jvp({y}, {x}, {x});
       },
       ""},
      {"too few tangents",
       [] {
         const Tensor x = vector3();
         jvp({x * x}, {x, x}, {x});
       },
       ""},
      {"tangent of another type",
       [] {
         const Tensor x = vector3();
         jvp({x * x}, {x}, {ones({3})});
       },
       ""},
      {"rule that is not linear",
       [] {
         const Tensor x = vector3();
         jvp({broken(5, x)}, {x}, {x});
       },
       ""},
      {"jacobian of integers",
       [] {
         jacobian(tensor({1, 2}), vector3());
       },
       ""},
      {"jacobian with respect to nothing", [] { jacobian(vector3(), Tensor()); }, ""},
      {"jacobian with too many axes",
       [] {
         const Tensor x = ones({1, 1, 1, 1, 2});
         jacobian(x * x, x);
       },
       ""},
      {"hessian of a vector",
       [] {
         const Tensor x = vector3();
         hessian(x * x, x);
       },
       ""},
      {"too few vectors",
       [] {
         const Tensor x = vector3();
         hessian_vector_product(sum(x * x), {x, x}, {x});
       },
       ""},
      {"vector of another shape",
       [] {
         const Tensor x = vector3();
         hessian_vector_product(sum(x * x), {x}, {tensor({1.0})});
       },
       ""},
      {"vector of another model",
       [] {
         const nn::Linear layer(3, 2), other(4, 2);
         hessian_vector_product(sum(layer(ones({1, 3}))), layer, other);
       },
       ""},
      {"unknown rule", [] { transform::set_rule_enabled("no_such_rule", true); }, ""},
  };
}

std::vector<WrongUse> batches_gone_wrong() {
  const auto twice = [](const Tensor& x) { return x * 2.0; };
  const auto dot = [](const Tensor& a, const Tensor& b) { return sum(a * b); };
  return {
      {"nothing batched", [=] { vmap(twice, {std::nullopt})(vector3()); }, ""},
      {"too many in_axes",
       [=] {
         vmap(twice, {0, 0})(vector3());
       },
       ""},
      {"in_axes out of range", [=] { vmap(twice, {1})(vector3()); }, ""},
      {"scalar argument", [=] { vmap(twice)(tensor(1.0)); }, ""},
      {"undefined argument", [=] { vmap(twice)(Tensor()); }, ""},
      {"numbers of examples differ",
       [=] {
         vmap(dot)(ones({3, 2}), ones({4, 2}));
       },
       ""},
      {"out_axes out of range",
       [=] {
         vmap(twice, {0}, {2})(ones({3, 2}));
       },
       ""},
      {"too many out_axes",
       [=] {
         vmap(twice, {0}, {0, 0})(ones({3, 2}));
       },
       ""},
      {"no out_axis",
       [=] {
         vmap(twice, {0}, {std::nullopt})(ones({3, 2}));
       },
       ""},
      {"wrong shapes of examples",
       [=] {
         vmap([](const Tensor& x) { return matmul(x, x); })(ones({5, 2, 3}));
       },
       ""},
      {"a branch on an example", [] { vmap([](const Tensor& x) { return x.item<double>() > 0 ? x : -x; })(vector3()); },
       ""},
      {"undefined result", [] { vmap([](const Tensor&) { return Tensor(); })(vector3()); }, ""},
      {"no examples",
       [] {
         const Tensor y = vector3() * 2.0;
         vmap(std::span(&y, 1), {}, {});
       },
       ""},
      {"batched tensor of another shape",
       [] {
         const Tensor x = vector3(), y = x * 2.0, all = ones({5, 2}, DType::f64);
         vmap(std::span(&y, 1), std::span(&x, 1), std::span(&all, 1));
       },
       ""},
      {"batched tensor of another type",
       [] {
         const Tensor x = vector3(), y = x * 2.0, all = ones({5, 3});
         vmap(std::span(&y, 1), std::span(&x, 1), std::span(&all, 1));
       },
       ""},
      {"scalars as examples",
       [] {
         const auto loss = [](const nn::Linear& m, const Tensor& x, const Tensor&) { return sum(m(x)); };
         per_sample_gradients(loss, nn::Linear(3, 2), tensor(1.f), tensor({1, 2}));
       },
       ""},
      {"more targets than inputs",
       [] {
         const auto loss = [](const nn::Linear& m, const Tensor& x, const Tensor&) { return sum(m(x)); };
         per_sample_gradients(loss, nn::Linear(3, 2), ones({2, 3}), tensor({1, 2, 3}));
       },
       ""},
  };
}

std::vector<WrongUse> functions_gone_wrong() {
  return {
      {"checkpoint of nothing", [] { checkpoint([](const Tensor&) { return Tensors(); }, vector3()); }, ""},
      {"checkpoint of an undefined tensor", [] { checkpoint([](const Tensor&) { return Tensor(); }, vector3()); }, ""},
      {"forward returns nothing", [] { broken(0, vector3()); }, ""},
      {"forward returns an undefined tensor", [] { broken(1, vector3()); }, ""},
      {"vjp returns too many",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(2, x)), {x});
       },
       ""},
      {"vjp returns another shape",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(3, x)), {x});
       },
       ""},
      {"vjp returns another type",
       [] {
         const Tensor x = vector3();
         grad(sum(broken(4, x)), {x});
       },
       ""},
      {"gradcheck in f32", [] { gradcheck([](const Tensors& x) { return exp(x[0]); }, {ones({2})}); }, ""},
      {"gradcheck of integers",
       [] {
         gradcheck([](const Tensors& x) { return exp(x[0]); }, {tensor({1, 2})});
       },
       ""},
      {"gradcheck of nothing", [] { gradcheck([](const Tensors& x) { return exp(x[0]); }, {Tensor()}); }, ""},
      {"NaN in the forward pass",
       [] {
         const engine::AnomalyMode anomalies;
         eval(sum(exp(log(tensor({1.0, -1.0})))));
       },
       ""},
      {"infinity in the backward pass",
       [] {
         const Tensor x = tensor({0.0, 1.0});
         const Tensor g = grad(sum(sqrt(x)), {x})[0];
         const engine::AnomalyMode anomalies;
         eval(g);
       },
       ""},
      {"NaN among the data",
       [] {
         const engine::AnomalyMode anomalies({.infinities = false});
         eval(exp(tensor({1.0, std::nan("")})));
       },
       ""},
  };
}

TEST(WrongUses, OfGradients) { check_wrong_uses(gradients_gone_wrong()); }
TEST(WrongUses, OfBatches) { check_wrong_uses(batches_gone_wrong()); }
TEST(WrongUses, OfFunctions) { check_wrong_uses(functions_gone_wrong()); }

}  // namespace
}  // namespace gradus::testing
