#include "gradus/data/split/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "gradus/base/error.h"

namespace gradus::data {
namespace {

using Rows = std::vector<std::int64_t>;

std::vector<Rows> classes_of(std::span<const std::int64_t> labels, SourceLocation where) {
  if (labels.empty()) throw Error(ErrorKind::value, "sampler", "there are no labels").at(where);
  std::map<std::int64_t, Rows> found;
  for (std::size_t row = 0; row < labels.size(); ++row) found[labels[row]].push_back(static_cast<std::int64_t>(row));
  std::vector<Rows> classes;
  for (auto& [label, rows] : found) classes.push_back(std::move(rows));
  return classes;
}

/// A number in [0, 1) with 53 random bits.
double uniform(Key key, std::uint64_t counter) {
  const auto words = philox(key, counter);
  const std::uint64_t bits = (std::uint64_t{words[0]} << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

Rows shuffled(const Rows& rows, Key key) {
  Rows out;
  out.reserve(rows.size());
  for (const std::int64_t at : random_permutation(static_cast<std::int64_t>(rows.size()), key))
    out.push_back(rows[static_cast<std::size_t>(at)]);
  return out;
}

Rows weighted_rows(const std::vector<double>& cumulative, std::int64_t count, Key key) {
  Rows rows;
  rows.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const double at = uniform(key, static_cast<std::uint64_t>(i)) * cumulative.back();
    const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), at);
    // Rounding may reach the sum itself: then it is the last row that weighs anything.
    const auto row =
        found != cumulative.end() ? found : std::lower_bound(cumulative.begin(), cumulative.end(), cumulative.back());
    rows.push_back(row - cumulative.begin());
  }
  return rows;
}

Rows balanced_rows(const std::vector<Rows>& classes, std::int64_t count, Key key) {
  const auto number = static_cast<std::int64_t>(classes.size());
  std::vector<Rows> order(classes.size());
  Rows rows;
  rows.reserve(static_cast<std::size_t>(count));
  Rows turn;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t round = i / number;
    if (i % number == 0) turn = random_permutation(number, key.fold(0).fold(static_cast<std::uint64_t>(round)));
    const auto c = static_cast<std::size_t>(turn[static_cast<std::size_t>(i % number)]);
    const auto size = static_cast<std::int64_t>(classes[c].size());
    if (round % size == 0) {
      order[c] = shuffled(classes[c], key.fold(c + 1).fold(static_cast<std::uint64_t>(round / size)));
    }
    rows.push_back(order[c][static_cast<std::size_t>(round % size)]);
  }
  return rows;
}

/// Row number j of a class of n stands at (j + u) / n of the way, with one random u for each class.
Rows stratified_rows(const std::vector<Rows>& classes, Key key) {
  std::vector<std::pair<double, std::int64_t>> placed;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const Rows rows = shuffled(classes[c], key.fold(c + 1));
    const double shift = uniform(key.fold(0), c);
    for (std::size_t j = 0; j < rows.size(); ++j) {
      placed.emplace_back((static_cast<double>(j) + shift) / static_cast<double>(rows.size()), rows[j]);
    }
  }
  std::sort(placed.begin(), placed.end());
  Rows rows;
  rows.reserve(placed.size());
  for (const auto& [at, row] : placed) rows.push_back(row);
  return rows;
}

}  // namespace

Sampler weighted_sampler(std::span<const double> weights, std::int64_t count, SourceLocation where) {
  if (count < 1) {
    throw Error(ErrorKind::value, "sampler", fmt::format("count is {}", count))
        .at(where)
        .field("expected", "1 or more");
  }
  std::vector<double> cumulative;
  double sum = 0;
  for (std::size_t row = 0; row < weights.size(); ++row) {
    if (!std::isfinite(weights[row]) || weights[row] < 0) {
      throw Error(ErrorKind::value, "sampler", fmt::format("the weight of row {} is {}", row, weights[row]))
          .at(where)
          .field("expected", "finite numbers, 0 or more");
    }
    sum += weights[row];
    cumulative.push_back(sum);
  }
  if (!(sum > 0) || !std::isfinite(sum)) {
    throw Error(ErrorKind::value, "sampler", fmt::format("the weights sum up to {}", sum)).at(where);
  }
  return {count,
          [cumulative = std::move(cumulative), count](Key key) { return weighted_rows(cumulative, count, key); }};
}

Sampler balanced_sampler(std::span<const std::int64_t> labels, std::int64_t count, SourceLocation where) {
  std::vector<Rows> classes = classes_of(labels, where);
  if (count < 0) {
    throw Error(ErrorKind::value, "sampler", fmt::format("count is {}", count))
        .at(where)
        .field("expected", "0 or more");
  }
  const std::int64_t size = count == 0 ? static_cast<std::int64_t>(labels.size()) : count;
  return {size, [classes = std::move(classes), size](Key key) { return balanced_rows(classes, size, key); }};
}

Sampler stratified_sampler(std::span<const std::int64_t> labels, SourceLocation where) {
  std::vector<Rows> classes = classes_of(labels, where);
  return {static_cast<std::int64_t>(labels.size()),
          [classes = std::move(classes)](Key key) { return stratified_rows(classes, key); }};
}

}  // namespace gradus::data
