// Derivatives with a closed form, and what they may cost.
#include <gtest/gtest.h>

#include <cmath>

#include "gradus/engine/eval.h"
#include "gradus/engine/gradcheck.h"
#include "gradus/engine/plan.h"
#include "gradus/graph/graph.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/losses.h"
#include "gradus/transform/derivatives.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/vmap.h"
#include "op_cases.h"

namespace gradus::testing {
namespace {

using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

void expect_close(const Tensor& actual, const Tensor& expected, double tolerance = 1e-14) {
  ASSERT_EQ(actual.shape(), expected.shape());
  const Numbers a = numbers(actual), b = numbers(expected);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance * std::max(1.0, std::abs(b[i]))) << i;
}

TEST(ExactDerivatives, SoftmaxCrossEntropy) {
  const Tensor logits = random_tensor({6, 5}, DType::f64, -3, 3, 1);
  const Tensor labels = tensor({0, 4, 2, 1, 3, 2});
  const Tensor loss = cross_entropy(logits, labels, {.reduction = Reduction::sum});
  const Tensor g = grad(loss, {logits})[0];
  const Tensor expected = softmax(logits) - cast(one_hot(labels, 5), DType::f64);
  expect_close(g, expected);
  for (const double total : numbers(sum(g, 1))) EXPECT_NEAR(total, 0, 1e-15);
  // Its Hessian for one row is diag(p) - p p^T, and its rows sum to 0.
  const Tensor row = random_tensor({4}, DType::f64, -2, 2, 2);
  const Tensor h = hessian(cross_entropy(reshape(row, {1, 4}), tensor({2})), row);
  const Tensor p = softmax(row);
  expect_close(h, eye(4, DType::f64) * p - reshape(p, {4, 1}) * p);
}

TEST(ExactDerivatives, HessianIsSymmetricAndGivesItsProducts) {
  const Tensor w = random_tensor({3, 2}, DType::f64, -1, 1, 3), x = random_tensor({2}, DType::f64, -1, 1, 4);
  const auto loss = [&] { return sum(square(tanh(matmul(w, x)))) + sum(exp(w) * w); };
  const Tensor h = hessian(loss(), w);
  ASSERT_EQ(h.shape(), (Shape{3, 2, 3, 2}));
  const Numbers H = numbers(h);
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(H[i * 6 + k], H[k * 6 + i], 1e-14);
  }
  const Tensor v = random_tensor({3, 2}, DType::f64, -1, 1, 5);
  expect_close(hessian_vector_product(loss(), {w}, {v})[0],
               reshape(matmul(reshape(h, {6, 6}), reshape(v, {6})), {3, 2}));
  // Blocks over two tensors: the one off the diagonal is the other's transpose.
  const Tensor wrt[] = {w, x};
  const std::vector<Tensors> blocks = hessian(loss(), wrt);
  expect_close(blocks[0][1], reshape(transpose(reshape(blocks[1][0], {2, 6}), 0, 1), {3, 2, 2}));
  expect_close(blocks[0][0], h);
}

TEST(ExactDerivatives, JacobiansByRowsAndByColumnsAgree) {
  const Tensor a = random_tensor({4, 3}, DType::f64, -1, 1, 6), x = random_tensor({3}, DType::f64, -1, 1, 7);
  expect_close(jacobian(matmul(a, x), x, {.mode = JacobianMode::reverse}), a);
  expect_close(jacobian(matmul(a, x), x, {.mode = JacobianMode::forward}), a);
  const auto f = [&](const Tensor& y) { return sin(matmul(a, y)) * sum(y); };
  expect_close(jacobian(f(x), x, {.mode = JacobianMode::forward}), jacobian(f(x), x, {.mode = JacobianMode::reverse}));
  expect_close(jacobian(sum(a), x), zeros({3}, DType::f64));
  EXPECT_EQ(jacobian(a * 2.0, a).shape(), (Shape{4, 3, 4, 3}));
}

TEST(ExactDerivatives, LinearizeIsALinearMap) {
  const Tensor x = random_tensor({5}, DType::f64, -1, 1, 8);
  const Tensor u = random_tensor({5}, DType::f64, -1, 1, 9), v = random_tensor({5}, DType::f64, -1, 1, 10);
  const Linearized map = linearize({sin(x) * x}, {x});
  const Tensor sum_of = map({u + v * 2.0})[0], parts = map({u})[0] + map({v})[0] * 2.0;
  const Tensor expected = (cos(x) * x + sin(x)) * (u + v * 2.0);
  expect_close(sum_of, expected);
  expect_close(parts, expected);
}

TEST(ExactDerivatives, ALinearMapOutlivesItsEvaluations) {
  // What the map was recorded with is evaluated along with its first product; the second one is the same map.
  const nn::Parameter w(random_tensor({4}, DType::f64, -1, 1, 8));
  const Tensor u = random_tensor({4}, DType::f64, -1, 1, 9);
  const Linearized map = linearize({sin(exp(w)) * w}, {w});
  const Numbers first = numbers(map({u})[0]), twice = numbers(map({u * 2.0})[0]);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(twice[i], 2 * first[i], 1e-14);
}

