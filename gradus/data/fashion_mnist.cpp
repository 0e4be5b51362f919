#include "gradus/data/fashion_mnist.h"

#include <unistd.h>

#include <utility>

#include "gradus/base/error.h"
#include "gradus/data/file.h"
#include "gradus/data/idx.h"
#include "gradus/data/sources.h"

namespace gradus::data {
namespace {

std::vector<std::string> candidate_folders(const std::string& folder) {
  if (!folder.empty()) return {folder};
  return {data_folder() + "/fashion-mnist", "/usr/share/datasets/fashion-mnist"};
}

/// `folder`/`name`, with .gz or without; "" when neither is there.
std::string existing(const std::string& folder, const std::string& name) {
  for (const char* ending : {".gz", ""}) {
    const std::string path = folder + "/" + name + ending;
    if (::access(path.c_str(), F_OK) == 0) return path;
  }
  return {};
}

}  // namespace

const std::vector<std::string>& fashion_mnist_classes() {
  static const auto* const names = new std::vector<std::string>{
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};
  return *names;
}

Dataset fashion_mnist(Split split, const std::string& folder, std::vector<double> mean, std::vector<double> std) {
  const std::string prefix = split == Split::train ? "train" : "t10k";
  const std::vector<std::string> folders = candidate_folders(folder);
  for (const std::string& candidate : folders) {
    const std::string images = existing(candidate, prefix + "-images-idx3-ubyte");
    const std::string labels = existing(candidate, prefix + "-labels-idx1-ubyte");
    if (images.empty() || labels.empty()) continue;
    Dataset dataset =
        idx_dataset("fashion-mnist " + std::string(name_of(split)), images, labels,
                    {.class_names = fashion_mnist_classes(), .mean = std::move(mean), .std = std::move(std)});
    if (dataset.example_shape() == Shape{1, 28, 28} && dataset.examples().dtype() == DType::u8) return dataset;
    throw Error(ErrorKind::format, "fashion_mnist")
        .context(images)
        .operand("images", dataset.examples().spec(), "expected u8 [N, 1, 28, 28]");
  }
  Error error(ErrorKind::io, "fashion_mnist", "the data set is not installed");
  for (const std::string& candidate : folders) {
    error.field("looked for", candidate + "/" + prefix + "-{images-idx3,labels-idx1}-ubyte[.gz]");
  }
  throw error.hint(
      "apt-get install dataset-fashion-mnist, or gradus data fetch fashion-mnist, or name the folder that holds it");
}

}  // namespace gradus::data
