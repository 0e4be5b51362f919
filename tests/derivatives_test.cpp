// Forward mode and vmap for every operation, from the one table of cases.
#include <gtest/gtest.h>

#include <set>

#include "gradus/engine/eval.h"
#include "gradus/graph/graph.h"
#include "gradus/transform/derivatives.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/simplify.h"
#include "gradus/transform/vmap.h"
#include "op_cases.h"

namespace gradus::testing {
namespace {

using Numbers = std::vector<double>;

Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

/// Directions of the inputs' shapes.
Tensors make_tangents(const Tensors& inputs) {
  Tensors tangents;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    tangents.push_back(random_tensor(inputs[i].shape(), DType::f64, -1, 1, 500 + i));
  }
  return tangents;
}

void expect_near(const Numbers& actual, const Numbers& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << what << ", element " << i;
  }
}

/// Jacobian times tangents, with the Jacobian from reverse mode.
Numbers product_by_rows(const Tensor& y, const Tensors& inputs, const Tensors& tangents) {
  Numbers product(static_cast<std::size_t>(y.numel()), 0.0);
  Tensors jacobians;
  for (const Tensor& x : inputs) jacobians.push_back(jacobian(reshape(y, {-1}), x, {.mode = JacobianMode::reverse}));
  eval(std::span<const Tensor>(jacobians));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Numbers J = numbers(jacobians[i]), t = numbers(tangents[i]);
    for (std::size_t row = 0; row < product.size(); ++row) {
      for (std::size_t k = 0; k < t.size(); ++k) product[row] += J[row * t.size() + k] * t[k];
    }
  }
  return product;
}

Numbers product_by_differences(const OpCase& c, const Tensors& inputs, const Tensors& tangents) {
  constexpr double step = 1e-5;
  Numbers sides[2];
  for (int side = 0; side < 2; ++side) {
    Tensors moved;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      moved.push_back(inputs[i] + tangents[i] * (side == 0 ? step : -step));
    eval(std::span<const Tensor>(moved));
    sides[side] = numbers(c.apply(moved));
  }
  for (std::size_t i = 0; i < sides[0].size(); ++i) sides[0][i] = (sides[0][i] - sides[1][i]) / (2 * step);
  return sides[0];
}

std::size_t graph_size(const Tensor& x) { return transform::simplify(capture(std::span(&x, 1)).graph).vertices.size(); }

TEST(ForwardMode, AgreesWithReverseModeAndDifferences) {
  for (const OpCase& c : op_cases()) {
    if (!c.differentiable) continue;
    const Tensors inputs = make_inputs(c, DType::f64, 1), tangents = make_tangents(inputs);
    Tensor y = c.apply(inputs);
    const std::size_t forward_size = graph_size(y);
    const Tensor moved = jvp(std::span(&y, 1), inputs, tangents)[0];
    ASSERT_TRUE(moved.defined()) << c.name;
    for (const Vertex& v : capture(std::span(&moved, 1)).graph.vertices) {
      EXPECT_NE(v.op.name(), "placeholder") << "the cotangent of " << c.name << " remained";
    }
    if (!c.taken_apart) {
      EXPECT_LE(graph_size(moved), 6 * forward_size + 48) << c.name;  // factorisations of matrices need the most
    }
    expect_near(numbers(moved), product_by_rows(c.apply(inputs), inputs, tangents), 1e-12, c.name + ", reverse mode");
    expect_near(numbers(moved), product_by_differences(c, inputs, tangents), 1e-6, c.name + ", differences");
  }
}

TEST(ForwardMode, ComposesWithItselfAndWithReverseMode) {
  // u^T (d/dx (J t)) by forward over forward, reverse over forward and forward over reverse.
  for (const OpCase& c : op_cases()) {
    if (!c.differentiable) continue;
    const Tensors inputs = make_inputs(c, DType::f64, 2), tangents = make_tangents(inputs);
    const Tensor y = c.apply(inputs);
    const Tensor weights = random_tensor(y.shape(), DType::f64, -1, 1, 9);
    const Tensor loss = sum(y * weights);
    const Tensor once = jvp(std::span(&loss, 1), inputs, tangents)[0];
    const Tensor twice = jvp(std::span(&once, 1), inputs, tangents)[0];
    const Tensors slopes = grad(once, inputs), gradients = grad(loss, inputs);
    Tensors by_reverse_parts, by_forward_parts;  // recorded all before the first is evaluated
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (slopes[i].defined()) by_reverse_parts.push_back(sum(slopes[i] * tangents[i]));
      if (!gradients[i].defined()) continue;
      const Tensor moved = jvp(std::span(&gradients[i], 1), inputs, tangents)[0];
      if (moved.defined()) by_forward_parts.push_back(sum(moved * tangents[i]));
    }
    double by_reverse = 0, by_forward = 0;
    for (const Tensor& part : by_reverse_parts) by_reverse += part.item<double>();
    for (const Tensor& part : by_forward_parts) by_forward += part.item<double>();
    const double by_both = twice.defined() ? twice.item<double>() : 0;
    EXPECT_NEAR(by_both, by_reverse, 1e-11 * std::max(1.0, std::abs(by_reverse))) << c.name;
    EXPECT_NEAR(by_forward, by_reverse, 1e-11 * std::max(1.0, std::abs(by_reverse))) << c.name;
  }
}

