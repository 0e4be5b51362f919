#include "gradus/io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/io/mapped_file.h"

namespace gradus::io {
namespace {

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == path.npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Makes a rename in `folder` durable. Some file systems cannot; the file itself is whole in any case.
void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

/// True when `path` still names the file that is open as `descriptor`.
bool same_file(int descriptor, const std::string& path) {
  struct stat open_one, named;
  return ::fstat(descriptor, &open_one) == 0 && ::lstat(path.c_str(), &named) == 0 && open_one.st_dev == named.st_dev &&
         open_one.st_ino == named.st_ino;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".tmp") {
  struct stat status;
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    throw Error(ErrorKind::io, "write_file", "this is not a regular file").context(path_);
  }
  open();
}

// The lock on the temporary file keeps a second writer away. A writer that finishes renames the file that it has
// locked, so whoever gets the lock afterwards checks that the name still means that file before touching it.
void AtomicFile::open() {
  for (;;) {
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (descriptor_ < 0) fail("cannot create the file", errno);
    if (struct stat status; ::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      ::close(std::exchange(descriptor_, -1));
      throw Error(ErrorKind::io, "write_file", temporary_ + " is in the way").context(path_);
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(std::exchange(descriptor_, -1));  // it is not ours to delete
      if (reason != EWOULDBLOCK) fail("cannot lock the file", reason);
      throw Error(ErrorKind::io, "write_file", "another writer is at work on this file").context(path_);
    }
    if (same_file(descriptor_, temporary_)) break;
    ::close(std::exchange(descriptor_, -1));
  }
  if (::ftruncate(descriptor_, 0) != 0) fail("cannot empty the temporary file", errno);
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (descriptor_ < 0) return;
  ::unlink(temporary_.c_str());
  ::close(std::exchange(descriptor_, -1));
}

void AtomicFile::fail(const char* what, int error_number) {
  discard();
  Error error(ErrorKind::io, "write_file", fmt::format("{}: {}", what, system_message(error_number)));
  error.context(path_);
  if (::access(path_.c_str(), F_OK) == 0) error.note("the earlier file is unchanged");
  throw error;
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  GRADUS_ASSERT(descriptor_ >= 0);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot write the file", errno);
    done += static_cast<std::size_t>(count);
  }
  crc32_ = io::crc32(bytes, crc32_);
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }

void AtomicFile::commit() {
  GRADUS_ASSERT(descriptor_ >= 0);
  if (::fsync(descriptor_) != 0) fail("cannot write the file to the disk", errno);
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot rename the finished file", errno);
  ::close(std::exchange(descriptor_, -1));
  sync_folder(folder_of(path_));
}

std::uint32_t write_file(const std::string& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
  return file.crc32();
}

std::string read_file(const std::string& path, std::uint64_t most) {
  InputFile file(path, "read_file");
  const auto too_long = [&] {
    return Error(ErrorKind::io, "read_file", "the file is too long")
        .context(path)
        .field("expected", fmt::format("at most {} bytes", most));
  };
  if (file.size() > most) throw too_long().field("found", fmt::format("{} bytes", file.size()));
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  content.resize(file.read(std::as_writable_bytes(std::span(content))));
  return content;
}

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t seed) {
  // An empty span may have no address, which zlib takes for a request of the start value.
  if (bytes.empty()) return seed;
  return static_cast<std::uint32_t>(::crc32_z(seed, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t crc32_of_file(const std::string& path) {
  InputFile file(path, "crc32");
  std::array<std::byte, 1 << 16> piece;
  std::uint32_t sum = 0;
  for (;;) {
    const std::size_t got = file.read(piece);
    if (got == 0) return sum;
    sum = crc32(std::span(piece).first(got), sum);
  }
}

}  // namespace gradus::io