TEST(ExactDerivatives, ValueAndGradOfAFunctionOfTensors) {
  const Tensor a = tensor({1.0, 2.0}), b = tensor({3.0, 4.0});
  const auto [value, g] = value_and_grad([](const Tensors& x) { return sum(x[0] * x[1]); }, {a, b});
  EXPECT_EQ(numbers(g[0]), (Numbers{3, 4}));
  EXPECT_EQ(numbers(g[1]), (Numbers{1, 2}));
  EXPECT_EQ(value.item<double>(), 11);
}

/// Arithmetic of a plan, as its kernels count it.
double flops_of(const Tensors& roots) {
  double total = 0;
  for (const engine::Step& step : engine::make_plan(capture(roots).graph).steps) total += step.kernel->flops();
  return total;
}

/// Arithmetic of the loss with all gradients against that of the loss.
template <class Model>
double cost_of_gradients(Model& model, const Tensor& x, const Tensor& labels) {
  const auto loss = [&] { return cross_entropy(model(x), labels); };
  const double forward = flops_of({loss()});
  const Tensor value = loss();
  const Model g = gradients(value, model);
  Tensors roots{value};
  for (const nn::FieldRef& field : nn::all_fields(g)) roots.push_back(field.tensor());
  EXPECT_GT(forward, 1e5);
  return flops_of(roots) / forward;
}

TEST(ExactDerivatives, ReverseModeCostsLessThanFourForwardPasses) {
  // Griewank: at most 5 forward passes, whatever the number of parameters; 3 where products dominate.
  const Tensor labels = tensor({0, 1, 2, 3});
  models::Mlp mlp(models::MlpSettings{.inputs = 64, .hidden = {128, 64}});
  const double of_mlp = cost_of_gradients(mlp, random_tensor({4, 64}, DType::f32, -1, 1, 1), labels);
  EXPECT_GT(of_mlp, 2);
  EXPECT_LT(of_mlp, 4);
  models::LeNet5 lenet;
  const double of_lenet = cost_of_gradients(lenet, random_tensor({4, 1, 28, 28}, DType::f32, -1, 1, 2), labels);
  EXPECT_GT(of_lenet, 2);
  EXPECT_LT(of_lenet, 4);
}

TEST(ExactDerivatives, ForwardModeCostsLessThanThreeForwardPasses) {
  const Tensor labels = tensor({0, 1, 2, 3}), x = random_tensor({4, 1, 28, 28}, DType::f32, -1, 1, 2);
  models::LeNet5 lenet;
  const double forward = flops_of({cross_entropy(lenet(x), labels)});
  const Tensor weight = lenet.conv1.weight, direction = ones(weight.shape());
  const Tensor loss = cross_entropy(lenet(x), labels);
  const Tensor slope = jvp({loss}, {weight}, {direction})[0];
  EXPECT_LT(flops_of({loss, slope}) / forward, 3);
}

TEST(ExactDerivatives, JacobiansCrossWhereInputsEqualOutputs) {
  // A product with an (outputs, inputs) matrix: columns cost one pass for each input, rows one for each output.
  const auto cost = [](std::int64_t outputs, std::int64_t inputs, JacobianMode mode) {
    const Tensor a = random_tensor({outputs, inputs}, DType::f32, -1, 1, 6);
    const Tensor x = random_tensor({inputs}, DType::f32, -1, 1, 7);
    return flops_of({jacobian(sin(matmul(a, x)), x, {.mode = mode})});
  };
  EXPECT_GT(cost(64, 8, JacobianMode::reverse), 4 * cost(64, 8, JacobianMode::forward));
  EXPECT_GT(cost(8, 64, JacobianMode::forward), 4 * cost(8, 64, JacobianMode::reverse));
  const double ratio = cost(32, 32, JacobianMode::forward) / cost(32, 32, JacobianMode::reverse);
  EXPECT_GT(ratio, 0.5);
  EXPECT_LT(ratio, 2);
  EXPECT_EQ(cost(64, 8, JacobianMode::automatic), cost(64, 8, JacobianMode::forward));
  EXPECT_EQ(cost(8, 64, JacobianMode::automatic), cost(8, 64, JacobianMode::reverse));
}

