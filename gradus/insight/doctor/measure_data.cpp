#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "gradus/base/random.h"
#include "gradus/data/statistics.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/doctor/measures.h"
#include "gradus/insight/statistics.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/view.h"

namespace gradus::insight::doctor::detail {
namespace {

constexpr std::int64_t most_neighbour_rows = 1000;
constexpr std::size_t neighbours = 10, agreeing = 8;

/// The bytes of each stored example.
std::vector<std::string_view> example_bytes(const data::Dataset& dataset) {
  const Tensor& all = dataset.examples();
  const auto* start = reinterpret_cast<const char*>(all.buffer()->data());
  const std::size_t size = all.spec().bytes() / static_cast<std::size_t>(dataset.size());
  std::vector<std::string_view> rows;
  for (std::int64_t i = 0; i < dataset.size(); ++i) rows.emplace_back(start + static_cast<std::size_t>(i) * size, size);
  return rows;
}

void find_repeated(const Parts& parts, DataEvidence& found) {
  std::unordered_map<std::string_view, int> known;  // how often
  for (const std::string_view row : example_bytes(parts.training)) found.repeated += known[row]++ > 0 ? 1 : 0;
  const std::vector<std::string_view> validation = example_bytes(parts.validation);
  for (const std::string_view row : validation) found.leaked_validation += known.contains(row) ? 1 : 0;
  for (const std::string_view row : validation) ++known[row];
  for (const std::string_view row : example_bytes(parts.test)) found.leaked_test += known.contains(row) ? 1 : 0;
}

/// P(X >= x) of the chi-square distribution, by the approximation of Wilson and Hilferty (1931): the cube root is nearly normal.
double chi_square_tail(double x, double degrees) {
  if (degrees <= 0) return 1;
  const double share = 2 / (9 * degrees);
  return 1 - normal_cdf((std::cbrt(x / degrees) - (1 - share)) / std::sqrt(share));
}

void compare_classes(const Parts& parts, DataEvidence& found) {
  found.classes = data::class_counts(parts.training);
  found.test_classes = data::class_counts(parts.test);
  found.test_classes.resize(std::max(found.classes.size(), found.test_classes.size()));
  found.classes.resize(found.test_classes.size());
  const double a = static_cast<double>(found.training), b = static_cast<double>(found.test);
  double statistic = 0, degrees = -1;
  for (std::size_t c = 0; c < found.classes.size(); ++c) {
    const double x = static_cast<double>(found.classes[c]), y = static_cast<double>(found.test_classes[c]);
    if (x + y == 0) continue;
    const double pooled = (x + y) / (a + b);
    statistic += std::pow(x - a * pooled, 2) / (a * pooled) + std::pow(y - b * pooled, 2) / (b * pooled);
    degrees += 1;
    found.split_distance += std::abs(x / a - y / b) / 2;
    found.same_expected += x / a * (x / a);
  }
  found.split_p = chi_square_tail(statistic, degrees);
  const auto labels = parts.training.labels().data<std::int64_t>();
  std::int64_t same = 0;
  for (std::size_t i = 1; i < labels.size(); ++i) same += labels[i] == labels[i - 1] ? 1 : 0;
  if (labels.size() > 1) found.same_neighbour = static_cast<double>(same) / static_cast<double>(labels.size() - 1);
}

void compare_columns(const data::Dataset& training, DataEvidence& found) {
  const std::vector<data::ChannelStatistics> columns = data::channel_statistics(training);
  std::vector<double> sizes;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const data::ChannelStatistics& c = columns[i];
    if (c.constant() || c.count == 0) continue;
    const auto at = static_cast<std::int64_t>(i);
    const double rms = std::sqrt(c.mean * c.mean + c.std * c.std);
    if (rms > found.largest_rms) found.largest_rms = rms, found.rms_column = at;
    if (const double offset = std::abs(c.mean) / c.std; offset > found.largest_offset)
      found.largest_offset = offset, found.offset_column = at;
    sizes.push_back(rms);
  }
  if (sizes.empty()) return;
  std::sort(sizes.begin(), sizes.end());
  found.smallest_rms = sizes.front();
  found.median_rms = sizes[sizes.size() / 2];
}

void find_largest(const data::Dataset& examples, DataEvidence& found) {
  const std::vector<data::ChannelStatistics> columns = data::channel_statistics(examples);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double value = std::max(std::abs(columns[i].min), std::abs(columns[i].max));
    if (!(value > found.largest_value)) continue;
    found.largest_value = value;
    found.value_column = static_cast<std::int64_t>(i);
  }
}

