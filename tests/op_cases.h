// One description per operation: from it come the gradient check, the check of the gradient of the gradient, and the
// comparison of every kernel with the reference. An operation without a case fails OpCases.EveryOperationHasACase.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus::testing {

struct OpCase {
  std::string name;
  /// Shapes of the floating inputs.
  std::vector<Shape> inputs;
  /// The operation on inputs of any floating type.
  std::function<Tensor(const Tensors&)> apply;
  /// Inputs are drawn from U[low, high).
  double low = -1, high = 1;
  /// False where the derivative is zero or absent by definition (comparisons, argmax, random numbers).
  bool differentiable = true;
};

inline Tensor random_tensor(const Shape& shape, DType dtype, double low, double high, std::uint64_t seed) {
  std::vector<double> numbers(static_cast<std::size_t>(shape.numel()));
  fill_uniform(std::span<double>(numbers), Key{seed}, low, high);
  if (dtype == DType::f64) return leaf<double>(shape, std::span<const double>(numbers));
  const std::vector<float> narrow(numbers.begin(), numbers.end());
  return leaf<float>(shape, std::span<const float>(narrow));
}

inline Tensors make_inputs(const OpCase& c, DType dtype, std::uint64_t seed) {
  Tensors inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(random_tensor(c.inputs[i], dtype, c.low, c.high, seed * 1000 + i));
  }
  return inputs;
}

/// The rows of the elementwise table, each over a domain where it is smooth.
inline void add_elementwise_cases(std::vector<OpCase>& cases) {
  const Shape s{3, 5}, row{5};
  const auto unary = [&](std::string name, Tensor (*f)(const TensorArg&), double low, double high,
                         bool differentiable = true) {
    cases.push_back({std::move(name), {s}, [f](const Tensors& x) { return f(x[0]); }, low, high, differentiable});
  };
  const auto binary = [&](std::string name, Tensor (*f)(const TensorArg&, const TensorArg&), double low, double high,
                          bool differentiable = true) {
    cases.push_back(
        {std::move(name), {s, row}, [f](const Tensors& x) { return f(x[0], x[1]); }, low, high, differentiable});
  };
  binary("add", add, -1, 1);
  binary("sub", sub, -1, 1);
  binary("mul", mul, -1, 1);
  binary("div", div, 0.5, 2);
  unary("neg", neg, -1, 1);
  binary("pow", pow, 0.5, 2);
  binary("maximum", maximum, -1, 1);
  binary("minimum", minimum, -1, 1);
  unary("abs", abs, 0.1, 1);
  unary("sign", sign, 0.1, 1, false);
  unary("square", square, -1, 1);
  unary("floor", floor, 0.1, 0.9, false);
  unary("sqrt", sqrt, 0.5, 2);
  unary("rsqrt", rsqrt, 0.5, 2);
  unary("exp", exp, -1, 1);
  unary("expm1", expm1, -1, 1);
  unary("log", log, 0.5, 2);
  unary("log1p", log1p, -0.4, 1);
  unary("relu", relu, 0.1, 1);
  unary("relu", relu, -1, -0.1);
  unary("sigmoid", sigmoid, -3, 3);
  unary("tanh", tanh, -2, 2);
  unary("sin", sin, -3, 3);
  unary("cos", cos, -3, 3);
  binary("equal", equal, -1, 1, false);
  binary("not_equal", not_equal, -1, 1, false);
  binary("less", less, -1, 1, false);
  binary("less_equal", less_equal, -1, 1, false);
  binary("greater", greater, -1, 1, false);
  binary("greater_equal", greater_equal, -1, 1, false);
  binary("logical_and", logical_and, -1, 1, false);
  binary("logical_or", logical_or, -1, 1, false);
  unary("is_finite", is_finite, -1, 1, false);
  unary("logical_not", logical_not, -1, 1, false);
  cases.push_back({"where", {s, s, s}, [](const Tensors& x) { return where(greater(x[0], 0.0), x[1], x[2]); }});
  cases.push_back({"cast", {s}, [](const Tensors& x) { return cast(cast(x[0], DType::f64), x[0].dtype()); }});
  cases.push_back({"constant", {s}, [](const Tensors& x) { return x[0] * constant(3, x[0].dtype()); }});
  cases.push_back({"stop_gradient", {s}, [](const Tensors& x) { return x[0] * stop_gradient(x[0]); }, -1, 1, false});
}

