// The tiles of attention and the LSTM against the reference, over sizes around their blocks.
#include <hwy/targets.h>

#include <algorithm>

#include "gradus/kernel/conformance_test.h"
#include "gradus/kernel/elementwise/simd.h"
#include "gradus/kernel/sequence/narrow.h"
#include "gradus/ops/attention/operation.h"
#include "gradus/ops/recurrent/lstm.h"

namespace gradus::kernel {
namespace {

using namespace testing;

TensorSpec f32(const Shape& shape) { return {DType::f32, shape}; }

/// q, k, v and a mask of the given axes (none when its rank is 0).
std::vector<Array> attention_inputs(const Shape& q, const Shape& k, const Shape& v, const Shape& mask) {
  std::vector<Array> inputs;
  for (const Shape& shape : {q, k, v}) inputs.push_back(random_array(f32(shape), 7 + inputs.size()));
  if (mask.rank() > 0) {
    inputs.push_back(random_array(f32(mask), 11));
    float* scores = inputs.back().data<float>();
    for (std::int64_t i = 0; i < mask.numel(); ++i) {
      if (i % 3 == 1) scores[i] = -std::numeric_limits<float>::infinity();
    }
  }
  return inputs;
}

struct AttentionCase {
  std::int64_t examples, heads, queries, keys, width, value_width;
  Shape mask;
};

void compare_attention(const AttentionCase& c, bool causal, bool time_first, bool narrow = false) {
  const auto shape = [&](std::int64_t length, std::int64_t width) {
    return time_first ? Shape{c.examples, length, c.heads, width} : Shape{c.examples, c.heads, length, width};
  };
  const std::vector<Array> inputs =
      attention_inputs(shape(c.queries, c.width), shape(c.keys, c.width), shape(c.keys, c.value_width), c.mask);
  const double scale = narrow ? 0.5 : 1.5, tolerance = narrow ? 0.06 : 1e-5;
  const Op op = Attention{scale, causal, time_first, narrow};
  EXPECT_EQ(compare_all(op, inputs, tolerance), 1);
  std::vector<Array> backward(inputs.begin(), inputs.begin() + 3);
  for (Array& output : run_reference(op, inputs)) backward.push_back(output);
  backward.push_back(random_array(backward[3].spec, 13));
  if (c.mask.rank() > 0) backward.push_back(inputs[3]);
  EXPECT_EQ(compare_all(AttentionGradient{scale, causal, time_first, narrow}, backward, 2 * tolerance), 1);
}

TEST(SequenceTiles, AttentionAgreesWithTheReference) {
  const AttentionCase cases[] = {
      {1, 1, 1, 1, 1, 1, {}},
      {2, 3, 5, 7, 4, 3, {}},
      {1, 2, 48, 64, 16, 64, {}},
      {1, 2, 49, 65, 17, 65, {}},
      {2, 1, 100, 300, 8, 5, {}},
      {1, 1, 3, 600, 33, 20, {}},
      {2, 2, 20, 30, 8, 8, {2, 1, 1, 30}},
      {1, 3, 20, 300, 4, 4, {1, 3, 20, 1}},
      {2, 2, 9, 270, 4, 4, {2, 2, 9, 270}},
      {1, 1, 4, 3, 2, 2, {1, 1, 4, 1}},
  };
  for (const AttentionCase& c : cases) {
    for (const bool causal : {false, true}) {
      for (const bool time_first : {false, true}) compare_attention(c, causal, time_first);
    }
  }
}

TEST(SequenceTiles, AttentionTakesAnyScores) {
  // Scores that overflow an exponential, and NaN, which reaches exactly the rows that see it.
  std::vector<Array> inputs = attention_inputs({1, 1, 40, 4}, {1, 1, 300, 4}, {1, 1, 300, 4}, {});
  for (std::int64_t i = 0; i < 40 * 4; ++i) inputs[0].data<float>()[i] *= 200;
  compare_all(Attention{1, true, false}, inputs, 1e-4);
  inputs[1].data<float>()[30 * 4] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Array> y = run(implementations("attention").front(), Attention{1, true, false}, inputs);
  for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(y[0].at(i * 4)), i >= 30) << i;
}

TEST(SequenceTiles, ClosedKeysOfACacheAreNotRead) {
  for (const std::int64_t open : {0, 1, 17, 40}) {
    std::vector<Array> inputs = attention_inputs({2, 3, 1, 20}, {2, 3, 40, 20}, {2, 3, 40, 20}, {1, 1, 1, 40});
    for (std::int64_t j = 0; j < 40; ++j) {
      if (j >= open) inputs[3].data<float>()[j] = -std::numeric_limits<float>::infinity();
    }
    inputs[3].data<float>()[3] = open > 3 ? -std::numeric_limits<float>::infinity() : inputs[3].data<float>()[3];
    compare_all(Attention{0.3, false, false}, inputs, 1e-5);
    const std::vector<Array> expected = run_reference(Attention{0.3, false, false}, inputs);
    for (std::int64_t i = 0; i < inputs[1].spec.shape.numel(); ++i) {  // what is not filled may hold anything
      if (i / 20 % 40 >= open) inputs[1].data<float>()[i] = inputs[2].data<float>()[i] = NAN;
    }
    const std::vector<Array> y = run(implementations("attention").front(), Attention{0.3, false, false}, inputs);
    for (std::int64_t i = 0; i < 2 * 3 * 20; ++i) EXPECT_NEAR(y[0].at(i), expected[0].at(i), 1e-5) << open << " " << i;
  }
}

void compare_lstm(std::int64_t steps, std::int64_t batch, std::int64_t width, bool reverse, bool narrow = false) {
  std::vector<Array> inputs{random_array(f32({steps, batch, 4 * width}), 1), random_array(f32({4 * width, width}), 2),
                            random_array(f32({batch, width}), 3), random_array(f32({batch, width}), 4)};
  const double tolerance = narrow ? 0.06 : 1e-5;
  const Op op = Lstm{reverse, narrow};
  EXPECT_EQ(compare_all(op, inputs, tolerance), 1);
  const std::vector<Array> states = run_reference(op, inputs);
  inputs.push_back(states[1]);
  inputs.push_back(states[2]);
  inputs.push_back(random_array(states[0].spec, 5));
  EXPECT_EQ(compare_all(LstmGradient{reverse, narrow}, inputs, 2 * tolerance), 1);
  inputs.push_back(random_array(states[0].spec, 6));
  EXPECT_EQ(compare_all(LstmGradient{reverse, narrow}, inputs, 2 * tolerance), 1);
}

TEST(SequenceTiles, LstmAgreesWithTheReference) {
  const std::int64_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {4, 7, 16}, {2, 13, 17}, {5, 9, 70}, {2, 7, 150}};
  for (const auto& [steps, batch, width] : sizes) {
    for (const bool reverse : {false, true}) compare_lstm(steps, batch, width, reverse);
  }
}

