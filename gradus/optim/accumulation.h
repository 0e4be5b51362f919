// Large batches in parts.
//
//   optim::GradientAccumulator<LeNet5> accumulator;
//   for (const auto& [images, labels] : parts) accumulator.add(gradients(cross_entropy(model(images), labels), model));
//   optimizer.step(accumulator.take_mean());
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "gradus/nn/fields.h"

namespace gradus::optim {

namespace detail {
/// Adds `gradients` to `sum`, evaluated in one plan together with what is held of their graph.
void add_gradients(std::span<const nn::FieldRef> sum, std::span<const nn::FieldRef> gradients, SourceLocation where);
/// Divides by `count`; recorded, not evaluated.
void divide_gradients(std::span<const nn::FieldRef> sum, std::int64_t count);
[[noreturn]] void refuse_empty(SourceLocation where);
}  // namespace detail

/// Sums gradients of micro-batches, so that only one of them is in memory at a time. With losses that are means over equal
/// micro-batches the mean is the gradient of the large batch; with sums the sum is.
template <std::copy_constructible Model>
class GradientAccumulator {
 public:
  /// Adds a model of gradients, as gradients(loss, model) returns it, and evaluates the sum: one plan for every micro-batch
  /// of the same shape. A gradient that is undefined counts as zero. Throws Error(state) for another model's gradients.
  void add(const Model& gradients, SourceLocation where = SourceLocation::current()) {
    Model sum = sum_ ? *sum_ : gradients;
    if (!sum_) {  // begin as nothing: a half-made first sum would be taken for one
      for (const nn::FieldRef& field : nn::all_fields(sum)) {
        if (field.parameter) field.parameter->hold(Tensor());
      }
    }
    detail::add_gradients(nn::all_fields(sum), nn::all_fields(gradients), where);
    sum_.emplace(sum);
    ++count_;
  }
  /// How many were added since the last take.
  std::int64_t count() const { return count_; }

  /// The sum, for optimizer.step(); the next sum begins. Throws Error(state) when nothing was added.
  Model take_sum(SourceLocation where = SourceLocation::current()) {
    if (!sum_) detail::refuse_empty(where);
    Model sum = *sum_;
    sum_.reset();
    count_ = 0;
    return sum;
  }
  /// The same divided by the number of them.
  Model take_mean(SourceLocation where = SourceLocation::current()) {
    const std::int64_t count = count_;
    Model sum = take_sum(where);
    detail::divide_gradients(nn::all_fields(sum), count);
    return sum;
  }

 private:
  std::optional<Model> sum_;
  std::int64_t count_ = 0;
};

}  // namespace gradus::optim
