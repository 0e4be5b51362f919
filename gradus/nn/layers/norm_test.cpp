// Batch normalisation's state: evaluated with the step, without another compilation, and a constant for gradients.
#include "gradus/nn/layers/norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "gradus/engine/eval.h"
#include "gradus/engine/gradcheck.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/nn/functional/norm.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"

namespace gradus::nn {
namespace {

struct Net {
  Linear fc{3, 4};
  BatchNorm1d norm{4};
  Tensor operator()(const Tensor& x) { return norm(fc(x)); }
};

Tensor batch(std::uint64_t seed) { return init::normal({8, 3}, 0.5, 2, Key{seed}); }

TEST(BatchNorm, OneStepEvaluatesTheStateWithoutCompilingAgain) {
  manual_seed(1);
  Net net;
  optim::SGD optimizer(net, {.lr = 0.1});
  const std::int64_t live = live_nodes();
  std::int64_t compiled = 0;
  for (int step = 1; step <= 5; ++step) {
    const Tensor loss = mean(square(net(batch(static_cast<std::uint64_t>(step))) - 1.f));
    optimizer.minimize(loss);
    visit(net, [&](const std::string& path, const auto& field) { EXPECT_TRUE(field.tensor().evaluated()) << path; });
    EXPECT_EQ(net.norm.num_batches_tracked.tensor().data<std::int64_t>()[0], step);
    if (step == 2) compiled = engine::compile_count();
  }
  EXPECT_EQ(engine::compile_count(), compiled);
  EXPECT_EQ(live_nodes(), live);
}

TEST(BatchNorm, AnyEvaluationOfTheAnswerEvaluatesTheState) {
  Net net;
  const Tensor y = net(batch(1));
  EXPECT_FALSE(net.norm.running_mean.tensor().evaluated());
  y.to_vector<float>();
  EXPECT_TRUE(net.norm.running_mean.tensor().evaluated());
  EXPECT_TRUE(net.norm.num_batches_tracked.tensor().evaluated());
}

TEST(BatchNorm, StateIsAConstantForGradients) {
  Net net;
  net(batch(1)).to_vector<float>();
  eval_mode(net);
  const Net g = gradients(mean(square(net(batch(2)))), net);  // the state came from parameters, and is no error
  EXPECT_TRUE(g.fc.weight.defined());
  EXPECT_FALSE(g.norm.running_mean.defined());
}

TEST(BatchNorm, NormalisesAndTracks) {
  BatchNorm2d norm(2, {.momentum = std::nullopt});
  const Tensor first = init::normal({3, 2, 4, 5}, 1, 3, Key{1}), second = init::normal({3, 2, 4, 5}, -1, 2, Key{2});
  const Tensor y = norm(first);
  const ChannelStatistics of_y = channel_statistics(y);
  for (const double m : of_y.mean.to_vector<double>()) EXPECT_NEAR(m, 0, 1e-6);
  for (const double v : of_y.var.to_vector<double>()) EXPECT_NEAR(v, 1, 1e-4);
  norm(second).to_vector<float>();
  const ChannelStatistics a = channel_statistics(first), b = channel_statistics(second);
  const std::vector<double> expected = ((a.mean + b.mean) * 0.5).to_vector<double>();
  const std::vector<double> variance = ((a.var + b.var) * (0.5 * 60 / 59)).to_vector<double>();
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(norm.running_mean.tensor().to_vector<double>()[c], expected[c], 1e-5);
    EXPECT_NEAR(norm.running_var.tensor().to_vector<double>()[c], variance[c], 1e-4);
  }
}

TEST(BatchNorm, EvaluationModeLeavesTheStateAlone) {
  BatchNorm1d norm(3);
  EXPECT_EQ(eval_mode(norm), 1);
  const Tensor before = norm.running_mean.tensor();
  norm(init::normal({4, 3})).to_vector<float>();
  EXPECT_EQ(norm.running_mean.tensor(), before);
  EXPECT_EQ(norm(init::constant({1, 3}, 2)).shape(), (Shape{1, 3}));  // a single example is fine here
}

TEST(BatchNorm, StateDictNamesAreTorchs) {
  Net net;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : state_dict(net)) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"fc.weight", "fc.bias", "norm.weight", "norm.bias", "norm.running_mean",
                                             "norm.running_var", "norm.num_batches_tracked"}));
  EXPECT_EQ(num_parameters(net), 16 + 8);
  const Net copy = net;  // independent: tensors are immutable
  net(batch(1)).to_vector<float>();
  EXPECT_EQ(copy.norm.running_mean.tensor().to_vector<float>(), std::vector<float>(4, 0.f));
}

// Gradients of their own, which hold for what is differentiated again.
TEST(Norms, FirstAndSecondGradients) {
  const auto leaf = [](const Shape& shape, std::uint64_t seed) {
    const Tensor x = cast(init::normal(shape, 0.5, 1, Key{seed}), DType::f64);
    eval(x);
    return x;
  };
  const Tensor x = leaf({3, 2, 2, 2}, 1), weight = leaf({2}, 2), bias = leaf({2}, 3);
  const auto affine = [](const Tensors& in) { return batch_norm(in[0], Tensor(), Tensor(), in[1], in[2]); };
  const auto plain = [](const Tensors& in) { return batch_norm(in[0], Tensor(), Tensor()); };
  const auto scaled = [](const Tensors& in) { return batch_norm(in[0], Tensor(), Tensor(), in[1]); };
  const auto shifted = [](const Tensors& in) { return batch_norm(in[0], Tensor(), Tensor(), Tensor(), in[1]); };
  const auto layer = [](const Tensors& in) { return layer_norm(in[0], {2, 2}); };
  using Function = std::function<Tensor(const Tensors&)>;
  for (const auto& [f, inputs] : {std::pair<Function, Tensors>{affine, {x, weight, bias}},
                                  {plain, {x}},
                                  {scaled, {x, weight}},
                                  {shifted, {x, bias}},
                                  {layer, {x}}}) {
    EXPECT_NO_THROW(gradcheck(f, inputs));
    EXPECT_NO_THROW(gradgradcheck(f, inputs));
  }
}

TEST(Norms, Bf16IsComputedInF32) {
  const Tensor x = init::normal({4, 64}, 100, 1, Key{3});
  const Tensor narrow = layer_norm(cast(x, DType::bf16), {64});
  EXPECT_EQ(narrow.dtype(), DType::bf16);
  const std::vector<double> expected = layer_norm(cast(cast(x, DType::bf16), DType::f32), {64}).to_vector<double>();
  const std::vector<double> actual = narrow.to_vector<double>();
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 0.01 * std::abs(expected[i]) + 1e-6);
}

}  // namespace
}  // namespace gradus::nn
