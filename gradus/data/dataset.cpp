#include "gradus/data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"

namespace gradus::data {
namespace {

void check_specs(const Tensor& examples, const Tensor& labels) {
  const TensorSpec& x = examples.spec();
  const TensorSpec& y = labels.spec();
  if (x.dtype != DType::u8 && x.dtype != DType::f32) {
    throw Error(ErrorKind::dtype, "dataset").operand("examples", x, "expected u8 or f32").operand("labels", y);
  }
  if (y.dtype != DType::i64 && y.dtype != DType::f32) {
    throw Error(ErrorKind::dtype, "dataset")
        .operand("examples", x)
        .operand("labels", y, "expected i64 (classes) or f32 (numbers to predict)")
        .hint("cast(labels, DType::i64)");
  }
  if (x.shape.rank() < 1 || y.shape.rank() != 1 || x.shape[0] != y.shape[0]) {
    throw Error(ErrorKind::shape, "dataset")
        .operand("examples", x, "expected [N, ...]")
        .operand("labels", y, "expected [N], one label for each example");
  }
}

/// Fills in the number of classes and checks every label against it.
void check_labels(std::span<const std::int64_t> labels, DatasetOptions& options) {
  const auto names = static_cast<std::int64_t>(options.class_names.size());
  if (options.num_classes < 0 || (names != 0 && options.num_classes != 0 && options.num_classes != names)) {
    throw Error(ErrorKind::value, "dataset",
                fmt::format("num_classes is {}, class_names has {} names", options.num_classes, names));
  }
  if (options.num_classes == 0) options.num_classes = names;
  if (options.num_classes == 0 && !labels.empty()) {
    constexpr std::int64_t largest = (std::int64_t{1} << 31) - 1;
    options.num_classes = std::min(*std::max_element(labels.begin(), labels.end()), largest) + 1;
  }
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] >= 0 && labels[row] < options.num_classes) continue;
    throw Error(ErrorKind::index, "dataset", fmt::format("label {} in row {} is out of range", labels[row], row))
        .field("expected", options.num_classes > 0
                               ? fmt::format("0 to {} ({} classes)", options.num_classes - 1, options.num_classes)
                               : std::string("labels from 0 on"));
  }
}

/// Numbers to predict: all finite, and no classes.
void check_numbers(std::span<const float> numbers, const DatasetOptions& options) {
  if (options.num_classes != 0 || !options.class_names.empty()) {
    throw Error(ErrorKind::value, "dataset", "the labels are numbers, and there are classes")
        .hint("labels of classes are i64");
  }
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    if (!std::isfinite(numbers[row]))
      throw Error(ErrorKind::value, "dataset", fmt::format("the number {} in row {} is not finite", numbers[row], row));
  }
}

}  // namespace

std::string_view name_of(Split split) { return split == Split::train ? "train" : "test"; }

Dataset::Dataset(std::string name, Tensor examples, Tensor labels, DatasetOptions options, SourceLocation where)
    : name_(std::move(name)), examples_(std::move(examples)), labels_(std::move(labels)) {
  try {
    check_specs(examples_, labels_);
    eval(std::vector<Tensor>{examples_, labels_}, where);
    if (is_regression()) {
      check_numbers(labels_.data<float>(), options);
    } else {
      check_labels(labels_.data<std::int64_t>(), options);
    }
    scaler_ = std::make_shared<const Scaler>(examples_.spec(), options.scaling);
  } catch (Error& error) {
    throw error.context(name_).at(where);
  }
  options_ = std::make_shared<const DatasetOptions>(std::move(options));
}

Shape Dataset::example_shape() const {
  Shape shape = examples_.shape();
  shape.erase(0);
  return shape;
}

void Dataset::check_row(std::int64_t row, const char* op) const {
  if (row >= 0 && row < size()) return;
  throw Error(ErrorKind::index, op, fmt::format("row {} of {} examples", row, size())).context(name_);
}

Batch Dataset::batch(std::span<const std::int64_t> rows) const {
  TensorSpec spec{DType::f32, examples_.shape()};
  spec.shape.set(0, static_cast<std::int64_t>(rows.size()));
  Ref<Buffer> inputs = Buffer::allocate(spec.bytes());
  const std::size_t label_bytes = size_of(labels_.dtype());
  Ref<Buffer> labels = Buffer::allocate(rows.size() * label_bytes);
  auto* input = reinterpret_cast<float*>(inputs->data());
  std::byte* label = labels->data();
  const std::byte* stored = examples_.buffer()->data();
  const std::byte* stored_labels = labels_.buffer()->data();
  for (const std::int64_t row : rows) {
    check_row(row, "batch");
    (*scaler_)(stored, row, input);
    input += scaler_->example_numel();
    std::memcpy(label, stored_labels + static_cast<std::size_t>(row) * label_bytes, label_bytes);
    label += label_bytes;
  }
  return {leaf(spec, std::move(inputs)), leaf({labels_.dtype(), {spec.shape[0]}}, std::move(labels))};
}

Dataset Dataset::subset(std::span<const std::int64_t> rows, SourceLocation where) const {
  TensorSpec spec = examples_.spec();
  spec.shape.set(0, static_cast<std::int64_t>(rows.size()));
  Ref<Buffer> examples = Buffer::allocate(spec.bytes());
  const std::size_t label_bytes = size_of(labels_.dtype());
  Ref<Buffer> labels = Buffer::allocate(rows.size() * label_bytes);
  std::byte* label = labels->data();
  const std::size_t bytes = static_cast<std::size_t>(scaler_->example_numel()) * size_of(spec.dtype);
  std::byte* out = examples->data();
  for (const std::int64_t row : rows) {
    check_row(row, "subset");
    if (bytes != 0) std::memcpy(out, examples_.buffer()->data() + static_cast<std::size_t>(row) * bytes, bytes);
    out += bytes;
    std::memcpy(label, labels_.buffer()->data() + static_cast<std::size_t>(row) * label_bytes, label_bytes);
    label += label_bytes;
  }
  return Dataset(name_, leaf(spec, std::move(examples)), leaf({labels_.dtype(), {spec.shape[0]}}, std::move(labels)),
                 *options_, where);
}

TrainValidation split(const Dataset& dataset, std::int64_t validation_size, std::uint64_t seed, SourceLocation where) {
  if (validation_size <= 0 || validation_size >= dataset.size()) {
    throw Error(ErrorKind::value, "split", fmt::format("validation_size is {}", validation_size))
        .context(dataset.name())
        .at(where)
        .field("expected", fmt::format("1 to {}: the data set has {} examples", dataset.size() - 1, dataset.size()));
  }
  std::vector<std::int64_t> rows = random_permutation(dataset.size(), Key{seed}.fold(0x73706c6974));  // "split"
  const auto middle = rows.begin() + validation_size;
  std::sort(rows.begin(), middle);
  std::sort(middle, rows.end());
  const std::span<const std::int64_t> all = rows;
  const auto held_out = static_cast<std::size_t>(validation_size);
  return {dataset.subset(all.subspan(held_out), where), dataset.subset(all.first(held_out), where)};
}

}  // namespace gradus::data
