#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/graph/graph.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/region.h"
#include "gradus/transform/checkpoint.h"
#include "gradus/transform/fuse.h"
#include "gradus/transform/fuse_reductions.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/schedule.h"
#include "gradus/transform/simplify.h"
#include "gradus/transform/vmap.h"

namespace gradus {
namespace {

Graph graph_of(const Tensor& x) { return capture(std::span(&x, 1)).graph; }

std::size_t count(const Graph& graph, std::string_view op) {
  return static_cast<std::size_t>(
      std::count_if(graph.vertices.begin(), graph.vertices.end(), [&](const Vertex& v) { return v.op.name() == op; }));
}

TEST(Simplify, MergesEqualVertices) {
  const Tensor x = tensor({1.f, 2.f});
  const Graph g = transform::simplify(graph_of(exp(x) + exp(x)));
  EXPECT_EQ(count(g, "exp"), 1u);
  EXPECT_EQ(verify(g), "");
}

TEST(Simplify, RemovesWhatChangesNothing) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor y = -(-transpose(transpose(reshape(reshape(x, {4}), {2, 2}), 0, 1), 0, 1)) * constant(1, DType::f32);
  const Graph g = transform::simplify(graph_of(stop_gradient(y)));
  EXPECT_EQ(g.vertices.size(), 1u + count(g, "leaf") - 1u) << print(g);
  EXPECT_TRUE(g.vertices[static_cast<std::size_t>(g.results[0].vertex)].is_leaf());
}

TEST(Simplify, MergesViews) {
  const Tensor x = normal({2, 3, 4}, {}, Key{1});
  eval(x);
  const auto permuted = [&](std::initializer_list<int> inner, std::initializer_list<int> outer) {
    const Tensor y = permute(permute(x, inner), outer);
    const Graph g = transform::simplify(graph_of(y));
    EXPECT_EQ(g.vertices.size(), 2u) << print(g);
    EXPECT_EQ(verify(g), "");
    return *g.vertices.back().op.as<Permute>();
  };
  const auto once = [&](std::initializer_list<int> order) { return *permute(x, order).node()->op.as<Permute>(); };
  EXPECT_EQ(permuted({1, 2, 0}, {1, 0, 2}), once({2, 1, 0}));
  EXPECT_EQ(permuted({1, 2, 0}, {0, 2, 1}), once({1, 0, 2}));  // the last axis stays, others do not
  const Tensor wide = broadcast_to(broadcast_to(unsqueeze(x, 0), {5, 2, 3, 4}), {6, 5, 2, 3, 4});
  EXPECT_EQ(count(transform::simplify(graph_of(wide)), "broadcast_to"), 1u);
}

TEST(Simplify, OneDividedIsNotOneTimes) {
  const Tensor x = tensor({2.f, 4.f}), one = broadcast_to(constant(1, DType::f32), {2});
  EXPECT_EQ((one / x).to_vector<float>(), (std::vector<float>{0.5, 0.25}));
  EXPECT_EQ((one * x).to_vector<float>(), (std::vector<float>{2, 4}));
}

TEST(Simplify, RulesCanBeSwitchedOff) {
  const Tensor x = tensor({1.f, 2.f});
  Tensor y = -x;
  y = -y;  // a temporary that is still alive would count as held
  transform::set_rule_enabled("double_negation", false);
  EXPECT_EQ(count(transform::simplify(graph_of(y)), "neg"), 2u);
  transform::set_rule_enabled("double_negation", true);
  EXPECT_EQ(transform::simplify(graph_of(y)).vertices.size(), 1u);
  EXPECT_THROW(transform::set_rule_enabled("no_such_rule", true), Error);
}

TEST(Fuse, AChainIsOneRegion) {
  const Tensor x = tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}}), bias = tensor({1.f, 2.f, 3.f});
  const Graph g = transform::fuse(transform::simplify(graph_of(relu(tanh(x + bias) * 2.f))));
  EXPECT_EQ(count(g, "region"), 1u) << print(g);
  EXPECT_EQ(count(g, "broadcast_to"), 0u) << print(g);
  EXPECT_EQ(verify(g), "");
}

