#include "gradus/transform/lowering/precision.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradus/engine/eval.h"
#include "gradus/ops/attention/attention.h"
#include "gradus/ops/attention/operation.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/region.h"
#include "gradus/transform/fuse.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/simplify.h"

namespace gradus {
namespace {

/// A leaf: its elements do not matter.
Tensor filled(const Shape& shape) {
  const Tensor x = ones(shape);
  eval(x);
  return x;
}

Graph lowered(const Tensors& roots) { return transform::use_bf16(transform::simplify(capture(roots).graph)); }

std::ptrdiff_t count(const Graph& graph, std::string_view op, DType dtype) {
  return std::count_if(graph.vertices.begin(), graph.vertices.end(),
                       [&](const Vertex& v) { return v.op.name() == op && v.specs.front().dtype == dtype; });
}

/// Contractions whose operands are bf16.
std::ptrdiff_t narrow_contractions(const Graph& graph) {
  return std::count_if(graph.vertices.begin(), graph.vertices.end(), [&](const Vertex& v) {
    return !v.is_leaf() && v.op.family() == OpFamily::contraction && graph.spec(v.inputs[0]).dtype == DType::bf16;
  });
}

TEST(UseBf16, CastsAnOperandOnceForAllItsReaders) {
  const Tensor x = filled({32, 48}), weight = filled({64, 48}), up = filled({32, 64});
  const Tensor y = linear(x, weight);
  const Tensors gradients = grad(sum(y * up), {x, weight});
  const Graph g = lowered({y, gradients[0], gradients[1]});
  EXPECT_EQ(verify(g), "");
  EXPECT_EQ(narrow_contractions(g), 3) << print(g);         // forward, by x, by weight
  EXPECT_EQ(count(g, "cast", DType::bf16), 3) << print(g);  // x, weight, cotangent
  for (const ValueId id : g.results) EXPECT_EQ(g.spec(id).dtype, DType::f32);
}

TEST(UseBf16, CastsBelowViews) {
  const Tensor x = filled({8, 4, 48}), weight = filled({48, 64});
  const auto product = [&] {  // nobody holds what is in between
    return matmul(reshape(exp(x), {32, 48}), transpose(reshape(weight, {64, 48}), 0, 1));
  };
  const Tensor y = product();
  const Graph g = transform::fuse(lowered({y}));
  EXPECT_EQ(verify(g), "");
  EXPECT_EQ(narrow_contractions(g), 1);
  EXPECT_EQ(count(g, "region", DType::bf16), 2) << print(g);  // exp with its cast, and that of the weight
  EXPECT_EQ(count(g, "reshape", DType::f32), 0) << print(g);  // nobody reads them any more
}

TEST(UseBf16, TakesWhatWasBf16AsItIs) {
  const Tensor x = cast(filled({32, 32}), DType::bf16);
  const Graph g = lowered({matmul(x, x)});
  EXPECT_EQ(verify(g), "");
  EXPECT_EQ(narrow_contractions(g), 1);
  EXPECT_EQ(count(g, "cast", DType::bf16), 2) << print(g);  // the user's own, of operand and result
}

TEST(UseBf16, LeavesAloneWhatDoesNotPay) {
  const Tensor thin = filled({64, 10}), x = filled({64, 64}), image = filled({2, 2, 16, 16}),
               filter = filled({16, 2, 3, 3}), depth = filled({16, 1, 3, 3});
  const Tensor wide = cast(x, DType::f64), maps = filled({2, 16, 16, 16});
  for (const Tensor& y : {matmul(thin, filled({10, 64})), matmul(wide, wide), matmul(filled({4, 64}), filled({64, 4})),
                          conv2d(image, filter), conv2d(maps, depth, Tensor(), {.groups = 16})}) {
    const Graph before = transform::simplify(capture(std::span(&y, 1)).graph);
    EXPECT_TRUE(transform::use_bf16(before) == before) << print(before);
  }
}

// relu's gradient reads the result of relu, which the next product reads in bf16: nobody needs it in f32.
TEST(UseBf16, StoresActivationsInBf16WhereNobodySeesIt) {
  const Tensor x = filled({32, 64}), first = filled({64, 64}), second = filled({64, 64});
  const auto graph_for = [&](auto activation) {
    const auto loss = [&] { return sum(matmul(activation(matmul(x, first)), second)); };
    const Tensor y = loss();
    const Tensor slope = grad(y, {first})[0];
    return transform::fuse(lowered({y, slope}));
  };
  const auto stored_in_f32 = [](const Graph& g) {
    EXPECT_EQ(verify(g), "");
    return std::count_if(g.vertices.begin(), g.vertices.end(), [](const Vertex& v) {
      return v.op.as<Region>() && v.specs.size() == 2 && v.specs[0].dtype == DType::f32;
    });
  };
  const Graph of_relu = graph_for([](const Tensor& z) { return relu(z); });
  EXPECT_EQ(stored_in_f32(of_relu), 0) << print(of_relu);
  const Graph of_tanh = graph_for([](const Tensor& z) { return tanh(z); });
  EXPECT_EQ(stored_in_f32(of_tanh), 1) << print(of_tanh);
}

// As autocast rounds them; but not what the optimizer gets, what the user holds, or what is read as a whole in f32.
TEST(UseBf16, RoundsTheResultsOfProductsThatRegionsRead) {
  const Tensor x = filled({32, 64}), first = filled({64, 64}), second = filled({64, 64});
  const auto loss = [&] { return sum(matmul(tanh(reshape(matmul(x, first), {8, 4, 64}) + 1.f), second)); };
  const Tensors slopes = grad(loss(), {first});
  const Graph g = lowered(slopes);
  EXPECT_EQ(verify(g), "");
  EXPECT_EQ(count(g, "matmul", DType::bf16), 2) << print(g);  // forward, and what flows back to tanh
  EXPECT_EQ(count(g, "matmul", DType::f32), 1) << print(g);   // the slope
  const Tensor held = matmul(x, first);
  const Tensors others{exp(held), softmax(matmul(x, second), 1)};
  EXPECT_EQ(count(lowered(others), "matmul", DType::bf16), 0);
}

TEST(UseBf16, RoundsInsideOfSequences) {
  const Tensor q = filled({2, 64, 4, 32});
  const Tensor y = scaled_dot_product_attention(q, q, q);
  const Graph g = lowered({y});
  EXPECT_EQ(verify(g), "");
  const auto attention = std::find_if(g.vertices.begin(), g.vertices.end(),
                                      [](const Vertex& v) { return v.op.as<Attention>() != nullptr; });
  ASSERT_NE(attention, g.vertices.end());
  EXPECT_TRUE(attention->op.as<Attention>()->narrow);
}

// The cast behind an operation joins its region even if others read the value in f32.
TEST(UseBf16, CastsAreFused) {
  const Tensor x = filled({32, 64}), weight = filled({64, 64});
  const Tensor h = relu(matmul(x, weight) + 1.f);
  const Tensor y = sum(matmul(h, weight)) + sum(h);
  const Graph g = transform::fuse(lowered({y}));
  EXPECT_EQ(verify(g), "");
  const auto region = std::find_if(g.vertices.begin(), g.vertices.end(), [](const Vertex& v) {
    const Region* r = v.op.as<Region>();
    return r && r->outputs.size() == 2;
  });
  ASSERT_NE(region, g.vertices.end()) << print(g);
  EXPECT_EQ(region->specs[0].dtype, DType::f32);
  EXPECT_EQ(region->specs[1].dtype, DType::bf16);
}

}  // namespace
}  // namespace gradus
