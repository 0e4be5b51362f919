#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <new>
#include <thread>

#include "gradus/base/error.h"
#include "gradus/engine/anomaly.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/plan.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/engine/profile.h"
#include "gradus/graph/graph.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

TEST(Eval, EvaluatesWhatTheUserHolds) {
  const Tensor x = tensor({1.f, 2.f, 3.f});
  const Tensor held = x * 2.f;
  const Tensor loss = sum(held + 1.f);
  EXPECT_FALSE(held.evaluated());
  EXPECT_EQ(loss.item<float>(), 15);
  EXPECT_TRUE(held.evaluated());
  EXPECT_EQ(held.to_vector<float>(), (std::vector<float>{2, 4, 6}));
}

TEST(Eval, SeveralTensorsAreOnePlan) {
  const Tensor x = tensor({1.f, 2.f, 3.f});
  const Tensor a = exp(x), b = sum(a);
  const std::int64_t before = engine::compile_count();
  eval(a, b);
  EXPECT_EQ(engine::compile_count(), before + 1);
  EXPECT_TRUE(a.evaluated() && b.evaluated());
}

TEST(Eval, TheSameStructureCompilesOnce) {
  const auto step = [](float rate) {
    const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
    return sum(relu(matmul(x, x)) * rate).item<float>();
  };
  const float first = step(1);
  const std::int64_t before = engine::compile_count();
  EXPECT_EQ(step(2), 2 * first);
  EXPECT_EQ(step(-3), -3 * first);
  EXPECT_EQ(engine::compile_count(), before);
}

TEST(Eval, ItemWantsOneElement) {
  try {
    tensor({1.f, 2.f}).item<float>(SourceLocation{"a.cpp", 1});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "shape error in item, called at a.cpp:1: the tensor must have exactly one element\n"
                 "  tensor  f32 [2]   2 elements\n"
                 "  hint: to_vector() gives all elements");
  }
}

TEST(Eval, EmptyTensorsWork) {
  const Tensor none = leaf<float>(Shape{0, 3}, std::span<const float>());
  EXPECT_EQ((relu(none) + 1.f).to_vector<float>().size(), 0u);
  EXPECT_EQ(sum(none).item<float>(), 0);
  EXPECT_EQ(sum(none, 0).to_vector<float>(), (std::vector<float>{0, 0, 0}));
}

TEST(Eval, ResultsThatAreOtherNamesOfOneValue) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor same = reshape(x, {4}), twice = exp(x), again = exp(x), flat = reshape(twice, {4});
  eval(same, twice, again, flat);
  EXPECT_EQ(same.to_vector<float>(), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(twice.to_vector<float>(), again.to_vector<float>());
  EXPECT_EQ(flat.shape(), (Shape{4}));
  EXPECT_EQ(flat.to_vector<float>(), twice.to_vector<float>());
}

TEST(Eval, AFailedRunChangesNothing) {
  Tensor state = exp(tensor({1.f, 2.f, 3.f}));
  eval(state);
  const Tensor copy = tensor(std::initializer_list<float>{1, 2, 3});
  const Tensor index = cast(tensor({5.f}), DType::i64);  // recorded, so nobody can check it beforehand
  const Tensor picked = gather(copy, 0, index);
  const Tensor next = state * sum(picked);
  const auto before = state.to_vector<float>();
  EXPECT_THROW(eval(next, picked), Error);
  EXPECT_FALSE(next.evaluated());
  EXPECT_FALSE(picked.evaluated());
  EXPECT_EQ(state.to_vector<float>(), before);
}

TEST(Eval, OldStateIsDonatedToItsSuccessor) {
  Tensor state = leaf<float>(Shape{1000}, std::vector<float>(1000, 1.f));
  for (int step = 0; step < 3; ++step) {
    const std::byte* memory = state.buffer()->data();
    state = state * 2.f + 1.f;
    eval(state);
    EXPECT_EQ(state.buffer()->data(), memory) << step;
  }
  EXPECT_EQ(state.to_vector<float>()[999], 15);
  // A second holder keeps its elements.
  const Tensor snapshot = state;
  state = state * 2.f + 1.f;
  eval(state);
  EXPECT_EQ(snapshot.to_vector<float>()[0], 15);
  EXPECT_EQ(state.to_vector<float>()[0], 31);
}

TEST(Eval, LiveNodesReturnToTheBaseline) {
  Tensor state = tensor({1.f, 2.f});
  const std::int64_t before = live_nodes();
  for (int step = 0; step < 1000; ++step) {
    const Tensor loss = sum(state * state);
    const Tensor g = grad(loss, {state})[0];
    state = state - g * 0.01f;
    eval(state, loss);
    // `g` is held, so it was evaluated as well.
    ASSERT_EQ(live_nodes(), before);
  }
}

