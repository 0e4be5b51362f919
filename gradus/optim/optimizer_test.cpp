// Optimizers: state, guards, one plan per step. Their numbers are compared with PyTorch in tests/golden_test.cpp.
#include "gradus/optim/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "gradus/base/error.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/schedule.h"
#include "gradus/optim/sgd.h"

namespace gradus::optim {
namespace {

struct Net {
  nn::Linear a{4, 8}, b{8, 3};
  Tensor operator()(const Tensor& x) const { return b(tanh(a(x))); }
};

Tensor inputs(float scale = 1) { return nn::init::uniform({6, 4}, -scale, scale, Key{1}); }
Tensor labels() { return from_span(std::vector<std::int64_t>{0, 1, 2, 2, 1, 0}); }
Tensor loss_of(const Net& net, const Tensor& x) { return cross_entropy(net(x), labels()); }
Tensor loss_of(const Net& net) { return loss_of(net, inputs()); }

using Numbers = std::vector<std::pair<std::string, std::vector<double>>>;
Numbers numbers(const NamedTensors& tensors) {
  Numbers result;
  for (const auto& [name, tensor] : tensors) result.emplace_back(name, tensor.to_vector<double>());
  return result;
}
Numbers numbers(const Net& net) { return numbers(nn::state_dict(net)); }

Net seeded() {
  manual_seed(5);
  return Net();
}

template <class Call>
std::string message(ErrorKind kind, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

TEST(Optimizer, MinimizeEvaluatesLossAndWhatIsKept) {
  Net net = seeded();
  SGD optimizer(net, {.lr = 0.5});
  const Tensor x = inputs();
  const Tensor logits = net(x);
  const Tensor loss = cross_entropy(logits, labels());
  const Tensor hits = accuracy(logits, labels());
  EXPECT_TRUE(optimizer.minimize(loss, {hits}));
  for (const Tensor& tensor : {loss, hits, logits, net.a.weight.tensor()}) EXPECT_TRUE(tensor.evaluated());
  const float before = loss.item<float>();
  for (int i = 0; i < 50; ++i) optimizer.minimize(loss_of(net));
  EXPECT_LT(loss_of(net).item<float>(), before);
}

template <class T, class Options>
void expect_one_plan(Options options) {
  Net net = seeded();
  T optimizer(net, options);
  optimizer.minimize(loss_of(net));
  const std::int64_t compiled = engine::compile_count();
  const std::int64_t live = live_nodes();
  for (int i = 0; i < 5; ++i) {
    optimizer.set_lr(0.01 * i);
    optimizer.minimize(loss_of(net));
    EXPECT_EQ(live_nodes(), live);
  }
  EXPECT_EQ(engine::compile_count(), compiled);
}

TEST(Optimizer, LaterStepsCompileNothing) {
  expect_one_plan<SGD>(SGDOptions{});
  expect_one_plan<SGD>(SGDOptions{.momentum = 0.9, .dampening = 0.1, .weight_decay = 0.1});
  expect_one_plan<SGD>(SGDOptions{.momentum = 0.9, .nesterov = true, .skip_nonfinite = true});
  expect_one_plan<AdamW>(AdamWOptions{});
  expect_one_plan<AdamW>(AdamWOptions{.weight_decay = 0, .skip_nonfinite = true});
}

/// Where the elements of parameters and state lie.
std::set<const void*> memory(const Net& net, const Optimizer& optimizer) {
  std::set<const void*> found;
  for (const auto& [name, tensor] : nn::state_dict(net)) found.insert(tensor.buffer()->data());
  for (const auto& [name, tensor] : optimizer.state_dict()) {
    if (name.starts_with("state.") && tensor.rank() > 0) found.insert(tensor.buffer()->data());
  }
  return found;
}

TEST(Optimizer, ReusesTheMemoryOfParametersThatNobodyElseHolds) {
  Net net = seeded();
  AdamW optimizer(net);
  optimizer.minimize(loss_of(net));
  const std::set<const void*> before = memory(net, optimizer);
  EXPECT_EQ(before.size(), 12u);
  optimizer.minimize(loss_of(net));
  const auto reused = [&] {
    std::ptrdiff_t count = 0;
    for (const void* place : memory(net, optimizer)) count += before.contains(place) ? 1 : 0;
    return count;
  };
  EXPECT_GE(reused(), 8);  // a new value may also take the place of its gradient

  const Net snapshot = net;  // a copy of the model holds the old values
  const Numbers kept = numbers(snapshot);
  optimizer.minimize(loss_of(net));
  for (const auto& [name, tensor] : nn::state_dict(net)) {
    for (const auto& [old_name, old] : nn::state_dict(snapshot))
      EXPECT_NE(tensor.buffer()->data(), old.buffer()->data());
  }
  EXPECT_EQ(numbers(snapshot), kept);
}

TEST(Optimizer, StepWithGradientsIsMinimize) {
  Net a = seeded(), b = seeded(), c = seeded();
  AdamW of_a(a), of_b(b), of_c(c);
  for (int i = 0; i < 3; ++i) {
    of_a.minimize(loss_of(a));
    of_b.step(gradients(loss_of(b), b));
    const Net g = gradients(loss_of(c), c);
    of_c.step(Tensors{g.a.weight, g.a.bias, g.b.weight, g.b.bias});
  }
  EXPECT_EQ(numbers(a), numbers(b));
  EXPECT_EQ(numbers(a), numbers(c));
}

TEST(Optimizer, StepLeavesParametersAloneThatWereFrozenSince) {
  Net net = seeded();
  SGD optimizer(net, {.lr = 0.1});
  const Net slopes = gradients(loss_of(net), net);
  nn::freeze(net, "a.*");
  const Numbers before = numbers(net);
  optimizer.step(slopes);
  const Numbers after = numbers(net);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i] == before[i], after[i].first.starts_with("a.")) << after[i].first;
  }
  nn::freeze(net);
  EXPECT_THROW(optimizer.step(slopes), Error);
}

