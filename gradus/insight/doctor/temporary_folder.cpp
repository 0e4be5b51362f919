#include "gradus/insight/doctor/temporary_folder.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "gradus/base/error.h"

namespace gradus::insight::doctor::detail {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "gradus-doctor-XXXXXX").string();
  const char* made = mkdtemp(pattern.data());
  if (made == nullptr) {
    throw Error(ErrorKind::io, "doctor", fmt::format("cannot make the folder {}: {}", pattern, std::strerror(errno)))
        .hint("TMPDIR names the folder for such things");
  }
  path_ = made;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace gradus::insight::doctor::detail
