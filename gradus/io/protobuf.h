// Protocol buffers, the wire format only: enough to write messages whose fields are known.
//
//   Message value;
//   value.text(1, "loss").number(2, 0.5f);
//   Message event;
//   event.number(1, wall_time).integer(2, step).message(5, Message().message(1, value));
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gradus::io::detail {

/// One message, field after field; source: protobuf.dev, "Encoding".
class Message {
 public:
  Message& integer(int field, std::int64_t value);
  Message& number(int field, double value);
  Message& number(int field, float value);
  Message& text(int field, std::string_view bytes);
  Message& message(int field, const Message& inner) { return text(field, inner.bytes_); }
  /// Repeated doubles in one packed field.
  Message& numbers(int field, std::span<const double> values);

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void key(int field, int wire_type) {
    varint(static_cast<std::uint64_t>(field) << 3 | static_cast<unsigned>(wire_type));
  }

  std::string bytes_;
};

/// The last `count` bytes of `value`, lowest first.
void append_little_endian(std::string& out, std::uint64_t value, int count);

}  // namespace gradus::io::detail
