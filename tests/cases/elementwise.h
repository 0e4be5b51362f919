// Cases of the rows of the elementwise table.
#pragma once

#include "op_case.h"

namespace gradus::testing {

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

}  // namespace gradus::testing
