#include "gradus/graph/graph.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

TEST(Graph, PrintsOneLinePerVertex) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor y = relu(transpose(x, 0, 1));
  const Capture captured = capture(std::span(&y, 1));
  EXPECT_EQ(print(captured.graph),
            "%0 f32 [2, 2] = leaf\n"
            "%1 f32 [2, 2] = permute{order=[1, 0]} %0\n"
            "%2 f32 [2, 2] = relu %1\n"
            "results %2\n");
  EXPECT_EQ(verify(captured.graph), "");
}

TEST(Graph, DotHasAnEdgePerOperand) {
  const Tensor x = tensor({1.f, 2.f});
  const Tensor y = x * x;
  const std::string dot = print_dot(capture(std::span(&y, 1)).graph);
  EXPECT_NE(dot.find("digraph gradus"), std::string::npos);
  EXPECT_NE(dot.find("n0 -> n1;\n  n0 -> n1;"), std::string::npos) << dot;
}

TEST(Graph, WhatTheUserHoldsIsAResult) {
  const Tensor x = tensor({1.f, 2.f});
  const Tensor held = exp(x);
  const Tensor y = sqrt(exp(relu(held)));
  const Capture captured = capture(std::span(&y, 1));
  ASSERT_EQ(captured.results.size(), 2u);
  EXPECT_EQ(captured.results[0], held.node().get());
  EXPECT_EQ(captured.results[1], y.node().get());
}

TEST(Graph, OnlyLeavesThatNobodyElseHoldsAreDonatable) {
  const Tensor kept = tensor({1.f, 2.f});
  const Tensor y = kept + exp(tensor({3.f, 4.f}));
  const Capture captured = capture(std::span(&y, 1));
  ASSERT_EQ(captured.leaves.size(), 2u);
  for (std::size_t i = 0, leaf = 0; i < captured.graph.vertices.size(); ++i) {
    if (!captured.graph.vertices[i].is_leaf()) continue;
    EXPECT_EQ(captured.graph.vertices[i].donatable, captured.leaves[leaf++] != kept.node().get());
  }
}

TEST(Graph, VerifierFindsBrokenGraphs) {
  const Tensor y = exp(tensor({1.f, 2.f}));
  const Graph good = capture(std::span(&y, 1)).graph;
  Graph bad = good;
  bad.vertices[1].inputs[0].vertex = 7;
  EXPECT_NE(verify(bad).find("does not come before"), std::string::npos);
  bad = good;
  bad.vertices[1].specs[0].shape = Shape{3};
  EXPECT_NE(verify(bad).find("does not infer"), std::string::npos);
  bad = good;
  bad.results[0].output = 1;
  EXPECT_EQ(verify(bad), "a result is no value of the graph");
}

TEST(Graph, EqualityIsStructural) {
  const auto make = [](float value, std::int64_t size) {
    const Tensor x = leaf<float>(Shape{size}, std::vector<float>(static_cast<std::size_t>(size), value));
    const Tensor y = relu(x) * 2.f;
    return capture(std::span(&y, 1)).graph;
  };
  EXPECT_EQ(make(1, 4), make(2, 4));
  EXPECT_FALSE(make(1, 4) == make(1, 5));
}

TEST(LiveGraph, IsTheGraphOfTheSameStructure) {
  const auto numbers = [](std::int64_t size) {
    return leaf<float>(Shape{size}, std::vector<float>(static_cast<std::size_t>(size), 1));
  };
  const Tensor base = reshape(numbers(4) - exp(numbers(4)), {2, 2});
  const LiveGraph live({&base, 1});
  const Graph graph = live.value();
  EXPECT_TRUE(live.is(graph));
  EXPECT_EQ(capture({&base, 1}).graph, graph);

  const Tensor same = reshape(numbers(4) - exp(numbers(4)), {2, 2});
  EXPECT_TRUE(LiveGraph({&same, 1}).is(graph));
  EXPECT_EQ(LiveGraph({&same, 1}).hash(), live.hash());

  const Tensor swapped = [&] {
    const Tensor y = numbers(4), x = exp(numbers(4));
    return reshape(x - y, {2, 2});
  }();
  const Tensor held = numbers(4), shared = reshape(held - exp(numbers(4)), {2, 2});
  const Tensor named = reshape(numbers(4) - exp(numbers(4)), {2, 2});
  named.node()->label = intern("another module");
  for (const Tensor& other :
       {swapped, shared, named, reshape(numbers(4) - exp(numbers(4)), {4, 1}),
        reshape(numbers(6) - exp(numbers(6)), {2, 3}), reshape(numbers(4) - log(numbers(4)), {2, 2}),
        relu(reshape(numbers(4) - exp(numbers(4)), {2, 2}))}) {
    EXPECT_FALSE(LiveGraph({&other, 1}).is(graph)) << print(capture({&other, 1}).graph);
  }
  const Tensor part = numbers(4) - exp(numbers(4)), more = reshape(part, {2, 2});
  EXPECT_FALSE(LiveGraph({&more, 1}).is(graph));  // `part` is a result as well
}

