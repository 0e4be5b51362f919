// Values that pass from one region to another through memory: what fusion might have saved, and did not.
#pragma once

#include <string>
#include <vector>

#include "gradus/engine/plan.h"

namespace gradus::engine {

struct MissedFusion {
  std::int32_t writer = 0;            ///< number of the step
  std::vector<std::int32_t> readers;  ///< numbers of the steps
  double bytes = 0;                   ///< of the value
};

/// Values that a region writes and regions alone read, largest first; neither results nor what is repeated along an
/// axis by every reader are among them. A value stays in memory when its readers need
/// different shapes or a sum over it first, when computing it again would cost more than reading it, or when a region would
/// grow too large (transform/fuse.h).
std::vector<MissedFusion> missed_fusions(const Plan& plan);

}  // namespace gradus::engine
