// Wrong uses of optimizers, groups, clipping and their states, and what their messages say.
#include "wrong_uses.h"

#include <cmath>

#include "gradus/gradus.h"

namespace gradus {
namespace {

using testing::check_wrong_uses;
using testing::WrongUse;

struct Net {
  nn::Parameter weight = nn::init::constant({3, 2}, 1);
  nn::Parameter bias = nn::init::constant({2}, 1);
};

void make(std::string_view name, const std::map<std::string, double>& settings) {
  Net net;
  optim::make_optimizer(name, net, settings);
}

TEST(WrongUsesOptimizers, NamesAndSettings) {
  check_wrong_uses({
      {"near_name", [] { make("adamv", {}); },
       "value error in optim::make_optimizer: unknown optimizer \"adamv\"\n"
       "  hint: did you mean adam?"},
      {"far_name", [] { make("conditioner", {}); },
       "value error in optim::make_optimizer: unknown optimizer \"conditioner\"\n"
       "  hint: known are adadelta, adafactor, adagrad, adam, adamax, adamw, adamwschedulefree, asgd, lamb, lars, "
       "lion, "
       "muon, nadam, radam, rmsprop, rprop, sgd, sgdschedulefree, shampoo"},
      {"capitals", [] { make("RMSprop", {}); },
       "value error in optim::make_optimizer: unknown optimizer \"RMSprop\"\n"
       "  hint: did you mean rmsprop?"},
      {"near_setting",
       [] {
         make("sgd", {{"momentun", 0.9}});
       },
       "value error in optim::make_optimizer: unknown setting of sgd \"momentun\"\n"
       "  hint: did you mean momentum?"},
      {"whole_array",
       [] {
         make("adam", {{"betas", 0.9}});
       },
       "value error in optim::make_optimizer: unknown setting of adam \"betas\"\n"
       "  hint: did you mean betas.0?"},
      {"switch_of_two",
       [] {
         make("adam", {{"amsgrad", 2}});
       },
       "value error in optim::make_optimizer: amsgrad of adam is 2, must be 0 or 1"},
      {"half_a_step",
       [] {
         make("muon", {{"ns_steps", 2.5}});
       },
       "value error in optim::make_optimizer: ns_steps of muon is 2.5, must be a whole number up to 2^53"},
      {"switch_of_nan",
       [] {
         make("sgd", {{"nesterov", NAN}});
       },
       "value error in optim::make_optimizer: nesterov of sgd is nan, must be 0 or 1"},
  });
}

TEST(WrongUsesOptimizers, SettingsOutOfRange) {
  check_wrong_uses({
      {"negative_lr",
       [] {
         make("nadam", {{"lr", -0.1}});
       },
       "value error in optim::NAdam: lr is -0.1, must be finite and >= 0"},
      {"beta_of_one",
       [] {
         make("lion", {{"betas.1", 1}});
       },
       "value error in optim::Lion: betas.1 is 1, must be in [0, 1)"},
      {"infinite_eps",
       [] {
         make("adagrad", {{"eps", INFINITY}});
       },
       "value error in optim::Adagrad: eps is inf, must be finite and >= 0"},
      {"alpha_above_one",
       [] {
         make("rmsprop", {{"alpha", 1.5}});
       },
       "value error in optim::RMSprop: alpha is 1.5, must be in [0, 1]"},
      {"growth_that_shrinks",
       [] {
         make("rprop", {{"etas.1", 0.9}});
       },
       "value error in optim::Rprop: etas.1 is 0.9, must be > 1"},
      {"sizes_crossed",
       [] {
         make("rprop", {{"step_sizes.0", 60}});
       },
       "value error in optim::Rprop: step_sizes.0 is 60, must be at most step_sizes.1"},
      {"rising_beta2",
       [] {
         make("adafactor", {{"beta2_decay", 0.8}});
       },
       "value error in optim::Adafactor: beta2_decay is 0.8, must be <= 0"},
      {"vector_for_muon", [] { make("muon", {}); },
       "shape error in optim::Muon: parameters must be matrices\n"
       "  parameter  f32 [2]   bias\n"
       "  hint: give the others to an optimizer of their own: optim::AdamW"},
  });
}

TEST(WrongUsesOptimizers, SettingsThatCannotBeZeroOrOne) {
  check_wrong_uses({
      {"beta_of_zero",
       [] {
         make("adamwschedulefree", {{"betas.0", 0}});
       },
       "value error in optim::AdamWScheduleFree: betas.0 is 0, must be in (0, 1)"},
      {"momentum_of_one",
       [] {
         make("sgdschedulefree", {{"momentum", 1}});
       },
       "value error in optim::SGDScheduleFree: momentum is 1, must be in (0, 1)"},
      {"roots_never",
       [] {
         make("shampoo", {{"update_freq", 0}});
       },
       "value error in optim::Shampoo: update_freq is 0, must be >= 1"},
      {"no_epsilon",
       [] {
         make("shampoo", {{"epsilon", 0}});
       },
       "value error in optim::Shampoo: epsilon is 0, must be > 0"},
  });
}

TEST(WrongUsesOptimizers, GroupsAndClipping) {
  Net net;
  optim::Rprop rprop(net);
  optim::Adam adam(net);
  check_wrong_uses({
      {"no_match", [&] { adam.set_group("*.bias", {.weight_decay = 0}); },
       "value error in optim::Adam: no parameter matches \"*.bias\"\n"
       "  hint: the first path is weight"},
      {"no_decay_to_replace", [&] { rprop.set_group("bias", {.weight_decay = 0}); },
       "value error in optim::Rprop: a group has a weight_decay, which this optimizer does not know"},
      {"negative_factor", [&] { adam.set_group("bias", {.lr_factor = -1}); },
       "value error in optim::Adam: lr_factor is -1, must be finite and >= 0"},
      {"negative_decay", [&] { adam.set_group("bias", {.weight_decay = -1}); },
       "value error in optim::Adam: weight_decay is -1, must be finite and >= 0"},
      {"norm_that_is_no_number", [&] { adam.set_clip_norm(NAN); },
       "value error in optim::Adam: clip_norm is nan, must be finite and >= 0"},
      {"negative_limit", [&] { adam.set_clip_value(-1); },
       "value error in optim::Adam: clip_value is -1, must be finite and >= 0"},
      {"negative_share", [&] { adam.set_clip_adaptive(-0.01); },
       "value error in optim::Adam: clip_adaptive is -0.01, must be finite and >= 0"},
  });
}

TEST(WrongUsesOptimizers, WeightsOfTheOtherMode) {
  Net net;
  optim::SGDScheduleFree optimizer(net);
  const auto loss = [&] { return sum(square(net.weight)); };
  check_wrong_uses({
      {"step_before_train", [&] { optimizer.minimize(loss()); },
       "state error in optim::SGDScheduleFree: a step needs the weights of training, and the model has those for "
       "evaluation\n"
       "  hint: call optimizer.train() before training, and optimizer.eval_mode() before the model is used or saved"},
      {"saved_in_training",
       [&] {
         optimizer.train();
         optimizer.state_dict();
       },
       "state error in optim::SGDScheduleFree: the model has the weights of training, which are not those to save\n"
       "  hint: call optimizer.eval_mode() before saving the model and this; optimizer.train() goes on as before"},
  });
}

/// `dict` with another value of `name`.
NamedTensors with(NamedTensors dict, std::string_view name, const Tensor& value) {
  for (auto& [key, tensor] : dict) {
    if (key == name) tensor = value;
  }
  return dict;
}
Tensor number(double value) { return nn::init::constant({}, value, DType::f64); }

struct Matrix {
  nn::Parameter weight = nn::init::constant({3, 2}, 1);
};

TEST(WrongUsesOptimizers, StatesOfOthers) {
  Matrix net, trained;
  optim::Muon muon(net);
  optim::RMSprop rmsprop(net);
  optim::Adam adam(net);
  optim::RMSprop centered(trained, {.centered = true});
  centered.minimize(sum(square(trained.weight)));
  NamedTensors lacking = centered.state_dict();
  std::erase_if(lacking, [](const auto& entry) { return entry.first.ends_with("grad_avg"); });
  check_wrong_uses({
      {"fraction", [&] { muon.load_state_dict(with(muon.state_dict(), "param_groups.0.ns_steps", number(2.5))); },
       "value error in optim::Muon: ns_steps is 2.5, must be a whole number up to 2^53"},
      {"of_another_optimizer", [&] { rmsprop.load_state_dict(optim::SGD(net, {.momentum = 0.9}).state_dict()); },
       "state error in optim::RMSprop: 3 missing, 2 unexpected, 0 of another shape or type, 0 repeated; its state has "
       "8 tensors; nothing was loaded\n"
       "  missing     param_groups.0.alpha  f64 []\n"
       "  missing     param_groups.0.eps  f64 []\n"
       "  missing     param_groups.0.centered  f64 []   did you mean param_groups.0.nesterov?\n"
       "  unexpected  param_groups.0.dampening  f64 []   did you mean param_groups.0.alpha?\n"
       "  unexpected  param_groups.0.nesterov  f64 []   did you mean param_groups.0.centered?\n"
       "  hint: it continues from the state of an optim::RMSprop with the same groups over parameters of the same "
       "shapes"},
      {"of_a_near_relative", [&] { adam.load_state_dict(optim::AdamW(net).state_dict()); },
       "value error in optim::Adam: decoupled_weight_decay is 1, must be 0: optim::AdamW is an optimizer of its own"},
      {"without_the_mean", [&] { rmsprop.load_state_dict(lacking); },
       "state error in optim::RMSprop: 1 missing, 0 unexpected, 0 of another shape or type, 0 repeated; its state has "
       "3 tensors; nothing was loaded\n"
       "  missing  state.0.grad_avg  f32 [3, 2]\n"
       "  hint: it continues from the state of an optim::RMSprop with the same groups over parameters of the same "
       "shapes"},
  });
  EXPECT_EQ(rmsprop.state_dict().size(), 8u);  // nothing was loaded: no state, and not centered
  for (const auto& [name, tensor] : rmsprop.state_dict()) {
    if (name.ends_with("centered")) {
      EXPECT_EQ(tensor.item<double>(), 0);
    }
  }
}

TEST(WrongUsesOptimizers, StatesWithOtherGroups) {
  Net net;
  optim::Adam plain(net), grouped(net);
  grouped.set_group("bias", {.weight_decay = 0});
  const NamedTensors dict = grouped.state_dict();
  check_wrong_uses({
      {"fewer", [&] { grouped.load_state_dict(plain.state_dict()); },
       "state error in optim::Adam: the state has 1 groups of parameters, the optimizer 2\n"
       "  hint: call set_group() first, as the program did that saved the state"},
      {"beta_of_a_group", [&] { grouped.load_state_dict(with(dict, "param_groups.1.betas.0", number(0.5))); },
       "value error in optim::Adam: param_groups.1.betas.0 is 0.5, must be that of the first group; groups have their "
       "own lr and weight_decay"},
      {"rate_of_a_group", [&] { grouped.load_state_dict(with(dict, "param_groups.1.lr", number(-1))); },
       "value error in optim::Adam: param_groups.1.lr is -1, must be finite and >= 0"},
      {"decay_of_a_group", [&] { grouped.load_state_dict(with(dict, "param_groups.1.weight_decay", number(NAN))); },
       "value error in optim::Adam: param_groups.1.weight_decay is nan, must be finite and >= 0"},
      {"only_the_first_is_zero", [&] { grouped.load_state_dict(with(dict, "param_groups.0.lr", number(0))); },
       "value error in optim::Adam: param_groups.1.lr is 0.001, must be 0 as that of the first group"},
      {"one_number_for_two", [&] { grouped.load_state_dict(with(dict, "param_groups.1.params", tensor({0}))); },
       "value error in optim::Adam: param_groups.1.params.0 is 0, must be a number of its own"},
      {"another_size",
       [&] {
         grouped.load_state_dict(with(dict, "param_groups.1.params", tensor({1, 2})));
       },
       "state error in optim::Adam: 0 missing, 0 unexpected, 1 of another shape or type, 0 repeated; its state has 18 "
       "tensors; nothing was loaded\n"
       "  mismatch  param_groups.1.params  i64 [2], expected i64 [1]"},
  });
  EXPECT_EQ(grouped.lr(), 1e-3);
}

TEST(WrongUsesOptimizers, StatesOfLBFGS) {
  Matrix net, other;
  optim::LBFGS optimizer(net, {.max_iter = 1}), fresh(other);
  optimizer.step([&] { return sum(square(net.weight)); });
  const NamedTensors dict = optimizer.state_dict();
  nn::freeze(other);
  check_wrong_uses({
      {"of_another_optimizer",
       [&] {
         fresh.load_state_dict({{"param_groups.0.lr", number(1)}});
       },
       "state error in optim::LBFGS: 6 missing, 0 unexpected, 0 of another shape or type, 0 repeated; its state has 7 "
       "tensors; nothing was loaded\n"
       "  missing  param_groups.0.max_iter  f64 []\n"
       "  missing  param_groups.0.max_eval  f64 []\n"
       "  missing  param_groups.0.tolerance_grad  f64 []\n"
       "  missing  param_groups.0.tolerance_change  f64 []\n"
       "  missing  param_groups.0.history_size  f64 []\n"
       "  missing  param_groups.0.params  i64 [1]\n"
       "  hint: it continues from the state of an optim::LBFGS with as many trainable parameters"},
      {"of_other_parameters", [&] { fresh.load_state_dict(dict); },
       "state error in optim::LBFGS: 0 missing, 0 unexpected, 2 of another shape or type, 0 repeated; its state has 14 "
       "tensors; nothing was loaded\n"
       "  mismatch  state.0.d  f64 [6], expected f64 [0]\n"
       "  mismatch  state.0.prev_flat_grad  f64 [6], expected f64 [0]"},
      {"half_a_direction", [&] { optimizer.load_state_dict(with(dict, "param_groups.0.max_iter", number(0.5))); },
       "value error in optim::LBFGS: param_groups.0.max_iter is 0.5, must be a whole number up to 2^53"},
      {"no_rate", [&] { optimizer.load_state_dict(with(dict, "param_groups.0.lr", number(0))); },
       "value error in optim::LBFGS: lr is 0, must be finite and > 0"},
  });
  EXPECT_EQ(optimizer.state_dict().size(), dict.size());
}

}  // namespace
}  // namespace gradus