/// Some examples with their columns standardised, [n, columns], and their targets.
struct Points {
  std::int64_t count = 0;
  Tensor values;
  std::vector<double> targets;
};

Points some_points(const data::Dataset& training) {
  std::vector<std::int64_t> rows = random_permutation(training.size(), Key{0x646f63746f72});
  rows.resize(static_cast<std::size_t>(std::min(most_neighbour_rows, training.size())));
  const data::Batch batch = training.batch(rows);
  const std::vector<float> raw = batch.inputs.to_vector<float>();
  const std::size_t n = rows.size(), width = raw.size() / n;
  std::vector<float> values(raw.size());
  for (std::size_t c = 0; c < width; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(raw[i * width + c]);
    const double mean = sum / static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) squares += std::pow(static_cast<double>(raw[i * width + c]) - mean, 2);
    const double deviation = std::sqrt(squares / static_cast<double>(n));
    for (std::size_t i = 0; i < n && deviation > 0; ++i)
      values[i * width + c] = static_cast<float>((static_cast<double>(raw[i * width + c]) - mean) / deviation);
  }
  const Shape shape{static_cast<std::int64_t>(n), static_cast<std::int64_t>(width)};
  Points points{static_cast<std::int64_t>(n), leaf<float>(shape, std::span<const float>(values)), {}};
  for (const double target : batch.labels.to_vector<double>()) points.targets.push_back(target);
  return points;
}

/// The nearest other points of each.
std::vector<std::vector<std::size_t>> nearest(const Points& points) {
  const std::vector<float> products = matmul(points.values, transpose(points.values, 0, 1)).to_vector<float>();
  const auto n = static_cast<std::size_t>(points.count);
  std::vector<std::vector<std::size_t>> all(n);
  std::vector<std::pair<float, std::size_t>> distances;
  for (std::size_t i = 0; i < n; ++i) {
    distances.clear();
    for (std::size_t j = 0; j < n; ++j)
      if (j != i) distances.emplace_back(products[j * n + j] - 2 * products[i * n + j], j);
    const auto end = distances.begin() + static_cast<std::ptrdiff_t>(neighbours);
    std::partial_sort(distances.begin(), end, distances.end());
    for (auto it = distances.begin(); it != end; ++it) all[i].push_back(it->second);
  }
  return all;
}

void ask_neighbours(const data::Dataset& training, DataEvidence& found) {
  if (training.size() <= static_cast<std::int64_t>(2 * neighbours)) return;
  const Points points = some_points(training);
  const std::vector<std::vector<std::size_t>> near = nearest(points);
  const double n = static_cast<double>(points.count), mean = mean_of(points.targets);
  double right = 0, contradicted = 0, error = 0, spread = 0;
  std::unordered_map<double, double> counts;
  for (std::size_t i = 0; i < near.size(); ++i) {
    std::unordered_map<double, std::size_t> votes;
    double sum = 0;
    for (const std::size_t j : near[i]) ++votes[points.targets[j]], sum += points.targets[j];
    const double own = points.targets[i];
    ++counts[own];
    error += std::pow(sum / static_cast<double>(neighbours) - own, 2);
    spread += std::pow(own - mean, 2);
    bool wins = true;
    for (const auto& [label, number] : votes) {
      if (label != own && number >= agreeing) contradicted += 1;
      wins = wins && (label == own || number < votes[own]);
    }
    right += wins ? 1 : 0;
  }
  if (training.is_regression()) {
    found.neighbour_skill = spread > 0 ? 1 - error / spread : unknown;
    return;
  }
  double commonest = 0;
  for (const auto& [label, count] : counts) commonest = std::max(commonest, count / n);
  found.neighbour_skill = commonest < 1 ? (right / n - commonest) / (1 - commonest) : unknown;
  found.contradicted = contradicted / n;
}

}  // namespace

DataEvidence examine_data(const Parts& parts) {
  DataEvidence found;
  found.training = parts.training.size();
  found.validation = parts.validation.size();
  found.test = parts.test.size();
  find_repeated(parts, found);
  if (!parts.training.is_regression()) compare_classes(parts, found);
  compare_columns(parts.training, found);
  for (const data::Dataset* part : {&parts.training, &parts.validation, &parts.test}) find_largest(*part, found);
  ask_neighbours(parts.training, found);
  return found;
}

}  // namespace gradus::insight::doctor::detail
