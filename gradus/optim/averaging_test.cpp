// Averages and accumulated gradients against closed forms.
#include "gradus/optim/averaging.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/accumulation.h"
#include "gradus/optim/sgd.h"

namespace gradus::optim {
namespace {

struct One {
  nn::Parameter w = nn::init::constant({2}, 0, DType::f64);
  nn::Buffer seen = nn::init::constant({}, 0);
};

One at(double value) {
  One model;
  model.w = nn::init::constant({2}, value, DType::f64);
  model.seen = nn::init::constant({}, value);
  return model;
}

double value(const One& model) { return model.w.tensor().to_vector<double>()[1]; }

TEST(Averaging, ExponentialAverageOfALine) {
  const double d = 0.9;
  AveragedModel average(at(-100), {.decay = d});  // what it was before does not count
  for (int t = 0; t < 40; ++t) {
    average.update(at(t));
    EXPECT_NEAR(value(average.model()), t - d * (1 - std::pow(d, t)) / (1 - d), 1e-12) << t;
    EXPECT_EQ(average.model().seen.tensor().item<double>(), t);
  }
  EXPECT_EQ(average.n_averaged(), 40);
}

TEST(Averaging, WarmUpOfTheDecay) {
  AveragedModel average(at(0), {.decay = 0.5, .warmup = true});
  average.update(at(0));
  average.update(at(11));  // decay 2 / 11
  EXPECT_NEAR(value(average.model()), 9, 1e-14);
  average.update(at(17));  // decay 3 / 12
  EXPECT_NEAR(value(average.model()), 15, 1e-14);
  for (int i = 3; i < 8; ++i) average.update(at(15));
  average.update(at(25));  // decay 9 / 18 is the first that does not grow any more
  average.update(at(20));
  EXPECT_NEAR(value(average.model()), 20, 0.01);
}

TEST(Averaging, EqualWeightsGiveTheMean) {
  AveragedModel average(at(0));
  for (int t = 1; t <= 30; ++t) {
    average.update(at(t * t));
    EXPECT_NEAR(value(average.model()), (t + 1) * (2 * t + 1) / 6.0, 1e-12) << t;
  }
}

struct Net {
  nn::Linear a{4, 8}, b{8, 3, {.bias = false}};
  Tensor operator()(const Tensor& x) const { return b(tanh(a(x))); }
};
Tensor inputs() { return nn::init::uniform({6, 4}, -1, 1, Key{1}); }
Tensor labels() { return from_span(std::vector<std::int64_t>{0, 1, 2, 2, 1, 0}); }
Tensor loss_of(const Net& net) { return cross_entropy(net(inputs()), labels()); }

TEST(Averaging, LaterUpdatesCompileNothingAndLeaveTheModelAlone) {
  manual_seed(5);
  Net net, twin = net;
  SGD optimizer(net, {.lr = 0.1, .momentum = 0.9}), alone(twin, {.lr = 0.1, .momentum = 0.9});
  AveragedModel average(net, {.decay = 0.9, .warmup = true});
  std::int64_t compiled = 0, live = 0;
  for (int i = 0; i < 8; ++i) {
    optimizer.minimize(loss_of(net));
    average.update(net);
    if (i == 2) {
      compiled = engine::compile_count();
      live = live_nodes();
    }
    if (i > 2) {
      EXPECT_EQ(live_nodes(), live);
    }
  }
  EXPECT_EQ(engine::compile_count(), compiled);
  for (int i = 0; i < 8; ++i) alone.minimize(loss_of(twin));
  EXPECT_EQ(net.a.weight.tensor().to_vector<double>(), twin.a.weight.tensor().to_vector<double>());
  const Net copy = average.model();  // copying a model is assignment
  EXPECT_EQ(copy.a.weight.tensor().to_vector<double>(), average.model().a.weight.tensor().to_vector<double>());
  EXPECT_NE(copy.a.weight.tensor().to_vector<double>(), net.a.weight.tensor().to_vector<double>());
}

TEST(Averaging, ContinuesFromItsState) {
  AveragedModel average(at(0)), resumed(at(-7));
  average.update(at(3));
  average.update(at(5));
  const NamedTensors state = average.state_dict();
  EXPECT_EQ(state[0].first, "n_averaged");
  EXPECT_EQ(state[1].first, "module.w");
  resumed.load_state_dict(state);
  for (AveragedModel<One>* each : {&average, &resumed}) each->update(at(10));
  EXPECT_EQ(value(resumed.model()), value(average.model()));
  EXPECT_NEAR(value(resumed.model()), 6, 1e-14);

  NamedTensors wrong = state;
  wrong[0].second = tensor(-1);
  EXPECT_THROW(resumed.load_state_dict(wrong), Error);
  EXPECT_EQ(resumed.n_averaged(), 3);
  EXPECT_NEAR(value(resumed.model()), 6, 1e-14);
}

TEST(Accumulation, MicroBatchesGiveTheGradientOfTheLargeBatch) {
  manual_seed(5);
  Net net, twin = net;
  const Net whole = gradients(loss_of(net), net);
  GradientAccumulator<Net> accumulator;
  std::int64_t compiled = 0;
  for (int part = 0; part < 3; ++part) {
    const Tensor x = slice(inputs(), 0, 2 * part, 2 * part + 2), y = slice(labels(), 0, 2 * part, 2 * part + 2);
    eval(x, y);
    accumulator.add(gradients(cross_entropy(net(x), y), net));
    if (part == 1) compiled = engine::compile_count();
  }
  EXPECT_LE(engine::compile_count(), compiled + 1);  // slices of another offset are another plan
  EXPECT_EQ(accumulator.count(), 3);
  const Net mean = accumulator.take_mean();
  EXPECT_EQ(accumulator.count(), 0);
  const auto near = [](const Tensor& a, const Tensor& b, double factor) {
    const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
    ASSERT_EQ(x.size(), y.size());
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], factor * y[i], 1e-6);
  };
  near(mean.a.weight.tensor(), whole.a.weight.tensor(), 1);
  near(mean.a.bias.tensor(), whole.a.bias.tensor(), 1);
  near(mean.b.weight.tensor(), whole.b.weight.tensor(), 1);
  EXPECT_FALSE(mean.b.bias.defined());

  for (int i = 0; i < 2; ++i) accumulator.add(gradients(loss_of(net), net));
  const Net sum = accumulator.take_sum();
  near(sum.a.weight.tensor(), whole.a.weight.tensor(), 2);
  SGD(net, {.lr = 0.5}).step(mean);
  SGD(twin, {.lr = 0.5}).minimize(loss_of(twin));
  near(net.a.weight.tensor(), twin.a.weight.tensor(), 1);
}

TEST(Accumulation, CountsWhatHasNoGradientAsZero) {
  struct Two {
    nn::Parameter a = nn::init::constant({2}, 1), b = nn::init::constant({2}, 1);
  };
  Two model;
  GradientAccumulator<Two> accumulator;
  accumulator.add(gradients(sum(square(model.a)), model));
  accumulator.add(gradients(sum(3 * model.b), model));
  const Two total = accumulator.take_sum();
  EXPECT_EQ(total.a.tensor().to_vector<double>(), (std::vector<double>{2, 2}));
  EXPECT_EQ(total.b.tensor().to_vector<double>(), (std::vector<double>{3, 3}));
}

}  // namespace
}  // namespace gradus::optim