TEST(Fuse, ViewsBecomeStrides) {
  const Tensor x = tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
  const Tensor y = slice(transpose(x, 0, 1), 0, 1) + 1.f;  // [2, 2]: rows 1 and 2 of the transposed
  const Graph g = transform::fuse(transform::simplify(graph_of(y)));
  ASSERT_EQ(count(g, "region"), 1u) << print(g);
  EXPECT_EQ(count(g, "slice") + count(g, "permute"), 0u) << print(g);
  const Region* region = g.vertices.back().op.as<Region>();
  ASSERT_NE(region, nullptr);
  EXPECT_EQ(region->inputs[0].offset, 1);
  EXPECT_EQ(region->inputs[0].strides[0], 1);
  EXPECT_EQ(region->inputs[0].strides[1], 3);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{3, 6, 4, 7}));
}

TEST(Fuse, ViewsOfViewsAddUp) {
  const Tensor x = arange(24);
  const auto every_sixth = [&] { return slice(slice(x, 0, 1, to_end, 2), 0, 1, to_end, 3) + std::int64_t{0}; };
  EXPECT_EQ(every_sixth().to_vector<std::int64_t>(), (std::vector<std::int64_t>{3, 9, 15, 21}));
  // Where a slice of what is repeated begins does not matter; where one of a row does, it does.
  for (const Shape& shape : {Shape{3}, Shape{1, 3}}) {
    const Tensor row = reshape(arange(3), shape);
    const Tensor y = slice(slice(broadcast_to(row, {5, 3}), 0, 2, 4), 1, 1) + std::int64_t{0};
    EXPECT_EQ(count(transform::fuse(transform::simplify(graph_of(y))), "slice"), 0u);
    EXPECT_EQ(y.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 1, 2}));
  }
  const auto turned = [&] {
    return slice(permute(slice(reshape(x, {2, 3, 4}), 2, 1), {2, 0, 1}), 0, 1, 2) + std::int64_t{0};
  };
  EXPECT_EQ(turned().to_vector<std::int64_t>(), (std::vector<std::int64_t>{2, 6, 10, 14, 18, 22}));
}

TEST(Fuse, AValueThatOthersReadLeavesTheRegion) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor h = exp(x);
  const Graph g = transform::fuse(transform::simplify(graph_of(sum(h) + 1.f)));
  EXPECT_EQ(verify(g), "");
  const Tensor held = exp(x), y = held * 2.f;
  const Graph two = transform::fuse(transform::simplify(graph_of(y)));
  ASSERT_EQ(count(two, "region"), 1u) << print(two);
  EXPECT_EQ(two.results.size(), 2u);
}

TEST(Fuse, ReductionsJoinTheRegionTheyRead) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const auto z = [&] { return exp(x) * x; };
  const auto fused = [](const Tensor& y) { return transform::fuse_reductions(transform::fuse(graph_of(y))); };
  const Graph inside = fused(sum(z(), 0));
  EXPECT_EQ(count(inside, "region_reduce"), 1u) << print(inside);
  EXPECT_EQ(count(inside, "sum") + count(inside, "region"), 0u);
  const Tensor held = z();
  const Graph both = fused(sum(held, 0) + max(held, 0));
  EXPECT_EQ(count(both, "region_reduce"), 1u) << print(both);
  EXPECT_EQ(count(both, "sum"), 0u);
  EXPECT_EQ(count(both, "max"), 1u);  // of another kind
  EXPECT_EQ(verify(inside) + verify(both), "");
}

TEST(Fuse, ACheapValueIsComputedWhereItIsRead) {
  // Centred values: three regions read them, nobody stores them.
  const auto standardized = [](const Tensor& x) {
    const Tensor centred = x - mean(x, 1, {.keepdim = true});
    return centred * rsqrt(mean(square(centred), 1, {.keepdim = true}));
  };
  const Tensor x = ones({4, 256});
  eval(x);
  const Tensor y = standardized(x);
  const Graph simple = transform::simplify(graph_of(y));
  const Graph g = transform::fuse_reductions(transform::fuse(simple));
  EXPECT_EQ(verify(g), "");
  const auto stores = [](const Graph& graph) {
    std::int64_t elements = 0;
    for (const Vertex& v : graph.vertices) {
      for (const TensorSpec& spec : v.is_leaf() ? Specs{} : v.specs) elements += spec.shape.numel();
    }
    return elements;
  };
  EXPECT_LT(stores(g), 4 * 256 + 64) << print(g);
  EXPECT_GT(stores(transform::fuse_reductions(transform::fuse(simple, {.repeat = false}))), 2 * 4 * 256);
}

