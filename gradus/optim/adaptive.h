// Optimizers that divide the gradient by what its size has been, without Adam's momentum.
#pragma once

#include <array>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;  ///< decay of the average of squares
  double eps = 1e-8;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  double momentum = 0;
  bool centered = false;  ///< divide by the standard deviation: subtracts the square of the average gradient
  bool maximize = false;  ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// v = alpha v + (1 - alpha) g^2;  p = p - lr g / (sqrt(v) + eps), with momentum the quotient goes through a buffer first
/// (Tieleman and Hinton, 2012; centered: Graves, 2013). State: "square_avg", "momentum_buffer", "grad_avg".
class RMSprop final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit RMSprop(ParameterList parameters, const RMSpropOptions& options = {},
                   SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;

  RMSpropOptions options_;
};

struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;      ///< the rate of step t (from 0) is lr / (1 + t lr_decay)
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;  ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// s = s + g^2;  p = p - lr g / (sqrt(s) + eps) (Duchi et al., "Adaptive subgradient methods", 2011). State: "sum".
class Adagrad final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Adagrad(ParameterList parameters, const AdagradOptions& options = {},
                   SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;

  AdagradOptions options_;
};

struct AdadeltaOptions {
  double lr = 1;
  double rho = 0.9;  ///< decay of both averages, up to 1
  double eps = 1e-6;
  double weight_decay = 0;  ///< L2 penalty: adds weight_decay * parameter to the gradient
  bool maximize = false;    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// A step of the size that steps have had: d = g sqrt(u + eps) / sqrt(v + eps) with the averages v of g^2 and u of d^2;
/// p = p - lr d (Zeiler, "ADADELTA: an adaptive learning rate method", 2012). State: "square_avg", "acc_delta".
class Adadelta final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Adadelta(ParameterList parameters, const AdadeltaOptions& options = {},
                    SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;

  AdadeltaOptions options_;
};

struct AdafactorOptions {
  double lr = 1e-2;           ///< the largest relative step, and the rate of the decay
  double beta2_decay = -0.8;  ///< step t takes in g^2 with the weight t^beta2_decay; <= 0
  std::array<double, 2> eps{
      0, 1e-3};  ///< least root of the estimate (0: the type's epsilon, PyTorch's None); least size of a parameter
  double d = 1;  ///< largest root mean square of an update; >= 1
  double weight_decay = 0;  ///< decoupled
  bool maximize = false;    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Keeps the average of squares of a matrix as one row and one column, and steps in proportion to the size of the parameter
/// (Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018), in PyTorch's reading. State:
/// "row_var" and "col_var" over the last two axes, or for a vector or scalar "variance".
class Adafactor final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit Adafactor(ParameterList parameters, const AdafactorOptions& options = {},
                     SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;
  bool may_be_negative(std::string_view setting) const override { return setting == "beta2_decay"; }

  AdafactorOptions options_;
};

}  // namespace gradus::optim
