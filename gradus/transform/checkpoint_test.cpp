#include "gradus/transform/checkpoint.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/plan.h"
#include "gradus/graph/graph.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/custom_gradient.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/vmap.h"

namespace gradus {
namespace {

using Bits = std::vector<double>;

Tensor numbers(const Shape& shape, std::uint64_t seed) {
  Tensor x = uniform(shape, {.low = -1, .high = 1, .dtype = DType::f64}, Key{seed});
  eval(x);
  return x;
}

/// `depth` layers tanh(h w) with dropout, `segment` of them in each checkpoint; 0: none.
struct Chain {
  Tensors weights;
  Tensor x = numbers({16, 8}, 1);

  explicit Chain(int depth) {
    for (int i = 0; i < depth; ++i) weights.push_back(numbers({8, 8}, 10 + static_cast<std::uint64_t>(i)));
  }

  Tensor layer(const Tensor& h, std::size_t i) const {
    const Tensor mask = less(uniform(h.shape(), {}, Key{99 + i}), 0.9f);
    return tanh(matmul(h, weights[i])) * cast(mask, DType::f64);
  }

  Tensor loss(std::size_t segment) const {
    Tensor h = x;
    for (std::size_t i = 0; i < weights.size();) {
      const std::size_t end = segment == 0 ? i + 1 : std::min(i + segment, weights.size());
      const auto run = [&, i](Tensor y) {
        for (std::size_t k = i; k < end; ++k) y = layer(y, k);
        return y;
      };
      h = segment == 0 ? run(h) : checkpoint(run, h);
      i = end;
    }
    return sum(square(h));
  }

  Tensors gradients(std::size_t segment) const {
    Tensors g = grad(loss(segment), weights);
    g.push_back(grad(loss(segment), {x})[0]);
    return g;
  }

  std::size_t arena(std::size_t segment) const {
    const Tensors g = grad(loss(segment), weights);
    return engine::make_plan(capture(g).graph).arena_bytes;
  }
};

TEST(Checkpoint, GradientsAreTheSameBits) {
  const Chain chain(9);
  Tensors kept = chain.gradients(0), again = chain.gradients(3);
  eval(std::span<const Tensor>(kept));
  eval(std::span<const Tensor>(again));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].to_vector<double>(), again[i].to_vector<double>()) << i;
  }
  // Without the passes that look through it, too.
  const Tensors plain = chain.gradients(3);
  const Tensors reference = engine::interpret(capture(plain), false);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const Bits a = kept[i].to_vector<double>(), b = reference[i].to_vector<double>();
    for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-12);
  }
}

TEST(Checkpoint, MemoryGrowsWithTheRootOfTheDepth) {
  const std::size_t activation = 16 * 8 * sizeof(double);
  const std::size_t plain64 = Chain(64).arena(0), plain256 = Chain(256).arena(0);
  const std::size_t root64 = Chain(64).arena(8), root256 = Chain(256).arena(16);
  EXPECT_GE(plain64, 64 * activation);
  EXPECT_GE(plain256, 256 * activation);
  // A few activations for each layer of one segment, and one for each segment.
  EXPECT_LE(root64, 8 * 6 * activation) << plain64;
  EXPECT_LE(root256, 16 * 6 * activation) << plain256;
  EXPECT_LE(static_cast<double>(root256), 2.3 * static_cast<double>(root64));
}

TEST(Checkpoint, RunsTheForwardPassOnceMoreAtMost) {
  const Chain chain(16);
  const auto products = [&](std::size_t segment) {
    const Tensors g = grad(chain.loss(segment), chain.weights);
    int count = 0;
    for (const engine::Step& step : engine::make_plan(capture(g).graph).steps) count += step.op.as<MatMul>() != nullptr;
    return count;
  };
  EXPECT_EQ(products(0), 16 + 31);
  EXPECT_LE(products(4), 16 + 31 + 16);
  EXPECT_GT(products(4), 16 + 31);
}

TEST(Checkpoint, NestsAndHasHigherDerivatives) {
  const Tensor x = numbers({5}, 3), v = numbers({5}, 4);
  const auto f = [](const Tensor& y) { return sin(y) * y; };
  const auto inner = [&](const Tensor& y) { return checkpoint(f, f(y)); };
  const Tensor kept = sum(f(f(x))), again = sum(checkpoint(inner, x));
  const auto compare = [](Tensor a, Tensor b) {
    const Bits p = a.to_vector<double>(), q = b.to_vector<double>();
    ASSERT_EQ(p.size(), q.size());
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], q[i], 1e-12);
  };
  const Tensor g = grad(kept, {x})[0], h = grad(again, {x})[0];
  const Tensor gg = grad(sum(g * v), {x})[0], hh = grad(sum(h * v), {x})[0];
  const Tensor t = jvp({again}, {x}, {v})[0];
  compare(g, h);
  compare(gg, hh);
  compare(t, sum(grad(sum(f(f(x))), {x})[0] * v));
}