TEST(ExactDerivatives, CentralDifferencesBottomOutWhereReverseModeIsExact) {
  // Truncation falls as eps^2, rounding grows as 1 / eps: the best eps is about 1e-5, with an error near 1e-10 or below.
  const Tensor x = tensor({1.3});
  const auto f = [](const Tensor& t) { return sum(exp(sin(t)) * t); };
  const double exact = (std::cos(1.3) * 1.3 + 1) * std::exp(std::sin(1.3));
  EXPECT_NEAR(grad(f(x), {x})[0].item<double>() / exact, 1, 1e-15);
  EXPECT_NEAR(jvp({f(x)}, {x}, {ones({1}, DType::f64)})[0].item<double>() / exact, 1, 1e-15);
  const auto error = [&](double eps) {
    const double slope = (f(x + eps) - f(x - eps)).item<double>() / (2 * eps);
    return std::abs(slope / exact - 1);
  };
  EXPECT_LT(error(1e-5), 1e-9);
  EXPECT_GT(error(1e-5), 1e-13);
  EXPECT_GT(error(1e-2), 1e4 * error(1e-5));
  EXPECT_GT(error(1e-10), 1e2 * error(1e-5));
}

TEST(Gradcheck, AcceptsWhatIsRight) {
  const Tensor x = random_tensor({3, 2}, DType::f64, 0.5, 1, 1), y = random_tensor({2}, DType::f64, 0.5, 1, 2);
  const auto f = [](const Tensors& in) { return log(in[0]) * in[1] + sin(in[1]); };
  EXPECT_NO_THROW(gradcheck(f, {x, y}));
  EXPECT_NO_THROW(gradgradcheck(f, {x, y}));
  EXPECT_NO_THROW(gradcheck([](const Tensors& in) { return take(in[0], in[1]); }, {x, tensor({0, 2})}));
}

struct WrongSquare {
  Tensor forward(const Tensors& x) const { return square(x[0]); }
  Tensors vjp(const VjpArgs& args) const { return {args.cotangents[0] * args.inputs[0]}; }  // lacks the factor 2
  bool operator==(const WrongSquare&) const = default;
};

/// Right at first order, wrong at second: the slope is a constant.
struct FlatSlope {
  Tensor forward(const Tensors& x) const { return square(x[0]); }
  Tensors vjp(const VjpArgs& args) const { return {args.cotangents[0] * 2.0 * stop_gradient(args.inputs[0])}; }
  bool operator==(const FlatSlope&) const = default;
};

TEST(Gradcheck, RefusesWhatIsWrong) {
  const Tensor x = tensor({1.0, 2.0});
  EXPECT_THROW(gradcheck([](const Tensors& in) { return custom_gradient(WrongSquare{}, in); }, {x}), Error);
  const auto flat = [](const Tensors& in) { return custom_gradient(FlatSlope{}, in); };
  EXPECT_NO_THROW(gradcheck(flat, {x}));
  EXPECT_THROW(gradgradcheck(flat, {x}), Error);
}

TEST(Vmap, NestsAndTakesAnyAxes) {
  const Tensor xs = random_tensor({4, 3}, DType::f64, -1, 1, 1), ys = random_tensor({3, 5}, DType::f64, -1, 1, 2);
  const auto dot = [](const Tensor& a, const Tensor& b) { return sum(a * b); };
  const Tensor table = vmap(vmap(dot, {0, {}}), {{}, 1}, {1})(xs, ys);
  expect_close(table, matmul(xs, ys));
  const auto both = [](const Tensor& a) { return Tensors{a * 2.0, zeros({2}, DType::f64)}; };
  const Tensors results = vmap(both, {1}, {-1, 0})(ys);
  expect_close(results[0], ys * 2.0);
  EXPECT_EQ(results[1].shape(), (Shape{5, 2}));
  EXPECT_EQ(vmap(dot)(zeros({0, 3}), zeros({0, 3})).shape(), (Shape{0}));
}

TEST(Vmap, RandomNumbersFollowTheirKeys) {
  const auto drawn = [](const Tensor& x) { return x + uniform({3}, {}, Key{5}); };
  const Numbers same = numbers(vmap(drawn)(zeros({2, 3})));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(same[i], same[i + 3]);
  const auto keyed = [](const Tensor& key) { return record(RandomUniform{{3}}, {key}); };
  const Numbers own = numbers(vmap(keyed)(tensor({7, 8})));
  EXPECT_EQ(Numbers(own.begin(), own.begin() + 3), numbers(record(RandomUniform{{3}}, {tensor(7)})));
  EXPECT_EQ(Numbers(own.begin() + 3, own.end()), numbers(record(RandomUniform{{3}}, {tensor(8)})));
}

TEST(Vmap, AnIndexOutOfRangeNamesTheUsersLine) {
  const Tensor table = random_tensor({4, 2}, DType::f64, -1, 1, 1);
  Tensor indexes = tensor({{0, 3}, {9, 1}}) + 0;  // not evaluated: refused when it runs
  const int line = __LINE__ + 1;
  const auto look_up = [&](const Tensor& index) { return take(table, index); };
  try {
    vmap(look_up)(indexes).to_vector<double>();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::index);
    EXPECT_NE(std::string(error.what()).find("exact_derivatives_test.cpp:" + std::to_string(line)), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace gradus::testing
