// Changes of a recipe that several rules propose.
#pragma once

#include <vector>

#include "gradus/insight/doctor/finding.h"

namespace gradus::insight::doctor {

/// Columns of mean 0 and variance 1; empty where the recipe does so already.
std::vector<Change> standardise(const train::Recipe& recipe);
/// The same of numbers to predict; empty for classes, and where they are scaled already.
std::vector<Change> standardise_targets(const train::Recipe& recipe);
/// A schedule that takes the rate away later; empty where nothing can be said by one key.
std::vector<Change> slower_schedule(const train::Recipe& recipe);
/// Other activation functions in an mlp or a list of layers; empty where there are none others.
std::vector<Change> other_activation(const train::Recipe& recipe, const std::string& name);
/// Batch normalisation behind the hidden layers of a list that has no norms; empty otherwise.
std::vector<Change> with_norms(const train::Recipe& recipe);
/// More weight decay, of an optimizer that has it.
std::vector<Change> more_decay(const train::Recipe& recipe);
/// A wider network, or less weight decay where there is much of it.
std::vector<Change> more_capacity(const train::Recipe& recipe);

}  // namespace gradus::insight::doctor