inline void add_view_and_index_cases(std::vector<OpCase>& cases) {
  const Shape s{2, 3, 4};
  cases.push_back({"reshape", {s}, [](const Tensors& x) { return reshape(x[0], {4, 6}); }});
  cases.push_back({"permute", {s}, [](const Tensors& x) { return permute(x[0], {2, 0, 1}); }});
  cases.push_back({"slice", {s}, [](const Tensors& x) { return slice(x[0], 2, 1, 4); }});
  cases.push_back({"slice", {Shape{9}}, [](const Tensors& x) { return slice(x[0], 0, 1, 9, 3); }});
  cases.push_back({"broadcast_to", {Shape{3, 1}}, [](const Tensors& x) { return broadcast_to(x[0], {2, 3, 4}); }});
  cases.push_back({"pad", {Shape{2, 3}}, [](const Tensors& x) { return pad(x[0], {{1, 0}, {0, 2}}, 0.5); }});
  cases.push_back({"concat", {Shape{2, 3}, Shape{2, 1}}, [](const Tensors& x) { return concat({x[0], x[1]}, 1); }});
  cases.push_back({"gather", {Shape{3, 4}}, [](const Tensors& x) {
                     return gather(x[0], 1, tensor({{0, 3}, {1, 1}, {2, 0}}));
                   }});
  cases.push_back({"scatter_add", {Shape{3, 4}, Shape{3, 2}}, [](const Tensors& x) {
                     return scatter_add(x[0], 1, tensor({{0, 3}, {1, 1}, {2, 0}}), x[1]);
                   }});
  cases.push_back({"take", {Shape{4, 3}}, [](const Tensors& x) { return take(x[0], tensor({2, 0, 2})); }});
  cases.push_back(
      {"take_add", {Shape{4, 3}}, [](const Tensors& x) {  // the adjoint of take, reached through its gradient
         return grad(sum(square(take(x[0], tensor({2, 0, 2})))), {x[0]})[0];
       }});
  cases.push_back({"one_hot", {Shape{2}}, [](const Tensors& x) {
                     return x[0] * cast(sum(one_hot(tensor({0, 2}), 3), 1), x[0].dtype());
                   }});
}

inline void add_reduction_cases(std::vector<OpCase>& cases) {
  const Shape s{2, 3, 4};
  cases.push_back({"sum", {s}, [](const Tensors& x) { return sum(x[0], {0, 2}); }});
  cases.push_back({"sum", {s}, [](const Tensors& x) { return sum(x[0], 1, {.keepdim = true}); }});
  cases.push_back({"mean", {s}, [](const Tensors& x) { return mean(x[0], -1); }});
  cases.push_back({"max", {s}, [](const Tensors& x) { return max(x[0], 1); }});
  cases.push_back({"min", {s}, [](const Tensors& x) { return min(x[0], {0, 1}); }});
  cases.push_back({"prod", {s}, [](const Tensors& x) { return prod(x[0], 2); }, 0.5, 1.5});
  cases.push_back({"softmax", {Shape{3, 5}}, [](const Tensors& x) { return softmax(x[0]); }});
  cases.push_back({"softmax", {s}, [](const Tensors& x) { return softmax(x[0], 1); }});
  cases.push_back({"log_softmax", {Shape{3, 5}}, [](const Tensors& x) { return log_softmax(x[0]); }});
  cases.push_back({"argmax", {s}, [](const Tensors& x) { return cast(argmax(x[0], 1), x[0].dtype()); }, -1, 1, false});
  cases.push_back({"argmin", {s}, [](const Tensors& x) { return cast(argmin(x[0], 1), x[0].dtype()); }, -1, 1, false});
}

