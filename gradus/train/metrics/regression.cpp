#include "gradus/train/metrics/regression.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/train/metrics/input.h"

namespace gradus::metrics {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// The mean of `figure` over the outputs.
template <class Outputs, class Figure>
double mean_of(const Outputs& outputs, Figure figure) {
  double sum = 0;
  for (const auto& output : outputs) sum += figure(output);
  return sum / static_cast<double>(outputs.size());  // NaN without any
}

}  // namespace

void Regression::update(const TensorArg& predicted, const TensorArg& targets) {
  detail::check_same_shape(predicted, "predicted", targets, "targets", "regression");
  const std::vector<double> guess = detail::numbers_of(predicted, "regression", "predicted");
  const std::vector<double> truth = detail::numbers_of(targets, "regression", "targets");
  const TensorSpec& spec = predicted.tensor().spec();
  const std::size_t width = spec.shape.rank() == 2 ? static_cast<std::size_t>(spec.shape[1]) : 1;
  if (spec.shape.rank() < 1 || spec.shape.rank() > 2 || width == 0 || (!outputs_.empty() && outputs_.size() != width)) {
    throw Error(ErrorKind::shape, "regression")
        .at(predicted.where())
        .operand("predicted", spec,
                 outputs_.empty() ? "expected [n] or [n, outputs]" : fmt::format("expected [n, {}]", outputs_.size()));
  }
  outputs_.resize(width);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (i % width == 0) ++examples_;
    Output& output = outputs_[i % width];
    const double error = guess[i] - truth[i], from_mean = truth[i] - output.mean;
    output.absolute += std::abs(error);
    output.squared += error * error;
    output.mean += from_mean / static_cast<double>(examples_);
    output.deviation += from_mean * (truth[i] - output.mean);
  }
}

double Regression::r2() const {
  if (examples_ < 2) return nan;
  return mean_of(outputs_, [](const Output& o) {
    if (o.deviation > 0) return 1 - o.squared / o.deviation;
    return o.squared > 0 ? 0.0 : 1.0;
  });
}

double Regression::mae() const {
  return mean_of(outputs_, [&](const Output& o) { return o.absolute / static_cast<double>(examples_); });
}
double Regression::mse() const {
  return mean_of(outputs_, [&](const Output& o) { return o.squared / static_cast<double>(examples_); });
}
double Regression::rmse() const {
  return mean_of(outputs_, [&](const Output& o) { return std::sqrt(o.squared / static_cast<double>(examples_)); });
}

}  // namespace gradus::metrics
