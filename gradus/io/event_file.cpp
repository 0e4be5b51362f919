#include "gradus/io/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/io/protobuf.h"

namespace gradus::io {
namespace {

using detail::Message;

// Numbers of fields, from tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto.
namespace event_field {
constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
}
namespace value_field {
constexpr int tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9;
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

constexpr std::array<std::uint32_t, 256> crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t rest = i;
    for (int bit = 0; bit < 8; ++bit) rest = (rest & 1) != 0 ? rest >> 1 ^ 0x82f63b78u : rest >> 1;
    table[i] = rest;
  }
  return table;
}();

struct Buckets {
  std::vector<double> limits, counts;
};

/// `values` are finite and at least one.
Buckets count_in_buckets(std::span<const double> values, double low, double high) {
  constexpr int buckets = 30;
  if (low == high || !std::isfinite(high - low)) return {{low, high}, {0, static_cast<double>(values.size())}};
  Buckets result;
  for (int i = 1; i <= buckets; ++i) result.limits.push_back(i == buckets ? high : low + (high - low) * i / buckets);
  result.counts.resize(buckets);
  for (const double value : values) {
    const double place = std::floor((value - low) / (high - low) * buckets);
    result.counts[static_cast<std::size_t>(std::clamp(place, 0.0, buckets - 1.0))] += 1;
  }
  return result;
}

}  // namespace

std::uint32_t detail::crc32c(std::string_view bytes) {
  std::uint32_t sum = ~0u;
  for (const char c : bytes) sum = crc32c_table[(sum ^ static_cast<unsigned char>(c)) & 0xff] ^ sum >> 8;
  return ~sum;
}

std::uint32_t detail::masked_crc32c(std::string_view bytes) {
  const std::uint32_t sum = crc32c(bytes);
  return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

EventWriter::EventWriter(const std::string& folder, std::int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Error(ErrorKind::io, "event_file", fmt::format("cannot make the folder {}: {}", folder, error.message()));
  const std::string stem = fmt::format("{}/events.out.tfevents.{:010}.{}.{}", folder, static_cast<std::int64_t>(now()),
                                       host_name(), ::getpid());
  path_ = stem + ".gradus";
  for (int i = 2; std::filesystem::exists(path_); ++i) path_ = fmt::format("{}-{}.gradus", stem, i);
  file_.reset(std::fopen(path_.c_str(), "wbx"));
  if (!file_) throw Error(ErrorKind::io, "event_file", fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
  record(Message().number(event_field::wall_time, now()).text(event_field::file_version, "brain.Event:2").bytes());
  if (first_step >= 0) {  // a session log that says START
    record(Message()
               .number(event_field::wall_time, now())
               .integer(event_field::step, first_step)
               .message(event_field::session_log, Message().integer(1, 1))
               .bytes());
  }
  flush();
}

void EventWriter::record(const std::string& event) {
  std::string head;
  detail::append_little_endian(head, event.size(), 8);
  detail::append_little_endian(head, detail::masked_crc32c(std::string_view(head).substr(0, 8)), 4);
  std::string tail;
  detail::append_little_endian(tail, detail::masked_crc32c(event), 4);
  for (const std::string* part : {&std::as_const(head), &event, &std::as_const(tail)}) {
    failed_ = std::fwrite(part->data(), 1, part->size(), file_.get()) != part->size() || failed_;
  }
}

void EventWriter::value(std::int64_t step, const std::string& value) {
  record(Message()
             .number(event_field::wall_time, now())
             .integer(event_field::step, step)
             .message(event_field::summary, Message().text(1, value))
             .bytes());
}

void EventWriter::scalar(std::string_view tag, std::int64_t step, double number) {
  value(step,
        Message().text(value_field::tag, tag).number(value_field::simple_value, static_cast<float>(number)).bytes());
}

std::int64_t EventWriter::histogram(std::string_view tag, std::int64_t step, std::span<const double> values) {
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](double x) { return std::isfinite(x); });
  const auto others = static_cast<std::int64_t>(values.size() - finite.size());
  if (others > 0) scalar(fmt::format("{}/nonfinite", tag), step, static_cast<double>(others));
  if (finite.empty()) return others;
  const auto [low, high] = std::minmax_element(finite.begin(), finite.end());
  double sum = 0, squares = 0;
  for (const double x : finite) {
    sum += x;
    squares += x * x;
  }
  const Buckets buckets = count_in_buckets(finite, *low, *high);
  const Message histogram = Message()
                                .number(1, *low)
                                .number(2, *high)
                                .number(3, static_cast<double>(finite.size()))
                                .number(4, sum)
                                .number(5, squares)
                                .numbers(6, buckets.limits)
                                .numbers(7, buckets.counts);
  value(step, Message().text(value_field::tag, tag).message(value_field::histogram, histogram).bytes());
  return others;
}

void EventWriter::image(std::string_view tag, std::int64_t step, const EventImage& image) {
  const Message picture =
      Message().integer(1, image.height).integer(2, image.width).integer(3, image.channels).text(4, image.png);
  value(step, Message().text(value_field::tag, tag).message(value_field::image, picture).bytes());
}

void EventWriter::text(std::string_view tag, std::int64_t step, std::string_view text) {
  constexpr int string_type = 7;  // DT_STRING
  const Message shape = Message().message(2, Message().integer(1, 1));
  const Message tensor = Message().integer(1, string_type).message(2, shape).text(8, text);
  const Message metadata = Message().message(1, Message().text(1, "text"));
  value(step, Message()
                  .text(value_field::tag, tag)
                  .message(value_field::tensor, tensor)
                  .message(value_field::metadata, metadata)
                  .bytes());
}

void EventWriter::flush() {
  failed_ = std::fflush(file_.get()) != 0 || failed_;
  if (failed_) throw Error(ErrorKind::io, "event_file", fmt::format("cannot write {}", path_));
}

}  // namespace gradus::io
