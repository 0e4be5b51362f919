// Settings whose names depend on a choice: those of an optimizer, those of a schedule.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gradus::train {

using SettingValue = std::variant<bool, double, std::string, std::vector<double>>;
/// By name. What is absent has its default.
using Settings = std::map<std::string, SettingValue>;

struct SettingInfo {
  std::string name;
  SettingValue initial;   ///< the default; a value has its type, and a list that is not empty its length
  bool required = false;  ///< there is no default
  bool whole = false;     ///< integers only
  std::vector<std::string> choices = {};  ///< of a text
  std::string_view doc = {};
};

/// Something that a recipe names, and its settings in the order in which they are written.
struct Choice {
  std::string name;
  std::vector<SettingInfo> settings = {};
};

/// All optimizers of the library, with their own settings: without the learning rate, and what recipes leave to training.
const std::vector<Choice>& optimizer_choices();
/// The default learning rate of an optimizer. Throws Error(value) for an unknown name.
double default_lr(std::string_view optimizer);
/// "betas" = [0.9, 0.999] as optim::make_optimizer reads it: "betas.0" = 0.9, "betas.1" = 0.999.
std::map<std::string, double> flat(const Settings& settings);

/// The entry called `name`; nullptr when there is none.
const Choice* find_choice(const std::vector<Choice>& choices, std::string_view name);

/// "a list of 2 numbers", "one of linear, cosine".
std::string expected(const SettingInfo& info);
bool fits(const SettingInfo& info, const SettingValue& value);
/// "a number", "a list of numbers", ...
std::string_view type_name(const SettingValue& value);

/// Adds the defaults of what `settings` lacks; required ones stay absent.
void fill_in(Settings& settings, const Choice& choice);

}  // namespace gradus::train