TEST(Fuse, WhatCostsMoreThanReadingIsStored) {
  const Tensor x = ones({4, 256});
  const Tensor y = exp(x);
  const Graph g = transform::fuse(transform::simplify(graph_of(y * sum(y, 1, {.keepdim = true}))));
  EXPECT_EQ(count(g, "region"), 2u) << print(g);
}

TEST(Fuse, NeverMakesACycle) {
  // a feeds b directly and through a product: b must not share a region with a.
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor a = exp(x);
  const Tensor y = a + matmul(a, a);
  const Graph g = transform::fuse(transform::simplify(graph_of(y)));
  EXPECT_EQ(verify(g), "") << print(g);
  EXPECT_EQ(count(g, "region"), 2u);
}

TEST(Fuse, OneInstructionPerRegionWhenAsked) {
  const Tensor x = tensor({1.f, 2.f});
  transform::FuseOptions options;
  options.max_instructions = 1;
  EXPECT_EQ(count(transform::fuse(graph_of(exp(tanh(relu(x)))), options), "region"), 3u);
}

TEST(Schedule, FinishesShortWaysFirstAndKeepsLeaves) {
  const Tensor a = tensor({1.f, 2.f}), b = tensor({3.f, 4.f});
  Tensor deep = matmul(reshape(a, {2, 1}), reshape(b, {1, 2}));
  for (int i = 0; i < 3; ++i) deep = matmul(deep, deep);
  const Tensor shallow = matmul(reshape(b, {1, 2}), reshape(a, {2, 1}));
  const Tensor roots[] = {deep, shallow};
  const Graph before = transform::simplify(capture(roots).graph), after = transform::schedule(before);
  EXPECT_EQ(verify(after), "");
  EXPECT_EQ(after.vertices.size(), before.vertices.size());
  EXPECT_LT(after.results[1].vertex, after.results[0].vertex);
  EXPECT_TRUE(after.vertices[0].is_leaf() && after.vertices[1].is_leaf());
  EXPECT_EQ(after.spec(after.results[0]), before.spec(before.results[0]));
}

TEST(Transforms, TakeLongChains) {
  // Recorded, rewritten and released without recursion.
  const Tensor x = tensor({0.5, 0.25}), t = tensor({1.0, 1.0});
  const auto chain = [](Tensor y) {
    for (int i = 0; i < 100000; ++i) y = y * 0.5 + y;
    return y;
  };
  EXPECT_TRUE(jvp({chain(x)}, {x}, {t})[0].defined());
  EXPECT_EQ(vmap(chain)(x).shape(), (Shape{2}));
  EXPECT_TRUE(grad(sum(checkpoint(chain, x)), {x})[0].defined());
}

TEST(Grad, MatchesClosedForms) {
  const Tensor x = tensor({0.5f, -1.f, 2.f});
  const Tensors g = grad(sum(x * x * x), {x});
  EXPECT_EQ(g[0].to_vector<float>(), (std::vector<float>{0.75f, 3.f, 12.f}));
}

TEST(Grad, DifferentiatesAgain) {
  const Tensor x = tensor({0.5, -1.0, 2.0});
  Tensor y = sum(x * x * x * x);
  const Tensor first = grad(y, {x})[0];
  const Tensor second = grad(sum(first), {x})[0];
  const Tensor third = grad(sum(second), {x})[0];
  EXPECT_EQ(third.to_vector<double>(), (std::vector<double>{12, -24, 48}));
}

