// Replayed steps against recorded ones, bit for bit, and what cannot be replayed.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/nn/parameter.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adam.h"
#include "gradus/optim/sgd.h"
#include "gradus/optim/wrappers/compiled_step.h"

namespace gradus::optim {
namespace {

struct Net {
  nn::Parameter hidden, bias, out;
  static constexpr int field_count = 3;

  Net() {
    std::vector<float> w(16), b(8, 0.1f), v(8);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.1f * static_cast<float>(static_cast<int>(i * 7 % 13) - 6);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.2f * static_cast<float>(static_cast<int>(i * 5 % 7) - 3);
    hidden = leaf<float>({8, 2}, w);
    bias = leaf<float>({8}, b);
    out = leaf<float>({1, 8}, v);
  }
  Tensor operator()(const Tensor& x) { return linear(tanh(linear(x, hidden, bias)), out); }
};

Tensors batch(int step, std::int64_t rows = 4) {
  std::vector<float> x, y;
  for (std::int64_t i = 0; i < 2 * rows; ++i) {
    x.push_back(0.1f * static_cast<float>((static_cast<int>(i) * 3 + step * 5) % 17 - 8));
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows); ++i) y.push_back(x[2 * i] * x[2 * i + 1]);
  return {leaf<float>({rows, 2}, x), leaf<float>({rows, 1}, y)};
}

/// Two runs of the same: recorded each time, and replayed where possible.
template <class O>
struct Pair {
  Net plain, compiled;
  O plain_optimizer, optimizer;
  CompiledStep step;

  template <class Options>
  explicit Pair(const Options& options)
      : plain_optimizer(plain, options),
        optimizer(compiled, options),
        step(optimizer, [this](const Tensors& inputs) { return mean(square(compiled(inputs[0]) - inputs[1])); }) {}

  void take(const Tensors& inputs) {
    const Tensor loss = mean(square(plain(inputs[0]) - inputs[1]));
    plain_optimizer.minimize(loss);
    const float got = step(inputs).template item<float>(), wanted = loss.item<float>();
    EXPECT_TRUE(got == wanted || (std::isnan(got) && std::isnan(wanted))) << got << " against " << wanted;
  }
  void expect_equal() const {
    EXPECT_EQ(plain.hidden.tensor().template to_vector<float>(), compiled.hidden.tensor().template to_vector<float>());
    EXPECT_EQ(plain.bias.tensor().template to_vector<float>(), compiled.bias.tensor().template to_vector<float>());
    EXPECT_EQ(plain.out.tensor().template to_vector<float>(), compiled.out.tensor().template to_vector<float>());
    const NamedTensors a = plain_optimizer.state_dict(), b = optimizer.state_dict();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].second.template to_vector<double>(), b[i].second.template to_vector<double>()) << a[i].first;
    }
  }
};

TEST(CompiledStep, HasTheBitsOfRecordedSteps) {
  Pair<SGD> sgd(SGDOptions{.lr = 0.05, .momentum = 0.9});
  for (int i = 0; i < 20; ++i) sgd.take(batch(i));
  EXPECT_EQ(sgd.step.replays(), 18);
  sgd.expect_equal();
}

TEST(CompiledStep, FollowsRatesClippingAndGroups) {
  Pair<Adam> adam(AdamOptions{.lr = 0.01, .weight_decay = 0.01, .skip_nonfinite = true});
  for (Optimizer* o : {static_cast<Optimizer*>(&adam.plain_optimizer), static_cast<Optimizer*>(&adam.optimizer)}) {
    o->set_clip_norm(0.1);
    o->set_group("bias", {.lr_factor = 2, .weight_decay = 0});
  }
  for (int i = 0; i < 30; ++i) {
    for (Optimizer* o : {static_cast<Optimizer*>(&adam.plain_optimizer), static_cast<Optimizer*>(&adam.optimizer)}) {
      o->set_lr(0.01 / (1 + i));
      o->set_clip_norm(0.1 + 0.01 * i);  // another size is not another structure
      o->set_clip_adaptive(0.5 / (1 + i));
    }
    Tensors inputs = batch(i);
    if (i == 20) inputs[0] = inputs[0] * std::numeric_limits<float>::infinity();  // refused, by both
    adam.take(inputs);
  }
  EXPECT_EQ(adam.step.replays(), 28);
  adam.expect_equal();
  // Clipping is another structure.
  adam.plain_optimizer.set_clip_norm(0);
  adam.optimizer.set_clip_norm(0);
  for (int i = 0; i < 5; ++i) adam.take(batch(i));
  EXPECT_GE(adam.step.replays(), 30);
  adam.expect_equal();
}

