// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradus::io {

/// Writes "PATH.tmp" beside PATH and, on commit, makes it durable and renames it to PATH: whatever happens before, a
/// full disk, an exception, kill -9, the earlier PATH stays whole. A "PATH.tmp" that a killed process left is
/// overwritten.
///
///   io::AtomicFile file("last.safetensors");
///   file.write(header);
///   file.write(data);
///   file.commit();
///
/// Throws Error(io) when the file cannot be written, when PATH exists and is no regular file, or when another writer is
/// at work on the same PATH; the temporary file is gone then.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  /// Without a commit: removes the temporary file.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// fsync, rename, fsync of the folder. Nothing may be written afterwards.
  void commit();
  /// Checksum of all that was written so far.
  std::uint32_t crc32() const { return crc32_; }

 private:
  void open();
  [[noreturn]] void fail(const char* what, int error_number);
  void discard() noexcept;

  std::string path_, temporary_;
  int descriptor_ = -1;
  std::uint32_t crc32_ = 0;
};

/// Writes one file by an AtomicFile; returns its checksum.
std::uint32_t write_file(const std::string& path, std::string_view content);

/// The content of a regular file of at most `most` bytes. Throws Error(io).
std::string read_file(const std::string& path, std::uint64_t most = std::uint64_t{1} << 30);

/// CRC-32 as of zlib, gzip and PNG; `seed` is the checksum of what came before.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed = 0);
/// The checksum of a file's content. Throws Error(io).
std::uint32_t crc32_of_file(const std::string& path);

}  // namespace gradus::io
