// Without labels: principal components and k-means.
#pragma once

#include <cstdint>

#include "gradus/graph/tensor.h"

namespace gradus::classic {

/// The directions in which examples vary most.
///
///   const classic::Pca found = classic::pca(examples, 2);
///   const Tensor plane = found.transform(examples);          // [N, 2]
struct Pca {
  Tensor mean;        ///< f64 [1, columns]
  Tensor components;  ///< f64 [components, columns], orthonormal; the element of largest size of each is positive
  Tensor explained_variance;  ///< f64 [components], descending; with N - 1, as scikit-learn's
  double total_variance = 0;  ///< of all columns

  /// f64 [N, components]. Throws as pca().
  Tensor transform(const Tensor& examples) const;
  /// The examples that lie nearest: f64 [N, columns] from [N, components].
  Tensor inverse(const Tensor& scores) const;
};
/// `examples`: f32 or f64 [N, ...], flattened. By singular values, in f64. Throws Error(value) unless N >= 2 and
/// 1 <= components <= min(N, columns), Error(shape), Error(dtype).
Pca pca(const Tensor& examples, std::int64_t components, SourceLocation where = SourceLocation::current());

struct KMeansOptions {
  std::int64_t clusters = 8;
  std::int64_t n_init = 10;  ///< starts, of which the best counts
  std::int64_t max_iter = 300;
  std::uint64_t seed = 0;
};
struct KMeans {
  Tensor centres;      ///< f64 [clusters, columns]
  Tensor labels;       ///< i64 [N]: the nearest centre
  double inertia = 0;  ///< sum of the squared distances to it
  std::int64_t iterations = 0;
};
/// Lloyd's algorithm from the starts of k-means++ (Arthur and Vassilvitskii, 2007), until no example changes its cluster. A cluster
/// that lost its last example takes the example that is farthest from its centre. Throws Error(value) unless
/// 1 <= clusters <= N, n_init, max_iter >= 1, and all elements are between -1e150 and 1e150, and as pca().
KMeans k_means(const Tensor& examples, const KMeansOptions& options = {},
               SourceLocation where = SourceLocation::current());

}  // namespace gradus::classic
