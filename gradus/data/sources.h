// Data sets by name, as recipes ask for them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

/// What the sources need to know; each reads the entries of its own.
struct SourceOptions {
  /// fashion-mnist: the folder of its files; empty: where they are installed.
  std::string folder = {};
  /// idx: the files of each split.
  std::string train_images = {}, train_labels = {}, test_images = {}, test_labels = {};
  /// idx: names of the classes; empty: numbers.
  std::vector<std::string> class_names = {};
  /// All: normalisation after scaling, one entry or one per channel.
  std::vector<double> mean = {}, std = {};
};

/// Loads `split` of the data set called `name`: "fashion-mnist" or "idx". Throws Error(config) for another name (with
/// the nearest one) or a path that is missing, and what the source throws.
Dataset load(std::string_view name, Split split, const SourceOptions& options = {});

/// All names that `load` knows.
std::vector<std::string> source_names();

/// A data set from a file of images, [N, H, W] (which becomes [N, 1, H, W]) or any [N, ...], u8 (divided by 255) or
/// f32, and a file of labels, u8 or i32 [N]. Reads class_names, mean and std of `options`. Throws Error(format) when
/// the files do not belong together, Error(index) for a label out of range.
Dataset idx_dataset(const std::string& name, const std::string& images, const std::string& labels,
                    const SourceOptions& options = {});

}  // namespace gradus::data
