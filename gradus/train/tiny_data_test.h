// What tests of training share: a folder that goes away, and a small data set that can be learned.
#pragma once

#include <fmt/format.h>
#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/data/idx.h"

namespace gradus::testing_help {

/// A folder of its own for one test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gradus-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Grey images of `size` x `size` in four classes: noise, and one bright quarter that says the class.
inline void write_images(const std::string& images_path, const std::string& labels_path, std::int64_t count,
                         std::int64_t size, std::uint64_t seed) {
  std::vector<float> noise(static_cast<std::size_t>(count * size * size));
  fill_uniform(noise, Key{seed}, 0, 120);
  std::vector<std::uint8_t> pixels, labels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t label = i % 4;
    labels.push_back(static_cast<std::uint8_t>(label));
    for (std::int64_t p = 0; p < size * size; ++p) {
      const std::int64_t quarter = (p / size >= size / 2 ? 2 : 0) + (p % size >= size / 2 ? 1 : 0);
      const float value = noise[static_cast<std::size_t>(i * size * size + p)] + (quarter == label ? 100.f : 0.f);
      pixels.push_back(static_cast<std::uint8_t>(value));
    }
  }
  data::write_idx(images_path, leaf<std::uint8_t>({count, size, size}, pixels));
  data::write_idx(labels_path, leaf<std::uint8_t>({count}, labels));
}

/// Writes `train` + `test` images of 8 x 8 to `folder` and returns the text of a recipe that trains a small network on
/// them in a moment: (train - 40) / 16 steps an epoch.
inline std::string tiny_recipe(const TemporaryFolder& folder, std::int64_t epochs = 3, std::int64_t train = 200,
                               std::int64_t test = 60) {
  write_images(folder / "train-images", folder / "train-labels", train, 8, 1);
  write_images(folder / "test-images", folder / "test-labels", test, 8, 2);
  return fmt::format(R"(seed = 5
[model]
name = "mlp"
inputs = 64
hidden = [32]
outputs = 4
[data]
name = "idx"
train_images = "{0}/train-images"
train_labels = "{0}/train-labels"
test_images = "{0}/test-images"
test_labels = "{0}/test-labels"
class_names = ["north west", "north east", "south west", "south east"]
validation = 40
batch_size = 16
[optimizer]
lr = 1e-2
schedule = "cosine"
warmup_steps = 3
[train]
epochs = {1}
checkpoint_steps = 4
)",
                     folder.path(), epochs);
}

}  // namespace gradus::testing_help
