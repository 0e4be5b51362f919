// Fashion-MNIST: 60,000 + 10,000 grey images of clothes, 28 x 28, 10 classes (Xiao, Rasul and Vollgraf, 2017; MIT
// licence).
#pragma once

#include <string>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

/// "T-shirt/top", "Trouser", ..., "Ankle boot"
const std::vector<std::string>& fashion_mnist_classes();

/// The data set; its batches are f32 [B, 1, 28, 28] in 0 to 1 and i64 [B].
/// `folder` holds the four IDX files, plain or with .gz. When empty: where fetch_source brings it
/// ($GRADUS_DATA_DIR or ~/.cache/gradus), then /usr/share/datasets/fashion-mnist. `mean` and `std` are applied after the division by 255.
/// Throws Error(io) that names the command that installs it when it is not there, Error(format) for a damaged file.
Dataset fashion_mnist(Split split, const std::string& folder = {}, std::vector<double> mean = {},
                      std::vector<double> std = {});

}  // namespace gradus::data
