// What the readers link to and do not run, or need no more of than names: with these, fuzzers need no kernels.
#include <cstdlib>

#include "gradus/engine/eval.h"
#include "gradus/models/activations.h"
#include "gradus/models/layer_types.h"
#include "gradus/optim/plateau.h"
#include "gradus/optim/registry.h"
#include "gradus/train/record/instruments.h"
#include "gradus/train/setup.h"

namespace gradus {

void eval(std::span<const Tensor>, SourceLocation) { std::abort(); }

namespace models {

const std::vector<std::string_view>& activation_names() {
  static const std::vector<std::string_view> names = {"relu", "tanh"};
  return names;
}

const std::vector<std::string_view>& layer_type_names() {
  static const std::vector<std::string_view> names = {"conv2d", "linear", "flatten", "relu"};
  return names;
}

std::vector<std::string_view> layers_that_read(std::string_view) { return {"conv2d", "linear"}; }

}  // namespace models

namespace optim {

std::vector<std::string> optimizer_names() { return {"adamw", "sgd"}; }

std::vector<SettingDefault> optimizer_defaults(std::string_view name, SourceLocation) {
  if (name == "sgd") return {{"lr", 1e-3}, {"momentum", 0}, {"weight_decay", 0}, {"nesterov", 0, true}};
  return {{"lr", 1e-3},  {"betas.0", 0.9},       {"betas.1", 0.999},
          {"eps", 1e-8}, {"weight_decay", 1e-2}, {"warmup", 0, false, true}};
}

ReduceOnPlateau::ReduceOnPlateau(const ReduceOnPlateauOptions&, SourceLocation) { std::abort(); }
double ReduceOnPlateau::step(double) { std::abort(); }

}  // namespace optim

namespace train {

const std::vector<std::string_view>& instrument_names() {
  static const std::vector<std::string_view> names = {"gradients", "losses"};
  return names;
}

// Makes the optimizer: not part of reading.
void check_settings(const Recipe&) {}

}  // namespace train
}  // namespace gradus