TEST(Optimizer, LeavesFrozenParametersAlone) {
  Net net = seeded();
  nn::freeze(net, "a.*");
  const Numbers before = numbers(net);
  AdamW optimizer(net, {.lr = 0.1});
  optimizer.minimize(loss_of(net));
  const Numbers after = numbers(net);
  EXPECT_EQ(after[0], before[0]);
  EXPECT_EQ(after[1], before[1]);
  EXPECT_NE(after[2], before[2]);
  // Only what was trained has state, under the parameter's own number.
  EXPECT_EQ(optimizer.state_dict().front().first, "state.2.step");
  nn::unfreeze(net);
  optimizer.minimize(loss_of(net));
  EXPECT_NE(numbers(net)[0], before[0]);
}

template <class T, class Options>
void expect_bit_exact_continuation(Options options) {
  Net net = seeded();
  T optimizer(net, options);
  for (int i = 0; i < 4; ++i) optimizer.minimize(loss_of(net));
  Net resumed;
  nn::load_state_dict(resumed, nn::state_dict(net));
  T continued(resumed, Options{});
  continued.load_state_dict(optimizer.state_dict());
  EXPECT_EQ(numbers(continued.state_dict()), numbers(optimizer.state_dict()));
  for (int i = 0; i < 4; ++i) {
    optimizer.minimize(loss_of(net));
    continued.minimize(loss_of(resumed));
  }
  EXPECT_EQ(numbers(resumed), numbers(net));
}

TEST(OptimizerState, ContinuesBitForBit) {
  expect_bit_exact_continuation<AdamW>(AdamWOptions{.lr = 0.02, .betas = {0.8, 0.9}, .eps = 1e-5, .weight_decay = 0.3});
  expect_bit_exact_continuation<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.2, .weight_decay = 0.01});
  expect_bit_exact_continuation<SGD>(SGDOptions{.lr = 0.1});
}

