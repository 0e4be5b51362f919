#include "gradus/data/read/image.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "gradus/data/png.h"
#include "gradus/data/read/cifar.h"
#include "gradus/data/read/jpeg.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor image(const Shape& shape, int step = 3) {
  std::vector<std::uint8_t> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(static_cast<std::uint8_t>(i * step % 251));
  return leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(values));
}

Tensor smooth(std::int64_t channels, std::int64_t size) {
  std::vector<std::uint8_t> values;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t p = 0; p < size * size; ++p)
      values.push_back(static_cast<std::uint8_t>(40 * c + 3 * (p / size) + 2 * (p % size)));
  }
  return leaf<std::uint8_t>({channels, size, size}, std::span<const std::uint8_t>(values));
}

int largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.spec(), b.spec());
  int largest = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    largest = std::max(largest, std::abs(a.data<std::uint8_t>()[at] - b.data<std::uint8_t>()[at]));
  }
  return largest;
}

TEST(Jpeg, ReadsWhatItWrites) {
  const TemporaryFolder folder;
  const std::string path = folder / "x.jpg";
  for (const std::int64_t channels : {1, 3}) {
    const Tensor sent = smooth(channels, 24);
    write_jpeg(path, sent, 100);
    EXPECT_LE(largest_difference(read_jpeg(path), sent), 3);
    EXPECT_EQ(read_jpeg(path, {.channels = 1}).shape(), (Shape{1, 24, 24}));
    EXPECT_EQ(read_jpeg(path, {.channels = 3}).shape(), (Shape{3, 24, 24}));
  }
  const Tensor grey = read_jpeg(path, {.channels = 1});
  const Tensor colour = read_jpeg(path);
  const double luma = 0.299 * colour.data<std::uint8_t>()[0] + 0.587 * colour.data<std::uint8_t>()[576] +
                      0.114 * colour.data<std::uint8_t>()[2 * 576];
  EXPECT_NEAR(grey.data<std::uint8_t>()[0], luma, 2);
}

TEST(Jpeg, RefusesTruncatedAndSurvivesDamage) {
  const TemporaryFolder folder;
  write_jpeg(folder / "x.jpg", smooth(3, 17), 80);
  const std::string sound = read_bytes(folder / "x.jpg");
  gradus::testing::expect_every_prefix_refused(sound.substr(0, sound.size() - 1),
                                               [](const std::string& p) { read_jpeg(p); });
  gradus::testing::count_refused_corruptions(sound, [](const std::string& p) { read_jpeg(p); });
  std::string bomb = sound;  // the frame header: FF C0, length, precision, height, width
  const std::size_t frame = bomb.find("\xff\xc0");
  ASSERT_NE(frame, bomb.npos);
  for (const std::size_t at : {5u, 7u}) bomb[frame + at] = '\x20';
  write_bytes(folder / "bomb.jpg", bomb);
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_jpeg(folder / "bomb.jpg"); }),
              HasSubstr("too short for the image"));
  write_bytes(folder / "text.jpg", "no image");
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_jpeg(folder / "text.jpg"); }), HasSubstr("Not a JPEG file"));
  message_of(ErrorKind::io, [&] { read_jpeg(folder / "none.jpg"); });
  message_of(ErrorKind::value, [&] { read_jpeg(folder / "x.jpg", {.channels = 2}); });
  message_of(ErrorKind::shape, [&] { write_jpeg(folder / "y.jpg", image({2, 3, 3})); });
  message_of(ErrorKind::value, [&] { write_jpeg(folder / "y.jpg", image({3, 3}), 0); });
  message_of(ErrorKind::io, [&] { write_jpeg("/dev/full", smooth(3, 17)); });
}

TEST(Image, ResizesByTheTriangleFilter) {
  const auto values = [](const Tensor& t) {
    const auto data = t.data<std::uint8_t>();
    return std::vector<int>(data.begin(), data.end());
  };
  const std::vector<std::uint8_t> row = {0, 100, 200, 40};
  const Tensor line = leaf<std::uint8_t>({1, 1, 4}, std::span<const std::uint8_t>(row));
  // torch 2.13: interpolate(mode="bilinear", antialias=True) gives 71.43, 117.14 and 0, 25, ...
  EXPECT_THAT(values(resized(line, {1, 2})), ElementsAre(71, 117));
  EXPECT_THAT(values(resized(line, {1, 8})), ElementsAre(0, 25, 75, 125, 175, 160, 80, 40));
  EXPECT_EQ(resized(line, {1, 4}), line);
  const std::vector<std::uint8_t> flat(3 * 9 * 5, 77);
  const Tensor constant = resized(leaf<std::uint8_t>({3, 9, 5}, std::span<const std::uint8_t>(flat)), {4, 11});
  EXPECT_EQ(constant.shape(), (Shape{3, 4, 11}));
  for (const std::uint8_t value : constant.data<std::uint8_t>()) EXPECT_EQ(value, 77);
  message_of(ErrorKind::value, [&] { resized(line, {0, 3}); });
}

