// What the doctor says of a run: one thing that is wrong, how it shows, why, and what to try.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/train/recipe.h"

namespace gradus::insight::doctor {

enum class Severity {
  note,     ///< worth knowing; a run with notes alone is healthy
  warning,  ///< costs quality
  critical  ///< the result is worthless, or a lie
};
std::string_view name_of(Severity severity);

/// A key of the recipe and another value for it, both as TOML writes them.
struct Change {
  std::string key;    ///< "optimizer.lr"
  std::string value;  ///< "0.003"
  std::string was;    ///< "0.3"

  friend bool operator==(const Change&, const Change&) = default;
};

struct Finding {
  std::string rule = {};  ///< "learning-rate-too-high"
  Severity severity = Severity::warning;
  std::string evidence = {};                                 ///< what was seen in this run
  std::vector<std::pair<std::string, double>> numbers = {};  ///< the same as numbers with names
  std::string cause = {};
  std::vector<Change> changes = {};  ///< the remedy, all of them together; empty where no recipe can say it
  std::string advice = {};           ///< what is to be done besides, or in their place
};

/// The value of a key in a recipe, in TOML; "" for one that is absent. Error(usage) for a key that no recipe has.
std::string recipe_value(const train::Recipe& recipe, std::string_view key);

/// `key` with its value in the recipe as what it was.
Change change(const train::Recipe& recipe, std::string key, std::string value);
Change change(const train::Recipe& recipe, std::string key, double value);

/// The recipe with the changes made, checked as if it had been read from a file. Error(config) for a value that is refused.
train::Recipe changed(const train::Recipe& recipe, const std::vector<Change>& changes);

/// "optimizer.lr = 0.003  # was 0.3"
std::string text_of(const Change& change);

}  // namespace gradus::insight::doctor
