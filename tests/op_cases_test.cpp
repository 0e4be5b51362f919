// The promises that every operation keeps, from one table of cases.
#include "op_cases.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/graph/graph.h"
#include "gradus/kernel/kernel.h"
#include "gradus/transform/grad.h"

namespace gradus::testing {
namespace {

/// The case as a scalar: a random linear form of its output.
Tensor scalar_of(const OpCase& c, const Tensors& inputs, std::uint64_t seed) {
  const Tensor y = c.apply(inputs);
  return sum(y * random_tensor(y.shape(), inputs[0].dtype(), -1, 1, seed));
}

/// A random linear form of the gradients of `f`: itself a scalar, whose gradient is of second order.
Tensor scalar_of_gradient(const OpCase& c, const Tensors& inputs) {
  Tensor total;
  const Tensors g = grad(scalar_of(c, inputs, 11), inputs);
  for (std::size_t i = 0; i < g.size(); ++i) {
    if (!g[i].defined()) continue;
    const Tensor part = sum(g[i] * random_tensor(g[i].shape(), DType::f64, -1, 1, 77 + i));
    total = total.defined() ? total + part : part;
  }
  return total;
}

/// Compares the recorded gradient of `f` with central differences, in f64.
void check_gradient(const std::string& name, const Tensors& inputs, const std::function<Tensor(const Tensors&)>& f) {
  constexpr double step = 1e-5;
  const Tensor y = f(inputs);
  if (!y.defined()) return;  // a gradient that is zero everywhere
  const Tensors analytic = grad(y, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::vector<double> values = inputs[i].to_vector<double>();
    const std::vector<double> slopes =
        analytic[i].defined() ? analytic[i].to_vector<double>() : std::vector<double>(values.size(), 0.0);
    for (std::size_t k = 0; k < values.size(); ++k) {
      double sides[2];
      for (int side = 0; side < 2; ++side) {
        std::vector<double> moved = values;
        moved[k] += side == 0 ? step : -step;
        Tensors shifted = inputs;
        shifted[i] = leaf<double>(inputs[i].shape(), std::span<const double>(moved));
        sides[side] = f(shifted).item<double>();
      }
      const double numeric = (sides[0] - sides[1]) / (2 * step);
      ASSERT_NEAR(slopes[k], numeric, 1e-6 * std::max(1.0, std::abs(numeric)))
          << name << ", input " << i << ", element " << k;
    }
  }
}

TEST(OpCases, GradientsMatchCentralDifferences) {
  for (const OpCase& c : op_cases()) {
    if (!c.differentiable) continue;
    check_gradient(c.name, make_inputs(c, DType::f64, 1), [&](const Tensors& x) { return scalar_of(c, x, 11); });
  }
}

TEST(OpCases, SecondGradientsMatchCentralDifferences) {
  for (const OpCase& c : op_cases()) {
    if (!c.differentiable) continue;
    check_gradient("gradient of " + c.name, make_inputs(c, DType::f64, 2),
                   [&](const Tensors& x) { return scalar_of_gradient(c, x); });
  }
}

TEST(OpCases, EveryOperationHasACase) {
  std::set<std::string_view> seen;
  for (const OpCase& c : op_cases()) {
    const Tensor y = c.apply(make_inputs(c, DType::f64, 3));
    for (const Vertex& v : capture(std::span(&y, 1)).graph.vertices) seen.insert(v.op.name());
  }
  for (const std::string_view op : kernel::operations()) {
    if (op == "region" || op == "region_reduce") continue;  // written by fusion only; the differential tests run it
    if (op.ends_with("_channels_last")) continue;           // by the layout pass only; kernel/conv_test.cpp runs it
    if (op == "quantize_rows" || op == "quantized_matmul") continue;  // by the int8 pass only; its test runs them
    EXPECT_TRUE(seen.contains(op)) << "no case in tests/op_cases.h uses " << op;
  }
}

/// Largest difference relative to 1 + |expected|; NaN equals NaN.
double difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == y[i] || (std::isnan(x[i]) && std::isnan(y[i]))) continue;
    const double d = std::abs(x[i] - y[i]) / (1 + std::abs(y[i]));
    worst = std::isnan(d) ? INFINITY : std::max(worst, d);
  }
  return worst;
}

/// The plan (fused, fastest kernels) against one reference kernel per operation.
void compare_with_reference(const std::string& name, const Tensors& roots, double tolerance) {
  Tensors defined;
  for (const Tensor& root : roots) {
    if (root.defined()) defined.push_back(root);
  }
  const Capture captured = capture(defined);
  const Tensors expected = engine::interpret(captured, true);
  eval(std::span<const Tensor>(defined));
  std::size_t next = 0;
  for (Node* node : captured.results) {
    for (int output = 0; output < static_cast<int>(node->specs.size()); ++output) {
      EXPECT_LE(difference(Tensor(Ref<Node>(node), output), expected[next++]), tolerance) << name;
    }
  }
}

TEST(OpCases, PlansAgreeWithTheReferenceInBothTypes) {
  for (const OpCase& c : op_cases()) {
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensors inputs = make_inputs(c, dtype, 4);
      Tensors roots{c.apply(inputs)};
      if (c.differentiable) {
        for (const Tensor& g : grad(scalar_of(c, inputs, 5), inputs)) roots.push_back(g);
      }
      compare_with_reference(c.name + " " + std::string(name_of(dtype)), roots, dtype == DType::f32 ? 2e-5 : 1e-12);
    }
  }
}

}  // namespace
}  // namespace gradus::testing
