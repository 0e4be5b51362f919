#include "gradus/data/fetch/tar.h"

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "fuzz/memory_file.h"
#include "gradus/base/error.h"

// Everything that is unpacked has to be inside the folder, and nothing may stay when an archive is refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace fs = std::filesystem;
  static const std::string root = [] {
    std::string pattern = (fs::temp_directory_path() / "gradus-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) abort();
    return pattern;
  }();
  const gradus::fuzz::MemoryFile file(data, size);
  bool unpacked = false;
  try {
    gradus::data::untar(file.path(), root + "/out", 1 << 16);
    unpacked = true;
  } catch (const gradus::Error&) {
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (!unpacked || entry.path() != root + "/out") abort();
  }
  fs::remove_all(root + "/out");
  return 0;
}
