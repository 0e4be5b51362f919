#include "gradus/transform/recompute.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/memory_limit.h"
#include "gradus/engine/plan.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/graph.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/schedule.h"

namespace gradus {
namespace {

/// A network whose activations are kept for the gradient: 16 layers of 64 x 64, 16 kB each.
Tensors gradient_of_a_deep_network() {
  Tensor x = full({64, 64}, 0.01f);
  Tensor weight = full({64, 64}, 0.02f);
  eval(x, weight);
  Tensor y = x;
  for (int layer = 0; layer < 16; ++layer) y = tanh(matmul(y, weight)) + 0.1f;
  return {sum(y), grad(sum(y), {weight})[0]};
}

Graph scheduled() {
  const Tensors roots = gradient_of_a_deep_network();
  return transform::schedule(capture(roots).graph);
}

TEST(Recompute, NothingChangesWhereEverythingFits) {
  const Graph graph = scheduled();
  const transform::Recomputed same = transform::recompute(graph, std::size_t{1} << 40);
  EXPECT_EQ(same.again, 0);
  EXPECT_TRUE(same.graph == graph);
  EXPECT_GT(same.peak, 16u * 16384);
}

TEST(Recompute, ComputesAgainWhatDoesNotFit) {
  const Graph graph = scheduled();
  const std::size_t all = transform::recompute(graph, std::size_t{1} << 40).peak;
  std::size_t before = graph.vertices.size();
  for (const double share : {0.8, 0.7, 0.6}) {
    const auto limit = static_cast<std::size_t>(share * static_cast<double>(all));
    const transform::Recomputed smaller = transform::recompute(graph, limit);
    EXPECT_LE(smaller.peak, limit) << share;
    EXPECT_GT(smaller.graph.vertices.size(), before);
    EXPECT_EQ(verify(smaller.graph), "");
    before = smaller.graph.vertices.size();
  }
}

TEST(Recompute, SaysTheLeastThatIsPossible) {
  const transform::Recomputed least = transform::recompute(scheduled(), 1);
  EXPECT_GT(least.peak, 2u * 16384);
  EXPECT_EQ(verify(least.graph), "");
}

/// Values of an operation with two results, of which one is read late as it is and the other one under another shape.
TEST(Recompute, KeepsApartWhatAnOperationGives) {
  const Tensor x = normal({64, 64}, {}, Key{1}), wide = normal({128, 8}, {}, Key{2});
  eval(x, wide);
  const Tensors roots = [&] {
    const auto [values, order] = sort(matmul(x, x), 1);
    Tensor y = values + cast(order, DType::f32), layers = y;
    for (int i = 0; i < 8; ++i) {
      y = matmul(sin(y), x);
      layers = matmul(layers, y) * 0.01f;
    }
    return Tensors{sum(gather(layers, 1, order)), matmul(reshape(values, {32, 128}) + sum(layers), wide)};
  }();
  Capture captured = capture(roots);
  const Graph graph = transform::schedule(captured.graph);
  captured.graph = graph;
  const Tensors expected = engine::interpret(captured, false);
  const std::size_t all = transform::recompute(graph, std::size_t{1} << 40).peak;
  int again = 0;
  for (const double share : {0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4}) {
    const transform::Recomputed smaller =
        transform::recompute(graph, static_cast<std::size_t>(share * static_cast<double>(all)));
    ASSERT_EQ(verify(smaller.graph), "");
    again += smaller.again;
    captured.graph = smaller.graph;
    const Tensors got = engine::interpret(captured, false);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].to_vector<float>(), expected[i].to_vector<float>());
  }
  EXPECT_GT(again, 0);
}

/// What lies idle is the end of a long chain of which nothing else is alive: too much to compute again, and to recurse into.
TEST(Recompute, GivesUpWhatALongChainMakes) {
  const Tensor x = full({4}, 0.5f);
  eval(x);
  Tensor idle = x;
  for (int i = 0; i < 300'000; ++i) idle = tanh(idle);
  const Tensor wide = exp(broadcast_to(reshape(x, {1, 4}), {64, 4})), y = sum(wide) + idle;
  const Graph graph = capture({&y, 1}).graph;
  const transform::Recomputed least = transform::recompute(graph, 1);
  EXPECT_EQ(least.again, 0);
  EXPECT_TRUE(least.graph == graph);
}

TEST(MemoryLimit, GivesTheSameBitsInLessMemory) {
  const Tensors kept = gradient_of_a_deep_network(), limited = gradient_of_a_deep_network();
  eval(std::span<const Tensor>(kept));
  const auto plan_bytes = [](const Tensors& roots) { return engine::find_plan(LiveGraph(roots))->plan.bytes(); };
  const Tensors measured = gradient_of_a_deep_network();
  const std::size_t free = plan_bytes(measured);
  const memory::Limit limit(free * 7 / 10);
  const auto cached = engine::find_plan(LiveGraph(measured));
  EXPECT_LE(cached->plan.bytes(), memory::limit());
  EXPECT_GT(cached->plan.again, 0);
  EXPECT_NE(cached->plan.print().find("computed again to save memory"), std::string::npos);
  eval(std::span<const Tensor>(limited));
  EXPECT_EQ(kept[0].item<float>(), limited[0].item<float>());
  EXPECT_EQ(kept[1].to_vector<float>(), limited[1].to_vector<float>());
  {
    const memory::Limit none(0);  // the innermost counts
    EXPECT_EQ(plan_bytes(measured), free);
  }
}

TEST(MemoryLimit, RefusesWhatCannotFit) {
  const Tensors roots = gradient_of_a_deep_network();
  const memory::Limit limit(40'000);  // less than the weight, the input and one activation
  try {
    eval(std::span<const Tensor>(roots));
    FAIL() << "evaluated within 40 kB";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::state);
    EXPECT_NE(std::string(error.what()).find("the limit is 0.0 MB"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("train.accumulate"), std::string::npos);
  }
  const memory::Limit none(0);
  eval(std::span<const Tensor>(roots));  // nothing is lost
  EXPECT_GT(roots[0].item<float>(), 0);
}

}  // namespace
}  // namespace gradus
