// Files opened for reading: mapped, or piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace gradus::io {

/// An open regular file.
class InputFile {
 public:
  /// Throws Error(io) on behalf of `op` when the file is missing, unreadable or no regular file (a folder, a pipe).
  InputFile(std::string path, std::string op);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes when it was opened.
  std::uint64_t size() const { return size_; }
  int descriptor() const { return descriptor_; }
  /// Reads on from where the last call ended; returns the bytes read, fewer than wanted only at the end of the file.
  std::size_t read(std::span<std::byte> out);

 private:
  std::string path_, op_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A file's content in memory, read only. The file must keep its length as long as the map lives: files that Gradus
/// writes do, since they are replaced whole.
class MappedFile {
 public:
  MappedFile(const std::string& path, const std::string& op);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// "No space left on device"
std::string system_message(int error_number);

}  // namespace gradus::io
