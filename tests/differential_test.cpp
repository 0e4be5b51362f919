// Random graphs: the fused plan against one region per operation, bit for bit, and against the reference kernels.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/graph.h"
#include "gradus/transform/checkpoint.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/vmap.h"
#include "op_cases.h"

namespace gradus::testing {
namespace {

/// Grows a graph of random operations on matrices; every value stays bounded.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint64_t seed) : key_{seed} {
    for (int i = 0; i < 3; ++i) {
      leaves.push_back(
          random_tensor({pick(5) + 1, pick(5) + 1}, DType::f32, -1, 1, seed * 10 + static_cast<std::uint64_t>(i)));
    }
    values_ = leaves;
    for (std::int64_t i = 0, n = 5 + pick(30); i < n; ++i) values_.push_back(next());
  }

  /// The last value, and a few from the middle that the user holds.
  Tensors roots() {
    Tensors chosen{values_.back()};
    for (int i = 0; i < 2; ++i) chosen.push_back(any());
    return chosen;
  }
  void forget() { values_.clear(); }

  Tensors leaves;

 private:
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>(philox(key_, counter_++)[0] % static_cast<std::uint64_t>(n));
  }
  Tensor any() { return values_[static_cast<std::size_t>(pick(static_cast<std::int64_t>(values_.size())))]; }

  Tensor next() {
    const Tensor x = any();
    switch (pick(14)) {
      case 0: return tanh(x);
      case 1: return sigmoid(x) - 0.5f;
      case 2: return relu(x);
      case 3: return sin(x) * cos(x);
      case 4: return abs(x) / (1.f + square(x));
      case 5: return transpose(x, 0, 1);
      case 6: return slice(x, 0, pick(x.shape()[0]));
      case 7: return tanh(matmul(x, transpose(x, 0, 1)));
      case 8: return mean(x, static_cast<int>(pick(2)), {.keepdim = true});
      case 9: return softmax(x);
      case 10: return where(greater(x, 0.1f), x, x * 0.5f);
      case 11: return broadcast_to(mean(x, 0, {.keepdim = true}), {3, x.shape()[1]});
      case 12: return reshape(x, {1, -1});
      default: break;
    }
    const Tensor y = any();
    Shape common;
    return broadcast_shapes(x.shape(), y.shape(), common) && common.numel() < 400 ? maximum(x, y) * 0.5f + x * y : -x;
  }

  Key key_;
  std::uint64_t counter_ = 0;
  Tensors values_;
};

/// The values and gradients of graph number `seed`.
Tensors build(std::uint64_t seed) {
  RandomGraph graph(seed);
  Tensors roots = graph.roots();
  graph.forget();
  const Tensors gradients = grad(sum(tanh(roots[0])), graph.leaves);
  for (const Tensor& g : gradients) {
    if (g.defined()) roots.push_back(g);
  }
  return roots;
}

TEST(Differential, FusedEqualsUnfusedBitForBit) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Tensors fused = build(seed), unfused = build(seed);
    eval(std::span<const Tensor>(fused));
    for (const char* pass : {"simplify", "fuse", "repeat", "reductions", "schedule", "in_place", "donate"})
      engine::set_pass_enabled(pass, false);
    engine::clear_plan_cache();
    eval(std::span<const Tensor>(unfused));
    for (const char* pass : {"simplify", "fuse", "repeat", "reductions", "schedule", "in_place", "donate"})
      engine::set_pass_enabled(pass, true);
    engine::clear_plan_cache();
    ASSERT_EQ(fused.size(), unfused.size());
    for (std::size_t i = 0; i < fused.size(); ++i) {
      ASSERT_EQ(std::memcmp(fused[i].buffer()->data(), unfused[i].buffer()->data(), fused[i].spec().bytes()), 0)
          << "graph " << seed << ", root " << i;
    }
  }
}

TEST(Differential, PlansAgreeWithTheReference) {
  for (std::uint64_t seed = 1000; seed < 1100; ++seed) {
    const Tensors roots = build(seed);
    const Capture captured = capture(roots);
    const Tensors expected = engine::interpret(captured, true);
    eval(std::span<const Tensor>(roots));
    std::size_t next = 0;
    for (Node* node : captured.results) {
      const std::vector<double> got = Tensor(Ref<Node>(node), 0).to_vector<double>();
      const std::vector<double> wanted = expected[next].to_vector<double>();
      next += node->specs.size();
      for (std::size_t k = 0; k < got.size(); ++k) {
        ASSERT_NEAR(got[k], wanted[k], 1e-4 * (1 + std::abs(wanted[k]))) << "graph " << seed;
      }
    }
  }
}

