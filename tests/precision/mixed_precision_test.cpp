// Mixed precision from the recording to the numbers: bounds that follow from the 8 bits of bf16, PyTorch's values, what stays
// f32, and what a machine without bf16 does.
#include "tests/golden.h"

#include "gradus/engine/plan.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/kernel/kernel.h"
#include "gradus/kernel/onednn/bf16.h"

namespace gradus {
namespace {

using namespace testing;

/// bf16 on every machine.
constexpr precision::ScopeOptions anywhere{.always = true};

using Bilinear = std::function<Tensor(const Tensor& x, const Tensor& weight)>;

/// Result, and gradients of sum(result * r) by x and weight.
std::vector<std::vector<float>> all_of(const Bilinear& f, const Tensor& x, const Tensor& weight, const Tensor& r,
                                       Precision precision) {
  const precision::Scope scope(precision, anywhere);
  const Tensor y = f(x, weight);
  const Tensors gradients = grad(sum(y * r), {x, weight});
  eval(y, gradients[0], gradients[1]);
  return {y.to_vector<float>(), gradients[0].to_vector<float>(), gradients[1].to_vector<float>()};
}

/// Each operand is rounded to 8 bits, by a relative 2^-8 at most: the sum of products is off by 2^-7 of the sum of their
/// absolute values, which the same function of absolute values gives.
void expect_within_8_bits(const std::string& name, const Bilinear& f, const Shape& x_shape, const Shape& w_shape) {
  SCOPED_TRACE(name);
  const Tensor x = normal(x_shape, {}, Key{1}), weight = normal(w_shape, {}, Key{2});
  const Tensor r = normal(f(x, weight).shape(), {}, Key{3});
  const Tensor ax = abs(x), aw = abs(weight), ar = abs(r);
  eval(x, weight, r, ax, aw, ar);
  const auto wide = all_of(f, x, weight, r, precision::f32), narrow = all_of(f, x, weight, r, precision::bf16);
  const auto limit = all_of(f, ax, aw, ar, precision::f32);
  for (std::size_t k = 0; k < 3; ++k) {
    float worst = 0;
    for (std::size_t i = 0; i < wide[k].size(); ++i) {
      worst = std::max(worst, std::abs(narrow[k][i] - wide[k][i]) / std::max(limit[k][i], 1e-20f));
    }
    EXPECT_LE(worst, 1.01 / 128) << k;
    EXPECT_GT(worst, 1e-5) << k << ": not rounded at all";
  }
}

TEST(Precision, ErrorsAreThoseOf8Bits) {
  expect_within_8_bits("matmul", [](auto& x, auto& w) { return matmul(x, w); }, {32, 40}, {40, 48});
  expect_within_8_bits("linear", [](auto& x, auto& w) { return linear(x, w); }, {2, 20, 64}, {32, 64});
  expect_within_8_bits("stacks", [](auto& x, auto& w) { return matmul(x, transpose(w, 1, 2)); }, {3, 32, 32},
                       {3, 48, 32});
  expect_within_8_bits("conv1d", [](auto& x, auto& w) { return conv1d(x, w, Tensor(), {.stride = 2}); }, {2, 16, 65},
                       {32, 16, 3});
  expect_within_8_bits("conv2d", [](auto& x, auto& w) { return conv2d(x, w, Tensor(), {.padding = 1, .groups = 2}); },
                       {2, 16, 9, 9}, {16, 8, 3, 3});
  expect_within_8_bits("conv3d", [](auto& x, auto& w) { return conv3d(x, w); }, {2, 8, 5, 5, 5}, {8, 8, 3, 3, 3});
  expect_within_8_bits("conv_transpose2d",
                       [](auto& x, auto& w) { return conv_transpose2d(x, w, Tensor(), {.stride = 2}); }, {2, 16, 6, 6},
                       {16, 8, 3, 3});
}

// Both sides round the operands alike and sum in f32; PyTorch rounds results to bf16 besides, by a relative 2^-8 at most.
TEST(Precision, IsPyTorchsAutocast) {
  const GoldenFile file = golden("precision");
  const std::pair<const char*, Bilinear> cases[] = {
      {"linear.", [](auto& x, auto& w) { return linear(x, w); }},
      {"conv2d.", [](auto& x, auto& w) { return conv2d(x, w, Tensor(), {.padding = 1}); }}};
  for (const auto& [name, function] : cases) {
    const std::string prefix = name;
    const auto ours = all_of(function, file.at(prefix + "x0"), file.at(prefix + "x1"), file.at(prefix + "cotangent"),
                             precision::bf16);
    const char* theirs[] = {"y", "grad.x0", "grad.x1"};
    for (std::size_t k = 0; k < 3; ++k) {
      const std::vector<float> expected = file.at(prefix + theirs[k]).to_vector<float>();
      ASSERT_EQ(ours[k].size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_NEAR(ours[k][i], expected[i], std::abs(expected[i]) / 256 + 1e-5) << prefix << theirs[k] << " " << i;
      }
    }
  }
}

TEST(Precision, ResultsWithoutAScopeStayBitForBit) {
  const Tensor x = normal({32, 64}, {}, Key{1}), w = normal({64, 64}, {}, Key{2});
  eval(x, w);
  const auto product = [&] { return matmul(tanh(matmul(x, w)), w).to_vector<float>(); };
  const std::vector<float> before = product();
  const std::int64_t plans = engine::compile_count();
  {
    const precision::Scope scope(precision::bf16, anywhere);
    EXPECT_NE(product(), before);
    {
      const precision::Scope inner(precision::f32);
      EXPECT_EQ(precision::current(), Precision::f32);
      EXPECT_EQ(product(), before);
    }
    EXPECT_EQ(precision::current(), Precision::bf16);
    engine::set_pass_enabled("bf16", false);
    EXPECT_EQ(product(), before);
    engine::set_pass_enabled("bf16", true);
    EXPECT_NE(product(), before);
  }
  EXPECT_EQ(product(), before);
  EXPECT_EQ(engine::compile_count(), plans + 1);  // one plan for each precision, kept side by side
}

struct Net {
  nn::Conv2d conv{4, 8, 3, {.padding = 1}};
  nn::Linear hidden{8 * 4 * 4, 64}, out{64, 10};

