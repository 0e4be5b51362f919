// A function that is known, with noise: how well it can be predicted is known, too.
#pragma once

#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/data/table/table.h"

namespace gradus::data {

/// y = 10 sin(pi x1 x2) + 20 (x3 - 0.5)^2 + 10 x4 + 5 x5 + noise, for x1 to x10 uniform in [0, 1) and normal noise of standard
/// deviation 1: five of the columns say nothing, and no model has a root mean squared error below 1 but by chance. The first
/// data set of Friedman, "Multivariate adaptive regression splines", 1991; the numbers are drawn anew, the same ones always.
/// 1,000 rows for training, 500 for the test.
Table friedman_table(Split split);

/// The same as numbers to predict. Batches are f32 [B, 10], (x - mean) / std.
Dataset friedman(Split split, std::vector<double> mean = {}, std::vector<double> std = {});

}  // namespace gradus::data
