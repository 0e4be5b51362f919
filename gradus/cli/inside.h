// What a run recorded of its inside, for `gradus runs show`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "gradus/train/record/instruments.h"

namespace gradus::cli {

/// The last step that was looked at, by parameter and by activation, and the figures of the last epoch.
std::string inside_text(const train::Instruments& seen);
/// {"steps": how many, "noise_scale": ..., "last_step": {...}, "epochs": [...]}, the records as in instruments.jsonl.
nlohmann::ordered_json inside_json(const train::Instruments& seen);

}  // namespace gradus::cli