TEST(Eval, AMillionNodesBuildDifferentiateEvaluateAndDie) {
  const std::int64_t before = live_nodes();
  {
    const Tensor x = tensor(0.5f);
    Tensor y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y + x;
    const Tensor slope = grad(y, {x})[0];
    eval(y, slope);
    EXPECT_EQ(y.item<float>(), 0.5f * 1000001);
    EXPECT_EQ(slope.item<float>(), 1000001);
  }
  EXPECT_EQ(live_nodes(), before);
  engine::clear_plan_cache();
}

TEST(Eval, ErrorsOfACachedPlanNameTheLineOfThisCall) {
  const auto pick = [](std::int64_t index, int line) {
    const Tensor x = tensor({1.f, 2.f, 3.f}), i = abs(tensor({index}));  // recorded: checked when it runs
    return gather(TensorArg(x, SourceLocation{"a.cpp", line}), 0, i);
  };
  EXPECT_EQ(pick(2, 10).item<float>(), 3);
  try {
    eval(pick(3, 99));
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("called at a.cpp:99"), std::string::npos) << error.what();
  }
}

TEST(Eval, RemembersTheLineOfTheEvaluation) {
  const Tensor x = tensor(2.f), loss = x * x;
  eval(loss);
  EXPECT_EQ(loss.node()->evaluated_at.str(), "engine_test.cpp:" + std::to_string(__LINE__ - 1));
}

TEST(Eval, ElementsSaturateAsCastDoes) {
  const Tensor x = tensor({300.f, -1.f, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(x.to_vector<std::uint8_t>(), (std::vector<std::uint8_t>{255, 0, 0}));
}

TEST(Eval, TwoThreadsShareLeaves) {
  const Tensor start = leaf<float>(Shape{32, 32}, std::vector<float>(1024, 0.01f));
  const auto train = [&] {
    Tensor w = start;
    for (int step = 0; step < 20; ++step) {
      const Tensor loss = mean(square(tanh(matmul(w, w)) - start));
      w = w - grad(loss, {w})[0] * 0.5f;
      eval(w);
    }
    return w.to_vector<float>();
  };
  const std::vector<float> expected = train();
  std::vector<float> results[2];
  std::thread other([&] { results[0] = train(); });
  results[1] = train();
  other.join();
  EXPECT_EQ(results[0], expected);
  EXPECT_EQ(results[1], expected);
}

TEST(Plan, PassesArePartOfTheKey) {
  const auto compute = [] { return (exp(tensor({1.f, 2.f})) + 1.f).to_vector<float>(); };
  const std::vector<float> fused = compute();
  const std::int64_t before = engine::compile_count();
  engine::set_pass_enabled("fuse", false);
  EXPECT_EQ(compute(), fused);
  engine::set_pass_enabled("fuse", true);
  EXPECT_EQ(engine::compile_count(), before + 1);
}

TEST(Plan, NumbersThatAreNoNumbersAreFoundAgain) {
  const auto padded = [] { return pad(tensor({1.f}), {{1, 0}}, std::nan("")).to_vector<float>(); };
  EXPECT_TRUE(std::isnan(padded()[0]));
  const std::int64_t before = engine::compile_count();
  padded();
  EXPECT_EQ(engine::compile_count(), before);
}

TEST(Shapes, ThatDoNotFitAnywhereAreRefused) {
  EXPECT_THROW(zeros({std::int64_t{1} << 61}, DType::f64), Error);
  EXPECT_THROW(Shape({0x6666666666666667, 5}), Error);
  EXPECT_THROW(eye(std::int64_t{1} << 32), Error);
  EXPECT_THROW(pad(ones({2, 3}), {{std::int64_t{1} << 62, std::int64_t{1} << 62}, {0, 0}}), Error);
  EXPECT_EQ(slice(arange(10), 0, 0, to_end, std::numeric_limits<std::int64_t>::max()).shape(), (Shape{1}));
  EXPECT_THROW(Buffer::allocate(std::numeric_limits<std::size_t>::max() - 8), std::bad_alloc);
}

TEST(Plan, PrintsItsKernelCalls) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor y = relu(matmul(x, x) + 1.f);
  const Graph graph = capture(std::span(&y, 1)).graph;
  const std::string text = engine::make_plan(graph).print();
  EXPECT_NE(text.find("0: matmul ["), std::string::npos) << text;
  EXPECT_NE(text.find("1: region [tiles]"), std::string::npos) << text;
  EXPECT_NE(text.find("1 result buffers"), std::string::npos) << text;
}

TEST(Plan, ReusesArenaMemory) {
  Tensor x = leaf<float>(Shape{64, 64}, std::vector<float>(4096, 0.01f));
  Tensor y = x;
  for (int i = 0; i < 10; ++i) y = matmul(y, x);
  const engine::Plan plan = engine::make_plan(capture(std::span(&y, 1)).graph);
  // Two of the ten products live at a time, besides the scratch of the products themselves.
  EXPECT_LE(plan.arena_bytes, 2 * 64 * 64 * 4 + plan.steps[0].kernel->scratch_bytes() + 64u) << plan.print();
}

TEST(Plan, PassesHaveNames) {
  EXPECT_THROW(engine::set_pass_enabled("no such pass", false), Error);
  EXPECT_TRUE(engine::is_pass_enabled("fuse"));
}

TEST(Interpret, AgreesWithThePlan) {
  const Tensor x = tensor({{1.f, 2.f}, {3.f, 4.f}});
  const Tensor y = softmax(matmul(x, transpose(x, 0, 1)) * 0.1f);
  const Tensors slow = engine::interpret(capture(std::span(&y, 1)), true);
  ASSERT_EQ(slow.size(), 1u);
  const auto expected = slow[0].to_vector<double>(), got = y.to_vector<double>();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6);
}

