// Files and blocks of bytes that may be compressed by gzip.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace gradus::data {

/// Bytes that a decompressed text may have; more is refused before they are taken.
inline constexpr std::uint64_t most_text_bytes = std::uint64_t{1} << 32;

/// The content of a regular file, decompressed when it is gzip. Throws on behalf of `op`: Error(io) when it cannot be read,
/// Error(format) for a compressed stream that is corrupted or cut off, or a content of more than `most` bytes.
std::string read_maybe_gzip(const std::string& path, const std::string& op, std::uint64_t most = most_text_bytes);

/// The content of a whole gzip block in memory. Throws Error(format) on behalf of `op` when it is not sound.
std::string gunzip(std::span<const unsigned char> compressed, const std::string& op);

}  // namespace gradus::data
