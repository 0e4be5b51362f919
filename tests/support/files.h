// What tests of readers and writers need: a folder of their own, and files that are damaged in every possible way.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "gradus/base/error.h"

namespace gradus::testing {

/// A new folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gradus-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Names of the files in it.
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::string path_;
};

inline std::string read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::filesystem::remove(path);  // rewriting a file in place is slow on journaling file systems
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

/// The message of the Error that `call` throws; fails the test when it throws none, or one of another kind.
template <class Call>
std::string message_of(ErrorKind kind, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

/// `read(path)` must refuse every true prefix of `sound` with an Error.
template <class Read>
void expect_every_prefix_refused(const std::string& sound, Read&& read) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  for (std::size_t length = 0; length < sound.size(); ++length) {
    write_bytes(path, sound.substr(0, length));
    EXPECT_THROW(read(path), Error) << "the first " << length << " of " << sound.size() << " bytes were accepted";
  }
}

/// Changes each byte of `sound` in turn; `read(path)` must refuse the file with an Error or accept it without harm.
/// Returns how many files were refused.
template <class Read>
std::size_t count_refused_corruptions(const std::string& sound, Read&& read) {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  std::size_t refused = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const unsigned change : {0x01u, 0x80u, 0xffu}) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ change);
      write_bytes(path, damaged);
      try {
        read(path);
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  return refused;
}

}  // namespace gradus::testing
