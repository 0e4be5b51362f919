#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/cli/data/csv_info.h"
#include "gradus/cli/data/info.h"
#include "gradus/data/idx.h"
#include "gradus/data/read/cifar.h"
#include "gradus/data/read/image.h"
#include "gradus/data/statistics.h"
#include "gradus/io/mapped_file.h"
#include "gradus/io/npy.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// How often each integer occurs, when there are few different ones: labels.
Json value_counts(const Tensor& tensor) {
  constexpr std::size_t most = 100;
  std::map<std::int64_t, std::int64_t> counts;
  visit_dtype(tensor.dtype(), [&](auto zero) {
    if constexpr (std::is_integral_v<decltype(zero)>) {
      for (const auto value : tensor.data<decltype(zero)>()) {
        ++counts[static_cast<std::int64_t>(value)];
        if (counts.size() > most) return;
      }
    }
  });
  Json found = Json::object();
  if (counts.size() > most) return found;
  for (const auto& [value, count] : counts) found[fmt::format("{}", value)] = count;
  return found;
}

void add_statistics(Json& info, const data::NumberStatistics& s) {
  info["missing"] = s.missing;
  info["infinite"] = s.infinite;
  if (s.count > 0) info.update({{"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"std", s.std}});
}

Json array_info(const std::string& name, const Tensor& tensor) {
  Json info = {{"name", name}, {"dtype", name_of(tensor.dtype())}, {"shape", tensor.shape().str()}};
  add_statistics(info, data::number_statistics(tensor));
  if (tensor.rank() != 1) return info;
  Json counts = value_counts(tensor);
  if (!counts.empty()) info["counts"] = std::move(counts);
  return info;
}

/// Of u8 [..., C, H, W]: the elements of each channel, exactly.
Json channel_infos(const Tensor& images) {
  const int rank = static_cast<int>(images.rank());
  const auto channels = static_cast<std::size_t>(images.size(rank - 3));
  const auto plane = static_cast<std::size_t>(images.size(rank - 2) * images.size(rank - 1));
  const auto elements = images.data<std::uint8_t>();
  Json found = Json::array();
  for (std::size_t c = 0; c < channels; ++c) {
    std::vector<double> numbers;
    for (std::size_t begin = c * plane; begin < elements.size(); begin += channels * plane) {
      for (const std::uint8_t element : elements.subspan(begin, plane)) numbers.push_back(element);
    }
    Json channel = {{"name", fmt::format("channel {}", c)}, {"dtype", "u8"}, {"shape", ""}};
    add_statistics(channel, data::number_statistics(numbers));
    found.push_back(std::move(channel));
  }
  return found;
}

Json picture_info(const char* kind, const std::string& path) {
  const Tensor image = data::read_image(path);
  Json arrays = Json::array({array_info("picture", image)});
  for (Json& channel : channel_infos(image)) arrays.push_back(std::move(channel));
  return {{"kind", kind}, {"path", path}, {"arrays", std::move(arrays)}};
}

Json cifar_info(const std::string& path, data::CifarLabels labels) {
  const data::CifarImages read = data::read_cifar(path, labels);
  Json arrays = Json::array({array_info("labels", read.labels), array_info("images", read.images)});
  for (Json& channel : channel_infos(read.images)) arrays.push_back(std::move(channel));
  return {{"kind", labels == data::CifarLabels::ten ? "CIFAR-10" : "CIFAR-100"},
          {"path", path},
          {"arrays", std::move(arrays)}};
}

/// IDX begins with two zero bytes and a type; a compressed one says so by its name.
bool is_idx(const std::string& path, const std::string& magic) {
  const std::string name = fs::path(path).filename().string();
  if (magic.starts_with("\x1f\x8b")) return name.find("-ubyte") != name.npos || name.find(".idx") != name.npos;
  return magic.size() >= 4 && magic[0] == '\0' && magic[1] == '\0' && magic[2] >= 8 && magic[2] <= 14;
}

/// Sums over the pictures of a folder.
struct Pictures {
  std::int64_t count = 0;
  std::array<std::int64_t, 2> height = {std::numeric_limits<std::int64_t>::max(), 0}, width = height;
  std::map<std::int64_t, std::int64_t> by_channels;
  std::array<std::uint64_t, 4> elements{}, sum{}, squares{};
  Json unreadable = Json::array();

  void add(const fs::path& path) {
    try {
      const Tensor image = data::read_image(path.string());
      ++count;
      ++by_channels[image.size(0)];
      height = {std::min(height[0], image.size(1)), std::max(height[1], image.size(1))};
      width = {std::min(width[0], image.size(2)), std::max(width[1], image.size(2))};
      const auto plane = static_cast<std::size_t>(image.size(1) * image.size(2));
      for (std::size_t c = 0; c < static_cast<std::size_t>(image.size(0)); ++c) {
        for (const std::uint64_t value : image.data<std::uint8_t>().subspan(c * plane, plane)) {
          sum[c] += value, squares[c] += value * value;
        }
        elements[c] += plane;
      }
    } catch (const Error& error) {
      unreadable.push_back({{"path", path.string()}, {"reason", error.what()}});
    }
  }
  /// In 0 to 1, when all pictures have the same channels.
  Json channels() const {
    Json found = Json::array();
    for (std::size_t c = 0; by_channels.size() == 1 && c < static_cast<std::size_t>(by_channels.begin()->first); ++c) {
      const double mean = static_cast<double>(sum[c]) / static_cast<double>(elements[c]);
      const double variance = static_cast<double>(squares[c]) / static_cast<double>(elements[c]) - mean * mean;
      found.push_back({{"mean", mean / 255}, {"std", std::sqrt(std::max(0.0, variance)) / 255}});
    }
    return found;
  }
};

std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with('.')) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

void print_folder(const Json& info) {
  const auto range = [&](const char* key) {
    const std::int64_t low = info[key][0], high = info[key][1];
    return low == high ? fmt::format("{}", low) : fmt::format("{} to {}", low, high);
  };
  fmt::print("{}: {} pictures in {} classes", info["path"].get<std::string>(), info["pictures"].get<std::int64_t>(),
             info["classes"].size());
  if (info["pictures"] > 0) fmt::print(", height {}, width {}", range("height"), range("width"));
  fmt::print("\n  pictures of each class:");
  for (const auto& [name, count] : info["classes"].items()) fmt::print("  {} {}", name, count.get<std::int64_t>());
  fmt::print("\n  channels:");
  for (const auto& [channels, count] : info["by_channels"].items()) {
    fmt::print("  {} ({} pictures)", channels, count.get<std::int64_t>());
  }
  fmt::print("\n");
  std::int64_t index = 0;
  for (const Json& channel : info["channels"]) {
    fmt::print("  channel {:>3}: mean {:<10.5g} std {:<10.5g}\n", index++, channel["mean"].get<double>(),
               channel["std"].get<double>());
  }
  for (const Json& each : info["unreadable"]) fmt::print("  cannot be read: {}\n", each["reason"].get<std::string>());
}

}  // namespace

Json file_info(const std::string& path, char delimiter) {
  io::InputFile file(path, "data info");
  if (file.size() == 0) throw Error(ErrorKind::format, "data info", "the file is empty").context(path);
  std::array<std::byte, 8> bytes{};
  const std::size_t got = file.read(bytes);
  const std::string magic(reinterpret_cast<const char*>(bytes.data()), got);
  const std::string ending = fs::path(path).extension().string();
  if (magic.starts_with("\x93NUMPY")) {
    return {{"kind", "npy"}, {"path", path}, {"arrays", Json::array({array_info("array", io::load_npy(path))})}};
  }
  if (magic.starts_with("PK")) {
    Json arrays = Json::array();
    for (const auto& [name, tensor] : io::load_npz(path)) arrays.push_back(array_info(name, tensor));
    return {{"kind", "npz"}, {"path", path}, {"arrays", std::move(arrays)}};
  }
  if (magic.starts_with("\x89PNG")) return picture_info("png", path);
  if (magic.starts_with("\xff\xd8\xff")) return picture_info("jpeg", path);
  if (ending == ".bin" && file.size() > 0 && file.size() % 3073 == 0) return cifar_info(path, data::CifarLabels::ten);
  if (ending == ".bin" && file.size() > 0 && file.size() % 3074 == 0) return cifar_info(path, data::CifarLabels::fine);
  if (is_idx(path, magic)) {
    return {{"kind", "idx"}, {"path", path}, {"arrays", Json::array({array_info("array", data::read_idx(path))})}};
  }
  if (!magic.starts_with("\x1f\x8b") && magic.find('\0') != magic.npos) {
    throw Error(ErrorKind::format, "data info", "this is no file of a known kind")
        .context(path)
        .field("known", "CSV, NPY, NPZ, IDX, PNG, JPEG, CIFAR (.bin)");
  }
  return csv_info(path, delimiter);
}

Json image_folder_info(const std::string& path) {
  Pictures pictures;
  Json classes = Json::object();
  for (const fs::path& folder : sorted_entries(path)) {
    if (!fs::is_directory(folder)) continue;
    const std::int64_t before = pictures.count;
    for (const fs::path& file : sorted_entries(folder)) {
      std::string ending = file.extension().string();
      std::transform(ending.begin(), ending.end(), ending.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
      if (ending == ".png" || ending == ".jpg" || ending == ".jpeg") pictures.add(file);
    }
    classes[folder.filename().string()] = pictures.count - before;
  }
  if (pictures.count == 0 && pictures.unreadable.empty()) {
    throw Error(ErrorKind::format, "data info", "there is no data set in this folder")
        .context(path)
        .field("known",
               "one folder for each class with PNG or JPEG pictures; the files of CIFAR, MNIST or Fashion-MNIST");
  }
  Json by_channels = Json::object();
  for (const auto& [channels, count] : pictures.by_channels) by_channels[fmt::format("{}", channels)] = count;
  if (pictures.count == 0) pictures.height = pictures.width = {0, 0};
  return {{"kind", "image folder"},
          {"path", path},
          {"pictures", pictures.count},
          {"classes", std::move(classes)},
          {"height", pictures.height},
          {"width", pictures.width},
          {"by_channels", std::move(by_channels)},
          {"channels", pictures.channels()},
          {"unreadable", std::move(pictures.unreadable)}};
}

void print_info(const Json& info) {
  if (info["kind"] == "csv") return print_csv_info(info);
  if (info["kind"] == "image folder") return print_folder(info);
  fmt::print("{}: {}\n\n", info["path"].get<std::string>(), info["kind"].get<std::string>());
  fmt::print("{:<20} {:<6} {:<22} {:>12} {:>12} {:>12} {:>12} {:>8} {:>8}\n", "array", "type", "shape", "min", "max",
             "mean", "std", "NaN", "infinite");
  for (const Json& array : info["arrays"]) {
    const auto number = [&](const char* key) {
      return array.contains(key) ? fmt::format("{:.6g}", array[key].get<double>()) : std::string("-");
    };
    fmt::print("{:<20} {:<6} {:<22} {:>12} {:>12} {:>12} {:>12} {:>8} {:>8}\n", array["name"].get<std::string>(),
               array["dtype"].get<std::string>(), array["shape"].get<std::string>(), number("min"), number("max"),
               number("mean"), number("std"), number("missing"), number("infinite"));
  }
  for (const Json& array : info["arrays"]) {
    if (!array.contains("counts")) continue;
    fmt::print("\n{}, how often each value:", array["name"].get<std::string>());
    for (const auto& [value, count] : array["counts"].items()) fmt::print("  {}: {}", value, count.get<std::int64_t>());
    fmt::print("\n");
  }
}

}  // namespace gradus::cli