TEST(OptimizerState, HasTheNamesOfPyTorch) {
  struct One {
    nn::Parameter w = nn::init::constant({2}, 1);
  };
  One model;
  AdamW optimizer(model);
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& [name, tensor] : optimizer.state_dict()) found.push_back(name + " " + tensor.spec().str());
    return found;
  };
  const std::vector<std::string> group{
      "param_groups.0.lr f64 []",           "param_groups.0.betas.0 f64 []",
      "param_groups.0.betas.1 f64 []",      "param_groups.0.eps f64 []",
      "param_groups.0.weight_decay f64 []", "param_groups.0.amsgrad f64 []",
      "param_groups.0.maximize f64 []",     "param_groups.0.decoupled_weight_decay f64 []",
      "param_groups.0.params i64 [1]"};
  EXPECT_EQ(names(), group);
  optimizer.minimize(sum(square(model.w)));
  std::vector<std::string> expected{"state.0.step f32 []", "state.0.exp_avg f32 [2]", "state.0.exp_avg_sq f32 [2]"};
  expected.insert(expected.end(), group.begin(), group.end());
  EXPECT_EQ(names(), expected);
}

TEST(OptimizerState, LoadingIsStrictAndChangesNothingWhenItRefuses) {
  Net net = seeded();
  AdamW optimizer(net, {.lr = 0.25});
  optimizer.minimize(loss_of(net));
  const Numbers before = numbers(optimizer.state_dict());
  NamedTensors dict = optimizer.state_dict();
  dict[1].second = zeros({7});
  dict[2].first = "state.0.exp_avg_sqr";
  dict.emplace_back("state.9.step", zeros({}));
  const std::string text = message(ErrorKind::state, [&] { optimizer.load_state_dict(dict); });
  EXPECT_NE(text.find("state.0.exp_avg  f32 [7], expected f32 [8, 4]"), std::string::npos) << text;
  EXPECT_NE(text.find("state.0.exp_avg_sqr  f32 [8, 4]   did you mean state.0.exp_avg_sq?"), std::string::npos) << text;
  EXPECT_NE(text.find("state.9.step"), std::string::npos) << text;

  dict = optimizer.state_dict();
  for (auto& [name, tensor] : dict) {
    if (name == "param_groups.0.betas.1") tensor = nn::init::constant({}, 1.5, DType::f64);
  }
  EXPECT_NE(message(ErrorKind::value, [&] { optimizer.load_state_dict(dict); }).find("betas.1 is 1.5"),
            std::string::npos);
  EXPECT_EQ(numbers(optimizer.state_dict()), before);
}

template <class T, class Options>
void expect_guarded(Options options) {
  Net net = seeded(), twin = seeded();
  T optimizer(net, options), plain(twin, options);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor bad = full({6, 4}, nan);
  EXPECT_FALSE(optimizer.minimize(loss_of(net, bad)));  // before there is any state
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(optimizer.minimize(loss_of(net)));
    EXPECT_TRUE(plain.minimize(loss_of(twin)));
  }
  const Numbers parameters = numbers(net), state = numbers(optimizer.state_dict());
  EXPECT_FALSE(optimizer.minimize(loss_of(net, bad)));
  EXPECT_EQ(numbers(net), parameters);
  EXPECT_EQ(numbers(optimizer.state_dict()), state);
  EXPECT_TRUE(optimizer.minimize(loss_of(net)));
  EXPECT_TRUE(plain.minimize(loss_of(twin)));
  EXPECT_EQ(numbers(net), numbers(twin));
}

TEST(SkipNonfinite, LeavesEverythingBitForBit) {
  expect_guarded<SGD>(SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.5, .skip_nonfinite = true});
  expect_guarded<AdamW>(AdamWOptions{.lr = 0.1, .skip_nonfinite = true});
}

TEST(SkipNonfinite, SeesGradientsOfAFiniteLoss) {
  struct One {
    nn::Parameter w = nn::init::constant({1}, 0);
  };
  One model;
  SGD optimizer(model, {.skip_nonfinite = true});
  const Tensor loss = sum(sqrt(abs(model.w)) + square(model.w));  // 0, with slope 0 * inf = NaN at 0
  EXPECT_FALSE(optimizer.minimize(loss));
  EXPECT_EQ(loss.item<float>(), 0);
  EXPECT_EQ(model.w.tensor().item<float>(), 0);
}

TEST(SkipNonfinite, SeesALossWhoseGradientsAreFinite) {
  struct One {
    nn::Parameter w = nn::init::constant({1}, 0);
  };
  One model;
  SGD optimizer(model, {.skip_nonfinite = true});
  EXPECT_FALSE(optimizer.minimize(sum(model.w) + std::numeric_limits<float>::infinity()));
  EXPECT_EQ(model.w.tensor().item<float>(), 0);
}

