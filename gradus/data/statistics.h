// What a data set is like, by channel or column and by class; and the normalisation that follows from its training part.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

/// Of numbers: NaN are counted as missing, infinite ones apart; the others follow from the rest.
struct NumberStatistics {
  std::int64_t count = 0;  ///< of finite ones
  std::int64_t missing = 0, infinite = 0;
  double mean = 0;
  double std = 0;  ///< of the population
  double min = 0, max = 0;
};

/// Of an evaluated tensor, and of numbers; two passes in f64.
NumberStatistics number_statistics(const Tensor& tensor);
NumberStatistics number_statistics(std::span<const double> numbers);

/// Of the elements of one channel (axis 1) over all examples, without those that are NaN.
struct ChannelStatistics {
  std::int64_t count = 0;    ///< elements that are numbers
  std::int64_t missing = 0;  ///< elements that are NaN
  double mean = 0;
  double std = 0;  ///< of the population: divided by count, as scikit-learn's StandardScaler
  double min = 0, max = 0;

  bool constant() const { return count > 0 && min == max; }
};

/// Of the examples as batches hold them (scaled), two passes in f64. Examples [N] and [N, C] have a channel per column.
std::vector<ChannelStatistics> channel_statistics(const Dataset& dataset);

/// Examples of each class; none where the labels are numbers.
std::vector<std::int64_t> class_counts(const Dataset& dataset);

/// Rows whose stored example equals that of an earlier row, bit for bit: pairs {earlier row, row}, by row.
std::vector<std::pair<std::int64_t, std::int64_t>> duplicates(const Dataset& dataset);

/// The scaling of `train` with mean and std that make its channels mean 0 and variance 1. A constant channel gets std 1.
/// Fit it on the training part alone and give it to all parts with `with_scaling`:
///
///   auto [train, validation] = data::split(all, 500, seed);
///   const data::Scaling scaling = data::fit_scaling(train);
///   train = data::with_scaling(train, scaling), validation = data::with_scaling(validation, scaling);
///
/// Throws Error(value) for a channel that holds NaN or infinite elements, or no examples at all.
Scaling fit_scaling(const Dataset& train, SourceLocation where = SourceLocation::current());

/// The same examples under another scaling.
Dataset with_scaling(const Dataset& dataset, Scaling scaling, SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
