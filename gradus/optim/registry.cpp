#include "gradus/optim/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/optim/adam.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/adaptive.h"
#include "gradus/optim/layerwise.h"
#include "gradus/optim/matrix/muon.h"
#include "gradus/optim/matrix/shampoo.h"
#include "gradus/optim/schedule_free.h"
#include "gradus/optim/settings.h"
#include "gradus/optim/sgd.h"
#include "gradus/optim/sign.h"

namespace gradus::optim {
namespace {

using Values = std::map<std::string, double>;

struct Entry {
  std::string name;
  std::vector<SettingDefault> (*defaults)();
  std::unique_ptr<Optimizer> (*make)(std::string_view, ParameterList, const Values&, SourceLocation);
};

Error unknown(std::string_view what, std::string_view name, const std::vector<std::string>& known,
              SourceLocation where) {
  Error error(ErrorKind::value, "optim::make_optimizer", fmt::format("unknown {} \"{}\"", what, name));
  error.at(where);
  std::string lower(name);
  for (char& letter : lower) letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  const std::string nearest = nearest_name(lower, known);
  error.hint(nearest.empty() ? fmt::format("known are {}", fmt::join(known, ", "))
                             : fmt::format("did you mean {}?", nearest));
  return error;
}

template <class Options>
std::vector<SettingDefault> defaults_of() {
  Options options;
  std::vector<SettingDefault> defaults;
  for (const Setting& setting : all_settings(options)) {
    defaults.push_back(
        {setting.name, setting.get(), setting.values == "0 or 1", setting.values.starts_with("a whole number")});
  }
  return defaults;
}

std::vector<std::string> names_of(const std::vector<SettingDefault>& settings) {
  std::vector<std::string> names;
  for (const SettingDefault& setting : settings) names.push_back(setting.name);
  return names;
}

template <class T, class Options>
std::unique_ptr<Optimizer> make(std::string_view name, ParameterList parameters, const Values& values,
                                SourceLocation where) {
  Options options;
  const std::vector<Setting> settings = all_settings(options);
  for (const auto& [key, value] : values) {
    const auto found =
        std::find_if(settings.begin(), settings.end(), [&key = key](const Setting& s) { return s.name == key; });
    if (found == settings.end())
      throw unknown(fmt::format("setting of {}", name), key, names_of(defaults_of<Options>()), where);
    found->set(value);
    if (found->get() == value || std::isnan(found->get())) continue;  // a NaN is the constructor's to refuse
    throw Error(ErrorKind::value, "optim::make_optimizer",
                fmt::format("{} of {} is {}, must be {}", key, name, value, found->values))
        .at(where);
  }
  return std::make_unique<T>(std::move(parameters), options, where);
}

template <class T, class Options>
Entry entry(const char* name) {
  return {name, defaults_of<Options>, make<T, Options>};
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry>& all = *new std::vector<Entry>{
      entry<Adadelta, AdadeltaOptions>("adadelta"),
      entry<Adafactor, AdafactorOptions>("adafactor"),
      entry<Adagrad, AdagradOptions>("adagrad"),
      entry<Adam, AdamOptions>("adam"),
      entry<Adamax, AdamaxOptions>("adamax"),
      entry<AdamW, AdamWOptions>("adamw"),
      entry<AdamWScheduleFree, AdamWScheduleFreeOptions>("adamwschedulefree"),
      entry<ASGD, ASGDOptions>("asgd"),
      entry<LAMB, LAMBOptions>("lamb"),
      entry<LARS, LARSOptions>("lars"),
      entry<Lion, LionOptions>("lion"),
      entry<Muon, MuonOptions>("muon"),
      entry<NAdam, NAdamOptions>("nadam"),
      entry<RAdam, RAdamOptions>("radam"),
      entry<RMSprop, RMSpropOptions>("rmsprop"),
      entry<Rprop, RpropOptions>("rprop"),
      entry<SGD, SGDOptions>("sgd"),
      entry<SGDScheduleFree, SGDScheduleFreeOptions>("sgdschedulefree"),
      entry<Shampoo, ShampooOptions>("shampoo"),
  };
  return all;
}

const Entry& find(std::string_view name, SourceLocation where) {
  for (const Entry& entry : entries()) {
    if (entry.name == name) return entry;
  }
  throw unknown("optimizer", name, optimizer_names(), where);
}

}  // namespace

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.push_back(entry.name);
  return names;
}

std::vector<std::string> optimizer_settings(std::string_view name, SourceLocation where) {
  return names_of(find(name, where).defaults());
}

std::vector<SettingDefault> optimizer_defaults(std::string_view name, SourceLocation where) {
  return find(name, where).defaults();
}

std::unique_ptr<Optimizer> make_optimizer(std::string_view name, ParameterList parameters,
                                          const std::map<std::string, double>& settings, SourceLocation where) {
  return find(name, where).make(name, std::move(parameters), settings, where);
}

}  // namespace gradus::optim
