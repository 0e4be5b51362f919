#include "gradus/classic/neighbours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"

namespace gradus::classic {
namespace {

double squared_distance(std::span<const float> a, std::span<const float> b) {
  // Four sums, so that additions need not wait for each other.
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      const double d = static_cast<double>(a[i + lane]) - b[i + lane];
      sums[lane] += d * d;
    }
  }
  for (; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - b[i];
    sums[0] += d * d;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Votes of the neighbours of `asked` into `out`: one number for each class, or their mean.
void ask(const Sample& train, std::int64_t k, std::span<const float> asked, double* out,
         std::vector<std::pair<double, std::int64_t>>& order) {
  order.clear();
  for (std::int64_t i = 0; i < train.rows; ++i) order.emplace_back(squared_distance(train.row(i), asked), i);
  std::nth_element(order.begin(), order.begin() + (k - 1), order.end());
  for (std::int64_t i = 0; i < k; ++i) {
    const std::size_t row = static_cast<std::size_t>(order[static_cast<std::size_t>(i)].second);
    if (train.classes > 0) {
      out[train.labels[row]] += 1.0 / static_cast<double>(k);
    } else {
      out[0] += train.targets[row] / static_cast<double>(k);
    }
  }
}

Model learn_neighbours(const Sample& train, std::int64_t k) {
  if (k > train.rows) {
    throw Error(ErrorKind::value, "fit", fmt::format("k is {}, and there are {} examples", k, train.rows))
        .context("nearest neighbours");
  }
  const auto kept = std::make_shared<const Sample>(train);
  return Model(train, static_cast<std::int64_t>(4 * train.x.size()) + 8 * train.rows, [kept, k](const Query& asked) {
    const std::int64_t outputs = std::max<std::int64_t>(kept->classes, 1);
    std::vector<double> out(static_cast<std::size_t>(asked.rows * outputs));
    parallel_for(asked.rows, 1 + 1000000 / (kept->rows * kept->columns + 1), [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::pair<double, std::int64_t>> order;
      for (std::int64_t i = begin; i < end; ++i)
        ask(*kept, k, asked.row(i), &out[static_cast<std::size_t>(i * outputs)], order);
    });
    return out;
  });
}

/// A class of naive Bayes: mean and variance of every column.
struct Gaussian {
  double log_prior = -std::numeric_limits<double>::infinity();
  std::vector<double> mean, variance;
};

/// Largest variance of a column over all examples.
double largest_variance(const Sample& train) {
  double largest = 0;
  for (std::int64_t j = 0; j < train.columns; ++j) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < train.rows; ++i) sum += train.row(i)[static_cast<std::size_t>(j)];
    const double mean = sum / static_cast<double>(train.rows);
    for (std::int64_t i = 0; i < train.rows; ++i) {
      const double d = train.row(i)[static_cast<std::size_t>(j)] - mean;
      squares += d * d;
    }
    largest = std::max(largest, squares / static_cast<double>(train.rows));
  }
  return largest;
}

Gaussian gaussian_of(const Sample& train, std::int64_t label, double added) {
  Gaussian g;
  g.mean.assign(static_cast<std::size_t>(train.columns), 0);
  g.variance.assign(static_cast<std::size_t>(train.columns), 0);
  double count = 0;
  const auto each = [&](auto&& body) {
    for (std::int64_t i = 0; i < train.rows; ++i)
      if (train.labels[static_cast<std::size_t>(i)] == label)
        for (std::size_t j = 0; j < g.mean.size(); ++j) body(j, static_cast<double>(train.row(i)[j]));
  };
  for (const std::int64_t each_label : train.labels) count += each_label == label;
  if (count == 0) return g;
  each([&](std::size_t j, double x) { g.mean[j] += x / count; });
  each([&](std::size_t j, double x) { g.variance[j] += (x - g.mean[j]) * (x - g.mean[j]) / count; });
  for (double& v : g.variance) v += added;
  g.log_prior = std::log(count / static_cast<double>(train.rows));
  return g;
}

double log_joint(const Gaussian& g, std::span<const float> x) {
  double sum = g.log_prior;
  if (std::isinf(sum)) return sum;
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double d = x[j] - g.mean[j];
    sum -= 0.5 * (std::log(2 * std::numbers::pi * g.variance[j]) + d * d / g.variance[j]);
  }
  return sum;
}

Model learn_bayes(const Sample& train, double smoothing) {
  detail::require_classes(train, "naive Bayes");
  // Where all columns are constant, any variance will do.
  const double largest = largest_variance(train), added = smoothing * (largest > 0 ? largest : 1);
  std::vector<Gaussian> classes;
  for (std::int64_t label = 0; label < train.classes; ++label) classes.push_back(gaussian_of(train, label, added));
  return Model(train, train.classes * (16 * train.columns + 8), [classes](const Query& asked) {
    std::vector<double> out;
    for (std::int64_t i = 0; i < asked.rows; ++i) {
      const std::size_t first = out.size();
      for (const Gaussian& g : classes) out.push_back(log_joint(g, asked.row(i)));
      const double top = *std::max_element(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
      double sum = 0;
      for (std::size_t c = first; c < out.size(); ++c) sum += out[c] = std::exp(out[c] - top);
      for (std::size_t c = first; c < out.size(); ++c) out[c] /= sum;
    }
    return out;
  });
}

}  // namespace

Learner nearest_neighbours(const NeighboursOptions& options, SourceLocation where) {
  if (options.k < 1)
    throw Error(ErrorKind::value, "nearest_neighbours", fmt::format("k is {}, must be 1 or more", options.k)).at(where);
  return {.name = "nearest neighbours",
          .settings = fmt::format("k {}", options.k),
          .learn = [options](const Sample& train, std::uint64_t) { return learn_neighbours(train, options.k); }};
}

Learner gaussian_naive_bayes(const NaiveBayesOptions& options, SourceLocation where) {
  if (!(options.var_smoothing > 0) || !std::isfinite(options.var_smoothing)) {
    throw Error(ErrorKind::value, "gaussian_naive_bayes",
                fmt::format("var_smoothing is {}, must be positive", options.var_smoothing))
        .at(where);
  }
  return {.name = "naive Bayes", .settings = {}, .learn = [options](const Sample& train, std::uint64_t) {
            return learn_bayes(train, options.var_smoothing);
          }};
}

}  // namespace gradus::classic