TEST(CompiledStep, KeepsSnapshotsAndTakesOtherShapes) {
  Pair<SGD> sgd(SGDOptions{.lr = 0.05, .momentum = 0.9});
  for (int i = 0; i < 4; ++i) sgd.take(batch(i));
  const Net snapshot = sgd.compiled;
  const std::vector<float> before = snapshot.hidden.tensor().to_vector<float>();
  for (int i = 4; i < 12; ++i) sgd.take(batch(i, i % 2 == 0 ? 4 : 3));
  EXPECT_EQ(snapshot.hidden.tensor().to_vector<float>(), before);
  sgd.compiled.bias.set_trainable(false);
  sgd.plain.bias.set_trainable(false);
  for (int i = 12; i < 18; ++i) sgd.take(batch(i));
  EXPECT_GE(sgd.step.replays(), 6);
  sgd.expect_equal();
}

// Which parameters share a count of steps decides which of them share a correction.
TEST(CompiledStep, FollowsParametersOfOtherAges) {
  struct Three {
    nn::Parameter a{full({}, 1.f)}, b{full({}, 2.f)}, c{full({}, 3.f)};
    Tensor loss(const Tensor& x) const {
      if (x.numel() == 3) return mean(x) * square(c);
      if (x.numel() == 2) return mean(x) * square(b);
      return mean(x) * (square(a) + square(b) + square(c));
    }
  } plain, compiled;
  Adam plain_optimizer(plain, {.lr = 0.1}), optimizer(compiled, {.lr = 0.1});
  CompiledStep step(optimizer, [&](const Tensors& inputs) { return compiled.loss(inputs[0]); });
  for (const std::int64_t size : {4, 4, 4, 3, 4, 4, 4, 2, 4, 4, 4}) {
    const Tensor x = full({size}, 1.5f);
    plain_optimizer.minimize(plain.loss(x));
    step({x});
    EXPECT_EQ(plain.a.tensor().item<float>(), compiled.a.tensor().item<float>());
    EXPECT_EQ(plain.b.tensor().item<float>(), compiled.b.tensor().item<float>());
    EXPECT_EQ(plain.c.tensor().item<float>(), compiled.c.tensor().item<float>());
  }
  EXPECT_EQ(step.replays(), 3);
}

// The second result of an operation with two of the same type and shape, and then a tensor of its own.
TEST(CompiledStep, TakesOneOfSeveralResultsAsInput) {
  nn::Parameter plain_weight{full({2, 2}, 1.f)}, weight{full({2, 2}, 1.f)};
  SGD plain_optimizer(std::vector<nn::Parameter*>{&plain_weight}, {.lr = 0.1});
  SGD optimizer(std::vector<nn::Parameter*>{&weight}, {.lr = 0.1});
  CompiledStep step(optimizer, [&](const Tensors& inputs) { return mean(square(weight) * inputs[0]); });
  for (int i = 0; i < 6; ++i) {
    const Tensor own = leaf<float>({2, 2}, std::vector<float>{1, 2, 3, 4.f + static_cast<float>(i)});
    const Tensor x = i % 4 < 3 ? linalg::qr(own).r : own;
    plain_optimizer.minimize(mean(square(plain_weight) * x));
    step({x});
    EXPECT_EQ(plain_weight.tensor().to_vector<float>(), weight.tensor().to_vector<float>()) << i;
  }
}

TEST(CompiledStep, RecordsWhatCannotBeRepeated) {
  Net net;
  SGD optimizer(net, {.lr = 0.01});
  float factor = 0;
  CompiledStep changing(
      optimizer, [&](const Tensors& inputs) { return mean(square(net(inputs[0]) - inputs[1])) * (factor += 1); });
  Tensor held;
  CompiledStep holding(optimizer, [&](const Tensors& inputs) {
    held = net(inputs[0]);
    return mean(square(held - inputs[1]));
  });
  for (int i = 0; i < 5; ++i) {
    changing(batch(i));
    EXPECT_EQ(changing.replays(), 0);
    holding(batch(i));
    EXPECT_TRUE(held.evaluated());
    EXPECT_EQ(holding.reason(), "tensors other than the loss are computed for their own sake");
  }
  EXPECT_EQ(changing.reason(), "the function reads tensors that are no inputs and differ from step to step");
}

TEST(CompiledStep, AFailedStepChangesNothing) {
  Net net;
  SGD optimizer(net, {.lr = 0.01, .momentum = 0.9});
  CompiledStep step(optimizer, [&](const Tensors& inputs) {
    return mean(gather(linear(inputs[0], net.hidden, net.bias), 1, inputs[1]));
  });
  const auto labels = [](std::int64_t label) { return leaf<std::int64_t>({1, 1}, std::vector<std::int64_t>{label}); };
  const Tensor x = leaf<float>({1, 2}, std::vector<float>{1, 2});
  for (int i = 0; i < 3; ++i) step({x, labels(3)});
  EXPECT_EQ(step.replays(), 1);
  const std::vector<float> before = net.hidden.tensor().to_vector<float>();
  EXPECT_THROW(step({x, labels(8)}), Error);
  EXPECT_EQ(net.hidden.tensor().to_vector<float>(), before);
  step({x, labels(3)});
  EXPECT_NE(net.hidden.tensor().to_vector<float>(), before);
}

}  // namespace
}  // namespace gradus::optim
