#include "gradus/transform/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/plan.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/lowering/precision.h"
#include "gradus/transform/simplify.h"

namespace gradus {
namespace {

/// A leaf of numbers in [-1, 1] that do not repeat.
Tensor filled(const Shape& shape, double salt) {
  const Tensor x = reshape(cast(sin(arange(static_cast<double>(shape.numel())) * (1.3 + salt)), DType::f32), shape);
  eval(x);
  return x;
}

std::ptrdiff_t count(const Graph& graph, std::string_view op) {
  return std::count_if(graph.vertices.begin(), graph.vertices.end(),
                       [&](const Vertex& v) { return v.op.name() == op; });
}

Graph laid_out(const Tensors& roots) { return transform::use_channels_last(transform::simplify(capture(roots).graph)); }

/// A residual network of two convolutions with normalisation between them, and its parameters.
struct Network {
  Tensor stem = filled({16, 3, 3, 3}, 0.1), weight = filled({16, 16, 3, 3}, 0.2), scale = filled({16}, 0.3);

  Tensor operator()(const Tensor& images) const {
    Tensor x = conv2d(images, stem, Tensor(), {.padding = 1});
    const Tensor centred = x - mean(x, {0, 2, 3}, {.keepdim = true});
    const Tensor var = mean(square(centred), {0, 2, 3}, {.keepdim = true});
    x = relu(centred * rsqrt(var + 1e-5) * reshape(scale, {16, 1, 1}));
    x = x + conv2d(x, weight, Tensor(), {.padding = 1});
    return mean(x, {2, 3});
  }
  Tensors gradients(const Tensor& images) const {
    const Tensor y = (*this)(images);
    Tensors all = grad(sum(square(y)), {images, stem, weight, scale});
    all.push_back(y);
    return all;
  }
};

TEST(UseChannelsLast, TurnsImagesAroundOnlyAtTheEnds) {
  const Network network;
  const Tensor images = filled({2, 3, 8, 8}, 0);
  const Graph g = laid_out(network.gradients(images));
  EXPECT_EQ(verify(g), "");
  EXPECT_EQ(count(g, "conv2d_channels_last"), 2) << print(g);
  EXPECT_EQ(count(g, "conv2d_input_gradient_channels_last"), 2);
  EXPECT_EQ(count(g, "conv2d_weight_gradient_channels_last"), 2);
  EXPECT_EQ(count(g, "permute"), 2) << print(g);  // the images, for two readers, and their gradient
}

TEST(UseChannelsLast, GivesTheSameNumbers) {
  const Network network;
  const Tensor images = filled({2, 3, 9, 7}, 0);
  const Tensors on = network.gradients(images), off = network.gradients(images);
  eval(std::span<const Tensor>(on));
  engine::set_pass_enabled("layout", false);
  engine::clear_plan_cache();
  eval(std::span<const Tensor>(off));
  engine::set_pass_enabled("layout", true);
  engine::clear_plan_cache();
  for (std::size_t i = 0; i < on.size(); ++i) {
    const std::vector<double> got = on[i].to_vector<double>(), expected = off[i].to_vector<double>();
    ASSERT_EQ(on[i].spec(), off[i].spec());
    double largest = 0;
    for (const double e : expected) largest = std::max(largest, std::abs(e));
    for (std::size_t k = 0; k < got.size(); ++k) ASSERT_NEAR(got[k], expected[k], 1e-5 * largest) << i << ", " << k;
  }
}

/// Of every kind of reader: in the graph itself, because a plan takes the pass only where it pays.
TEST(UseChannelsLast, ReadersSeeTheSameNumbers) {
  const Tensor images = filled({2, 16, 6, 5}, 0), weight = filled({16, 16, 3, 3}, 0.4);
  const Tensors roots = [&] {
    const Tensor y = conv2d(images, weight, Tensor(), {.padding = 1});
    return Tensors{slice(y, 1, 3, 9, 2) * 2.f,
                   slice(y, 2, 1, 5),
                   sum(slice(y, 3, 1, 4), {1, 2}),
                   max(y, {1}, {.keepdim = true}),
                   y + broadcast_to(filled({16, 1, 1}, 0.5), {2, 16, 6, 5}),
                   y * filled({5}, 0.6),
                   transpose(y, 1, 2),
                   reshape(y, {2, -1})};
  }();
  Capture captured = capture(roots);
  const Tensors expected = engine::interpret(captured, false);
  captured.graph = transform::use_channels_last(captured.graph);
  ASSERT_GT(count(captured.graph, "conv2d_channels_last"), 0);
  EXPECT_EQ(verify(captured.graph), "");
  const Tensors got = engine::interpret(captured, false);
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].spec(), expected[i].spec()) << i;
    const std::vector<double> a = got[i].to_vector<double>(), b = expected[i].to_vector<double>();
    for (std::size_t k = 0; k < a.size(); ++k) ASSERT_NEAR(a[k], b[k], 1e-3) << i << ", " << k;
  }
}