TEST(Optimizer, AnErrorInTheStepRestoresEverything) {
  Net net = seeded();
  AdamW optimizer(net);
  optimizer.minimize(loss_of(net));
  const Numbers parameters = numbers(net), state = numbers(optimizer.state_dict());
  const Tensor computed =
      from_span(std::vector<std::int64_t>{0, 1, 2, 2, 1, 0}) + 1;  // 3 is out of range; seen when evaluated
  message(ErrorKind::index, [&] { optimizer.minimize(cross_entropy(net(inputs()), computed)); });
  EXPECT_EQ(numbers(net), parameters);
  EXPECT_EQ(numbers(optimizer.state_dict()), state);
  EXPECT_TRUE(optimizer.minimize(loss_of(net)));
}

TEST(Optimizer, RefusesWhatCannotBeTrained) {
  Net net = seeded(), other = seeded();
  SGD optimizer(net);
  EXPECT_NE(message(ErrorKind::state, [&] { optimizer.minimize(loss_of(other)); }).find("depends on none"),
            std::string::npos);
  const Tensor loss = loss_of(net);
  loss.item<float>();
  message(ErrorKind::state, [&] { optimizer.minimize(loss); });
  message(ErrorKind::shape, [&] { optimizer.minimize(net(inputs())); });
  message(ErrorKind::usage, [&] { optimizer.step(Tensors(3)); });
  message(ErrorKind::usage, [&] { optimizer.step(Tensors(4)); });
  message(ErrorKind::shape, [&] { optimizer.step(Tensors{zeros({2}), {}, {}, {}}); });
  struct Foreign {
    nn::Parameter a_weight = nn::init::constant({1}, 0);
  };
  EXPECT_NE(message(ErrorKind::state, [&] { optimizer.step(Foreign()); }).find("nearest name is a.weight"),
            std::string::npos);
  nn::freeze(net);
  EXPECT_NE(message(ErrorKind::state, [&] { optimizer.minimize(loss_of(net)); }).find("frozen"), std::string::npos);
  struct Empty {
    int width = 3;
  };
  Empty empty;
  message(ErrorKind::usage, [&] { SGD none(empty); });
  message(ErrorKind::usage, [&] { SGD twice(std::vector{&net.a.weight, &net.a.weight}); });
}

TEST(Optimizer, RefusesSettingsOutOfRange) {
  Net net;
  const double nan = std::nan("");
  message(ErrorKind::value, [&] { SGD o(net, {.lr = -1}); });
  message(ErrorKind::value, [&] { SGD o(net, {.momentum = nan}); });
  message(ErrorKind::value, [&] { SGD o(net, {.nesterov = true}); });
  message(ErrorKind::value, [&] { SGD o(net, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}); });
  message(ErrorKind::value, [&] { SGD o(net, {.weight_decay = -0.1}); });
  message(ErrorKind::value, [&] { AdamW o(net, {.betas = {0.9, 1}}); });
  message(ErrorKind::value, [&] { AdamW o(net, {.eps = -1}); });
  AdamW fine(net);
  message(ErrorKind::value, [&] { fine.set_lr(nan); });
  EXPECT_EQ(fine.lr(), 1e-3);
}

TEST(Schedule, WarmsUpAndEnds) {
  const CosineSchedule cosine{.base = 1, .total = 30, .min = 0.1, .warmup = 10};
  EXPECT_DOUBLE_EQ(cosine.lr(0), 0.1);
  EXPECT_DOUBLE_EQ(cosine.lr(9), 1);
  EXPECT_DOUBLE_EQ(cosine.lr(10), 1);
  EXPECT_DOUBLE_EQ(cosine.lr(20), 0.55);
  EXPECT_DOUBLE_EQ(cosine.lr(30), 0.1);
  EXPECT_DOUBLE_EQ(cosine.lr(1000), 0.1);
  const ConstantSchedule constant{.base = 2, .warmup = 4};
  EXPECT_DOUBLE_EQ(constant.lr(0), 0.5);
  EXPECT_DOUBLE_EQ(constant.lr(100), 2);
}

}  // namespace
}  // namespace gradus::optim
