// What a run recorded of its inside: see train/record/instruments.h for the structs and the file.
#pragma once

#include <string>

#include "gradus/train/record/instruments.h"

namespace gradus::insight {

using train::ActivationRecord;
using train::EpochRecord;
using train::GradientRecord;
using train::Instruments;
using train::noise_scale;
using train::Spread;
using train::StepRecord;
using train::UpdateRecord;

/// Of the run in the folder `run`; nothing when it recorded nothing. Throws Error(usage) when the folder is no run, and as
/// train::read_instruments.
Instruments read_instruments(const std::string& run);

}  // namespace gradus::insight