inline void add_contraction_cases(std::vector<OpCase>& cases) {
  cases.push_back({"matmul", {Shape{3, 4}, Shape{4, 2}}, [](const Tensors& x) { return matmul(x[0], x[1]); }});
  cases.push_back({"matmul", {Shape{2, 3, 4}, Shape{2, 4, 5}}, [](const Tensors& x) { return matmul(x[0], x[1]); }});
  cases.push_back({"matmul", {Shape{4, 3}, Shape{2, 4}}, [](const Tensors& x) {
                     return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1));
                   }});
  cases.push_back(
      {"linear", {Shape{2, 3, 4}, Shape{5, 4}, Shape{5}}, [](const Tensors& x) { return linear(x[0], x[1], x[2]); }});
  cases.push_back({"conv2d", {Shape{2, 2, 5, 6}, Shape{3, 2, 3, 2}, Shape{3}}, [](const Tensors& x) {
                     return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 0}});
                   }});
  cases.push_back({"conv2d", {Shape{1, 4, 6, 6}, Shape{4, 2, 2, 2}}, [](const Tensors& x) {
                     return conv2d(x[0], x[1], Tensor(), {.padding = 1, .dilation = 2, .groups = 2});
                   }});
  cases.push_back({"conv2d_input_gradient", {Shape{1, 2, 5, 5}, Shape{2, 2, 3, 3}}, [](const Tensors& x) {
                     return grad(sum(square(conv2d(x[0], x[1]))), {x[0]})[0];
                   }});
  cases.push_back({"conv2d_weight_gradient", {Shape{1, 2, 5, 5}, Shape{2, 2, 3, 3}}, [](const Tensors& x) {
                     return grad(sum(square(conv2d(x[0], x[1]))), {x[1]})[0];
                   }});
  cases.push_back({"max_pool2d", {Shape{2, 2, 6, 5}}, [](const Tensors& x) { return max_pool2d(x[0], 2); }});
  cases.push_back({"max_pool2d", {Shape{1, 2, 7, 7}}, [](const Tensors& x) {
                     return max_pool2d(x[0], 3, {.stride = 2, .padding = 1});
                   }});
  cases.push_back({"max_pool2d_gradient", {Shape{1, 2, 6, 6}}, [](const Tensors& x) {
                     return grad(sum(square(max_pool2d(x[0], 2))), {x[0]})[0];
                   }});
  cases.push_back({"max_pool2d_gather", {Shape{1, 1, 6, 6}}, [](const Tensors& x) {
                     const Tensor g = grad(sum(square(max_pool2d(x[0], 2))), {x[0]})[0];
                     return grad(sum(square(g)), {x[0]})[0];
                   }});
  cases.push_back({"avg_pool2d", {Shape{2, 2, 6, 5}}, [](const Tensors& x) { return avg_pool2d(x[0], 2); }});
  cases.push_back({"avg_pool2d", {Shape{1, 2, 5, 5}}, [](const Tensors& x) {
                     return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false});
                   }});
  cases.push_back({"avg_pool2d_gradient", {Shape{1, 2, 4, 4}}, [](const Tensors& x) {
                     return grad(sum(square(avg_pool2d(x[0], 2))), {x[0]})[0];
                   }});
}

inline std::vector<OpCase> op_cases() {
  std::vector<OpCase> cases;
  add_elementwise_cases(cases);
  add_view_and_index_cases(cases);
  add_reduction_cases(cases);
  add_contraction_cases(cases);
  const Key key{7};
  cases.push_back({"random_uniform", {Shape{8}}, [key](const Tensors& x) {
                     return x[0] * cast(uniform({8}, {}, key), x[0].dtype());
                   }});
  cases.push_back({"random_normal", {Shape{8}}, [key](const Tensors& x) {
                     return x[0] * cast(normal({8}, {}, key), x[0].dtype());
                   }});
  cases.push_back(
      {"random_permutation", {Shape{8}}, [key](const Tensors& x) { return take(x[0], permutation(8, key)); }});
  return cases;
}

}  // namespace gradus::testing