TEST(GraphWalk, FindsEveryOneOfManyLeaves) {
  const auto number = [](float value) { return leaf<float>(Shape{}, std::span<const float>(&value, 1)); };
  Tensors leaves;
  Tensor total = number(0);
  for (int i = 0; i < 1000; ++i) {
    leaves.push_back(number(1));
    total = total + leaves.back() * leaves[leaves.size() / 2];
  }
  const GraphWalk walk({&total, 1});
  EXPECT_EQ(walk.nodes().size(), 3001u);
  for (const Tensor& x : leaves) {
    const std::int64_t i = walk.index(x.node().get());
    ASSERT_GE(i, 0);
    EXPECT_EQ(walk.nodes()[static_cast<std::size_t>(i)], x.node().get());
  }
  EXPECT_EQ(walk.index(number(2).node().get()), -1);
}

TEST(Node, ErrorsNameThePlaceAndTheOrigin) {
  const Tensor x = tensor({1.f, 2.f, 3.f});
  const Tensor y = relu(x);
  try {
    record(MatMul{}, {y, x}, SourceLocation{"folder/train.cpp", 57});
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("called at train.cpp:57"), std::string::npos) << text;
    EXPECT_NE(text.find("operand 0 comes from relu of f32 [3]"), std::string::npos) << text;
  }
}

TEST(Node, UndefinedOperandsAreRefused) {
  EXPECT_THROW(record(StopGradient{}, {Tensor()}), Error);
  EXPECT_THROW(Tensor().shape(), Error);
  EXPECT_THROW(exp(tensor({1.f})).data<float>(), Error);
}

TEST(Node, ADeepChainIsReleasedWithoutRecursion) {
  const std::int64_t before = live_nodes();
  {
    Tensor x = tensor({1.f});
    for (int i = 0; i < 1'000'000; ++i) x = -x;
    EXPECT_EQ(live_nodes(), before + 1'000'000);
  }
  EXPECT_EQ(live_nodes(), before);
}

TEST(Node, LabelsNameTheNearestModule) {
  const Tensor w = tensor({{1.f, 2.f}});
  w.node()->label = intern("encoder.fc1.weight");
  const Tensor y = relu(matmul(tensor({{1.f}}), w));
  EXPECT_EQ(*y.node()->label, "encoder.fc1");
  EXPECT_EQ(origin(w), "encoder.fc1.weight");
  EXPECT_EQ(relu(w).node()->label, intern("encoder.fc1"));
  const Tensor alone = tensor({1.f});
  alone.node()->label = intern("scale");
  EXPECT_EQ(relu(alone).node()->label, intern("scale"));
}

TEST(Node, HoldsItsOperandsOnce) {
  const Tensor x = tensor({1.f}), y = relu(x);
  EXPECT_EQ(x.node()->use_count(), 2u);
  EXPECT_EQ(y.node()->use_count(), 1u);
  const Tensor sum = x + y;
  EXPECT_EQ(x.node()->use_count(), 3u);
  EXPECT_EQ(y.node()->use_count(), 2u);
}

TEST(Node, ThreadsShareLeavesAndNames) {
  const std::int64_t before = live_nodes();
  const Tensor x = tensor({1.f});
  x.node()->label = intern("shared between threads.weight");
  std::vector<Tensor> made(4);
  std::vector<std::thread> threads;
  for (Tensor& result : made) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) result = relu(x) * 2.f + x;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& result : made) {
    const Tensor product = result.node()->inputs[0];
    EXPECT_EQ(product.node()->inputs[0].node()->label, intern("shared between threads"));
  }
  made.clear();  // recorded by threads that have ended
  EXPECT_EQ(x.node()->use_count(), 1u);
  EXPECT_EQ(live_nodes(), before);
}

TEST(Op, PermanentOnesAreLikeOthers) {
  const Op once(Reshape{Shape{2, 3}});
  static const Op& always = *new Op(Op::permanent(Reshape{Shape{2, 3}}));  // leaked, as it is never freed
  EXPECT_EQ(once, always);
  EXPECT_EQ(once.hash(), always.hash());
  EXPECT_FALSE(always == Op(Reshape{Shape{3, 2}}));
  const Tensor y = record(always, {tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f})});
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
}

TEST(TensorArg, ANumberBecomesOneLeaf) {
  const TensorArg two(2.0);
  EXPECT_EQ(detail::operand(two, "op"), detail::operand(two, "op"));
  EXPECT_TRUE(two.is_number());
  EXPECT_EQ(detail::operand(TensorArg(2), "op").dtype(), DType::i64);
}

}  // namespace
}  // namespace gradus
