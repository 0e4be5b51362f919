#include "gradus/data/png.h"

#include <gmock/gmock.h>
#include <png.h>
#include <zlib.h>

#include <cstdio>
#include <cstring>

#include "gradus/data/png_bytes.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<int> samples(const Tensor& image) {
  const auto data = image.data<std::uint8_t>();
  return {data.begin(), data.end()};
}

Tensor image_of(const Shape& shape, const std::vector<std::uint8_t>& values) {
  return leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(values));
}

struct Encoding {
  std::uint32_t width, height;
  int depth, colour;
  int interlace = PNG_INTERLACE_NONE;
  std::vector<png_color> palette = {};
};

/// A PNG file as libpng makes it from rows of raw bytes.
void write_raw(const std::string& path, const Encoding& encoding, std::vector<std::vector<std::uint8_t>> rows) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, encoding.width, encoding.height, encoding.depth, encoding.colour, encoding.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!encoding.palette.empty()) {
    png_set_PLTE(png, info, encoding.palette.data(), static_cast<int>(encoding.palette.size()));
  }
  png_write_info(png, info);
  std::vector<png_bytep> pointers;
  for (auto& row : rows) pointers.push_back(row.data());
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

TEST(Png, WritesWhatItReads) {
  const TemporaryFolder folder;
  for (const std::int64_t channels : {1, 2, 3, 4}) {
    std::vector<std::uint8_t> values(static_cast<std::size_t>(channels) * 5 * 7);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint8_t>(i * 37);
    const Tensor image = image_of({channels, 5, 7}, values);
    write_png(folder / "x.png", image);
    const Tensor read = read_png(folder / "x.png");
    EXPECT_EQ(read.spec(), image.spec());
    EXPECT_EQ(samples(read), samples(image));
  }
}

TEST(Png, WritesMatricesAsGrey) {
  const TemporaryFolder folder;
  write_png(folder / "x.png", image_of({2, 2}, {0, 50, 100, 255}));
  EXPECT_EQ(read_png(folder / "x.png").shape(), (Shape{1, 2, 2}));
}

TEST(Png, PutsChannelsFirst) {
  const TemporaryFolder folder;
  write_raw(folder / "x.png", {2, 1, 8, PNG_COLOR_TYPE_RGB}, {{1, 2, 3, 4, 5, 6}});
  EXPECT_THAT(samples(read_png(folder / "x.png")), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Png, RoundsSixteenBits) {
  const TemporaryFolder folder;
  write_raw(folder / "x.png", {4, 1, 16, PNG_COLOR_TYPE_GRAY}, {{0, 0, 0, 128, 0, 129, 255, 255}});
  EXPECT_THAT(samples(read_png(folder / "x.png")), ElementsAre(0, 0, 1, 255));  // 128 / 257 = 0.498, 129 / 257 = 0.502
}

TEST(Png, ExpandsPackedBitsAndPalettes) {
  const TemporaryFolder folder;
  write_raw(folder / "bits.png", {8, 1, 1, PNG_COLOR_TYPE_GRAY}, {{0b10110001}});
  EXPECT_THAT(samples(read_png(folder / "bits.png")), ElementsAre(255, 0, 255, 255, 0, 0, 0, 255));
  write_raw(folder / "palette.png", {2, 1, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE, {{10, 20, 30}, {40, 50, 60}}},
            {{1, 0}});
  EXPECT_THAT(samples(read_png(folder / "palette.png")), ElementsAre(40, 10, 50, 20, 60, 30));
}

TEST(Png, ReadsAnIndexBehindThePaletteAsBlack) {
  const TemporaryFolder folder;
  write_raw(folder / "palette.png", {2, 1, 8, PNG_COLOR_TYPE_PALETTE, PNG_INTERLACE_NONE, {{10, 20, 30}}}, {{0, 200}});
  EXPECT_THAT(samples(read_png(folder / "palette.png")), ElementsAre(10, 0, 20, 0, 30, 0));
}

TEST(Png, ReadsInterlacedImages) {
  const TemporaryFolder folder;
  std::vector<std::vector<std::uint8_t>> rows(9, std::vector<std::uint8_t>(9));
  for (std::size_t y = 0; y < 9; ++y) {
    for (std::size_t x = 0; x < 9; ++x) rows[y][x] = static_cast<std::uint8_t>(y * 9 + x);
  }
  write_raw(folder / "x.png", {9, 9, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_ADAM7}, rows);
  const std::vector<int> read = samples(read_png(folder / "x.png"));
  for (int i = 0; i < 81; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], i);
}

