#include "gradus/data/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "gradus/base/error.h"

namespace gradus::data {
namespace {

/// Calls see(channel, value) for every element, scaled by `scaling`.
template <class See>
void for_each_element(const Dataset& dataset, See&& see) {
  const Shape& shape = dataset.examples().shape();
  const std::int64_t channels = shape.rank() > 1 ? shape[1] : 1;
  const std::int64_t plane = shape.rank() > 2 ? shape.numel(2, shape.rank()) : 1;
  const Scaler scaler(dataset.examples().spec(), dataset.options().scaling);
  std::vector<float> example(static_cast<std::size_t>(scaler.example_numel()));
  const std::size_t numel = static_cast<std::size_t>(channels * plane);
  for (std::int64_t row = 0; row < dataset.size(); ++row) {
    scaler(dataset.examples().buffer()->data(), row, example.data());
    for (std::size_t i = 0; i < numel; ++i) see(i / static_cast<std::size_t>(plane), static_cast<double>(example[i]));
  }
}

template <class T>
NumberStatistics statistics_of(std::span<const T> elements) {
  NumberStatistics s{.min = std::numeric_limits<double>::infinity(), .max = -std::numeric_limits<double>::infinity()};
  const auto number = [](T element) {
    if constexpr (std::is_same_v<T, BFloat16>) return static_cast<double>(static_cast<float>(element));
    if constexpr (!std::is_same_v<T, BFloat16>) return static_cast<double>(element);
  };
  for (const T element : elements) {
    const double value = number(element);
    if (!std::isfinite(value)) {
      ++(std::isnan(value) ? s.missing : s.infinite);
      continue;
    }
    ++s.count;
    s.mean += value;
    s.min = std::min(s.min, value), s.max = std::max(s.max, value);
  }
  if (s.count == 0) return {.missing = s.missing, .infinite = s.infinite};
  s.mean = s.min == s.max ? s.min : s.mean / static_cast<double>(s.count);
  for (const T element : elements) {
    const double value = number(element);
    if (std::isfinite(value)) s.std += (value - s.mean) * (value - s.mean);
  }
  s.std = std::sqrt(s.std / static_cast<double>(s.count));
  return s;
}

}  // namespace

NumberStatistics number_statistics(const Tensor& tensor) {
  return visit_dtype(tensor.dtype(),
                     [&](auto zero) { return statistics_of<decltype(zero)>(tensor.data<decltype(zero)>()); });
}

NumberStatistics number_statistics(std::span<const double> numbers) { return statistics_of(numbers); }

std::vector<ChannelStatistics> channel_statistics(const Dataset& dataset) {
  const Shape& shape = dataset.examples().shape();
  std::vector<ChannelStatistics> found(static_cast<std::size_t>(shape.rank() > 1 ? shape[1] : 1));
  for (ChannelStatistics& s : found) {
    s.min = std::numeric_limits<double>::infinity();
    s.max = -s.min;
  }
  for_each_element(dataset, [&](std::size_t channel, double value) {
    ChannelStatistics& s = found[channel];
    if (std::isnan(value)) {
      ++s.missing;
      return;
    }
    ++s.count;
    s.mean += value;
    s.min = std::min(s.min, value);
    s.max = std::max(s.max, value);
  });
  for (ChannelStatistics& s : found) {
    if (s.count > 0) s.mean /= static_cast<double>(s.count);
    if (s.count == 0) s.min = s.max = 0;
    if (s.constant()) s.mean = s.min;  // exactly
  }
  for_each_element(dataset, [&](std::size_t channel, double value) {
    ChannelStatistics& s = found[channel];
    if (!std::isnan(value)) s.std += (value - s.mean) * (value - s.mean);
  });
  for (ChannelStatistics& s : found) {
    if (s.count > 0) s.std = std::sqrt(s.std / static_cast<double>(s.count));
  }
  return found;
}

std::vector<std::int64_t> class_counts(const Dataset& dataset) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(dataset.num_classes()));
  if (dataset.is_regression()) return counts;
  for (const std::int64_t label : dataset.labels().data<std::int64_t>()) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

std::vector<std::pair<std::int64_t, std::int64_t>> duplicates(const Dataset& dataset) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  if (dataset.size() == 0) return pairs;
  const std::size_t bytes = dataset.examples().spec().bytes() / static_cast<std::size_t>(dataset.size());
  if (bytes == 0) return pairs;
  const auto* data = reinterpret_cast<const char*>(dataset.examples().buffer()->data());
  std::unordered_map<std::string_view, std::int64_t> first;
  for (std::int64_t row = 0; row < dataset.size(); ++row) {
    const std::string_view content(data + static_cast<std::size_t>(row) * bytes, bytes);
    const auto [found, added] = first.try_emplace(content, row);
    if (!added) pairs.emplace_back(found->second, row);
  }
  return pairs;
}

Scaling fit_scaling(const Dataset& train, SourceLocation where) {
  if (train.size() == 0)
    throw Error(ErrorKind::value, "fit_scaling", "there are no examples").context(train.name()).at(where);
  const Scaling& now = train.options().scaling;
  const std::vector<ChannelStatistics> statistics =
      channel_statistics(with_scaling(train, {.scale = now.scale}, where));
  Scaling scaling{.scale = now.scale};
  for (std::size_t c = 0; c < statistics.size(); ++c) {
    const ChannelStatistics& s = statistics[c];
    if (s.missing > 0 || !std::isfinite(s.mean) || !std::isfinite(s.std)) {
      throw Error(ErrorKind::value, "fit_scaling", fmt::format("channel {} holds elements that are not finite", c))
          .context(train.name())
          .at(where)
          .field("NaN", fmt::format("{} of {}", s.missing, s.missing + s.count))
          .hint("replace them first (EncoderOptions::missing)");
    }
    scaling.mean.push_back(s.mean);
    scaling.std.push_back(s.constant() || s.std == 0 ? 1 : s.std);
  }
  return scaling;
}

Dataset with_scaling(const Dataset& dataset, Scaling scaling, SourceLocation where) {
  DatasetOptions options = dataset.options();
  options.scaling = std::move(scaling);
  return Dataset(dataset.name(), dataset.examples(), dataset.labels(), std::move(options), where);
}

}  // namespace gradus::data
