// Losses and what is measured beside them. Names and defaults are PyTorch's. Other than arithmetic, they never broadcast:
// shapes must agree. All are computed with formulas that stay finite at large logits.
#pragma once

#include "gradus/nn/losses/binary.h"
#include "gradus/nn/losses/classification.h"
#include "gradus/nn/losses/margin.h"
#include "gradus/nn/losses/reduction.h"
#include "gradus/nn/losses/regression.h"
