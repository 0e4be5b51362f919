#include "gradus/io/event_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <map>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"

namespace gradus::io {
namespace {

namespace fs = std::filesystem;

/// A reader of its own for what the writer wrote: any message as a list of fields.
struct Field {
  int number = 0, wire = 0;
  std::uint64_t integer = 0;
  std::string bytes;

  double real() const {
    double value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  double single() const {
    float value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return static_cast<double>(value);
  }
  std::vector<double> reals() const {
    std::vector<double> values(bytes.size() / 8);
    std::memcpy(values.data(), bytes.data(), values.size() * 8);
    return values;
  }
};

std::multimap<int, Field> decode(const std::string& text) {
  std::multimap<int, Field> fields;
  std::size_t at = 0;
  const auto varint = [&] {
    std::uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(text.at(at++));
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < text.size()) {
    const std::uint64_t key = varint();
    Field field{static_cast<int>(key >> 3), static_cast<int>(key & 7), 0, {}};
    std::uint64_t length = field.wire == 1 ? 8 : field.wire == 5 ? 4 : 0;
    if (field.wire == 0) field.integer = varint();
    if (field.wire == 2) length = varint();
    EXPECT_LE(at + length, text.size());
    field.bytes = text.substr(at, length);
    at += length;
    fields.emplace(field.number, field);
  }
  return fields;
}

const Field& only(const std::multimap<int, Field>& fields, int number) {
  EXPECT_EQ(fields.count(number), 1u) << number;
  return fields.find(number)->second;
}

std::uint32_t bitwise_crc32c(const std::string& bytes) {  // the definition, a bit at a time
  std::uint32_t sum = 0xffffffffu;
  for (const char c : bytes) {
    sum ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) sum = sum >> 1 ^ (0x82f63b78u & (0u - (sum & 1u)));
  }
  return ~sum;
}

std::uint64_t number_at(const std::string& text, std::size_t at, int count) {
  std::uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i)
    value = value << 8 | static_cast<unsigned char>(text.at(at + static_cast<std::size_t>(i)));
  return value;
}

/// The events of a file; every checksum is checked.
std::vector<std::multimap<int, Field>> read_events(const std::string& path) {
  const auto masked = [](const std::string& bytes) {
    const std::uint32_t sum = bitwise_crc32c(bytes);
    return static_cast<std::uint32_t>(((sum >> 15) | (sum << 17)) + 0xa282ead8u);
  };
  const std::string text = read_file(path);
  std::vector<std::multimap<int, Field>> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::uint64_t length = number_at(text, at, 8);
    EXPECT_EQ(number_at(text, at + 8, 4), masked(text.substr(at, 8)));
    const std::string data = text.substr(at + 12, length);
    EXPECT_EQ(number_at(text, at + 12 + length, 4), masked(data));
    events.push_back(decode(data));
    at += 16 + length;
  }
  return events;
}

std::multimap<int, Field> value_of(const std::multimap<int, Field>& event) {
  return decode(only(decode(only(event, 5).bytes), 1).bytes);
}

