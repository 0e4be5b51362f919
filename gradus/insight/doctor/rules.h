// The rules: what each is called, and the function that looks for it. Adding a rule is adding a row in rules.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gradus/insight/doctor/evidence.h"
#include "gradus/insight/doctor/finding.h"

namespace gradus::insight::doctor {

using Findings = std::vector<Finding>;

struct Rule {
  std::string_view name;
  std::string_view looks_for;
  /// `before`: what the rules above it found, so that a consequence is not reported beside its cause.
  std::optional<Finding> (*examine)(const Evidence& evidence, const Findings& before);
};

/// In the order of causes: data first, then what keeps a network from learning, then what comes of it.
std::span<const Rule> rules();

/// What all rules find, the most severe first, in the order of the rules among equals.
Findings apply_rules(const Evidence& evidence);

}  // namespace gradus::insight::doctor
