// A preconditioner for every axis of a weight.
#pragma once

#include <cstdint>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct ShampooOptions {
  double lr = 0.1;
  double momentum = 0;                 ///< preconditions m = momentum * m + g in the gradient's place
  double weight_decay = 0;             ///< L2 penalty: adds weight_decay * parameter to the gradient
  double epsilon = 1e-4;               ///< this times the identity is added to the preconditioners; > 0
  std::int64_t update_freq = 1;        ///< steps between two computations of the roots; 20 to 100 lose little
  std::int64_t max_matrix_size = 768;  ///< longer axes keep only the diagonal of theirs
  bool maximize = false;               ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// For a weight with k axes: H_i = H_i + G_i G_i^T, where the rows of G_i are the slices of the gradient along axis i; the step
/// is -lr times the gradient, multiplied along each axis with (H_i + epsilon)^(-1/2k). For a matrix that is
/// L^(-1/4) G R^(-1/4), for a vector Adagrad with a full matrix (Gupta et al., "Shampoo: preconditioned stochastic tensor
/// optimization", 2018; momentum, the diagonals of long axes and their limit are those of the authors' program).
///
/// Roots are taken in f64 by linalg::eigh, at step 1 and then every update_freq steps: O(n^3) for an axis of n. State:
/// "precond_0", "precond_1", ... of (n, n) or (n), for update_freq > 1 "inv_precond_0", ... (their roots), and with momentum
/// "momentum_buffer".
class Shampoo final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Shampoo(ParameterList parameters, const ShampooOptions& options = {},
                   SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;
  Tensor root(const Update& u, const Tensor& preconditioner, int axes) const;

  ShampooOptions options_;
};

}  // namespace gradus::optim