TEST(UseChannelsLast, ImagesOfBf16StayBf16) {
  const Network network;
  const Tensor images = filled({2, 3, 8, 8}, 0);
  const Tensors roots = network.gradients(images);
  const Graph g = transform::use_channels_last(transform::use_bf16(transform::simplify(capture(roots).graph)));
  EXPECT_EQ(verify(g), "");
  const auto narrow = [&](std::string_view op) {
    return std::count_if(g.vertices.begin(), g.vertices.end(),
                         [&](const Vertex& v) { return v.op.name() == op && v.specs.front().dtype == DType::bf16; });
  };
  EXPECT_EQ(narrow("conv2d_channels_last"), 2) << print(g);
  EXPECT_EQ(narrow("conv2d_input_gradient_channels_last"), 1) << print(g);  // the other is a result, in f32
  for (const ValueId id : g.results) EXPECT_EQ(g.spec(id).dtype, DType::f32);
}

TEST(UseChannelsLast, AnImageThatOthersReadStaysF32) {
  const Tensor images = filled({2, 16, 8, 8}, 0), weight = filled({16, 16, 3, 3}, 0.4);
  for (const bool is_result : {true, false}) {
    const Tensors roots = [&] {
      const Tensor y = conv2d(images, weight);
      return Tensors{conv2d(y, weight), is_result ? y : exp(y)};
    }();
    const Graph g = transform::use_channels_last(transform::use_bf16(transform::simplify(capture(roots).graph), false));
    EXPECT_EQ(verify(g), "");
    for (const Vertex& v : g.vertices) {
      if (v.op.name() != "conv2d_channels_last") continue;
      EXPECT_EQ(v.specs.front().dtype, DType::f32) << print(g);
    }
  }
}

TEST(UseChannelsLast, PaysWhereFewImagesAreTurned) {
  const Network network;
  const Tensor images = filled({2, 3, 8, 8}, 0);
  const auto pays = [](const Tensors& roots) { return transform::channels_last_pays(capture(roots).graph); };
  EXPECT_TRUE(pays(network.gradients(images)));
  const Tensor maps = filled({2, 16, 8, 8}, 0);
  EXPECT_FALSE(pays({max_pool2d(relu(conv2d(maps, network.weight)), 2)}));
  EXPECT_FALSE(pays({exp(maps)}));
}

TEST(UseChannelsLast, OtherReadersGetTheirOwnOrder) {
  const Tensor images = filled({2, 16, 6, 6}, 0), weight = filled({16, 16, 1, 1}, 0.4);
  // Two pooled readers share one permutation; a sum over examples keeps the order of what it keeps.
  const auto pools = [&] {
    const Tensor y = conv2d(images, weight);
    return Tensors{max_pool2d(y, 2), max_pool2d(y, 3)};
  };
  const Graph pooled = laid_out(pools());
  EXPECT_EQ(verify(pooled), "");
  EXPECT_EQ(count(pooled, "permute"), 2) << print(pooled);
  const auto parts = [&] {
    const Tensor y = conv2d(images, weight);
    return Tensors{sum(y, {0}), sum(y, {2}), sum(y, {0, 2, 3}), sum(slice(y, 1, 3, 5), {1, 2, 3})};
  };
  const Graph folded = laid_out(parts());
  EXPECT_EQ(verify(folded), "");
  EXPECT_EQ(count(folded, "permute"), 2) << print(folded);
  // Without a convolution that gains, nothing changes.
  const Graph grouped =
      transform::simplify(capture(Tensors{conv2d(images, filled({16, 8, 1, 1}, 0), Tensor(), {.groups = 2})}).graph);
  EXPECT_EQ(transform::use_channels_last(grouped), grouped);
}

}  // namespace
}  // namespace gradus
