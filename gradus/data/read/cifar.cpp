#include "gradus/data/read/cifar.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/data/file.h"
#include "gradus/data/view.h"

namespace gradus::data {
namespace {

constexpr std::size_t image_bytes = 3 * 32 * 32;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::vector<unsigned char> read_bytes(const std::string& path, std::uint64_t size) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  if (!file) throw Error(ErrorKind::io, "read_cifar", "cannot open the file: " + system_message(errno)).context(path);
  std::vector<unsigned char> bytes(size);
  if (std::fread(bytes.data(), 1, bytes.size(), file.get()) != bytes.size()) {
    throw Error(ErrorKind::io, "read_cifar", "cannot read the file").context(path);
  }
  return bytes;
}

/// One name a line; empty when the file is not there or holds another number of names.
std::vector<std::string> read_names(const std::string& path, std::size_t count) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  return names.size() == count ? names : std::vector<std::string>();
}

struct Layout {
  const char *source, *name, *folder, *names;
  std::vector<std::string> train, test;
  CifarLabels labels;
  std::int64_t classes;
};

Dataset load(const Layout& layout, Split split, std::string folder, std::vector<double> mean, std::vector<double> std) {
  if (folder.empty()) folder = data_folder() + "/" + layout.folder;
  std::vector<Dataset> parts;
  const std::string name = fmt::format("{} {}", layout.name, name_of(split));
  const std::vector<std::string> names =
      read_names(folder + "/" + layout.names, static_cast<std::size_t>(layout.classes));
  for (const std::string& file : split == Split::train ? layout.train : layout.test) {
    try {
      const CifarImages read = read_cifar(folder + "/" + file, layout.labels);
      parts.emplace_back(name, read.images, read.labels,
                         DatasetOptions{.class_names = names,
                                        .num_classes = layout.classes,
                                        .scaling = {.scale = 1 / 255.0, .mean = mean, .std = std}});
    } catch (Error& error) {
      if (error.kind() == ErrorKind::io) {
        error.hint(
            fmt::format("gradus data fetch {}, or get the binary version from "
                        "https://www.cs.toronto.edu/~kriz/cifar.html and name its folder",
                        layout.source));
      }
      throw;
    }
  }
  return concat(parts);
}

}  // namespace

CifarImages read_cifar(const std::string& path, CifarLabels labels) {
  const std::uint64_t size = file_size(path, "read_cifar");
  const std::size_t prefix = labels == CifarLabels::ten ? 1 : 2, record = prefix + image_bytes;
  const unsigned classes = labels == CifarLabels::ten ? 10 : labels == CifarLabels::coarse ? 20 : 100;
  if (size == 0 || size % record != 0) {
    throw Error(ErrorKind::format, "read_cifar", "the file does not consist of whole records")
        .context(path)
        .field("expected", fmt::format("a multiple of {} bytes", record))
        .field("found", fmt::format("{} bytes", size))
        .hint("a download or a copy that was cut off, or the version for Python?");
  }
  const std::vector<unsigned char> bytes = read_bytes(path, size);
  const auto count = static_cast<std::int64_t>(size / record);
  const TensorSpec spec{DType::u8, {count, 3, 32, 32}};
  Ref<Buffer> images = Buffer::allocate(spec.bytes());
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const unsigned char* at = bytes.data() + i * record;
    const unsigned label = labels == CifarLabels::fine ? at[1] : at[0];
    if (label >= classes) {
      throw Error(ErrorKind::format, "read_cifar", fmt::format("label {} in record {} is out of range", label, i))
          .context(path)
          .field("expected", fmt::format("0 to {}", classes - 1));
    }
    values.push_back(label);
    std::memcpy(images->data() + i * image_bytes, at + prefix, image_bytes);
  }
  return {leaf(spec, std::move(images)), leaf<std::int64_t>({count}, std::span<const std::int64_t>(values))};
}

Dataset cifar10(Split split, const std::string& folder, std::vector<double> mean, std::vector<double> std) {
  const Layout layout{
      "cifar-10",
      "CIFAR-10",
      "cifar-10-batches-bin",
      "batches.meta.txt",
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"},
      CifarLabels::ten,
      10};
  return load(layout, split, folder, std::move(mean), std::move(std));
}

Dataset cifar100(Split split, const std::string& folder, std::vector<double> mean, std::vector<double> std) {
  const Layout layout{"cifar-100",   "CIFAR-100",  "cifar-100-binary", "fine_label_names.txt",
                      {"train.bin"}, {"test.bin"}, CifarLabels::fine,  100};
  return load(layout, split, folder, std::move(mean), std::move(std));
}

}  // namespace gradus::data
