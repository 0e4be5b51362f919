// Elementwise operations, activations, reductions and scans against PyTorch, in f64 and f32, with their gradients: the cases of
// tools/golden/elementwise.py under the same names.
#include <limits>
#include <set>

#include "golden.h"

namespace gradus {
namespace {

using namespace testing;

struct Row {
  std::string name, inputs;  ///< names of the inputs in the file, separated by spaces
  std::function<Tensor(const Tensors&)> function;
};

using Unary = Tensor (*)(const TensorArg&);
using Binary = Tensor (*)(const TensorArg&, const TensorArg&);

Row unary(std::string name, std::string input, Unary f) {
  return {std::move(name), std::move(input), [f](const Tensors& x) { return f(x[0]); }};
}
Row binary(std::string name, std::string inputs, Binary f) {
  return {std::move(name), std::move(inputs), [f](const Tensors& x) { return f(x[0], x[1]); }};
}
Row of(std::string name, std::string input, std::function<Tensor(const Tensor&)> f) {
  return {std::move(name), std::move(input), [f](const Tensors& x) { return f(x[0]); }};
}

void add_elementwise(std::vector<Row>& rows) {
  const std::pair<const char*, Unary> any[] = {{"neg", neg},
                                               {"abs_any", abs},
                                               {"sign", sign},
                                               {"square", square},
                                               {"floor", floor},
                                               {"ceil", ceil},
                                               {"round_any", round},
                                               {"trunc", trunc},
                                               {"frac", frac},
                                               {"exp", exp},
                                               {"expm1", expm1},
                                               {"exp2", exp2},
                                               {"sin", sin},
                                               {"cos", cos},
                                               {"tan", tan},
                                               {"atan", atan},
                                               {"sinh", sinh},
                                               {"cosh", cosh},
                                               {"tanh", tanh},
                                               {"asinh", asinh},
                                               {"erf", erf},
                                               {"erfc", erfc},
                                               {"relu_any", relu},
                                               {"sigmoid", sigmoid},
                                               {"log_sigmoid_any", log_sigmoid}};
  for (const auto& [name, f] : any) rows.push_back(unary(name, "any", f));
  const std::pair<const char*, Unary> positive[] = {{"sqrt", sqrt},   {"rsqrt", rsqrt},   {"reciprocal", reciprocal},
                                                    {"log", log},     {"log1p", log1p},   {"log2", log2},
                                                    {"log10", log10}, {"lgamma", lgamma}, {"digamma", digamma}};
  for (const auto& [name, f] : positive) rows.push_back(unary(name, "positive", f));
  const std::pair<const char*, Unary> unit[] = {{"asin", asin}, {"acos", acos}, {"atanh", atanh}, {"erfinv", erfinv}};
  for (const auto& [name, f] : unit) rows.push_back(unary(name, "unit", f));
  rows.push_back(unary("acosh", "above_one", acosh));
  const std::pair<const char*, Binary> both[] = {{"atan2", atan2},
                                                 {"hypot", hypot},
                                                 {"fmod", fmod},
                                                 {"remainder", remainder},
                                                 {"floor_divide", floor_divide},
                                                 {"copysign", copysign},
                                                 {"logaddexp", logaddexp},
                                                 {"maximum", maximum},
                                                 {"minimum", minimum}};
  for (const auto& [name, f] : both) rows.push_back(binary(name, "any row", f));
  rows.push_back(binary("pow", "positive other", pow));
  rows.push_back(binary("xlogy", "any positive_row", xlogy));
  rows.push_back(binary("xlogy_zero", "zeros positive_row", xlogy));
  rows.push_back(of("polygamma", "positive", [](const Tensor& x) { return polygamma(2, x); }));
  rows.push_back({"clamp_tensors", "any row positive_row", [](const Tensors& x) { return clamp(x[0], x[1], x[2]); }});
  rows.push_back({"lerp", "any row weight", [](const Tensors& x) { return lerp(x[0], x[1], x[2]); }});
  rows.push_back({"addcmul", "any other row", [](const Tensors& x) { return addcmul(x[0], x[1], x[2], 0.5); }});
  rows.push_back({"addcdiv", "any other positive_row", [](const Tensors& x) { return addcdiv(x[0], x[1], x[2], -2); }});
  rows.push_back(
      {"masked_fill", "any other", [](const Tensors& x) { return masked_fill(x[0], greater(x[1], 0), 0.5); }});
}

/// Each at its kinks and far out.
void add_activations(std::vector<Row>& rows) {
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> pointwise[] = {
      {"leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); }},
      {"rrelu", [](const Tensor& x) { return rrelu(x); }},
      {"elu", [](const Tensor& x) { return elu(x, 0.7); }},
      {"celu", [](const Tensor& x) { return celu(x, 1.5); }},
      {"selu", selu},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"gelu_tanh", [](const Tensor& x) { return gelu(x, {.approximate = GeluApproximation::tanh}); }},
      {"silu", silu},
      {"mish", mish},
      {"softplus", [](const Tensor& x) { return softplus(x); }},
      {"softplus_beta", [](const Tensor& x) { return softplus(x, {.beta = 3, .threshold = 5}); }},
      {"softsign", softsign},
      {"hardtanh", [](const Tensor& x) { return hardtanh(x, -2, 0.5); }},
      {"relu6", relu6},
      {"hardsigmoid", hardsigmoid},
      {"hardswish", hardswish},
      {"log_sigmoid", log_sigmoid},
      {"tanhshrink", tanhshrink},
      {"softshrink", [](const Tensor& x) { return softshrink(x); }},
      {"hardshrink", [](const Tensor& x) { return hardshrink(x); }},
      {"threshold", [](const Tensor& x) { return threshold(x, 1, -3); }},
      {"relu", relu}};
  for (const auto& [name, f] : pointwise) {
    rows.push_back(of(name, "kinks", f));
    rows.push_back(of(std::string(name) + ".far", "far", f));
  }
  rows.push_back(unary("abs", "kinks", abs));
  rows.push_back(unary("round", "kinks", round));
  rows.push_back(of("clamp", "kinks", [](const Tensor& x) { return clamp(x, -1, 2); }));
  rows.push_back(of("clamp_min", "kinks", [](const Tensor& x) { return clamp_min(x, -1); }));
  rows.push_back(of("clamp_max", "kinks", [](const Tensor& x) { return clamp_max(x, 2); }));
  rows.push_back(binary("prelu", "cube channels", prelu));
  rows.push_back(binary("snake", "any positive_row", snake));
  rows.push_back(of("glu", "eight", [](const Tensor& x) { return glu(x); }));
  rows.push_back(of("geglu", "eight", [](const Tensor& x) { return geglu(x); }));
  rows.push_back(of("swiglu", "eight", [](const Tensor& x) { return swiglu(x); }));
  rows.push_back(of("reglu", "eight", [](const Tensor& x) { return reglu(x); }));
  rows.push_back(of("softmin", "cube", [](const Tensor& x) { return softmin(x, 1); }));
}

void add_reductions(std::vector<Row>& rows) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto add = [&](const char* name, const char* input, std::function<Tensor(const Tensor&)> f) {
    rows.push_back(of(name, input, std::move(f)));
  };
  add("var", "cube", [](const Tensor& x) { return var(x, {0, 2}); });
  add("var_biased", "cube", [](const Tensor& x) { return var(x, 1, {.correction = 0}); });
  add("stddev", "cube", [](const Tensor& x) { return stddev(x, 1, {.keepdim = true}); });
  add("stddev_zero", "matrix", [](const Tensor& x) { return stddev(x, 1); });
  add("norm_0", "matrix", [](const Tensor& x) { return norm(x, 0, 1); });
  add("norm_1", "matrix", [](const Tensor& x) { return norm(x, 1, 1); });
  add("norm_2", "matrix", [](const Tensor& x) { return norm(x, 2, 1); });
  add("norm_3", "cube", [](const Tensor& x) { return norm(x, 3, {0, 2}); });
  add("norm_half", "any", [](const Tensor& x) { return norm(x, 0.5, 1); });
  add("norm_inf", "cube", [](const Tensor& x) { return norm(x, infinity, 1); });
  add("norm_minus_inf", "cube", [](const Tensor& x) { return norm(x, -infinity, 1); });
  add("logsumexp", "cube", [](const Tensor& x) { return logsumexp(x, {0, 2}); });
  add("logsumexp_far", "far", [](const Tensor& x) { return logsumexp(x, 0); });
  add("amax", "cube", [](const Tensor& x) { return amax(x, {1, 2}); });
  add("amax_ties", "matrix", [](const Tensor& x) { return amax(x, 1); });
  add("prod_zeros", "zeros", [](const Tensor& x) { return prod(x, 1); });
  add("cumsum", "cube", [](const Tensor& x) { return cumsum(x, 1); });
  add("cumprod", "cube", [](const Tensor& x) { return cumprod(x, 2); });
  add("cumprod_zeros", "zeros", [](const Tensor& x) { return cumprod(x, 1); });
  add("logcumsumexp", "cube", [](const Tensor& x) { return logcumsumexp(x, 1); });
  add("nansum", "cube", [](const Tensor& x) { return nansum(x, 1); });
  add("nanmean", "cube", [](const Tensor& x) { return nanmean(x, 1); });
  add("any_row", "zeros", [](const Tensor& x) { return any(x, 1); });
  add("all_row", "zeros", [](const Tensor& x) { return all(x, 1); });
  add("count_nonzero", "zeros", [](const Tensor& x) { return count_nonzero(x, 1); });
}

/// The cotangent of every case.
Tensor weights(const Shape& shape, DType dtype) {
  std::vector<double> w;
  for (std::int64_t i = 0; i < shape.numel(); ++i) w.push_back(static_cast<double>(7 * i % 11 - 5) / 4);
  return cast(from_span(w, shape), dtype);
}

void check_row(const GoldenFile& file, const Row& row, DType dtype, double tolerance) {
  SCOPED_TRACE(row.name + " " + std::string(name_of(dtype)));
  Tensors inputs;
  for (std::size_t at = 0; at < row.inputs.size();) {
    const std::size_t end = std::min(row.inputs.find(' ', at), row.inputs.size());
    const Tensor input = cast(file.at("in." + row.inputs.substr(at, end - at)), dtype);
    eval(input);
    inputs.push_back(input);
    at = end + 1;
  }
  const Tensor y = row.function(inputs);
  Tensors gradients(inputs.size());
  if (is_floating(y.dtype())) gradients = grad(sum(y * weights(y.shape(), dtype)), inputs);
  expect_close(cast(y, DType::f64), file.at(row.name + ".y"), "output", tolerance);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto found = file.find(row.name + ".grad." + std::to_string(i));
    if (found == file.end()) continue;
    const Tensor actual = gradients[i].defined() ? gradients[i] : zeros(inputs[i].shape(), dtype);  // undefined: zero
    expect_close(cast(actual, DType::f64), found->second, "gradient " + std::to_string(i), tolerance);
  }
}

TEST(GoldenElementwise, AgreesWithPyTorch) {
  const GoldenFile file = golden("elementwise");
  std::vector<Row> rows;
  add_elementwise(rows);
  add_activations(rows);
  add_reductions(rows);
  std::set<std::string> tested;
  for (const Row& row : rows) {
    // Here PyTorch is not exact: its trigamma stops its series early, and hardsigmoid's slope is 1/6 in f32.
    const double own_error = row.name == "digamma" ? 1e-9 : row.name == "hardsigmoid" ? 1e-7 : 1e-10;
    check_row(file, row, DType::f64, own_error);
    check_row(file, row, DType::f32, 1e-5);
    tested.insert(row.name + ".y");
  }
  for (const auto& [key, tensor] : file) {
    if (key.ends_with(".y")) {
      EXPECT_TRUE(tested.contains(key)) << "no test of " << key;
    }
  }
}

}  // namespace
}  // namespace gradus