TEST(Checkpoint, HasSeveralInputsAndOutputsAndIsBatched) {
  const Tensor a = numbers({4, 3}, 5), b = numbers({3}, 6);
  const auto f = [](const Tensor& x, const Tensor& y) { return Tensors{exp(x) * y, sum(x * y)}; };
  const auto kept = [&](const Tensor& x, const Tensor& y) {
    const Tensors z = f(x, y);
    return grad(sum(z[0]) * z[1], {x})[0];
  };
  const auto again = [&](const Tensor& x, const Tensor& y) {
    const Tensors z = checkpoint(f, x, y);
    return grad(sum(z[0]) * z[1], {x})[0];
  };
  EXPECT_EQ(vmap(kept, {0, {}})(a, b).to_vector<double>(), vmap(again, {0, {}})(a, b).to_vector<double>());
  // The gradient of a batch of checkpoints.
  const auto loss = [&](bool checkpointed) {
    const Tensors z = vmap(
        [&](const Tensor& x, const Tensor& y) { return checkpointed ? checkpoint(f, x, y) : f(x, y); }, {0, {}})(a, b);
    return sum(z[0]) + sum(square(z[1]));
  };
  for (const Tensor& wrt : {a, b}) {
    const Bits p = grad(loss(false), {wrt})[0].to_vector<double>(), q = grad(loss(true), {wrt})[0].to_vector<double>();
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], q[i], 1e-12);
  }
}

/// Clips in the forward pass, and lets gradients through as if it had not.
struct StraightThroughClip {
  double limit = 1;

  Tensor forward(const Tensors& x) const { return minimum(maximum(x[0], -limit), limit); }
  Tensors vjp(const VjpArgs& args) const { return {args.cotangents[0]}; }
  bool operator==(const StraightThroughClip&) const = default;
};

/// log(1 + exp(x)) and its slope, with a gradient that does not overflow; two outputs, two inputs.
struct ScaledSoftplus {
  std::string_view name() const { return "scaled_softplus"; }
  Tensors forward(const Tensors& x) const { return {x[1] * log1p(exp(x[0])), x[1]}; }
  Tensors vjp(const VjpArgs& args) const {
    const Tensor& g = args.cotangents[0];
    if (!g.defined()) return {Tensor(), args.cotangents[1]};
    const Tensor scale = sum(g * log1p(exp(args.inputs[0])));
    return {g * args.inputs[1] * sigmoid(args.inputs[0]),
            args.cotangents[1].defined() ? scale + args.cotangents[1] : scale};
  }
  bool operator==(const ScaledSoftplus&) const = default;
};

TEST(CustomGradient, IsTheUsersOwn) {
  const Tensor x = tensor({-3.0, 0.5, 3.0});
  const Tensor y = custom_gradient(StraightThroughClip{2}, {x});
  Tensor g = grad(sum(square(y)), {x})[0];
  EXPECT_EQ(g.to_vector<double>(), (Bits{-4, 1, 4}));
  EXPECT_EQ(y.to_vector<double>(), (Bits{-2, 0.5, 2}));
}

TEST(CustomGradient, IdentityComesFromTheFields) {
  const Tensor x = tensor({1.0});
  const Tensor a = custom_gradient(StraightThroughClip{2}, {x}), b = custom_gradient(StraightThroughClip{2}, {x});
  const Tensor c = custom_gradient(StraightThroughClip{3}, {x});
  EXPECT_EQ(a.node()->op, b.node()->op);
  EXPECT_FALSE(a.node()->op == c.node()->op);
  EXPECT_EQ(a.node()->op.str(), "redirect{custom_gradient{user={limit=2}, outputs=1}, outputs=1}");
}

TEST(CustomGradient, FollowsTheOtherTransforms) {
  const Tensor x = numbers({4}, 8), scale = tensor(0.7), v = numbers({4}, 9);
  const auto rule = [](const Tensor& y, const Tensor& s) { return custom_gradient(ScaledSoftplus{}, {y, s}); };
  const auto plain = [](const Tensor& y, const Tensor& s) { return Tensors{s * log1p(exp(y)), s}; };
  const auto check = [&](const auto& f) {
    const Tensors z = f(x, scale);
    const Tensor loss = sum(square(z[0])) * z[1];
    const Tensors g = grad(loss, {x, scale});
    const Tensor second = grad(sum(g[0] * v) + g[1], {x})[0], forward = jvp({loss}, {x, scale}, {v, scale})[0];
    const Tensor many =
        vmap([&](const Tensor& y) { return grad(sum(f(y, scale)[0]), {scale})[0]; })(reshape(x, {2, 2}));
    const Tensors batched = vmap(f, {0, {}})(reshape(x, {2, 2}), scale);
    const Tensors of_batch = grad(sum(batched[0] * batched[0]) + sum(batched[1]), {x, scale});
    Bits all;
    for (const Tensor& t : {g[0], g[1], second, forward, many, of_batch[0], of_batch[1]}) {
      for (const double value : t.to_vector<double>()) all.push_back(value);
    }
    return all;
  };
  const Bits expected = check(plain), actual = check(rule);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-12) << i;
}

TEST(CustomGradient, DisappearsFromPlans) {
  const Tensor x = numbers({32}, 8);
  const Tensor y = tanh(custom_gradient(StraightThroughClip{0.5}, {x * 2.0}));
  EXPECT_EQ(engine::make_plan(capture(std::span(&y, 1)).graph).steps.size(), 1u);
}

}  // namespace
}  // namespace gradus
