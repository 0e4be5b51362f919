#include "gradus/data/idx.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <zlib.h>

#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

/// 2 x 3 unsigned bytes.
std::string small_file() { return bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255}); }

template <class T>
std::vector<T> elements(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

std::string refusal_of(const std::string& content, ErrorKind kind = ErrorKind::format) {
  const TemporaryFolder folder;
  write_bytes(folder / "x.idx", content);
  const std::string message = message_of(kind, [&] { read_idx(folder / "x.idx"); });
  EXPECT_THAT(message, HasSubstr(folder / "x.idx"));
  return message;
}

TEST(Idx, ReadsUnsignedBytes) {
  const TemporaryFolder folder;
  write_bytes(folder / "x", small_file());
  const Tensor tensor = read_idx(folder / "x");
  EXPECT_EQ(tensor.spec(), (TensorSpec{DType::u8, {2, 3}}));
  EXPECT_THAT(elements<std::uint8_t>(tensor), ElementsAre(1, 2, 3, 4, 5, 255));
}

TEST(Idx, ReadsBigEndianElements) {
  const TemporaryFolder folder;
  write_bytes(folder / "int", bytes({0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 254}));
  EXPECT_THAT(elements<std::int32_t>(read_idx(folder / "int")), ElementsAre(258, -2));
  write_bytes(folder / "float", bytes({0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0}));
  EXPECT_THAT(elements<float>(read_idx(folder / "float")), ElementsAre(1.5f));
  write_bytes(folder / "double", bytes({0, 0, 0x0e, 1, 0, 0, 0, 1, 0xc0, 0x04, 0, 0, 0, 0, 0, 0}));
  EXPECT_THAT(elements<double>(read_idx(folder / "double")), ElementsAre(-2.5));
}

TEST(Idx, WritesWhatItReads) {
  const TemporaryFolder folder;
  const std::vector<float> floats = {1.5f, -2, 3e-30f, 0, 7, 8};
  const std::vector<std::int32_t> ints = {1, -2, 1 << 30, 4};
  for (const char* name : {"x", "x.gz"}) {
    const std::string path = folder / name;
    write_idx(path, leaf<float>({1, 2, 3}, std::span<const float>(floats)));
    EXPECT_EQ(read_idx(path).shape(), (Shape{1, 2, 3}));
    EXPECT_EQ(elements<float>(read_idx(path)), floats);
    write_idx(path, leaf<std::int32_t>({4}, std::span<const std::int32_t>(ints)));
    EXPECT_EQ(elements<std::int32_t>(read_idx(path)), ints);
  }
  EXPECT_EQ(read_bytes(folder / "x.gz").substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(read_bytes(folder / "x").size(), 8u + 16u);
}

TEST(Idx, ReadsEmptyAxes) {
  const TemporaryFolder folder;
  write_bytes(folder / "x", bytes({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3}));
  EXPECT_EQ(read_idx(folder / "x").spec(), (TensorSpec{DType::u8, {0, 3}}));
}

TEST(Idx, NamesTypesThatItDoesNotRead) {
  EXPECT_THAT(refusal_of(bytes({0, 0, 9, 1, 0, 0, 0, 1, 1})), HasSubstr("signed byte"));
  EXPECT_THAT(refusal_of(bytes({0, 0, 0x0b, 1, 0, 0, 0, 1, 1, 1})), HasSubstr("short"));
}

TEST(Idx, RefusesOtherFormats) {
  EXPECT_THAT(refusal_of("\x89PNG\r\n"), HasSubstr("89 50 4e 47"));
  EXPECT_THAT(refusal_of(""), HasSubstr("found     0 bytes"));
  EXPECT_THAT(refusal_of(bytes({0, 0, 8, 0})), HasSubstr("rank of 0"));
  EXPECT_THAT(refusal_of(bytes({0, 0, 8, 9})), HasSubstr("rank of 9"));
}

TEST(Idx, ComparesTheSizesWithTheFile) {
  const std::string truncated = refusal_of(small_file().substr(0, 17));
  EXPECT_THAT(truncated, HasSubstr("u8 [2, 3]"));
  EXPECT_THAT(truncated, HasSubstr("6 bytes of data"));
  EXPECT_THAT(truncated, HasSubstr("5 bytes of data"));
  EXPECT_THAT(refusal_of(small_file() + "x"), HasSubstr("goes on behind its data"));
}

TEST(Idx, RefusesTerabytesBeforeTakingMemory) {
  const std::string huge = bytes({0, 0, 14, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0});  // 2^40 doubles
  EXPECT_THAT(refusal_of(huge), HasSubstr("8796093022208 bytes"));
  std::string overflow = bytes({0, 0, 14, 8});
  overflow += std::string(32, '\xff');
  EXPECT_THAT(refusal_of(overflow), HasSubstr("more bytes than can be addressed"));
  std::string hidden = bytes({0, 0, 14, 8, 0, 0, 0, 0});  // an empty axis must not hide an overflow of the others
  hidden += std::string(28, '\xff');
  EXPECT_THAT(refusal_of(hidden), HasSubstr("more bytes than can be addressed"));
}

TEST(Idx, RefusesTerabytesInACompressedFile) {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> zeros(1 << 16);
  write_idx(folder / "x.gz", leaf<std::uint8_t>({1 << 16}, std::span<const std::uint8_t>(zeros)));
  EXPECT_EQ(read_idx(folder / "x.gz").numel(), 1 << 16);  // near the best ratio that gzip reaches
  const std::string header = bytes({0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 255, 255});
  gzFile file = gzopen((folder / "y.gz").c_str(), "wb");
  ASSERT_NE(file, nullptr);
  gzwrite(file, header.data(), static_cast<unsigned>(header.size()));
  gzclose(file);
  EXPECT_THAT(refusal_of(read_bytes(folder / "y.gz")), HasSubstr("which hold at most"));
}

TEST(Idx, RefusesEveryPrefix) {
  const TemporaryFolder folder;
  gradus::testing::expect_every_prefix_refused(small_file(), read_idx);
  const std::vector<std::uint8_t> values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  write_idx(folder / "x.gz", leaf<std::uint8_t>({3, 4}, std::span<const std::uint8_t>(values)));
  gradus::testing::expect_every_prefix_refused(read_bytes(folder / "x.gz"), read_idx);
}

TEST(Idx, SurvivesEveryChangedByte) {
  const TemporaryFolder folder;
  EXPECT_GE(gradus::testing::count_refused_corruptions(small_file(), read_idx),
            3u * 12u - 4u);  // the data may be anything
  const std::vector<std::uint8_t> values(100, 7);
  write_idx(folder / "x.gz", leaf<std::uint8_t>({10, 10}, std::span<const std::uint8_t>(values)));
  const std::string sound = read_bytes(folder / "x.gz");
  const auto read = [&](const std::string& path) {
    // The checksum must catch whatever changes the elements; comments of the gzip header may change.
    EXPECT_EQ(elements<std::uint8_t>(read_idx(path)), values);
  };
  EXPECT_GT(gradus::testing::count_refused_corruptions(sound, read), sound.size());
}

TEST(Idx, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_idx(folder / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_idx(folder.path()); }), HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_idx(folder / "pipe"); }), HasSubstr("not a regular file"));
}

TEST(Idx, RefusesToWriteWhatTheFormatCannotHold) {
  const TemporaryFolder folder;
  const std::vector<std::int64_t> longs = {1};
  const std::vector<std::uint8_t> byte = {1};
  message_of(ErrorKind::dtype,
             [&] { write_idx(folder / "x", leaf<std::int64_t>({1}, std::span<const std::int64_t>(longs))); });
  message_of(ErrorKind::shape,
             [&] { write_idx(folder / "x", leaf<std::uint8_t>({}, std::span<const std::uint8_t>(byte))); });
  const Tensor sound = leaf<std::uint8_t>({1}, std::span<const std::uint8_t>(byte));
  message_of(ErrorKind::io, [&] { write_idx(folder / "none/x", sound); });
  message_of(ErrorKind::io, [&] { write_idx("/dev/full", sound); });
  EXPECT_EQ(folder.files(), 0u);
  struct stat status;
  EXPECT_TRUE(::stat("/dev/full", &status) == 0 && S_ISCHR(status.st_mode));
}

}  // namespace
}  // namespace gradus::data