TEST(ImageFolder, ReadsAClassPerFolder) {
  const TemporaryFolder folder;
  for (const char* name : {"dogs", "cats", ".hidden"}) std::filesystem::create_directory(folder / name);
  write_png(folder / "dogs/1.png", image({3, 4, 6}));
  write_jpeg(folder / "dogs/0.JPEG", smooth(3, 8));
  write_png(folder / "cats/a.png", image({4, 6}));
  write_bytes(folder / "cats/readme.txt", "none");
  EXPECT_THAT(message_of(ErrorKind::format, [&] { image_folder(folder.path()); }), HasSubstr("option channels"));
  EXPECT_THAT(message_of(ErrorKind::format, [&] { image_folder(folder.path(), {.channels = 3}); }),
              HasSubstr("option resize"));
  const Dataset set = image_folder(folder.path(), {.channels = 3, .resize = {5, 5}});
  EXPECT_EQ(set.examples().spec(), (TensorSpec{DType::u8, {3, 3, 5, 5}}));
  EXPECT_THAT(set.class_names(), ElementsAre("cats", "dogs"));
  const auto labels = set.labels().data<std::int64_t>();
  EXPECT_THAT(std::vector<std::int64_t>(labels.begin(), labels.end()), ElementsAre(0, 1, 1));
  message_of(ErrorKind::value, [&] { image_folder(folder.path(), {.class_names = {"cats"}}); });
  std::filesystem::create_directory(folder / "birds");
  EXPECT_THAT(message_of(ErrorKind::format, [&] { image_folder(folder.path(), {.channels = 3}); }),
              HasSubstr("class \"birds\" has no pictures"));
  message_of(ErrorKind::format, [&] { image_folder(folder / "birds"); });
  message_of(ErrorKind::io, [&] { image_folder(folder / "none"); });
}

/// Records of `labels` bytes and an image whose elements are the record's number.
std::string cifar_file(int labels, int records) {
  std::string bytes;
  for (int i = 0; i < records; ++i) {
    for (int k = 0; k < labels; ++k) bytes.push_back(static_cast<char>(k == 0 ? i % 10 : 90 + i));
    bytes += std::string(3072, static_cast<char>(i));
  }
  return bytes;
}

TEST(Cifar, ReadsBothLayouts) {
  const TemporaryFolder folder;
  for (const int i : {1, 2, 3, 4, 5})
    write_bytes(folder / ("data_batch_" + std::to_string(i) + ".bin"), cifar_file(1, i));
  write_bytes(folder / "test_batch.bin", cifar_file(1, 2));
  const Dataset train = cifar10(Split::train, folder.path());
  EXPECT_EQ(train.examples().spec(), (TensorSpec{DType::u8, {15, 3, 32, 32}}));
  EXPECT_EQ(train.num_classes(), 10);
  EXPECT_EQ(train.labels().data<std::int64_t>()[14], 4);
  EXPECT_EQ(train.examples().data<std::uint8_t>()[14 * 3072], 4);
  EXPECT_EQ(cifar10(Split::test, folder.path()).size(), 2);
  write_bytes(folder / "test.bin", cifar_file(2, 3));
  EXPECT_EQ(cifar100(Split::test, folder.path()).labels().data<std::int64_t>()[2], 92);
  const CifarImages coarse = read_cifar(folder / "test.bin", CifarLabels::coarse);
  EXPECT_EQ(coarse.labels.data<std::int64_t>()[2], 2);
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_cifar(folder / "test.bin", CifarLabels::ten); }),
              HasSubstr("a multiple of 3073 bytes"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { cifar100(Split::train, folder.path()); }), HasSubstr("cs.toronto.edu"));
  std::string damaged = cifar_file(1, 2);
  damaged[3073] = 10;
  write_bytes(folder / "x", damaged);
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_cifar(folder / "x", CifarLabels::ten); }),
              HasSubstr("label 10 in record 1"));
}

}  // namespace
}  // namespace gradus::data
