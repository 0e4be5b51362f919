#include "gradus/data/sources.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/data/idx.h"
#include "gradus/data/read/cifar.h"
#include "gradus/data/read/image.h"
#include "gradus/data/table/csv.h"
#include "gradus/data/table/encoder.h"

namespace gradus::data {
namespace {

Dataset load_fashion_mnist(Split split, const SourceOptions& options) {
  return fashion_mnist(split, options.folder, options.mean, options.std);
}

Dataset load_idx(Split split, const SourceOptions& options) {
  const bool train = split == Split::train;
  const std::string& images = train ? options.train_images : options.test_images;
  const std::string& labels = train ? options.train_labels : options.test_labels;
  for (const auto& [what, path] : {std::pair("images", &images), std::pair("labels", &labels)}) {
    if (!path->empty()) continue;
    const std::string key = fmt::format("{}_{}", name_of(split), what);
    throw Error(ErrorKind::config, "load", key + " is missing")
        .context("idx")
        .hint(fmt::format("{} = \"path of an IDX file\"", key));
  }
  return idx_dataset(fmt::format("idx {}", name_of(split)), images, labels, options);
}

Dataset load_digits(Split split, const SourceOptions& options) { return digits(split, options.mean, options.std); }

Dataset load_breast_cancer(Split split, const SourceOptions& options) {
  return breast_cancer(split, options.mean, options.std);
}

Dataset load_cifar10(Split split, const SourceOptions& options) {
  return cifar10(split, options.folder, options.mean, options.std);
}

Dataset load_cifar100(Split split, const SourceOptions& options) {
  return cifar100(split, options.folder, options.mean, options.std);
}

/// The place of one of `names` by its text.
template <class Choice>
Choice chosen(const char* key, const std::string& text, std::initializer_list<std::pair<const char*, Choice>> names) {
  std::vector<std::string> known;
  for (const auto& [name, choice] : names) {
    if (text == name) return choice;
    known.emplace_back(name);
  }
  throw Error(ErrorKind::config, "load", fmt::format("{} is \"{}\"", key, text))
      .field("known", fmt::format("{}", fmt::join(known, ", ")));
}

const std::string& needed(const char* source, const char* key, const std::string& value) {
  if (!value.empty()) return value;
  throw Error(ErrorKind::config, "load", fmt::format("{} is missing", key)).context(source);
}

/// The training file, and what it teaches.
struct CsvTraining {
  Table table;
  TableEncoder encoder;
};

CsvTraining read_csv_training(const SourceOptions& options) {
  const std::string& train_path = needed("csv", "train_path", options.train_path);
  const std::string& target = needed("csv", "target", options.target);
  if (options.delimiter.size() != 1) {
    throw Error(ErrorKind::config, "load",
                fmt::format("delimiter is \"{}\", expected one character", options.delimiter));
  }
  const EncoderOptions encoding = {
      .target = target,
      .drop = options.drop,
      .missing = chosen<Missing>("missing", options.missing,
                                 {{"error", Missing::error},
                                  {"mean", Missing::mean},
                                  {"median", Missing::median},
                                  {"indicator", Missing::indicator}}),
      .categories = chosen<Categories>("categories", options.categories,
                                       {{"one-hot", Categories::one_hot}, {"codes", Categories::codes}})};
  Table train = read_csv(train_path, {.delimiter = options.delimiter[0]});
  TableEncoder encoder(train, encoding);
  return {std::move(train), std::move(encoder)};
}

Dataset load_csv(Split split, const SourceOptions& options) {
  const bool numbers = chosen<bool>("task", options.task, {{"classification", false}, {"regression", true}});
  const auto [train, encoder] = read_csv_training(options);
  Table test;
  if (split == Split::test) {
    test = read_csv(needed("csv", "test_path", options.test_path),
                    {.delimiter = options.delimiter[0], .types = encoder.types()});
  }
  const Table& table = split == Split::train ? train : test;
  const Dataset set = numbers ? encoder.regression_dataset(table) : encoder.dataset(table);
  return Dataset(set.name(), set.examples(), set.labels(),
                 {.class_names = set.class_names(), .scaling = {.mean = options.mean, .std = options.std}});
}

Dataset load_friedman(Split split, const SourceOptions& options) { return friedman(split, options.mean, options.std); }

Dataset load_image_folder(Split split, const SourceOptions& options) {
  const bool train = split == Split::train;
  const std::string& folder =
      needed("image-folder", train ? "train_path" : "test_path", train ? options.train_path : options.test_path);
  if (!options.resize.empty() && options.resize.size() != 2) {
    throw Error(ErrorKind::config, "load", "resize is no height and width").context("image-folder");
  }
  ImageFolderOptions reading{.channels = static_cast<int>(options.channels),
                             .class_names = options.class_names,
                             .mean = options.mean,
                             .std = options.std};
  if (!options.resize.empty()) reading.resize = {options.resize[0], options.resize[1]};
  return image_folder(folder, reading);
}

struct Source {
  std::string_view name;
  Dataset (*load)(Split, const SourceOptions&);
};

constexpr std::array<Source, 9> sources = {{{"fashion-mnist", load_fashion_mnist},
                                            {"digits", load_digits},
                                            {"breast-cancer", load_breast_cancer},
                                            {"friedman", load_friedman},
                                            {"cifar-10", load_cifar10},
                                            {"cifar-100", load_cifar100},
                                            {"idx", load_idx},
                                            {"csv", load_csv},
                                            {"image-folder", load_image_folder}}};

/// u8 or i32 -> i64.
Tensor read_labels(const std::string& path) {
  const Tensor stored = read_idx(path);
  if (!is_integral(stored.dtype()) || stored.rank() != 1) {
    throw Error(ErrorKind::format, "load").context(path).operand("labels", stored.spec(), "expected u8 or i32 [N]");
  }
  std::vector<std::int64_t> labels;
  if (stored.dtype() == DType::u8) {
    const auto elements = stored.data<std::uint8_t>();
    labels.assign(elements.begin(), elements.end());
  } else {
    const auto elements = stored.data<std::int32_t>();
    labels.assign(elements.begin(), elements.end());
  }
  return leaf<std::int64_t>(stored.shape(), std::span<const std::int64_t>(labels));
}

Tensor read_images(const std::string& path) {
  const Tensor stored = read_idx(path);
  if (stored.dtype() != DType::u8 && stored.dtype() != DType::f32) {
    throw Error(ErrorKind::format, "load")
        .context(path)
        .operand("images", stored.spec(), "expected u8 or f32 [N, ...]");
  }
  if (stored.rank() != 3) return stored;
  TensorSpec spec = stored.spec();
  spec.shape.insert(1, 1);
  return leaf(spec, stored.buffer());
}

}  // namespace

Dataset idx_dataset(const std::string& name, const std::string& images, const std::string& labels,
                    const SourceOptions& options) {
  const Tensor examples = read_images(images);
  const Tensor classes = read_labels(labels);
  if (examples.size(0) != classes.size(0)) {
    throw Error(ErrorKind::format, "load", "the two files do not belong together")
        .context(name)
        .operand("images", examples.spec(), images)
        .operand("labels", classes.spec(), labels);
  }
  const double scale = examples.dtype() == DType::u8 ? 1 / 255.0 : 1.0;
  try {
    return Dataset(name, examples, classes,
                   {.class_names = options.class_names, .scaling = {scale, options.mean, options.std}}, {});
  } catch (Error& error) {
    if (error.kind() == ErrorKind::index) error.field("labels", labels);
    throw;
  }
}

Dataset load(std::string_view name, Split split, const SourceOptions& options) {
  for (const Source& source : sources) {
    if (source.name == name) return source.load(split, options);
  }
  const std::string nearest = nearest_name(name, source_names());
  throw Error(ErrorKind::config, "load", fmt::format("there is no data set \"{}\"", name))
      .field("known", fmt::format("{}", fmt::join(source_names(), ", ")))
      .hint(nearest.empty() ? "\"idx\" reads files of one's own" : fmt::format("did you mean \"{}\"?", nearest));
}

std::optional<TableEncoder> load_encoder(std::string_view name, const SourceOptions& options) {
  if (name == "csv") return read_csv_training(options).encoder;
  if (name == "breast-cancer") return TableEncoder(breast_cancer_table(), {.target = "class"});
  if (name == "friedman") return TableEncoder(friedman_table(Split::train), {.target = "y"});
  return std::nullopt;
}

std::vector<std::string> source_names() {
  std::vector<std::string> names;
  for (const Source& source : sources) names.emplace_back(source.name);
  return names;
}

const std::vector<SourceInfo>& source_infos() {
  static const auto* const infos = new std::vector<SourceInfo>{
      {"digits", "1,797 handwritten digits, 8 x 8, 10 classes", "CC BY 4.0", "part of the library (UCI)"},
      {"breast-cancer", "569 tumours, 30 measurements, 2 classes", "CC BY 4.0", "part of the library (UCI)"},
      {"friedman", "1,500 rows of a known function with noise, 10 inputs, a number to predict", "none needed",
       "computed (Friedman, 1991)"},
      {"fashion-mnist", "70,000 grey images of clothes, 28 x 28, 10 classes", "MIT",
       "Debian package dataset-fashion-mnist, or fetched"},
      {"cifar-10", "60,000 colour images, 32 x 32, 10 classes", "not stated by its authors",
       "fetched (https://www.cs.toronto.edu/~kriz/cifar.html)"},
      {"cifar-100", "60,000 colour images, 32 x 32, 100 classes", "not stated by its authors",
       "fetched (https://www.cs.toronto.edu/~kriz/cifar.html)"},
      {"idx", "images and labels in the format of MNIST", "yours", "files of one's own", true},
      {"csv", "a table with a column of classes", "yours", "files of one's own", true},
      {"image-folder", "PNG and JPEG pictures, one folder for each class", "yours", "files of one's own", true}};
  return *infos;
}

}  // namespace gradus::data
