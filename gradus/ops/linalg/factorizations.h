// The factorisations of matrices that everything in linalg.h is made of. All leading axes are a batch; f32 or f64. Input that
// has none (a singular matrix, say) is found when it is evaluated, as Error(value) that names the matrix of the batch.
//
// Gradients are written with tensor functions, so they can be differentiated again. Sources: Giles, "An extended collection
// of matrix derivative results for forward and reverse mode algorithmic differentiation" (2008); Townsend, "Differentiating
// the singular value decomposition" (2016); Walter and Lehmann, "Algorithmic differentiation of linear algebra functions
// with application in optimum experimental design" (2010) for QR. Those of eigenvectors and singular vectors are infinite
// where two values are equal, and right only for functions that do not depend on the vectors' signs.
#pragma once

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"

namespace gradus::linalg {

/// A (.., n, n) -> L, lower triangular, with L L^T = A. Reads the lower triangle; the gradient is symmetric.
struct Cholesky {
  std::string_view name() const { return "cholesky"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Cholesky&) const = default;
};

/// T (.., n, n), B (.., n, k) -> X with T X = B, or T^T X = B. Reads one triangle of T, and its diagonal unless `unit`.
struct TriangularSolve {
  bool upper = false;
  bool transposed = false;
  bool unit = false;

  std::string_view name() const { return "triangular_solve"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const TriangularSolve&) const = default;
};

/// A (.., n, n), B (.., n, k) -> X with A X = B.
struct Solve {
  std::string_view name() const { return "solve"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const Solve&) const = default;
};

/// A (.., n, n) -> sign (..) and natural logarithm of the absolute value (..) of the determinant; 0 and -inf of a singular
/// matrix, whose gradient does not exist.
struct SlogDet {
  std::string_view name() const { return "slogdet"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const SlogDet&) const = default;
};

/// A (.., m, n) -> Q (.., m, k) with orthonormal columns and R (.., k, n) upper triangular, k = min(m, n).
struct QrOp {
  std::string_view name() const { return "qr"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const QrOp&) const = default;
};

/// A (.., n, n) symmetric -> eigenvalues (.., n), ascending, and eigenvectors as columns (.., n, n). Reads the lower triangle;
/// the gradient is symmetric.
struct EighOp {
  std::string_view name() const { return "eigh"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const EighOp&) const = default;
};

/// A (.., m, n) -> U (.., m, k), singular values (.., k), descending, V^T (.., k, n), k = min(m, n).
struct SvdOp {
  std::string_view name() const { return "svd"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  bool operator==(const SvdOp&) const = default;
};

}  // namespace gradus::linalg
