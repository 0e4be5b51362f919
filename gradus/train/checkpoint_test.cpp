#include "gradus/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/tiny_data_test.h"

namespace gradus::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_help::TemporaryFolder;

/// A checkpoint whose numbers all follow from `value`.
Checkpoint made_of(float value) {
  const std::vector<float> elements = {value, value + 1, value + 2};
  Checkpoint c;
  c.weights = {{"layer.weight", leaf<float>({3}, elements)}};
  c.optimizer = {{"state.0.exp_avg", leaf<float>({3}, elements)}};
  c.loop.step = static_cast<std::int64_t>(value);
  c.loop.loss_sum = static_cast<double>(value) / 3;
  c.random = {7, ~std::uint64_t{0}};
  c.recipe = "seed = 1\n\"quoted\"";
  return c;
}

void expect_made_of(const Checkpoint& c, float value) {
  EXPECT_EQ(c.weights.at(0).first, "layer.weight");
  EXPECT_EQ(c.weights.at(0).second.data<float>()[0], value);
  EXPECT_EQ(c.optimizer.at(0).second.data<float>()[2], value + 2);
  EXPECT_EQ(c.loop, made_of(value).loop);
  EXPECT_EQ(c.random, made_of(value).random);
  EXPECT_EQ(c.recipe, made_of(value).recipe);
}

std::string refusal(const std::string& stem) {
  try {
    load_checkpoint(stem);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Changes one byte from the end of a file.
void damage(const std::string& path, int from_end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-from_end, std::ios::end);
  const int byte = file.get();
  file.seekp(-from_end, std::ios::end);
  file.put(static_cast<char>(byte ^ 0x40));
}

TEST(Checkpoint, ReadsBackAndIsReplaced) {
  const TemporaryFolder folder;
  EXPECT_FALSE(has_checkpoint(folder / "last"));
  save_checkpoint(folder / "last", made_of(3));
  expect_made_of(load_checkpoint(folder / "last"), 3);
  save_checkpoint(folder / "last", made_of(10));
  expect_made_of(load_checkpoint(folder / "last"), 10);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 2u) << "nothing is left beside the pair";
}

TEST(Checkpoint, KilledBeforeTheStateWasReplacedTheOldPairCounts) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", made_of(3));
  save_checkpoint(folder / "newer", made_of(10));
  fs::copy_file(folder / "newer.safetensors", folder / "last.next.safetensors");
  io::write_file(folder / "last.state.safetensors.tmp", "half of a sta");
  expect_made_of(load_checkpoint(folder / "last"), 3);
  save_checkpoint(folder / "last", made_of(20));
  expect_made_of(load_checkpoint(folder / "last"), 20);
}

TEST(Checkpoint, KilledBeforeTheWeightsWereRenamedTheNewPairCounts) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", made_of(3));
  save_checkpoint(folder / "newer", made_of(10));
  fs::copy_file(folder / "newer.safetensors", folder / "last.next.safetensors");
  fs::rename(folder / "newer.state.safetensors", folder / "last.state.safetensors");
  expect_made_of(load_checkpoint(folder / "last"), 10);
  EXPECT_FALSE(fs::exists(folder / "last.next.safetensors"));
  expect_made_of(load_checkpoint(folder / "last"), 10);
}

TEST(Checkpoint, DamageIsFound) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", made_of(3));
  damage(folder / "last.safetensors", 2);
  EXPECT_THAT(refusal(folder / "last"), HasSubstr("last.safetensors is damaged, or of another moment than its state"));
  save_checkpoint(folder / "last", made_of(3));
  damage(folder / "last.state.safetensors", 2);
  EXPECT_THAT(refusal(folder / "last"), HasSubstr("last.state.safetensors is damaged: its checksum is wrong"));
  save_checkpoint(folder / "last", made_of(3));
  fs::remove(folder / "last.safetensors");
  EXPECT_THAT(refusal(folder / "last"), HasSubstr("last.safetensors is missing"));
  fs::copy_file(folder / "last.state.safetensors", folder / "other.safetensors");
  fs::resize_file(folder / "last.state.safetensors", fs::file_size(folder / "last.state.safetensors") - 1);
  EXPECT_THAT(refusal(folder / "last"), HasSubstr("format error"));
}

TEST(Checkpoint, WeightsAloneAreNoState) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "last", made_of(3));
  fs::copy_file(folder / "last.safetensors", folder / "odd.state.safetensors");
  EXPECT_THAT(refusal(folder / "odd"), HasSubstr("is not the state of a training run"));
  EXPECT_THAT(refusal(folder / "none"), HasSubstr("none.state.safetensors"));
}

}  // namespace
}  // namespace gradus::train
