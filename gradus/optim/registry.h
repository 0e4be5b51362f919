// Optimizers by name, for recipes and the command line.
//
//   auto optimizer = optim::make_optimizer("nadam", model, {{"lr", 0.01}, {"betas.0", 0.8}});
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

/// Names that make_optimizer knows, sorted: those of the classes in lower case.
std::vector<std::string> optimizer_names();

/// Names of the settings of an optimizer, in the order of its options: "lr", "betas.0", "betas.1", "eps", ... Throws
/// Error(value) for an unknown name, with the nearest one.
std::vector<std::string> optimizer_settings(std::string_view name, SourceLocation where = SourceLocation::current());

/// A setting with its default; switches are 0 and 1, an enum is its number.
struct SettingDefault {
  std::string name;
  double value = 0;
  bool is_switch = false, is_whole = false;
};
/// The same settings with their defaults. Throws as optimizer_settings().
std::vector<SettingDefault> optimizer_defaults(std::string_view name, SourceLocation where = SourceLocation::current());

/// The optimizer `name` with its defaults, except for `settings`; switches are 0 and 1, an enum is its number. Throws
/// Error(value) for an unknown optimizer or setting, with the nearest one, for a switch that is neither 0 nor 1, for a fraction
/// where a whole number belongs, and as the constructor.
std::unique_ptr<Optimizer> make_optimizer(std::string_view name, ParameterList parameters,
                                          const std::map<std::string, double>& settings = {},
                                          SourceLocation where = SourceLocation::current());

}  // namespace gradus::optim