  Tensor operator()(const Tensor& x) { return out(relu(hidden(flatten(max_pool2d(relu(conv(x)), 2), 1)))); }
};

std::vector<double> losses_of(Net& model, Precision precision) {
  const precision::Scope scope(precision, anywhere);
  optim::AdamW optimizer(model, {.lr = 3e-3});
  const Tensor x = normal({32, 4, 8, 8}, {}, Key{5});
  const Tensor labels = argmax(slice(reshape(x, {32, 256}), 1, 0, 10), 1);
  eval(x, labels);
  std::vector<double> losses;
  for (int step = 0; step < 40; ++step) {
    const Tensor loss = cross_entropy(model(x), labels);
    optimizer.minimize(loss);
    losses.push_back(loss.item<double>());
  }
  return losses;
}

TEST(Precision, TrainsAsF32Does) {
  manual_seed(1);
  const Net start;
  Net wide = start, narrow = start, again = start;
  const std::vector<double> expected = losses_of(wide, precision::f32), losses = losses_of(narrow, precision::bf16);
  EXPECT_LT(expected.back(), 0.3 * expected.front());
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected[i], 0.02 * expected[0]) << i;
  EXPECT_NE(losses, expected);
  const std::int64_t plans = engine::compile_count();
  EXPECT_EQ(losses_of(again, precision::bf16), losses);  // bit for bit
  EXPECT_EQ(engine::compile_count(), plans);
  for (const auto& [name, tensor] : nn::state_dict(narrow)) EXPECT_EQ(tensor.dtype(), DType::f32) << name;
}

TEST(Precision, CheckpointsAndHigherDerivativesFollow) {
  const Tensor x = normal({32, 32}, {}, Key{1}), w = normal({32, 32}, {}, Key{2});
  eval(x, w);
  const auto f = [](const Tensor& in, const Tensor& weight) { return tanh(matmul(tanh(matmul(in, weight)), weight)); };
  const auto slope = [&](bool kept) {
    const precision::Scope scope(precision::bf16, anywhere);
    const Tensor y = kept ? f(x, w) : checkpoint(f, x, w);
    return grad(sum(y), {w})[0].to_vector<float>();
  };
  EXPECT_EQ(slope(true), slope(false));
  const auto curvature = [&](Precision precision) {
    const precision::Scope scope(precision, anywhere);
    return grad(sum(square(grad(sum(f(x, w * 0.1f)), {w})[0])), {w})[0].to_vector<double>();
  };
  EXPECT_LE(relative_error(curvature(precision::bf16), curvature(precision::f32)), 0.05);
}

TEST(Precision, SaysOnceThatItRunsAsF32) {
  const Tensor x = normal({32, 64}, {}, Key{1});
  eval(x);
  const auto product = [&] { return matmul(x, transpose(x, 0, 1)).to_vector<float>(); };
  const std::vector<float> expected = product();
  kernel::set_enabled("bf16", false);
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) {
    const precision::Scope scope(precision::bf16);
    EXPECT_EQ(precision::current(), Precision::f32);
    EXPECT_EQ(product(), expected);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "gradus: precision bf16 runs as f32: kernels \"bf16\" are switched off\n");
  kernel::set_enabled("bf16", true);
  std::string reason;
  const bool pays = kernel::bf16_pays(reason);
  EXPECT_EQ(reason, pays ? "" : "this CPU multiplies it no faster");
  ::testing::internal::CaptureStderr();
  const precision::Scope scope(precision::bf16);
  EXPECT_EQ(precision::current(), pays ? Precision::bf16 : Precision::f32);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            pays ? "" : "gradus: precision bf16 runs as f32: " + reason + "\n");
}

}  // namespace
}  // namespace gradus