TEST(Differential, CheckpointsKeepTheBits) {
  for (std::uint64_t seed = 2000; seed < 2200; ++seed) {
    RandomGraph plain(seed), again(seed);
    const Tensor kept = plain.roots()[0];
    const Tensor repeated = checkpoint([&](const Tensor&) { return again.roots()[0]; }, again.leaves[0]);
    plain.forget();
    again.forget();
    const Tensors a = grad(sum(tanh(kept)), plain.leaves), b = grad(sum(tanh(repeated)), again.leaves);
    for (std::size_t i = 0; i < a.size(); ++i) {
      ASSERT_EQ(a[i].defined(), b[i].defined()) << "graph " << seed;
      if (!a[i].defined()) continue;
      ASSERT_EQ(a[i].to_vector<float>(), b[i].to_vector<float>()) << "graph " << seed << ", leaf " << i;
    }
  }
}

TEST(Differential, ForwardModeAgreesWithReverseMode) {
  for (std::uint64_t seed = 3000; seed < 3100; ++seed) {
    RandomGraph graph(seed);
    const Tensor loss = sum(tanh(graph.roots()[0]));
    graph.forget();
    Tensors tangents;
    for (const Tensor& x : graph.leaves) tangents.push_back(random_tensor(x.shape(), DType::f32, -1, 1, seed));
    const Tensor forward = jvp(std::span(&loss, 1), graph.leaves, tangents)[0];
    const Tensors gradients = grad(loss, graph.leaves);
    double reverse = 0;
    Tensors products;
    for (std::size_t i = 0; i < tangents.size(); ++i) {
      if (gradients[i].defined()) products.push_back(sum(gradients[i] * tangents[i]));
    }
    for (const Tensor& product : products) reverse += product.item<double>();
    ASSERT_NEAR(forward.defined() ? forward.item<double>() : 0, reverse, 1e-4 * (1 + std::abs(reverse)))
        << "graph " << seed;
  }
}

TEST(Differential, VmapEqualsALoop) {
  constexpr std::int64_t size = 3;
  for (std::uint64_t seed = 4000; seed < 4100; ++seed) {
    RandomGraph graph(seed);
    const Tensor one = graph.roots()[0];
    graph.forget();
    Tensors batched;
    for (const Tensor& x : graph.leaves) {
      Shape shape = x.shape();
      shape.insert(0, size);
      batched.push_back(random_tensor(shape, DType::f32, -1, 1, seed));
    }
    const Tensor all = vmap(std::span(&one, 1), graph.leaves, batched)[0];
    for (std::int64_t k = 0; k < size; ++k) {
      // One example is a batch of one.
      Tensors single;
      for (const Tensor& x : batched) single.push_back(slice(x, 0, k, k + 1));
      const std::vector<float> expected = vmap(std::span(&one, 1), graph.leaves, single)[0].to_vector<float>();
      const std::vector<float> got = slice(all, 0, k, k + 1).to_vector<float>();
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_NEAR(got[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << "graph " << seed << ", example " << k;
      }
    }
    // And a batch of one is the graph itself.
    Tensors own;
    for (const Tensor& x : graph.leaves) own.push_back(unsqueeze(x, 0));
    const std::vector<float> again = vmap(std::span(&one, 1), graph.leaves, own)[0].to_vector<float>();
    const std::vector<float> expected = one.to_vector<float>();
    for (std::size_t i = 0; i < again.size(); ++i) {
      ASSERT_NEAR(again[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << "graph " << seed;
    }
  }
}

TEST(Differential, ThreadsDoNotChangeFusedRegions) {
  const Tensor x = random_tensor({300, 1000}, DType::f32, -2, 2, 5), bias = random_tensor({1000}, DType::f32, -1, 1, 6);
  const auto compute = [&] { return tanh(exp(x * 0.3f + bias)) * sigmoid(x); };
  const Tensor whole = compute();
  eval(whole);
  engine::set_pass_enabled("fuse", false);
  engine::clear_plan_cache();
  const Tensor parts = compute();
  eval(parts);
  engine::set_pass_enabled("fuse", true);
  EXPECT_EQ(std::memcmp(whole.buffer()->data(), parts.buffer()->data(), whole.spec().bytes()), 0);
}

}  // namespace
}  // namespace gradus::testing
