// Data sets by name, as recipes ask for them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/data/table/encoder.h"

namespace gradus::data {

/// What the sources need to know; each reads the entries of its own.
struct SourceOptions {
  /// fashion-mnist, cifar-10, cifar-100: the folder of its files; empty: where they are installed.
  std::string folder = {};
  /// idx: the files of each split.
  std::string train_images = {}, train_labels = {}, test_images = {}, test_labels = {};
  /// csv: the file of each split; image-folder: the folder of each split.
  std::string train_path = {}, test_path = {};
  /// csv: the column of the classes, columns to leave out, what stands in for missing values ("error", "mean", "median",
  /// "indicator"), how categories are written ("one-hot", "codes"), the delimiter (one character).
  std::string target = {};
  std::vector<std::string> drop = {};
  std::string missing = "error", categories = "one-hot", delimiter = ",";
  /// csv: whether the target is a class ("classification") or a number ("regression").
  std::string task = "classification";
  /// image-folder: {height, width} of all pictures (empty: as stored) and channels (0: as stored, 1, 3).
  std::vector<std::int64_t> resize = {};
  std::int64_t channels = 0;
  /// idx: names of the classes; empty: numbers.
  std::vector<std::string> class_names = {};
  /// All: normalisation after scaling, one entry or one per channel.
  std::vector<double> mean = {}, std = {};
};

/// Loads `split` of the data set called `name` (see source_names). Throws Error(config) for another name (with the nearest one)
/// or a path that is missing, and what the source throws.
///
/// A CSV's dictionaries and stand-ins for missing values come from its training file, the test part included in nothing.
Dataset load(std::string_view name, Split split, const SourceOptions& options = {});

/// How a source that is a table writes its rows as numbers, as learned from its training part; nothing for other sources.
/// Throws as load.
std::optional<TableEncoder> load_encoder(std::string_view name, const SourceOptions& options = {});

/// All names that `load` knows.
std::vector<std::string> source_names();

/// What is known of a source before anything is loaded.
struct SourceInfo {
  std::string name, description, licence;
  std::string origin;      ///< where it comes from: the library itself, a package, an address, files of the user
  bool own_files = false;  ///< reads files of the user
};
const std::vector<SourceInfo>& source_infos();

/// A data set from a file of images, [N, H, W] (which becomes [N, 1, H, W]) or any [N, ...], u8 (divided by 255) or
/// f32, and a file of labels, u8 or i32 [N]. Reads class_names, mean and std of `options`. Throws Error(format) when
/// the files do not belong together, Error(index) for a label out of range.
Dataset idx_dataset(const std::string& name, const std::string& images, const std::string& labels,
                    const SourceOptions& options = {});

}  // namespace gradus::data
