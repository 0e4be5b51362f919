#include "gradus/data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <utility>

namespace gradus::data {

std::uint64_t file_size(const std::string& path, const std::string& op) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) {
    throw Error(ErrorKind::io, op, "cannot open the file: " + system_message(errno)).context(path);
  }
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::io, op, "this is not a regular file").context(path);
  return static_cast<std::uint64_t>(status.st_size);
}

std::uint64_t most_inflated(std::uint64_t compressed) {
  constexpr std::uint64_t ratio = 1032;
  constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  return compressed > largest / ratio ? largest : compressed * ratio;
}

void remove_partial(const std::string& path) noexcept {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode)) ::unlink(path.c_str());
}

void write_whole_file(const std::string& path, std::string_view content, const std::string& op) {
  const std::string temporary = path + ".tmp";
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  bool done = descriptor >= 0;
  while (done && !content.empty()) {
    const ssize_t count = ::write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    done = count > 0;
    if (done) content.remove_prefix(static_cast<std::size_t>(count));
  }
  done = done && ::fsync(descriptor) == 0;
  int reason = done ? 0 : errno;
  if (descriptor >= 0 && ::close(descriptor) != 0 && done) {
    done = false;
    reason = errno;
  }
  if (done && std::rename(temporary.c_str(), path.c_str()) == 0) return;
  if (done) reason = errno;
  if (descriptor >= 0) remove_partial(temporary);
  throw Error(ErrorKind::io, op, "cannot write the file: " + system_message(reason)).context(path);
}

std::string data_folder() {
  for (const auto& [variable, below] :
       {std::pair("GRADUS_DATA_DIR", ""), {"XDG_CACHE_HOME", "/gradus"}, {"HOME", "/.cache/gradus"}}) {
    if (const char* root = std::getenv(variable); root != nullptr && *root != '\0') return std::string(root) + below;
  }
  return ".";
}

std::string system_message(int error_number) { return std::generic_category().message(error_number); }

}  // namespace gradus::data
