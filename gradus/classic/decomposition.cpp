#include "gradus/classic/decomposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"

namespace gradus::classic {
namespace {

/// f64 [N, columns].
Tensor rows_of(const char* op, const Tensor& examples, SourceLocation where) {
  if (examples.dtype() != DType::f32 && examples.dtype() != DType::f64)
    throw Error(ErrorKind::dtype, op).at(where).operand("examples", examples.spec(), "expected f32 or f64");
  if (examples.rank() == 0 || examples.numel() == 0)
    throw Error(ErrorKind::shape, op).at(where).operand("examples", examples.spec(), "expected [N, ...], not empty");
  const std::int64_t rows = examples.size(0);
  return reshape(cast(examples, DType::f64), {rows, examples.numel() / rows});
}

struct Points {
  std::vector<double> x;
  std::size_t rows, columns;

  const double* at(std::size_t i) const { return &x[i * columns]; }
};

double squared_distance(const double* a, const double* b, std::size_t columns) {
  double sum = 0;
  for (std::size_t j = 0; j < columns; ++j) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

/// Rows drawn one after the other, each with a probability in proportion to its squared distance from those before.
std::vector<double> first_centres(const Points& points, std::size_t clusters, Key key) {
  std::vector<double> centres, nearest(points.rows, INFINITY), draws(clusters);
  fill_uniform(std::span<double>(draws), key, 0, 1);
  for (std::size_t c = 0; c < clusters; ++c) {
    double total = 0;
    if (c > 0)
      for (const double d : nearest) total += d;
    std::size_t chosen =
        std::min(points.rows - 1, static_cast<std::size_t>(draws[c] * static_cast<double>(points.rows)));
    if (total > 0) {
      double left = draws[c] * total;
      for (chosen = 0; chosen + 1 < points.rows && left >= nearest[chosen]; ++chosen) left -= nearest[chosen];
    }
    centres.insert(centres.end(), points.at(chosen), points.at(chosen) + points.columns);
    for (std::size_t i = 0; i < points.rows; ++i)
      nearest[i] = std::min(nearest[i], squared_distance(points.at(i), &centres[c * points.columns], points.columns));
  }
  return centres;
}

class Lloyd {
 public:
  Lloyd(const Points& points, std::vector<double> centres)
      : points_(points),
        clusters_(centres.size() / points.columns),
        centres_(std::move(centres)),
        labels_(points.rows, -1),
        distances_(points.rows) {}

  void run(std::int64_t max_iter) {
    while (assign() && iterations_ < max_iter) {
      move();
      ++iterations_;
    }
  }
  double inertia() const {
    double sum = 0;
    for (const double d : distances_) sum += d;
    return sum;
  }
  std::int64_t iterations() const { return iterations_; }
  const std::vector<double>& centres() const { return centres_; }
  const std::vector<std::int64_t>& labels() const { return labels_; }

 private:
  /// False when every example stays where it is.
  bool assign() {
    bool changed = false;
    for (std::size_t i = 0; i < points_.rows; ++i) {
      std::int64_t best = 0;
      distances_[i] = INFINITY;
      for (std::size_t c = 0; c < clusters_; ++c) {
        const double d = squared_distance(points_.at(i), &centres_[c * points_.columns], points_.columns);
        if (d < distances_[i]) {
          distances_[i] = d;
          best = static_cast<std::int64_t>(c);
        }
      }
      changed = changed || labels_[i] != best;
      labels_[i] = best;
    }
    return changed;
  }
  void move() {
    std::fill(centres_.begin(), centres_.end(), 0.0);
    std::vector<double> counts(clusters_);
    for (std::size_t i = 0; i < points_.rows; ++i) {
      const std::size_t c = static_cast<std::size_t>(labels_[i]);
      counts[c] += 1;
      for (std::size_t j = 0; j < points_.columns; ++j) centres_[c * points_.columns + j] += points_.at(i)[j];
    }
    for (std::size_t c = 0; c < clusters_; ++c) {
      if (counts[c] > 0) {
        for (std::size_t j = 0; j < points_.columns; ++j) centres_[c * points_.columns + j] /= counts[c];
      } else {
        const auto far = std::max_element(distances_.begin(), distances_.end());
        const double* point = points_.at(static_cast<std::size_t>(far - distances_.begin()));
        std::copy(point, point + points_.columns, &centres_[c * points_.columns]);
        *far = 0;
      }
    }
  }

  const Points& points_;
  std::size_t clusters_;
  std::vector<double> centres_;
  std::vector<std::int64_t> labels_;
  std::vector<double> distances_;
  std::int64_t iterations_ = 0;
};

}  // namespace

Tensor Pca::transform(const Tensor& examples) const {
  return matmul(rows_of("pca", examples, SourceLocation::current()) - mean, gradus::transpose(components, 0, 1));
}

Tensor Pca::inverse(const Tensor& scores) const { return matmul(cast(scores, DType::f64), components) + mean; }

Pca pca(const Tensor& examples, std::int64_t components, SourceLocation where) {
  const Tensor x = rows_of("pca", examples, where);
  const std::int64_t rows = x.size(0), columns = x.size(1);
  if (rows < 2 || components < 1 || components > std::min(rows, columns)) {
    throw Error(ErrorKind::value, "pca",
                fmt::format("{} components of {} examples with {} columns: there are 1 to {}", components, rows,
                            columns, std::min(rows, columns)))
        .at(where);
  }
  Pca found;
  found.mean = mean(x, {0}, {.keepdim = true});
  const Tensor centred = x - found.mean;
  const linalg::Svd parts = linalg::svd(centred);
  const Tensor variances = square(parts.s) / static_cast<double>(rows - 1);
  found.explained_variance = slice(variances, 0, 0, components);
  const Tensor total = sum(variances), axes = slice(parts.vh, 0, 0, components);
  eval(found.mean, found.explained_variance, total, axes);
  found.total_variance = total.item<double>();
  std::vector<double> v = axes.to_vector<double>();
  for (std::size_t first = 0; first < v.size(); first += static_cast<std::size_t>(columns)) {
    const auto begin = v.begin() + static_cast<std::ptrdiff_t>(first), end = begin + columns;
    const double largest = *std::max_element(begin, end, [](double a, double b) { return std::abs(a) < std::abs(b); });
    if (largest < 0) std::transform(begin, end, begin, [](double a) { return -a; });
  }
  found.components = leaf<double>({components, columns}, std::span<const double>(v));
  return found;
}

KMeans k_means(const Tensor& examples, const KMeansOptions& options, SourceLocation where) {
  const Tensor x = rows_of("k_means", examples, where);
  if (options.clusters < 1 || options.clusters > x.size(0) || options.n_init < 1 || options.max_iter < 1) {
    throw Error(ErrorKind::value, "k_means",
                fmt::format("clusters {} of {} examples, n_init {}, max_iter {}: at least 1 each, and no more clusters "
                            "than examples",
                            options.clusters, x.size(0), options.n_init, options.max_iter))
        .at(where);
  }
  const Points points{x.to_vector<double>(), static_cast<std::size_t>(x.size(0)), static_cast<std::size_t>(x.size(1))};
  for (std::size_t i = 0; i < points.x.size(); ++i) {
    if (std::abs(points.x[i]) <= 1e150) continue;
    throw Error(ErrorKind::value, "k_means",
                fmt::format("element {} of example {} is {}; squares of distances must be finite", i % points.columns,
                            i / points.columns, points.x[i]))
        .at(where);
  }
  KMeans best;
  for (std::int64_t start = 0; start < options.n_init; ++start) {
    const Key key = Key{options.seed}.fold(static_cast<std::uint64_t>(start));
    Lloyd search(points, first_centres(points, static_cast<std::size_t>(options.clusters), key));
    search.run(options.max_iter);
    if (start > 0 && search.inertia() >= best.inertia) continue;
    best.inertia = search.inertia();
    best.iterations = search.iterations();
    best.centres = leaf<double>({options.clusters, x.size(1)}, std::span<const double>(search.centres()));
    best.labels = leaf<std::int64_t>({x.size(0)}, std::span<const std::int64_t>(search.labels()));
  }
  return best;
}

}  // namespace gradus::classic
