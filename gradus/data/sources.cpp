#include "gradus/data/sources.h"

#include <fmt/format.h>

#include <array>

#include "gradus/base/error.h"
#include "gradus/data/fashion_mnist.h"
#include "gradus/data/idx.h"

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

struct Source {
  std::string_view name;
  Dataset (*load)(Split, const SourceOptions&);
};

constexpr std::array<Source, 2> sources = {{{"fashion-mnist", load_fashion_mnist}, {"idx", load_idx}}};

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

std::vector<std::string> source_names() {
  std::vector<std::string> names;
  for (const Source& source : sources) names.emplace_back(source.name);
  return names;
}

}  // namespace gradus::data
