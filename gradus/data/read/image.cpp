#include "gradus/data/read/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "gradus/base/error.h"
#include "gradus/data/file.h"
#include "gradus/data/png.h"
#include "gradus/data/read/jpeg.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

std::string first_bytes(const std::string& path) {
  file_size(path, "read_image");
  std::array<char, 8> bytes{};
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    throw Error(ErrorKind::io, "read_image", "cannot open the file: " + system_message(errno)).context(path);
  }
  const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  return {bytes.data(), got};
}

/// What one pixel of the result takes from the pixels of a row: weights that sum up to 1, from pixel `first` on.
struct Weights {
  std::int64_t first = 0;
  std::vector<double> values;
};

std::vector<Weights> triangle(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double reach = std::max(1.0, scale);
  std::vector<Weights> all;
  for (std::int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(centre - reach + 0.5)));
    const auto end = std::min(from, static_cast<std::int64_t>(std::floor(centre + reach + 0.5)));
    Weights weights{first, {}};
    double sum = 0;
    for (std::int64_t at = first; at < end; ++at) {
      const double distance = std::abs(static_cast<double>(at) + 0.5 - centre) / reach;
      weights.values.push_back(std::max(0.0, 1 - distance));
      sum += weights.values.back();
    }
    for (double& value : weights.values) value /= sum;
    all.push_back(std::move(weights));
  }
  return all;
}

/// [planes, length, inner] -> [planes, to, inner] along the middle axis.
std::vector<double> filtered(const std::vector<double>& in, std::int64_t planes, std::int64_t length,
                             std::int64_t inner, std::int64_t to) {
  const std::vector<Weights> weights = triangle(length, to);
  std::vector<double> out(static_cast<std::size_t>(planes * to * inner));
  for (std::int64_t p = 0; p < planes; ++p) {
    for (std::int64_t i = 0; i < to; ++i) {
      const Weights& w = weights[static_cast<std::size_t>(i)];
      double* row = out.data() + (p * to + i) * inner;
      for (std::size_t k = 0; k < w.values.size(); ++k) {
        const double* source = in.data() + (p * length + w.first + static_cast<std::int64_t>(k)) * inner;
        for (std::int64_t x = 0; x < inner; ++x) row[x] += w.values[k] * source[x];
      }
    }
  }
  return out;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  if (code) {
    throw Error(ErrorKind::io, "image_folder", "cannot open the folder: " + code.message()).context(folder.string());
  }
  std::vector<fs::path> paths;
  for (const auto& entry : entries) {
    if (!entry.path().filename().string().starts_with('.')) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

std::vector<std::string> class_folders(const std::string& folder, const std::vector<std::string>& known) {
  std::vector<std::string> names;
  for (const fs::path& path : entries_of(folder)) {
    if (!fs::is_directory(path)) continue;
    names.push_back(path.filename().string());
    if (known.empty() || std::find(known.begin(), known.end(), names.back()) != known.end()) continue;
    throw Error(ErrorKind::value, "image_folder", fmt::format("\"{}\" is none of the classes", names.back()))
        .context(folder)
        .field("classes", fmt::format("{}", fmt::join(known, ", ")));
  }
  if (names.empty()) {
    throw Error(ErrorKind::format, "image_folder", "there are no folders of classes in it")
        .context(folder)
        .hint("one folder for each class, its pictures in it: cats/tabby/1.png");
  }
  return names;
}

void check_equal(const Tensor& first, const std::string& first_path, const Tensor& other, const std::string& path) {
  if (first.spec() == other.spec()) return;
  const bool channels = first.size(0) != other.size(0);
  throw Error(ErrorKind::format, "image_folder", "pictures differ")
      .operand("first", first.spec(), first_path)
      .operand("other", other.spec(), path)
      .hint(channels ? "option channels: 1 (grey) or 3 (colour) for all"
                     : "option resize: one height and width for all");
}

}  // namespace

Tensor resized(const Tensor& image, ImageSize size) {
  const TensorSpec& spec = image.spec();
  if (spec.dtype != DType::u8) throw Error(ErrorKind::dtype, "resized").operand("image", spec, "expected u8");
  if (spec.shape.rank() != 3 || spec.shape.numel() == 0) {
    throw Error(ErrorKind::shape, "resized").operand("image", spec, "expected [channels, height, width], not empty");
  }
  if (size.height < 1 || size.width < 1 || size.height > (1 << 16) || size.width > (1 << 16)) {
    throw Error(ErrorKind::value, "resized", fmt::format("the size is {} x {}", size.height, size.width))
        .field("expected", "1 to 65536 each");
  }
  const std::int64_t channels = spec.shape[0], height = spec.shape[1], width = spec.shape[2];
  if (height == size.height && width == size.width) return image;
  const auto stored = image.data<std::uint8_t>();
  std::vector<double> values(stored.begin(), stored.end());
  values = filtered(values, channels * height, width, 1, size.width);
  values = filtered(values, channels, height, size.width, size.height);
  std::vector<std::uint8_t> out;
  out.reserve(values.size());
  for (const double value : values) out.push_back(static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)));
  return leaf<std::uint8_t>({channels, size.height, size.width}, std::span<const std::uint8_t>(out));
}

Tensor read_image(const std::string& path, const ImageOptions& options) {
  const std::string magic = first_bytes(path);
  Tensor image;
  if (magic.starts_with("\x89PNG")) {
    image = read_png(path, {.channels = options.channels});
  } else if (magic.starts_with("\xff\xd8\xff")) {
    image = read_jpeg(path, {.channels = options.channels});
  } else {
    throw Error(ErrorKind::format, "read_image", "this is neither a PNG nor a JPEG file").context(path);
  }
  return options.resize == ImageSize{} ? image : resized(image, options.resize);
}

Dataset image_folder(const std::string& folder, const ImageFolderOptions& options) {
  const std::vector<std::string> folders = class_folders(folder, options.class_names);
  const std::vector<std::string>& classes = options.class_names.empty() ? folders : options.class_names;
  Tensors images;
  std::vector<std::int64_t> labels;
  std::string first_path;
  for (const std::string& name : folders) {
    const auto label = std::find(classes.begin(), classes.end(), name) - classes.begin();
    const std::size_t before = images.size();
    for (const fs::path& path : entries_of(fs::path(folder) / name)) {
      if (!is_picture(path)) continue;
      images.push_back(read_image(path.string(), {.channels = options.channels, .resize = options.resize}));
      if (first_path.empty()) first_path = path.string();
      check_equal(images.front(), first_path, images.back(), path.string());
      labels.push_back(label);
    }
    if (images.size() > before) continue;
    throw Error(ErrorKind::format, "image_folder", fmt::format("class \"{}\" has no pictures", name))
        .context(folder)
        .field("expected", "files that end with .png, .jpg or .jpeg");
  }
  return Dataset(folder, stack(images),
                 leaf<std::int64_t>({static_cast<std::int64_t>(labels.size())}, std::span<const std::int64_t>(labels)),
                 {.class_names = classes, .scaling = {.scale = 1 / 255.0, .mean = options.mean, .std = options.std}});
}

}  // namespace gradus::data