TEST(Grad, OfSharedAndUnusedTensors) {
  const Tensor x = tensor(3.f), y = tensor(4.f), unused = tensor(5.f);
  const Tensor s = x * y;
  const Tensors g = grad(s * s + x, {x, y, unused, s});
  EXPECT_EQ(g[0].item<float>(), 2 * 12 * 4 + 1);
  EXPECT_EQ(g[1].item<float>(), 2 * 12 * 3);
  EXPECT_FALSE(g[2].defined());
  EXPECT_EQ(g[3].item<float>(), 24);
}

TEST(Grad, PartsThatWereSlicedApartAreJoined) {
  const Tensor x = tensor({{1.f, 2.f, 3.f, 4.f, 5.f, 6.f}});
  const Tensor a = slice(x, 1, 0, 2), b = slice(x, 1, 2, 3), c = slice(x, 1, 3, 6);
  const Tensor g = grad(sum(square(a)) + sum(b * 7.f) + sum(c * 2.f), {x})[0];
  const Graph graph = graph_of(g);
  EXPECT_EQ(count(graph, "pad") + count(graph, "add"), 0u) << print(graph);
  EXPECT_EQ(count(graph, "concat"), 1u);
  EXPECT_EQ(g.to_vector<float>(), (std::vector<float>{2, 4, 7, 2, 2, 2}));
  // Parts that overlap, or leave a gap.
  const Tensor h = grad(sum(slice(x, 1, 0, 3)) + sum(slice(x, 1, 2, 4)) + sum(slice(x, 1, 5, 6)), {x})[0];
  EXPECT_EQ(h.to_vector<float>(), (std::vector<float>{1, 1, 2, 1, 0, 1}));
}

TEST(Grad, StopsAtStopGradient) {
  const Tensor x = tensor(3.f);
  EXPECT_EQ(grad(x * stop_gradient(x), {x})[0].item<float>(), 3);
}

TEST(Grad, RefusesAnEvaluatedLoss) {
  const Tensor x = tensor({1.f, 2.f});
  const Tensor loss = sum(x * x);
  loss.item<float>(SourceLocation{"train.cpp", 12});
  try {
    grad(loss, {x}, SourceLocation{"train.cpp", 13});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "state error in gradients, called at train.cpp:13: the tensor to differentiate was evaluated before\n"
        "  loss  f32 []   evaluated at train.cpp:12\n"
        "  hint: take the gradients before item(), to_vector() or eval(); optimizer.minimize(loss) evaluates the loss "
        "as well");
  }
}

TEST(Grad, RefusesAnEvaluatedTensorOnTheWay) {
  const Tensor w = tensor({1.f, 2.f});
  w.node()->is_parameter = true;
  const Tensor hidden = exp(w);
  hidden.to_vector<float>(SourceLocation{"debug.cpp", 3});
  const Tensor loss = sum(hidden * hidden);
  try {
    grad(loss, {w});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("exp  f32 [2]   evaluated at debug.cpp:3"), std::string::npos)
        << error.what();
  }
  EXPECT_NO_THROW(grad(sum(stop_gradient(hidden) * w), {w}));
}

TEST(Grad, RefusesWhatIsNoFloatingScalar) {
  EXPECT_THROW(grad(Tensor(), {tensor(1.f)}), Error);
  const Tensor undefined;
  EXPECT_THROW(vjp(std::span(&undefined, 1), std::span(&undefined, 1), {}), Error);
  const Tensor x = tensor({1.f, 2.f});
  EXPECT_THROW(grad(x * x, {x}), Error);
  EXPECT_THROW(grad(sum(tensor({1, 2}) + tensor({1, 2})), {x}), Error);
}

TEST(Vmap, EachExampleWritesAtAPlaceOfItsOwn) {
  const Tensor x = tensor({1.f, 2.f, 3.f, 4.f}), part = tensor({-1.f, -2.f}), start = tensor({0});
  const Tensor one = dynamic_update_slice(x, part, start);
  const Tensors inputs{start}, batched{tensor({{1}, {9}, {-3}})};
  EXPECT_EQ(vmap(std::span(&one, 1), inputs, batched)[0].to_vector<float>(),
            (std::vector<float>{1, -1, -2, 4, 1, 2, -1, -2, -1, -2, 3, 4}));
}

}  // namespace
}  // namespace gradus
