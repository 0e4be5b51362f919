// gradus data info: what a data set, a file or a folder holds.
#include "gradus/cli/data/info.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/data/delimiter.h"
#include "gradus/cli/json.h"
#include "gradus/data/sources.h"
#include "gradus/data/statistics.h"

namespace gradus::cli {

char delimiter_of(const std::string& text) {
  if (text.size() == 1) return text.front();
  if (text == "\\t") return '\t';
  throw Error(ErrorKind::usage, "data", fmt::format("--delimiter is \"{}\", expected one character", text));
}

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json split_info(const data::Dataset& set) {
  const auto channels = data::channel_statistics(set);
  Json list = Json::array();
  for (const auto& channel : channels) {
    list.push_back({{"mean", channel.mean}, {"std", channel.std}, {"min", channel.min}, {"max", channel.max}});
  }
  return {{"examples", set.size()},
          {"shape", fmt::format("{}", set.example_shape().str())},
          {"classes", set.num_classes()},
          {"class_counts", data::class_counts(set)},
          {"duplicates", data::duplicates(set).size()},
          {"channels", list}};
}

int source_info(const DataInfoCommand& command, const std::string& name, const std::string& folder) {
  Json all = {{"kind", "data set"}, {"name", name}};
  if (!folder.empty()) all["path"] = folder;
  for (const data::Split split : {data::Split::train, data::Split::test}) {
    all[std::string(data::name_of(split))] = split_info(data::load(name, split, {.folder = folder}));
  }
  if (command.json) {
    fmt::print("{}\n", text_of(all, 2));
    return exit_ok;
  }
  for (const char* split : {"train", "test"}) {
    const Json& part = all[split];
    fmt::print("{}, {}: {} examples of shape {}, {} classes, {} examples equal to an earlier one\n", command.what,
               split, part["examples"].get<std::int64_t>(), part["shape"].get<std::string>(),
               part["classes"].get<std::int64_t>(), part["duplicates"].get<std::int64_t>());
    fmt::print("  examples of each class: {}\n", fmt::join(part["class_counts"].get<std::vector<std::int64_t>>(), " "));
    std::int64_t index = 0;
    for (const Json& channel : part["channels"]) {
      fmt::print("  channel {:>3}: mean {:<10.5g} std {:<10.5g} min {:<10.5g} max {:<10.5g}\n", index++,
                 channel["mean"].get<double>(), channel["std"].get<double>(), channel["min"].get<double>(),
                 channel["max"].get<double>());
    }
  }
  return exit_ok;
}

}  // namespace

int data_info(const DataInfoCommand& command) {
  const char delimiter = delimiter_of(command.delimiter);
  const std::string& what = command.what;
  if (!fs::exists(what) && what.find_first_of("./") == what.npos) return source_info(command, what, {});
  Json info;
  if (fs::is_directory(what)) {
    const fs::path folder(what);
    if (fs::exists(folder / "data_batch_1.bin")) return source_info(command, "cifar-10", what);
    if (fs::exists(folder / "train.bin")) return source_info(command, "cifar-100", what);
    for (const char* images : {"train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"}) {
      if (fs::exists(folder / images)) return source_info(command, "fashion-mnist", what);
    }
    info = image_folder_info(what);
  } else {
    info = file_info(what, delimiter);
  }
  if (command.json) {
    fmt::print("{}\n", text_of(info, 2));
  } else {
    print_info(info);
  }
  return exit_ok;
}

}  // namespace gradus::cli
