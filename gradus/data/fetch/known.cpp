#include "gradus/data/fetch/known.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "gradus/base/error.h"
#include "gradus/data/fetch/tar.h"
#include "gradus/data/file.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

struct Known {
  const char *name, *base, *folder;
  std::array<const char*, 4> files;
  bool archive;  ///< one file, to be unpacked
};

constexpr std::array<Known, 3> known = {
    {{"fashion-mnist",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
      "fashion-mnist",
      {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
       "t10k-labels-idx1-ubyte.gz"},
      false},
     {"cifar-10", "https://www.cs.toronto.edu/~kriz/", "cifar-10-batches-bin", {"cifar-10-binary.tar.gz"}, true},
     {"cifar-100", "https://www.cs.toronto.edu/~kriz/", "cifar-100-binary", {"cifar-100-binary.tar.gz"}, true}}};

const Known* find(std::string_view name) {
  for (const Known& each : known) {
    if (name == each.name) return &each;
  }
  return nullptr;
}

void fetch_file(const Known& set, const char* file, const fs::path& path, const SourceFetchOptions& options,
                SourceLocation where) {
  if (fs::exists(path)) return;
  std::string base = options.mirror.empty() ? set.base : options.mirror;
  if (!base.ends_with('/')) base += '/';
  FetchOptions fetching;
  if (options.progress) {
    fetching.progress = [&](const FetchProgress& progress) { return options.progress(file, progress); };
  }
  fetch(base + file, path.string(), fetching, where);
}

}  // namespace

std::vector<std::string> source_addresses(std::string_view name) {
  std::vector<std::string> addresses;
  if (const Known* set = find(name)) {
    for (const char* file : set->files) {
      if (file != nullptr) addresses.push_back(std::string(set->base) + file);
    }
  }
  return addresses;
}

std::vector<std::string> fetchable_names() {
  std::vector<std::string> names;
  for (const Known& each : known) names.emplace_back(each.name);
  return names;
}

std::string fetch_source(const std::string& name, const SourceFetchOptions& options, SourceLocation where) {
  const Known* set = find(name);
  if (set == nullptr) {
    const std::string nearest = nearest_name(name, fetchable_names());
    Error error(ErrorKind::usage, "fetch", fmt::format("there is no data set \"{}\" to fetch", name));
    error.at(where).field("known", fmt::format("{}", fmt::join(fetchable_names(), ", ")));
    throw error.hint(nearest.empty() ? "anything else by its address: https://HOST/PATH"
                                     : fmt::format("did you mean \"{}\"?", nearest));
  }
  const fs::path root = options.folder.empty() ? data_folder() : options.folder;
  const fs::path folder = root / set->folder;
  std::error_code failed;
  fs::create_directories(set->archive ? root : folder, failed);
  if (failed)
    throw Error(ErrorKind::io, "fetch", "cannot make the folder: " + failed.message()).context(folder.string());
  if (set->archive) {
    if (fs::exists(folder)) return folder.string();
    const fs::path archive = root / set->files.front();
    fetch_file(*set, set->files.front(), archive, options, where);
    try {
      untar(archive.string(), folder.string());
    } catch (Error& error) {
      if (error.kind() == ErrorKind::format) {
        fs::remove(archive, failed);
        error.note("the archive was removed; the next call fetches it again");
      }
      throw;
    }
    fs::remove(archive, failed);
  } else {
    for (const char* file : set->files) fetch_file(*set, file, folder / file, options, where);
  }
  return folder.string();
}

}  // namespace gradus::data
