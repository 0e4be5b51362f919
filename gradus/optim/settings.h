// From a struct of options to its settings: what is in the struct is in the state dict, under the same name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gradus/base/fields.h"
#include "gradus/optim/optimizer.h"

namespace gradus::optim {

namespace detail {

/// `value` as a T: what does not fit becomes another number, which the reader of the setting sees.
template <class T>
T to_setting(double value) {
  if constexpr (std::is_same_v<T, double>) {
    return value;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return value >= 0 && value <= 0x1p53 ? static_cast<T>(value) : T{-1};
  } else {
    return value >= 0 && value < 128 ? static_cast<T>(static_cast<int>(value)) : static_cast<T>(127);
  }
}

template <class T>
void add_setting(std::vector<Setting>& settings, std::string name, T& place) {
  settings.push_back({std::move(name), [&place] { return static_cast<double>(place); },
                      [&place](double value) { place = to_setting<T>(value); },
                      std::is_same_v<T, double>         ? "a number"
                      : std::is_same_v<T, bool>         ? "0 or 1"
                      : std::is_same_v<T, std::int64_t> ? "a whole number up to 2^53"
                                                        : "a whole number below 128"});
}
template <class T, std::size_t N>
void add_setting(std::vector<Setting>& settings, const std::string& name, std::array<T, N>& places) {
  for (std::size_t i = 0; i < N; ++i) add_setting(settings, name + "." + std::to_string(i), places[i]);
}

}  // namespace detail

/// A switch of PyTorch's that tells two optimizers apart which are classes of their own here.
inline Setting fixed_setting(std::string name, bool value, std::string_view rule) {
  return {std::move(name), [value] { return value ? 1.0 : 0.0; }, [](double) {}, rule, true};
}

/// All fields of `options` (numbers, switches, enums, arrays of numbers), which the result refers to.
template <class Options>
std::vector<Setting> all_settings(Options& options) {
  std::vector<Setting> settings;
  fields::for_each(
      options, [&](std::string_view name, auto& field) { detail::add_setting(settings, std::string(name), field); });
  return settings;
}

/// The same without what every optimizer has: lr and skip_nonfinite.
template <class Options>
std::vector<Setting> settings_of(Options& options) {
  std::vector<Setting> settings = all_settings(options);
  std::erase_if(settings, [](const Setting& s) { return s.name == "lr" || s.name == "skip_nonfinite"; });
  return settings;
}

}  // namespace gradus::optim