TEST(Interpret, NamesTheMatrixThatFailed) {
  const Tensor y = linalg::cholesky(stack({eye(2), -eye(2)}));
  try {
    engine::interpret(capture(std::span(&y, 1)), true);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::value);
    EXPECT_NE(std::string(error.what()).find("matrix 1 is not positive definite"), std::string::npos) << error.what();
  }
  EXPECT_THROW(eval(y), Error);
  EXPECT_FALSE(y.evaluated());
}

TEST(Anomaly, NamesWhereANanWasBorn) {
  const Tensor w = tensor({{1.f, 0.f}, {-1.f, 2.f}});
  w.node()->label = intern("head.fc.weight");
  const Tensor scores = matmul(tensor({{1.f, 1.f}}), w);
  const Tensor loss = sum(exp(log(scores - 1.f)));
  const auto anomaly = engine::find_nonfinite(loss);
  ASSERT_TRUE(anomaly);
  EXPECT_EQ(anomaly->op, "log");
  EXPECT_EQ(anomaly->module, "head.fc");
  EXPECT_EQ(anomaly->position, 0);
  EXPECT_FALSE(loss.evaluated());
  EXPECT_FALSE(engine::find_nonfinite(sum(tensor({1.f}))));
  const Tensor bad = tensor({1.f, std::numeric_limits<float>::infinity()});
  EXPECT_EQ(engine::find_nonfinite(exp(bad))->op, "leaf");
}

TEST(Anomaly, SeesWhatTurnsInfiniteInBf16) {
  const auto anomaly = engine::find_nonfinite(cast(tensor({1.f, std::numeric_limits<float>::max()}), DType::bf16));
  ASSERT_TRUE(anomaly);
  EXPECT_EQ(anomaly->op, "cast");
  EXPECT_EQ(anomaly->position, 1);
}

TEST(MemoryPlan, AnIndexThatWasCheckedCannotFailAgain) {
  // The gradient of a look-up comes last, and reads the indexes of the look-up: updates before it still run in place.
  const auto ones_of = [](const Shape& shape) {
    return leaf<float>(shape, std::vector<float>(static_cast<std::size_t>(shape.numel()), 1.f));
  };
  const Tensors updated = [&] {
    const Tensor table = ones_of({6, 4}), weight = ones_of({4, 3});
    const Tensors g = grad(sum(tanh(matmul(take(table, tensor({0, 5})), weight))), {table, weight});
    const Tensor moved = ones_of({6, 4}) * 0.9f + g[0], moved_weight = ones_of({4, 3}) * 0.9f + g[1];
    return Tensors{moved, table - moved * 0.1f, moved_weight, weight - moved_weight * 0.1f};
  }();
  const engine::Plan plan = engine::make_plan(capture(updated).graph);
  int donated = 0;
  for (const engine::ResultBuffer& buffer : plan.result_buffers) donated += buffer.donor >= 0;
  EXPECT_EQ(donated, 3) << plan.print();
}

TEST(Anomaly, NamesTheOperationThatIsDifferentiated) {
  Tensor w = tensor({0.f, 4.f});
  w.node()->label = intern("head.scale");
  w.node()->is_parameter = true;
  const Tensor root = sqrt(TensorArg(w, SourceLocation{"loss.cpp", 7}));
  const Tensor g = grad(sum(root), {w})[0];
  EXPECT_FALSE(engine::find_nonfinite(root));
  const auto anomaly = engine::find_nonfinite(g);
  ASSERT_TRUE(anomaly);
  EXPECT_TRUE(anomaly->backward());
  EXPECT_EQ(anomaly->str(), "div in head (loss.cpp:7), part of the gradient of sqrt, gave inf at element 0 of f32 [2]");
  EXPECT_FALSE(engine::find_nonfinite(g, {.infinities = false}));
}

