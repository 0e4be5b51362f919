// What the runs of the fault suite learn, before anything is wrong with them.
#pragma once

#include <string>
#include <vector>

#include "gradus/insight/doctor/suite/cases.h"

namespace gradus::insight::doctor::detail {

struct Problem {
  std::string name;
  Part part = Part::development;
  bool wide = false;  ///< one hidden unit cannot do it
  Draft (*make)(std::uint64_t seed);
};

const std::vector<Problem>& problems();

/// The columns of the training rows get mean 0 and variance 1, those of the test rows the same change; data.standardize is off.
void scale_by_hand(Draft& draft);

}  // namespace gradus::insight::doctor::detail
