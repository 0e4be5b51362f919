#include "gradus/train/run_folder.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <system_error>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"

namespace gradus::train {
namespace fs = std::filesystem;

RunFolder RunFolder::create(const std::string& path, const Recipe& recipe) {
  std::error_code error;
  if (fs::exists(path, error) && !(fs::is_directory(path, error) && fs::is_empty(path, error))) {
    Error refusal(ErrorKind::usage, "train", fmt::format("{} exists already", path));
    if (fs::exists(path + "/recipe.toml", error))
      refusal.note(fmt::format("`gradus train --resume {}` continues that run", path));
    throw std::move(refusal).hint("choose another folder with --run");
  }
  fs::create_directories(path + "/checkpoints", error);
  if (error) throw Error(ErrorKind::io, "train", fmt::format("cannot make the folder {}: {}", path, error.message()));
  RunFolder run(path);
  io::write_file(run.recipe_path(), recipe_text(recipe));
  return run;
}

RunFolder RunFolder::open(const std::string& path) {
  RunFolder run(path);
  std::error_code error;
  if (!fs::is_directory(path, error))
    throw Error(ErrorKind::usage, "run", fmt::format("there is no run folder {}", path));
  if (!fs::exists(run.recipe_path(), error)) {
    throw Error(ErrorKind::usage, "run", fmt::format("{} is not the folder of a run: it has no recipe.toml", path));
  }
  return run;
}

Checkpoint RunFolder::checkpoint(const std::string& which) const {
  if (!has_checkpoint(checkpoint_stem(which))) {
    Error error(ErrorKind::state, "run", fmt::format("{} has no checkpoint \"{}\" yet", path_, which));
    if (which != "last" && has_checkpoint(checkpoint_stem("last"))) error.hint("--checkpoint last takes the last one");
    throw error;
  }
  return load_checkpoint(checkpoint_stem(which));
}

std::string default_run_path(const std::string& recipe_path) {
  const std::string stem = fmt::format("runs/{}-{:%Y%m%d-%H%M%S}", fs::path(recipe_path).stem().string(),
                                       fmt::localtime(std::time(nullptr)));
  std::string path = stem;
  for (int i = 2; fs::exists(path); ++i) path = fmt::format("{}-{}", stem, i);
  return path;
}

}  // namespace gradus::train