TEST(Anomaly, ModeChecksEveryEvaluationOfItsScope) {
  const Tensor x = tensor({1.f, -1.f});
  const Tensor y = log(x);
  {
    const engine::AnomalyMode anomalies;
    EXPECT_THROW(eval(y), Error);
    EXPECT_FALSE(y.evaluated());
    const engine::AnomalyMode inner({.infinities = false});
    EXPECT_NO_THROW(eval(log(tensor({0.f}))));
  }
  EXPECT_NO_THROW(eval(y));
}

TEST(Profile, CountsCallsAndArithmetic) {
  const Tensor a = leaf<float>(Shape{8, 16}, std::vector<float>(128, 1.f));
  const Tensor b = leaf<float>(Shape{16, 4}, std::vector<float>(64, 1.f));
  engine::start_profile();
  eval(matmul(a, b));
  const engine::Profile profile = engine::stop_profile();
  ASSERT_EQ(profile.by_operation.size(), 1u);
  EXPECT_EQ(profile.by_operation[0].calls, 1);
  EXPECT_EQ(profile.by_operation[0].flops, 2.0 * 8 * 16 * 4);
  EXPECT_EQ(profile.by_operation[0].bytes, 4.0 * (8 * 16 + 16 * 4 + 8 * 4));
  EXPECT_NE(profile.str().find("matmul"), std::string::npos);
}

TEST(Profile, ListsWhatGoesFromRegionToRegionThroughMemory) {
  const Tensor x = leaf<float>(Shape{8, 256}, std::vector<float>(8 * 256, 0.5f));
  const auto profile_of = [](const Tensor& y) {
    engine::start_profile();
    eval(y);
    return engine::stop_profile();
  };
  // The exponentials are needed for their sum and again behind it: they are stored.
  const auto softmax_by_hand = [&] {
    const Tensor e = exp(x);
    return e / sum(e, 1, {.keepdim = true});
  };
  const engine::Profile missed = profile_of(softmax_by_hand());
  ASSERT_EQ(missed.missed_fusions.size(), 1u) << missed.str();
  EXPECT_EQ(missed.missed_fusions[0].bytes, 4.0 * 8 * 256);
  EXPECT_EQ(missed.missed_fusions[0].calls, 1);
  EXPECT_NE(missed.str().find("1 values went from region to region through memory, 0.0 MB"), std::string::npos);
  EXPECT_NE(missed.missed_fusions[0].name.find("region_reduce exp [tiles] -> region div"), std::string::npos)
      << missed.missed_fusions[0].name;
  // Centred values are computed twice instead; what a product reads has to be in memory.
  EXPECT_TRUE(profile_of([&] { return square(x - mean(x, 1, {.keepdim = true})); }()).missed_fusions.empty());
  const Tensor weight = leaf<float>(Shape{256, 4}, std::vector<float>(1024, 0.5f));
  EXPECT_TRUE(profile_of(matmul(exp(x), weight)).missed_fusions.empty());
}

TEST(Profile, TraceHoldsEveryCall) {
  const Tensor a = leaf<float>(Shape{8, 16}, std::vector<float>(128, 1.f));
  const Tensor b = leaf<float>(Shape{16, 4}, std::vector<float>(64, 1.f));
  const auto step = [&] { eval(matmul(a, b)); };
  engine::start_trace();
  EXPECT_TRUE(engine::is_profiling());
  step();
  step();
  const nlohmann::json trace = nlohmann::json::parse(engine::stop_trace());
  EXPECT_FALSE(engine::is_profiling());
  ASSERT_EQ(trace["traceEvents"].size(), 2u);
  const nlohmann::json &first = trace["traceEvents"][0], &second = trace["traceEvents"][1];
  EXPECT_TRUE(first["name"].get<std::string>().starts_with("matmul [")) << first;
  EXPECT_EQ(first["ph"], "X");
  EXPECT_EQ(first["args"]["flops"], 2 * 8 * 16 * 4);
  EXPECT_EQ(first["args"]["bytes"], 4 * (8 * 16 + 16 * 4 + 8 * 4));
  EXPECT_GE(second["ts"].get<double>(), first["ts"].get<double>() + first["dur"].get<double>() - 0.01);
  EXPECT_EQ(first["tid"], second["tid"]);
  engine::start_trace(1);
  step();
  step();
  const nlohmann::json cut = nlohmann::json::parse(engine::stop_trace());
  ASSERT_EQ(cut["traceEvents"].size(), 2u);
  EXPECT_EQ(cut["traceEvents"][1]["name"], "1 later calls were left out");
}

}  // namespace
}  // namespace gradus
