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
  unary("ceil", ceil, 0.1, 0.4, false);
  unary("round", round, 0.1, 0.4, false);
  unary("trunc", trunc, 0.1, 0.4, false);
  unary("reciprocal", reciprocal, 0.5, 2);
  binary("fmod", fmod, 1.05, 1.95);
  binary("remainder", remainder, 1.05, 1.95);
  binary("floor_divide", floor_divide, 0.5, 2, false);
  binary("hypot", hypot, 0.5, 2);
  binary("copysign", copysign, 0.5, 2);
  cases.push_back(
      {"clamp", {s, row}, [](const Tensors& x) { return clamp(x[0], x[1] * 0.1 - 0.3, x[1] * 0.1 + 0.3); }});
  binary("clamp_min", clamp_min, -1, 1);
  binary("clamp_max", clamp_max, -1, 1);
  unary("sqrt", sqrt, 0.5, 2);
  unary("rsqrt", rsqrt, 0.5, 2);
  unary("exp", exp, -1, 1);
  unary("expm1", expm1, -1, 1);
  unary("log", log, 0.5, 2);
  unary("log1p", log1p, -0.4, 1);
  unary("exp2", exp2, -1, 1);
  unary("log2", log2, 0.5, 2);
  unary("log10", log10, 0.5, 2);
  binary("logaddexp", logaddexp, -2, 2);
  binary("xlogy", xlogy, 0.5, 2);
  unary("erf", erf, -2, 2);
  unary("erfc", erfc, -2, 2);
  unary("erfinv", erfinv, -0.9, 0.9);
  unary("lgamma", lgamma, 0.5, 3);
  unary("digamma", digamma, 0.5, 3);
  cases.push_back({"polygamma", {s}, [](const Tensors& x) { return polygamma(2, x[0]); }, 0.8, 3});
  unary("relu", relu, 0.1, 1);
  unary("relu", relu, -1, -0.1);
  unary("sigmoid", sigmoid, -3, 3);
  unary("log_sigmoid", log_sigmoid, -3, 3);
  unary("tanh", tanh, -2, 2);
  unary("sin", sin, -3, 3);
  unary("cos", cos, -3, 3);
  unary("tan", tan, -1, 1);
  unary("asin", asin, -0.8, 0.8);
  unary("acos", acos, -0.8, 0.8);
  unary("atan", atan, -2, 2);
  binary("atan2", atan2, 0.5, 2);
  unary("sinh", sinh, -2, 2);
  unary("cosh", cosh, -2, 2);
  unary("asinh", asinh, -2, 2);
  unary("acosh", acosh, 1.5, 3);
  unary("atanh", atanh, -0.8, 0.8);
  binary("equal", equal, -1, 1, false);
  binary("not_equal", not_equal, -1, 1, false);
  binary("less", less, -1, 1, false);
  binary("less_equal", less_equal, -1, 1, false);
  binary("greater", greater, -1, 1, false);
  binary("greater_equal", greater_equal, -1, 1, false);
  binary("logical_and", logical_and, -1, 1, false);
  binary("logical_or", logical_or, -1, 1, false);
  binary("logical_xor", logical_xor, -1, 1, false);
  unary("isnan", isnan, -1, 1, false);
  unary("isinf", isinf, -1, 1, false);
  unary("is_finite", is_finite, -1, 1, false);
  unary("logical_not", logical_not, -1, 1, false);
  cases.push_back({"where", {s, s, s}, [](const Tensors& x) { return where(greater(x[0], 0.0), x[1], x[2]); }});
  cases.push_back({"cast", {s}, [](const Tensors& x) { return cast(cast(x[0], DType::f64), x[0].dtype()); }});
  cases.push_back({"constant", {s}, [](const Tensors& x) { return x[0] * constant(3, x[0].dtype()); }});
  cases.push_back({"stop_gradient", {s}, [](const Tensors& x) { return x[0] * stop_gradient(x[0]); }, -1, 1, false});
}

}  // namespace gradus::testing
