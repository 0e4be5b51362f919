// The file that a download grows in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gradus/data/fetch/sha256.h"

namespace gradus::data::detail {

/// "PATH.TAG.part" beside PATH, of which TAG says which version of the content it belongs to. It is locked while it is open,
/// and becomes PATH when it is whole. Errors are Error(io) of fetch.
class PartFile {
 public:
  /// What an earlier download of `path` left, whatever its tag; nothing when there is none.
  static std::optional<std::string> left_of(const std::string& path);

  PartFile() = default;
  ~PartFile() { close(); }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Opens a part, or begins one; `keep` takes what is in it already, and sums it up.
  void open(const std::string& part, bool keep);
  bool is_open() const { return descriptor_ >= 0; }
  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  std::string sha256() const { return sum_.hex(); }

  void write(std::string_view bytes);
  void close() noexcept;
  /// Closes and deletes it.
  void remove() noexcept;
  /// Makes it durable and gives it the name `path`, unless something has that name.
  void commit(const std::string& path);

 private:
  void take_content();
  [[noreturn]] void fail(const char* what, int error_number) const;

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  Sha256 sum_;
};

}  // namespace gradus::data::detail
