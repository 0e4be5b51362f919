#include "gradus/io/protobuf.h"

#include <bit>

namespace gradus::io::detail {

void append_little_endian(std::string& out, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void Message::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>((value & 0x7f) | 0x80);
  bytes_ += static_cast<char>(value);
}

Message& Message::integer(int field, std::int64_t value) {
  key(field, 0);
  varint(static_cast<std::uint64_t>(value));
  return *this;
}

Message& Message::number(int field, double value) {
  key(field, 1);
  append_little_endian(bytes_, std::bit_cast<std::uint64_t>(value), 8);
  return *this;
}

Message& Message::number(int field, float value) {
  key(field, 5);
  append_little_endian(bytes_, std::bit_cast<std::uint32_t>(value), 4);
  return *this;
}

Message& Message::text(int field, std::string_view bytes) {
  key(field, 2);
  varint(bytes.size());
  bytes_ += bytes;
  return *this;
}

Message& Message::numbers(int field, std::span<const double> values) {
  std::string packed;
  for (const double value : values) append_little_endian(packed, std::bit_cast<std::uint64_t>(value), 8);
  return text(field, packed);
}

}  // namespace gradus::io::detail