/// Inputs of which those in `subset` have a batch of `size` in front.
Tensors make_batch(const OpCase& c, unsigned subset, std::int64_t size) {
  Tensors inputs;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    Shape shape = c.inputs[i];
    if (subset >> i & 1) shape.insert(0, size);
    inputs.push_back(random_tensor(shape, DType::f64, c.low, c.high, 900 + i));
  }
  return inputs;
}

TEST(Vmap, EqualsALoopForEverySubsetOfInputs) {
  constexpr std::int64_t size = 3;
  for (const OpCase& c : op_cases()) {
    for (unsigned subset = 1; subset < (1u << c.inputs.size()); ++subset) {
      const Tensors inputs = make_batch(c, subset, size);
      Tensors examples, replaced, batched;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        examples.push_back(subset >> i & 1 ? random_tensor(c.inputs[i], DType::f64, c.low, c.high, i) : inputs[i]);
        if (!(subset >> i & 1)) continue;
        replaced.push_back(examples[i]);
        batched.push_back(inputs[i]);
      }
      const Tensor one = c.apply(examples);
      const Tensor all = vmap(std::span(&one, 1), replaced, batched)[0];
      Tensors each;
      for (std::int64_t k = 0; k < size; ++k) {
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          if (subset >> i & 1) examples[i] = reshape(slice(inputs[i], 0, k, k + 1), c.inputs[i]);
        }
        each.push_back(cast(c.apply(examples), DType::f64));
      }
      Numbers expected;
      for (const Tensor& y : each) {
        const Numbers part = numbers(y);
        expected.insert(expected.end(), part.begin(), part.end());
      }
      expect_near(numbers(all), expected, 1e-12, c.name + ", subset " + std::to_string(subset));
    }
  }
}

TEST(Vmap, BatchesGradients) {
  // Gradients of a scalar for every example: vmap of grad against a loop of grad.
  constexpr std::int64_t size = 2;
  for (const OpCase& c : op_cases()) {
    if (!c.differentiable) continue;
    const Tensors inputs = make_batch(c, ~0u, size), examples = make_inputs(c, DType::f64, 3);
    const auto gradients_of = [&](const Tensors& x) {
      const Tensor y = c.apply(x);
      return grad(sum(y * random_tensor(y.shape(), DType::f64, -1, 1, 5)), x);
    };
    const Tensors one = gradients_of(examples);
    for (std::size_t i = 0; i < one.size(); ++i) {
      if (!one[i].defined()) continue;
      const Tensor all = vmap(std::span(&one[i], 1), examples, inputs)[0];
      Numbers expected;
      for (std::int64_t k = 0; k < size; ++k) {
        Tensors x;
        for (std::size_t j = 0; j < inputs.size(); ++j)
          x.push_back(reshape(slice(inputs[j], 0, k, k + 1), c.inputs[j]));
        eval(std::span<const Tensor>(x));
        const Numbers part = numbers(gradients_of(x)[i]);
        expected.insert(expected.end(), part.begin(), part.end());
      }
      expect_near(numbers(all), expected, 1e-12, "gradient of " + c.name);
    }
  }
}

TEST(Vmap, NoOperationLacksARule) {
  std::set<std::string> without;
  for (const OpCase& c : op_cases()) {
    const Tensors inputs = make_inputs(c, DType::f64, 3);
    Tensors roots{c.apply(inputs)};
    if (c.differentiable) {
      for (const Tensor& g : grad(sum(roots[0] * roots[0]), inputs)) roots.push_back(g);
    }
    for (const Vertex& v : capture(roots).graph.vertices) {
      if (!v.is_leaf() && !v.inputs.empty() && !v.op.has_batch_rule()) without.insert(std::string(v.op.name()));
    }
  }
  EXPECT_EQ(without, std::set<std::string>{});
}

}  // namespace
}  // namespace gradus::testing