TEST(Png, ConvertsChannels) {
  const TemporaryFolder folder;
  write_png(folder / "rgba.png", image_of({4, 1, 2}, {255, 10, 0, 20, 0, 30, 77, 0}));
  EXPECT_THAT(samples(read_png(folder / "rgba.png", {.channels = 1})), ElementsAre(76, 18));  // 0.299 * 255 = 76.2
  EXPECT_THAT(samples(read_png(folder / "rgba.png", {.channels = 3})), ElementsAre(255, 10, 0, 20, 0, 30));
  write_png(folder / "grey.png", image_of({2, 1, 2}, {5, 6, 99, 99}));
  EXPECT_THAT(samples(read_png(folder / "grey.png", {.channels = 3})), ElementsAre(5, 6, 5, 6, 5, 6));
  EXPECT_THAT(message_of(ErrorKind::value, [&] { read_png(folder / "grey.png", {.channels = 2}); }),
              HasSubstr("channels is 2"));
}

TEST(Png, RefusesOtherFiles) {
  const TemporaryFolder folder;
  write_bytes(folder / "x.png", "GIF89a, or so it says");
  EXPECT_THAT(message_of(ErrorKind::format, [&] { read_png(folder / "x.png"); }), HasSubstr("PNG"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_png(folder / "none.png"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_png(folder.path()); }), HasSubstr("not a regular file"));
}

TEST(Png, RefusesGigapixelsInASmallFile) {
  const TemporaryFolder folder;
  write_png(folder / "x.png", image_of({1, 1}, {0}));
  const std::string sound = read_bytes(folder / "x.png");
  const auto with_size = [&](std::uint32_t width, std::uint32_t height) {
    std::string file = sound;
    for (std::size_t i = 0; i < 4; ++i) {
      file[16 + i] = static_cast<char>(width >> (24 - 8 * i));
      file[20 + i] = static_cast<char>(height >> (24 - 8 * i));
    }
    const auto crc = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(file.data()) + 12, 17));
    for (std::size_t i = 0; i < 4; ++i) file[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
    write_bytes(folder / "y.png", file);
    return message_of(ErrorKind::format, [&] { read_png(folder / "y.png"); });
  };
  EXPECT_THAT(with_size(1 << 20, 1 << 20), HasSubstr("too large"));
  EXPECT_THAT(with_size(1 << 12, 1 << 12), HasSubstr("too short for the image"));
  EXPECT_FALSE(with_size(0xffffffff, 1).empty());
  EXPECT_FALSE(with_size(0, 1).empty());
}

TEST(Png, RefusesEveryPrefix) {
  const TemporaryFolder folder;
  write_png(folder / "x.png", image_of({3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  gradus::testing::expect_every_prefix_refused(read_bytes(folder / "x.png"),
                                               [](const std::string& path) { read_png(path); });
}

TEST(Png, CatchesEveryChangedByte) {
  const TemporaryFolder folder;
  const Tensor image = image_of({3, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  write_png(folder / "x.png", image);
  const std::string sound = read_bytes(folder / "x.png");
  const auto read = [&](const std::string& path) { EXPECT_EQ(samples(read_png(path)), samples(image)); };
  EXPECT_GT(gradus::testing::count_refused_corruptions(sound, read), 2 * sound.size());
}

TEST(Png, RefusesToWriteWhatIsNoImage) {
  const TemporaryFolder folder;
  const std::vector<float> floats = {1};
  message_of(ErrorKind::dtype, [&] { write_png(folder / "x", leaf<float>({1, 1}, std::span<const float>(floats))); });
  message_of(ErrorKind::shape, [&] { write_png(folder / "x", image_of({5, 1, 1}, {1, 2, 3, 4, 5})); });
  message_of(ErrorKind::shape, [&] { write_png(folder / "x", image_of({1, 0, 3}, {})); });
  message_of(ErrorKind::shape, [&] { write_png(folder / "x", image_of({1}, {1})); });
  message_of(ErrorKind::io, [&] { write_png(folder / "none/x.png", image_of({1, 1}, {1})); });
  EXPECT_THAT(message_of(ErrorKind::io,
                         [&] {
                           write_png("/dev/full", image_of({1, 1}, {1}));
                         }),
              HasSubstr("No space left"));
  EXPECT_EQ(folder.files(), 0u);
}

TEST(Png, BytesInMemoryAreTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder / "memory.png";
  for (const Shape& shape : {Shape{3, 2}, Shape{1, 2, 3}, Shape{2, 1, 2}, Shape{3, 2, 2}, Shape{4, 1, 1}}) {
    std::vector<std::uint8_t> values;
    for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(static_cast<std::uint8_t>(37 * i + 5));
    write_bytes(path, png_bytes(image_of(shape, values)));
    EXPECT_EQ(samples(read_png(path)), std::vector<int>(values.begin(), values.end())) << shape.str();
  }
  EXPECT_EQ(
      message_of(ErrorKind::shape,
                 [&] {
                   png_bytes(image_of({5, 1, 1}, {1, 2, 3, 4, 5}), {});
                 }),
      "shape error in png_bytes\n  image  u8 [5, 1, 1]   expected [height, width] or [1 to 4 channels, height, width]");
}

}  // namespace
}  // namespace gradus::data
