// Every optimizer through the registry: one plan, settings, groups, clipping, refused steps.
#include "gradus/optim/registry.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "gradus/base/error.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/node.h"
#include "gradus/nn/init.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/sgd.h"

namespace gradus::optim {
namespace {

struct Net {
  nn::Parameter a = nn::init::uniform({4, 6}, -1, 1, Key{1});
  nn::Parameter b = nn::init::uniform({6, 3}, -1, 1, Key{2});

  Tensor loss(double scale = 1) const {
    const Tensor x = nn::init::uniform({5, 4}, -1, 1, Key{3});
    return mean(square(matmul(tanh(matmul(x, a)), b) - 0.3)) * scale;
  }
  std::vector<double> values() const {
    std::vector<double> all = a.tensor().to_vector<double>();
    for (const double value : b.tensor().to_vector<double>()) all.push_back(value);
    return all;
  }
};

std::vector<double> values(const NamedTensors& tensors) {
  std::vector<double> all;
  for (const auto& [name, tensor] : tensors) {
    for (const double value : tensor.to_vector<double>()) all.push_back(value);
  }
  return all;
}

/// As it is saved. Looking at it changes nothing.
std::vector<double> state_of(Optimizer& optimizer) {
  optimizer.eval_mode();
  const std::vector<double> state = values(optimizer.state_dict());
  optimizer.train();
  return state;
}

TEST(Registry, EveryOptimizerDescendsInOnePlan) {
  EXPECT_GE(optimizer_names().size(), 19u);
  for (const std::string& name : optimizer_names()) {
    SCOPED_TRACE(name);
    Net net;
    const auto optimizer = make_optimizer(name, net, {{"lr", name == "adadelta" ? 1.0 : 0.01}});
    optimizer->set_clip_norm(0.5);
    optimizer->set_clip_value(0.4);
    optimizer->set_skip_nonfinite(true);
    optimizer->set_group("b", {.lr_factor = 0.5});
    optimizer->train();
    const double before = net.loss().item<double>();
    optimizer->minimize(net.loss());
    const std::int64_t compiled = engine::compile_count(), live = live_nodes();
    for (int step = 0; step < 12; ++step) {  // RAdam begins to rectify at step 6
      optimizer->set_lr(step == 3 ? 0 : 0.01 + 0.001 * step);
      EXPECT_TRUE(optimizer->minimize(net.loss()));
      EXPECT_EQ(live_nodes(), live);
    }
    EXPECT_EQ(engine::compile_count(), compiled);
    EXPECT_LT(net.loss().item<double>(), before);

    const std::vector<double> parameters = net.values(), state = state_of(*optimizer);
    EXPECT_FALSE(optimizer->minimize(net.loss(std::nan(""))));
    EXPECT_EQ(net.values(), parameters);
    EXPECT_EQ(state_of(*optimizer), state);
  }
}

TEST(Registry, SettingsAreTheOptions) {
  for (const std::string& name : optimizer_names()) {
    SCOPED_TRACE(name);
    Net net;
    const std::vector<std::string> settings = optimizer_settings(name);
    EXPECT_EQ(settings.front(), "lr");
    EXPECT_EQ(settings.back(), "skip_nonfinite");
    EXPECT_TRUE(make_optimizer(name, net, {{"skip_nonfinite", 1}})->skip_nonfinite());
    NamedTensors dict = make_optimizer(name, net, {{"lr", 0.125}})->state_dict();
    const bool optional = name == "nadam" || name == "radam";  // a setting of these, fixed for Adam and AdamW
    std::erase_if(dict, [&](const auto& e) {
      return e.first == "param_groups.0.params" || (!optional && e.first.ends_with("decoupled_weight_decay"));
    });
    EXPECT_EQ(dict.size(), settings.size() - 1);
    EXPECT_EQ(dict.front().second.item<double>(), 0.125);
    for (std::size_t i = 0; i < dict.size(); ++i) EXPECT_EQ(dict[i].first, "param_groups.0." + settings[i]);
  }
}

TEST(Registry, MaximizeClimbsWhereItIsKnown) {
  int climbing = 0;
  for (const std::string& name : optimizer_names()) {
    const std::vector<std::string> settings = optimizer_settings(name);
    if (std::find(settings.begin(), settings.end(), "maximize") == settings.end()) continue;
    Net net;
    const double before = net.loss().item<double>();
    const auto optimizer = make_optimizer(name, net, {{"lr", 0.01}, {"maximize", 1}});
    optimizer->train();
    for (int step = 0; step < 5; ++step) optimizer->minimize(net.loss());
    EXPECT_GT(net.loss().item<double>(), before) << name;
    ++climbing;
  }
  EXPECT_EQ(climbing, 18);  // all but Muon
}

TEST(Registry, ParametersAndStateKeepTheirTypes) {
  for (const std::string& name : optimizer_names()) {
    for (const DType dtype : {DType::f64, DType::bf16}) {
      SCOPED_TRACE(name + " " + std::string(name_of(dtype)));
      struct One {
        nn::Parameter w;
      };
      One model{cast(nn::init::uniform({4, 6}, 1, 2, Key{1}), dtype)};
      const auto optimizer = make_optimizer(name, model, {{"lr", 0.1}});
      const auto loss = [&] { return mean(square(model.w)); };
      const double before = loss().item<double>();
      optimizer->train();
      for (int step = 0; step < 3; ++step) optimizer->minimize(loss());
      optimizer->eval_mode();
      EXPECT_EQ(model.w.tensor().dtype(), dtype);
      EXPECT_LE(loss().item<double>(), before);
      const NamedTensors dict = optimizer->state_dict();
      optimizer->load_state_dict(dict);  // strict about types
      for (const auto& [key, tensor] : dict) {
        if (tensor.rank() > 0 && !key.ends_with("params")) {
          EXPECT_EQ(tensor.dtype(), dtype) << key;
        }
      }
    }
  }
}

TEST(Groups, HaveTheirOwnRateAndDecay) {
  Net net, plain;
  const auto optimizer = make_optimizer("sgd", net, {{"lr", 0.1}, {"weight_decay", 0.5}});
  EXPECT_EQ(optimizer->set_group("*", {.lr_factor = 0}), 2);
  EXPECT_EQ(optimizer->set_group("b", {.weight_decay = 0}), 1);  // the later call wins
  optimizer->minimize(net.loss());
  make_optimizer("sgd", plain, {{"lr", 0.1}})->minimize(plain.loss());
  EXPECT_EQ(net.a.tensor().to_vector<double>(), Net().a.tensor().to_vector<double>());
  EXPECT_EQ(net.b.tensor().to_vector<double>(), plain.b.tensor().to_vector<double>());
}

/// Its groups have their own rate and decay; `a` is in group 2, `b` in group 1.
std::unique_ptr<Optimizer> grouped(Net& net, double factor, std::optional<double> decay) {
  auto optimizer = make_optimizer("adamw", net, {{"lr", 0.3}});
  optimizer->set_group("b", {.lr_factor = factor, .weight_decay = decay});
  optimizer->set_group("a", {.lr_factor = 0.1});
  return optimizer;
}

TEST(Groups, AreInTheStateDict) {
  Net net, resumed;
  const auto optimizer = grouped(net, 0.7, 0.2), second = grouped(resumed, 3, {});
  for (int step = 0; step < 4; ++step) optimizer->minimize(net.loss());
  const NamedTensors dict = optimizer->state_dict();
  std::map<std::string, std::vector<double>> entries;
  for (const auto& [name, tensor] : dict) entries[name] = tensor.to_vector<double>();
  const auto numbers = [](std::initializer_list<double> list) { return std::vector<double>(list); };
  EXPECT_EQ(entries.at("param_groups.0.params"), numbers({}));
  EXPECT_EQ(entries.at("param_groups.1.params"), numbers({0}));
  EXPECT_EQ(entries.at("param_groups.2.params"), numbers({1}));
  EXPECT_EQ(entries.at("param_groups.0.lr"), numbers({0.3}));
  EXPECT_EQ(entries.at("param_groups.1.lr"), numbers({0.3 * 0.7}));
  EXPECT_EQ(entries.at("param_groups.1.weight_decay"), numbers({0.2}));
  EXPECT_EQ(entries.at("param_groups.2.weight_decay"), numbers({0.01}));
  EXPECT_EQ(entries.at("state.0.exp_avg").size(), 18u);  // of b: the numbers count on from group to group

  resumed = net;
  second->load_state_dict(dict);  // rate and decay of the state win over those of the program
  for (int step = 0; step < 4; ++step) {
    optimizer->minimize(net.loss());
    second->minimize(resumed.loss());
  }
  EXPECT_EQ(resumed.values(), net.values());
}

TEST(Groups, OfASchedulesFirstStepMayAllBeZero) {
  Net net, resumed;
  const auto optimizer = grouped(net, 0.7, 0.2), second = grouped(resumed, 0.7, 0.2);
  optimizer->set_lr(0);
  second->load_state_dict(optimizer->state_dict());
  second->set_lr(0.5);
  for (const auto& [name, tensor] : second->state_dict()) {
    if (name == "param_groups.1.lr") {
      EXPECT_EQ(tensor.item<double>(), 0.35);
    }
  }
}

TEST(Clipping, BoundsTheStep) {
  const auto distance = [](const std::vector<double>& a, const std::vector<double>& b) {
    double squares = 0, largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      squares += (a[i] - b[i]) * (a[i] - b[i]);
      largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return std::pair(std::sqrt(squares), largest);
  };
  Net by_norm, by_value, unclipped, loose;
  const std::vector<double> start = by_norm.values();
  const auto norm = make_optimizer("sgd", by_norm, {{"lr", 1}});
  norm->set_clip_norm(0.25);
  norm->minimize(by_norm.loss(100));
  EXPECT_NEAR(distance(by_norm.values(), start).first, 0.25, 1e-6);

  const auto value = make_optimizer("sgd", by_value, {{"lr", 1}});
  value->set_clip_value(0.125);
  value->minimize(by_value.loss(100));
  EXPECT_NEAR(distance(by_value.values(), start).second, 0.125, 1e-6);

  const auto wide = make_optimizer("sgd", loose, {{"lr", 1}});
  wide->set_clip_norm(1e6);
  wide->minimize(loose.loss());
  make_optimizer("sgd", unclipped, {{"lr", 1}})->minimize(unclipped.loss());
  EXPECT_EQ(loose.values(), unclipped.values());
}

// By hand, with the factor 0.1: units are rows of the weight, and the bias as a whole.
TEST(Clipping, AdaptiveOnesBoundUnitsByTheirWeights) {
  struct {
    nn::Parameter weight{tensor({{3.f, 4.f}, {0.f, 0.f}, {30.f, 40.f}})}, bias{tensor({0.f, 2.f})};
  } model;
  SGD optimizer(model, {.lr = 1});
  optimizer.set_clip_adaptive(0.1);
  const Tensor gradients[] = {tensor({{6.f, 8.f}, {0.3f, 0.4f}, {3.f, 0.f}}), tensor({1.f, 0.f})};
  optimizer.step(gradients);
  const std::vector<float> w = model.weight.tensor().to_vector<float>(), b = model.bias.tensor().to_vector<float>();
  const float expected[] = {3 - 0.3f, 4 - 0.4f, -0.6e-4f, -0.8e-4f, 27, 40};
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_NEAR(w[i], expected[i], 1e-6) << i;
  EXPECT_NEAR(b[0], -0.2, 1e-7);
  EXPECT_EQ(b[1], 2);
  const std::int64_t plans = engine::compile_count();
  optimizer.set_clip_adaptive(0.2);
  optimizer.step(gradients);
  EXPECT_EQ(engine::compile_count(), plans);  // another factor is not another graph
}

}  // namespace
}  // namespace gradus::optim
