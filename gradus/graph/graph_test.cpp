#include "gradus/graph/graph.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(make(1, 4).hash(), make(2, 4).hash());
  EXPECT_FALSE(make(1, 4) == make(1, 5));
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
}

}  // namespace
}  // namespace gradus