// Products of bf16 inside, against f64 without any rounding: errors of 2^-9 in each operand.
TEST(SequenceTiles, NarrowProductsAreCloseToTheReference) {
  const AttentionCase cases[] = {
      {1, 1, 16, 16, 32, 32, {}},           {1, 2, 64, 64, 64, 64, {}},  {2, 2, 100, 300, 8, 5, {}},
      {1, 1, 130, 33, 40, 70, {}},          {1, 1, 70, 600, 33, 20, {}}, {2, 2, 20, 30, 8, 8, {2, 1, 1, 30}},
      {1, 3, 20, 300, 4, 4, {1, 3, 20, 1}},
  };
  for (const AttentionCase& c : cases) {
    for (const bool causal : {false, true}) {
      for (const bool time_first : {false, true}) compare_attention(c, causal, time_first, true);
    }
  }
  const std::int64_t sizes[][3] = {{1, 1, 1}, {4, 7, 16}, {3, 16, 32}, {5, 33, 70}, {2, 20, 150}};
  for (const auto& [steps, batch, width] : sizes) {
    for (const bool reverse : {false, true}) compare_lstm(steps, batch, width, reverse, true);
  }
}

TEST(SequenceTiles, TheTilesOfBeforeComeBack) {
  if (!narrow::available()) GTEST_SKIP() << "this CPU multiplies bf16 no faster than f32";
  std::vector<float> ones(32 * 32, 1.f), product(16 * 32);
  std::vector<std::uint16_t> left(narrow::left_size(16, 32)), right(narrow::right_size(32, 32));
  narrow::pack_left(ones.data(), 32, 16, 32, left.data());
  narrow::pack_right(ones.data(), 32, 32, 32, right.data());
  const narrow::Tiles outer;
  { const narrow::Tiles inner; }
  narrow::multiply(1, 1, 1, {left.data(), 32}, {right.data(), 32 * 32}, product.data(), 32, false);
  EXPECT_EQ(product, std::vector<float>(16 * 32, 32.f));
}

TEST(SequenceTiles, EveryTargetAgreesWithTheReference) {
  const std::vector<std::string> names = simd_targets();
  for (const std::int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SSE4, HWY_NEON}) {
    if (std::find(names.begin(), names.end(), hwy::TargetName(target)) == names.end()) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    compare_lstm(3, 7, 37, false);
    compare_attention({1, 2, 50, 70, 17, 9, {}}, true, true);
    compare_attention({1, 2, 2, 70, 17, 9, {}}, false, false);
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace gradus::kernel