class EventFile : public ::testing::Test {
 protected:
  EventFile() {
    std::string pattern = (fs::temp_directory_path() / "gradus-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~EventFile() override { fs::remove_all(folder_); }
  std::string folder_;
};

TEST_F(EventFile, ChecksumIsCastagnolis) {
  EXPECT_EQ(detail::crc32c("123456789"), 0xe3069283u);            // the check value of the catalogue
  EXPECT_EQ(detail::crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(detail::crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST_F(EventFile, ScalarsAndTheirHead) {
  EventWriter writer(folder_ + "/logs");
  writer.scalar("train/loss", 3, 0.25);
  writer.scalar("train/loss", 1'000'000'007, std::numeric_limits<double>::quiet_NaN());
  writer.flush();
  EXPECT_NE(writer.path().find("/logs/events.out.tfevents."), std::string::npos);
  const auto events = read_events(writer.path());
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(only(events[0], 3).bytes, "brain.Event:2");
  EXPECT_GT(only(events[0], 1).real(), 1.6e9);
  EXPECT_EQ(only(events[1], 2).integer, 3u);
  EXPECT_EQ(only(value_of(events[1]), 1).bytes, "train/loss");
  EXPECT_EQ(only(value_of(events[1]), 2).single(), 0.25);
  EXPECT_EQ(only(events[2], 2).integer, 1'000'000'007u);
  EXPECT_TRUE(std::isnan(only(value_of(events[2]), 2).single()));
}

TEST_F(EventFile, HistogramsSurviveWhatIsNotFinite) {
  EventWriter writer(folder_);
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<double> values = {0, 1, 2, 3, 3, std::nan(""), inf, -inf}, constant = {2, 2}, none = {inf};
  EXPECT_EQ(writer.histogram("w", 1, values), 3);
  EXPECT_EQ(writer.histogram("c", 1, constant), 0);
  EXPECT_EQ(writer.histogram("n", 1, none), 1);
  EXPECT_EQ(writer.histogram("e", 1, {}), 0);
  writer.flush();
  const auto events = read_events(writer.path());
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(only(value_of(events[1]), 1).bytes, "w/nonfinite");
  EXPECT_EQ(only(value_of(events[1]), 2).single(), 3);
  const auto histogram = decode(only(value_of(events[2]), 5).bytes);
  EXPECT_EQ(only(histogram, 1).real(), 0);
  EXPECT_EQ(only(histogram, 2).real(), 3);
  EXPECT_EQ(only(histogram, 3).real(), 5);
  EXPECT_EQ(only(histogram, 4).real(), 9);
  EXPECT_EQ(only(histogram, 5).real(), 23);
  const std::vector<double> limits = only(histogram, 6).reals(), counts = only(histogram, 7).reals();
  ASSERT_EQ(limits.size(), 30u);
  ASSERT_EQ(counts.size(), 30u);
  EXPECT_EQ(limits.back(), 3);
  EXPECT_EQ(counts[0], 1);
  EXPECT_EQ(counts[10], 1);
  EXPECT_EQ(counts[29], 2);
  EXPECT_EQ(only(decode(only(value_of(events[3]), 5).bytes), 7).reals(), (std::vector<double>{0, 2}));
  EXPECT_EQ(only(value_of(events[4]), 1).bytes, "n/nonfinite");
}

TEST_F(EventFile, ImagesTextAndContinuedRuns) {
  EventWriter writer(folder_, 12);
  writer.image("mistakes", 4, {.png = "PNG", .height = 28, .width = 30, .channels = 1});
  writer.text("recipe", 0, "seed = 1");
  writer.flush();
  const auto events = read_events(writer.path());
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(only(events[1], 2).integer, 12u);
  EXPECT_EQ(only(decode(only(events[1], 7).bytes), 1).integer, 1u);
  const auto image = decode(only(value_of(events[2]), 4).bytes);
  EXPECT_EQ(only(image, 1).integer, 28u);
  EXPECT_EQ(only(image, 2).integer, 30u);
  EXPECT_EQ(only(image, 3).integer, 1u);
  EXPECT_EQ(only(image, 4).bytes, "PNG");
  const auto text = value_of(events[3]);
  EXPECT_EQ(only(decode(only(text, 8).bytes), 8).bytes, "seed = 1");
  EXPECT_EQ(only(decode(only(decode(only(text, 9).bytes), 1).bytes), 1).bytes, "text");
}

TEST_F(EventFile, RefusesAFolderThatCannotBe) {
  write_file(folder_ + "/file", "x");
  EXPECT_THROW(EventWriter(folder_ + "/file/logs"), Error);
  const EventWriter first(folder_), second(folder_);
  EXPECT_NE(first.path(), second.path()) << "two writers in one second";
}

}  // namespace
}  // namespace gradus::io
