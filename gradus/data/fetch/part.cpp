#include "gradus/data/fetch/part.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "gradus/data/file.h"

namespace gradus::data::detail {
namespace {

namespace fs = std::filesystem;

/// "PATH.1a2b3c4d.part" of `path`.
bool is_part_of(const std::string& name, const std::string& path) {
  constexpr std::string_view end = ".part";
  if (name.size() != path.size() + 9 + end.size() || !name.starts_with(path + ".") || !name.ends_with(end))
    return false;
  return name.find_first_not_of("0123456789abcdef", path.size() + 1) == name.size() - end.size();
}

}  // namespace

std::optional<std::string> PartFile::left_of(const std::string& path) {
  const fs::path whole(path);
  const fs::path folder = whole.has_parent_path() ? whole.parent_path() : fs::path(".");
  std::error_code ignored;
  std::vector<std::string> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!is_part_of(name, whole.filename().string()) || !entry.is_regular_file(ignored)) continue;
    found.push_back(path + name.substr(whole.filename().string().size()));
  }
  if (found.empty()) return std::nullopt;
  return *std::max_element(found.begin(), found.end(), [&](const std::string& a, const std::string& b) {
    return fs::last_write_time(a, ignored) < fs::last_write_time(b, ignored);
  });
}

void PartFile::fail(const char* what, int error_number) const {
  throw Error(ErrorKind::io, "fetch", std::string(what) + ": " + system_message(error_number)).field("file", path_);
}

void PartFile::open(const std::string& part, bool keep) {
  close();
  path_ = part;
  size_ = 0;
  sum_ = {};
  descriptor_ = ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
  if (descriptor_ < 0) fail("cannot create the file", errno);
  struct stat own, named;
  if (::fstat(descriptor_, &own) != 0 || !S_ISREG(own.st_mode)) {
    close();
    throw Error(ErrorKind::io, "fetch", "this is not a regular file").field("file", part);
  }
  // Whoever holds the lock has a file of this name, or had it: the name is looked at once more.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 || ::lstat(part.c_str(), &named) != 0 ||
      named.st_ino != own.st_ino || named.st_dev != own.st_dev) {
    close();
    throw Error(ErrorKind::io, "fetch", "another process fetches this file").field("file", part);
  }
  if (keep) {
    take_content();
  } else if (::ftruncate(descriptor_, 0) != 0) {
    fail("cannot empty the file", errno);
  }
}

void PartFile::take_content() {
  std::vector<char> piece(std::size_t{1} << 18);
  for (;;) {
    const ssize_t got = ::read(descriptor_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read the file", errno);
    if (got == 0) return;
    sum_.update({piece.data(), static_cast<std::size_t>(got)});
    size_ += static_cast<std::uint64_t>(got);
  }
}

void PartFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write the file", errno);
    sum_.update(bytes.substr(0, static_cast<std::size_t>(count)));
    size_ += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void PartFile::close() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

void PartFile::remove() noexcept {
  if (descriptor_ >= 0) ::unlink(path_.c_str());
  close();
}

void PartFile::commit(const std::string& path) {
  if (::fsync(descriptor_) != 0) fail("cannot write the file to the disk", errno);
  if (struct stat named; ::lstat(path.c_str(), &named) == 0) {
    throw Error(ErrorKind::io, "fetch", "a file of this name came meanwhile").field("file", path);
  }
  if (std::rename(path_.c_str(), path.c_str()) != 0) fail("cannot rename the finished file", errno);
  close();
}

}  // namespace gradus::data::detail
