// Data sets that fit into memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/scaling.h"
#include "gradus/graph/tensor.h"

namespace gradus::data {

enum class Split { train, test };
/// "train", "test"
std::string_view name_of(Split split);

/// `auto [inputs, labels] = batch;`
struct Batch {
  Tensor inputs;  ///< f32 [B, ...]
  Tensor labels;  ///< i64 [B]: classes; or f32 [B]: numbers to predict
};

struct DatasetOptions {
  /// Name of class 0, 1, ...; may stay empty.
  std::vector<std::string> class_names = {};
  /// Number of classes; 0: that of class_names, or the largest label plus one.
  std::int64_t num_classes = 0;
  Scaling scaling = {};
};

/// Examples with labels, as they are stored; `batch` scales them on their way into a batch. Copying one copies handles.
///
///   data::Dataset set("digits", images, labels, {.scaling = {.scale = 1 / 255.0}});
///   data::Batch first = set.batch(std::vector<std::int64_t>{0, 1, 2});
class Dataset {
 public:
  /// `examples`: u8 or f32 [N, ...]; `labels`: i64 [N] in [0, num_classes), or, for numbers to predict, f32 [N] without
  /// classes. Both are evaluated. Throws Error(shape), Error(dtype), Error(value) also for a number that is not finite, or
  /// Error(index) that names the row of a label that is out of range.
  Dataset(std::string name, Tensor examples, Tensor labels, DatasetOptions options = {},
          SourceLocation where = SourceLocation::current());

  const std::string& name() const { return name_; }
  std::int64_t size() const { return labels_.numel(); }
  const Tensor& examples() const { return examples_; }
  const Tensor& labels() const { return labels_; }
  const DatasetOptions& options() const { return *options_; }
  const std::vector<std::string>& class_names() const { return options_->class_names; }
  /// 0 where the labels are numbers.
  std::int64_t num_classes() const { return options_->num_classes; }
  /// True when the labels are numbers to predict: f32.
  bool is_regression() const { return labels_.dtype() == DType::f32; }
  /// Shape of one example: [1, 28, 28].
  Shape example_shape() const;

  /// The examples of these rows, scaled, with their labels. Safe to call from several threads. Throws Error(index).
  Batch batch(std::span<const std::int64_t> rows) const;
  /// The data set of these rows, in this order (a copy of them). Throws Error(index).
  Dataset subset(std::span<const std::int64_t> rows, SourceLocation where = SourceLocation::current()) const;

 private:
  void check_row(std::int64_t row, const char* op) const;

  std::string name_;
  Tensor examples_, labels_;
  std::shared_ptr<const DatasetOptions> options_;
  std::shared_ptr<const Scaler> scaler_;
};

struct TrainValidation {
  Dataset train, validation;
};

/// Puts `validation_size` rows, chosen by `seed` alone, aside for validation; both parts keep the order of the rows.
/// Throws Error(value) unless 0 < validation_size < dataset.size().
TrainValidation split(const Dataset& dataset, std::int64_t validation_size, std::uint64_t seed,
                      SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
