#include "gradus/data/sources.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <numeric>

#include "gradus/data/fashion_mnist.h"
#include "gradus/data/idx.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor bytes(const Shape& shape, const std::vector<std::uint8_t>& values) {
  return leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(values));
}

/// Two images of 28 x 28 and their labels, under the names of Fashion-MNIST.
void write_small_set(const std::string& folder, std::uint8_t second_label = 9) {
  write_idx(folder + "/train-images-idx3-ubyte.gz", bytes({2, 28, 28}, std::vector<std::uint8_t>(2 * 784, 255)));
  write_idx(folder + "/train-labels-idx1-ubyte.gz", bytes({2}, {3, second_label}));
}

class DataFolderVariable {
 public:
  explicit DataFolderVariable(const char* value) {
    if (const char* old = std::getenv("GRADUS_DATA_DIR")) old_ = old;
    ::setenv("GRADUS_DATA_DIR", value, 1);
  }
  ~DataFolderVariable() { old_.empty() ? ::unsetenv("GRADUS_DATA_DIR") : ::setenv("GRADUS_DATA_DIR", old_.c_str(), 1); }
  DataFolderVariable(const DataFolderVariable&) = delete;
  DataFolderVariable& operator=(const DataFolderVariable&) = delete;

 private:
  std::string old_;
};

TEST(FashionMnist, ReadsAFolder) {
  const TemporaryFolder folder;
  write_small_set(folder.path());
  const Dataset set = fashion_mnist(Split::train, folder.path());
  const Batch batch = set.batch(std::vector<std::int64_t>{1});
  EXPECT_EQ(batch.inputs.spec(), (TensorSpec{DType::f32, {1, 1, 28, 28}}));
  EXPECT_EQ(batch.inputs.data<float>()[783], 1.f);
  EXPECT_EQ(batch.labels.data<std::int64_t>()[0], 9);
  EXPECT_EQ(set.class_names()[9], "Ankle boot");
  EXPECT_EQ(set.num_classes(), 10);
}

TEST(FashionMnist, LooksInTheDataFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "fashion-mnist");
  write_small_set(folder / "fashion-mnist");
  const DataFolderVariable variable(folder.path().c_str());
  EXPECT_EQ(fashion_mnist(Split::train).size(), 2);
}

TEST(FashionMnist, SaysHowToGetIt) {
  const TemporaryFolder folder;
  const std::string message = message_of(ErrorKind::io, [&] { fashion_mnist(Split::test, folder.path()); });
  EXPECT_THAT(message, HasSubstr("apt-get install dataset-fashion-mnist"));
  EXPECT_THAT(message, HasSubstr(folder / "t10k-{images-idx3,labels-idx1}-ubyte[.gz]"));
}

TEST(FashionMnist, RefusesOtherFilesUnderItsNames) {
  const TemporaryFolder folder;
  write_small_set(folder.path(), 10);
  EXPECT_THAT(message_of(ErrorKind::index, [&] { fashion_mnist(Split::train, folder.path()); }),
              HasSubstr("label 10 in row 1"));
  write_small_set(folder.path());
  write_idx(folder / "train-images-idx3-ubyte.gz", bytes({2, 8, 8}, std::vector<std::uint8_t>(128)));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { fashion_mnist(Split::train, folder.path()); }),
              HasSubstr("[N, 1, 28, 28]"));
  write_bytes(folder / "train-images-idx3-ubyte.gz", "not this");
  message_of(ErrorKind::format, [&] { fashion_mnist(Split::train, folder.path()); });
}

TEST(FashionMnist, IsWhatItWasPublishedAs) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
  for (const Split split : {Split::train, Split::test}) {
    const Dataset set = fashion_mnist(split, "/usr/share/datasets/fashion-mnist");
    const std::int64_t expected = split == Split::train ? 60000 : 10000;
    ASSERT_EQ(set.size(), expected);
    std::vector<std::int64_t> counts(10);
    for (const std::int64_t label : set.labels().data<std::int64_t>()) ++counts[static_cast<std::size_t>(label)];
    for (const std::int64_t count : counts) EXPECT_EQ(count, expected / 10);
    if (split == Split::test) continue;
    const auto pixels = set.examples().data<std::uint8_t>();
    const double mean = std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size()) / 255;
    EXPECT_NEAR(mean, 0.2860, 5e-5);  // the published mean of the training images
  }
}

TEST(Sources, ReadIdxFilesOfOnesOwn) {
  const TemporaryFolder folder;
  write_idx(folder / "x", bytes({2, 1, 2}, {0, 51, 102, 255}));
  const std::vector<std::int32_t> labels = {1, 0};
  write_idx(folder / "y", leaf<std::int32_t>({2}, std::span<const std::int32_t>(labels)));
  const SourceOptions options{.train_images = folder / "x",
                              .train_labels = folder / "y",
                              .class_names = {"cat", "dog"},
                              .mean = {0.2},
                              .std = {0.5}};
  const Dataset set = load("idx", Split::train, options);
  EXPECT_EQ(set.example_shape(), (Shape{1, 1, 2}));
  const Batch batch = set.batch(std::vector<std::int64_t>{0, 1});
  const auto inputs = batch.inputs.data<float>();
  EXPECT_FLOAT_EQ(inputs[0], -0.4f);
  EXPECT_NEAR(inputs[1], 0, 1e-7);
  EXPECT_FLOAT_EQ(inputs[3], 1.6f);
  EXPECT_THAT(message_of(ErrorKind::config, [&] { load("idx", Split::test, options); }), HasSubstr("test_images"));
}

TEST(Sources, RefuseFilesThatDoNotBelongTogether) {
  const TemporaryFolder folder;
  write_idx(folder / "x", bytes({2, 1}, {0, 51}));
  write_idx(folder / "y", bytes({3}, {0, 1, 2}));
  const auto read = [&](const char* images, const char* labels) {
    idx_dataset("mine", folder / images, folder / labels);
  };
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read("x", "y"); }), HasSubstr("do not belong together"));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read("x", "x"); }), HasSubstr("expected u8 or i32 [N]"));
  const std::vector<double> doubles = {1};
  write_idx(folder / "z", leaf<double>({1}, std::span<const double>(doubles)));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read("z", "y"); }), HasSubstr("expected u8 or f32"));
}

TEST(Sources, AreFoundByName) {
  EXPECT_THAT(source_names(), ElementsAre("fashion-mnist", "digits", "breast-cancer", "friedman", "cifar-10",
                                          "cifar-100", "idx", "csv", "image-folder"));
  const std::string message = message_of(ErrorKind::config, [] { load("fashion_mnist", Split::train); });
  EXPECT_THAT(message, HasSubstr("did you mean \"fashion-mnist\"?"));
  EXPECT_THAT(message_of(ErrorKind::config, [] { load("imagenet-22k", Split::train); }), HasSubstr("known"));
}

TEST(Sources, WholeNumbersInTrainingMayBeFractionsInTheTest) {
  const TemporaryFolder folder;
  write_bytes(folder / "train.csv", "x,class\n1,a\n3,b\n");
  write_bytes(folder / "test.csv", "x,class\n0.5,b\n");
  const SourceOptions options{.train_path = folder / "train.csv", .test_path = folder / "test.csv", .target = "class"};
  const Dataset test = load("csv", Split::test, options);
  EXPECT_EQ(test.examples().to_vector<float>(), std::vector<float>{0.5f});
  EXPECT_EQ(test.labels().to_vector<std::int64_t>(), std::vector<std::int64_t>{1});
}

}  // namespace
}  // namespace gradus::data
