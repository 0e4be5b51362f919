#include "gradus/data/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <system_error>

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

std::string system_message(int error_number) { return std::generic_category().message(error_number); }

}  // namespace gradus::data
