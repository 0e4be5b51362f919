// Cases of the rows of the elementwise table.
#pragma once

#include "op_case.h"

namespace gradus::testing {

/// Adds rows of the elementwise table, each over a domain where it is smooth.
struct ElementwiseRows {
  std::vector<OpCase>& cases;
  Shape s{3, 5}, row{5};

  void unary(std::string name, Tensor (*f)(const TensorArg&), double low, double high, bool differentiable = true) {
    cases.push_back({std::move(name), {s}, [f](const Tensors& x) { return f(x[0]); }, low, high, differentiable});
  }
  void binary(std::string name, Tensor (*f)(const TensorArg&, const TensorArg&), double low, double high,
              bool differentiable = true) {
    cases.push_back(
        {std::move(name), {s, row}, [f](const Tensors& x) { return f(x[0], x[1]); }, low, high, differentiable});
  }
};

/// Arithmetic, rounding and clamping.
inline void add_arithmetic_rows(ElementwiseRows& rows) {
  rows.binary("add", add, -1, 1);
  rows.binary("sub", sub, -1, 1);
  rows.binary("mul", mul, -1, 1);
  rows.binary("div", div, 0.5, 2);
  rows.unary("neg", neg, -1, 1);
  rows.binary("pow", pow, 0.5, 2);
  rows.binary("maximum", maximum, -1, 1);
  rows.binary("minimum", minimum, -1, 1);
  rows.unary("abs", abs, 0.1, 1);
  rows.unary("sign", sign, 0.1, 1, false);
  rows.unary("square", square, -1, 1);
  rows.unary("floor", floor, 0.1, 0.9, false);
  rows.unary("ceil", ceil, 0.1, 0.4, false);
  rows.unary("round", round, 0.1, 0.4, false);
  rows.unary("trunc", trunc, 0.1, 0.4, false);
  rows.unary("reciprocal", reciprocal, 0.5, 2);
  rows.binary("fmod", fmod, 1.05, 1.95);
  rows.binary("remainder", remainder, 1.05, 1.95);
  rows.binary("floor_divide", floor_divide, 0.5, 2, false);
  rows.binary("hypot", hypot, 0.5, 2);
  rows.binary("copysign", copysign, 0.5, 2);
  rows.cases.push_back(
      {"clamp", {rows.s, rows.row}, [](const Tensors& x) { return clamp(x[0], x[1] * 0.1 - 0.3, x[1] * 0.1 + 0.3); }});
  rows.binary("clamp_min", clamp_min, -1, 1);
  rows.binary("clamp_max", clamp_max, -1, 1);
}

/// Powers, exponentials, special functions, activations and trigonometry.
inline void add_function_rows(ElementwiseRows& rows) {
  rows.unary("sqrt", sqrt, 0.5, 2);
  rows.unary("rsqrt", rsqrt, 0.5, 2);
  rows.unary("exp", exp, -1, 1);
  rows.unary("expm1", expm1, -1, 1);
  rows.unary("log", log, 0.5, 2);
  rows.unary("log1p", log1p, -0.4, 1);
  rows.unary("exp2", exp2, -1, 1);
  rows.unary("log2", log2, 0.5, 2);
  rows.unary("log10", log10, 0.5, 2);
  rows.binary("logaddexp", logaddexp, -2, 2);
  rows.binary("xlogy", xlogy, 0.5, 2);
  rows.unary("erf", erf, -2, 2);
  rows.unary("erfc", erfc, -2, 2);
  rows.unary("erfinv", erfinv, -0.9, 0.9);
  rows.unary("lgamma", lgamma, 0.5, 3);
  rows.unary("digamma", digamma, 0.5, 3);
  rows.cases.push_back({"polygamma", {rows.s}, [](const Tensors& x) { return polygamma(2, x[0]); }, 0.8, 3});
  rows.unary("relu", relu, 0.1, 1);
  rows.unary("relu", relu, -1, -0.1);
  rows.unary("sigmoid", sigmoid, -3, 3);
  rows.unary("log_sigmoid", log_sigmoid, -3, 3);
  rows.unary("tanh", tanh, -2, 2);
  rows.unary("sin", sin, -3, 3);
  rows.unary("cos", cos, -3, 3);
  rows.unary("tan", tan, -1, 1);
  rows.unary("asin", asin, -0.8, 0.8);
  rows.unary("acos", acos, -0.8, 0.8);
  rows.unary("atan", atan, -2, 2);
  rows.binary("atan2", atan2, 0.5, 2);
  rows.unary("sinh", sinh, -2, 2);
  rows.unary("cosh", cosh, -2, 2);
  rows.unary("asinh", asinh, -2, 2);
  rows.unary("acosh", acosh, 1.5, 3);
  rows.unary("atanh", atanh, -0.8, 0.8);
}

/// Comparisons, logic and selection.
inline void add_logic_rows(ElementwiseRows& rows) {
  rows.binary("equal", equal, -1, 1, false);
  rows.binary("not_equal", not_equal, -1, 1, false);
  rows.binary("less", less, -1, 1, false);
  rows.binary("less_equal", less_equal, -1, 1, false);
  rows.binary("greater", greater, -1, 1, false);
  rows.binary("greater_equal", greater_equal, -1, 1, false);
  rows.binary("logical_and", logical_and, -1, 1, false);
  rows.binary("logical_or", logical_or, -1, 1, false);
  rows.binary("logical_xor", logical_xor, -1, 1, false);
  rows.unary("isnan", isnan, -1, 1, false);
  rows.unary("isinf", isinf, -1, 1, false);
  rows.unary("isfinite", isfinite, -1, 1, false);
  rows.unary("logical_not", logical_not, -1, 1, false);
  rows.cases.push_back(
      {"where", {rows.s, rows.s, rows.s}, [](const Tensors& x) { return where(greater(x[0], 0.0), x[1], x[2]); }});
  rows.cases.push_back({"cast", {rows.s}, [](const Tensors& x) { return cast(cast(x[0], DType::f64), x[0].dtype()); }});
  rows.cases.push_back({"constant", {rows.s}, [](const Tensors& x) { return x[0] * constant(3, x[0].dtype()); }});
  rows.cases.push_back(
      {"stop_gradient", {rows.s}, [](const Tensors& x) { return x[0] * stop_gradient(x[0]); }, -1, 1, false});
  rows.cases.push_back(
      {"attach", {rows.s, rows.row}, [](const Tensors& x) { return attach(x[0], Tensors{x[1]}); }, -1, 1, false});
}

inline void add_elementwise_cases(std::vector<OpCase>& cases) {
  ElementwiseRows rows{cases};
  add_arithmetic_rows(rows);
  add_function_rows(rows);
  add_logic_rows(rows);
}

}  // namespace gradus::testing
