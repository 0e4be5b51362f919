// Dropping at random while training. The key is a leaf: every call draws another one, and no call compiles again.
//
//   Tensor y = drop_path(x, 0.1, training);            // the next key of manual_seed's stream
//   Tensor z = drop_path(x, 0.1, true, key.fold(3));   // the same elements for the same key, always
#pragma once

#include <optional>

#include "gradus/base/random.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// Drops whole channels of `x` (n, c, ...), as PyTorch's dropout1d, 2d and 3d (Tompson et al., 2015): a channel is 0 with
/// probability `p`, else divided by 1 - p; `x` itself when not training. All of these throw Error(dtype), and Error(value)
/// unless p is in [0, 1]. This one throws Error(shape) for less than 2 axes.
Tensor channel_dropout(const TensorArg& x, double p = 0.5, bool training = true, std::optional<Key> key = {});
/// Keeps mean and variance of inputs that have mean 0 and variance 1, as SELU gives: Klambauer et al., 2017.
Tensor alpha_dropout(const TensorArg& x, double p = 0.5, bool training = true, std::optional<Key> key = {});
/// Stochastic depth: drops whole examples (axis 0) of a residual branch. Huang et al., 2016.
Tensor drop_path(const TensorArg& x, double p = 0.0, bool training = true, std::optional<Key> key = {});

}  // namespace gradus
