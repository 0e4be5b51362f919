// A folder for the runs of a trial or a suite, gone with its object.
#pragma once

#include <string>

namespace gradus::insight::doctor::detail {

class TemporaryFolder {
 public:
  /// In the system's folder for such things. Error(io) when it cannot be made.
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gradus::insight::doctor::detail
