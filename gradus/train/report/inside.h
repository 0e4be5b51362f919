// The part of report.html that shows what a run recorded of its inside.
#pragma once

#include <string>

#include "gradus/train/record/instruments.h"

namespace gradus::train {

/// Curves of gradients, updates and activations by layer, and of the figures of epochs; "" where nothing was recorded.
std::string inside(const Instruments& instruments);

}  // namespace gradus::train
