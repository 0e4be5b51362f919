// Training without a schedule: the weights that are used are an average over all steps.
//
//   optim::AdamWScheduleFree optimizer(model, {.lr = 2.5e-3, .warmup_steps = 100});
//   for (int epoch = 0; epoch < 10; ++epoch) {
//     optimizer.train();
//     for (auto [images, labels] : loader) optimizer.minimize(cross_entropy(model(images), labels));
//     optimizer.eval_mode();             // from here on the model has the average
//     report(evaluate(model));
//   }
//   io::save("model.safetensors", nn::state_dict(model));
//
// Defazio et al., "The road less scheduled", 2024; names, defaults and formulas are those of its package schedulefree 1.4. Three
// sequences: z is moved by the steps, x is their average, and gradients are taken at y between the two:
//
//   y = beta x + (1 - beta) z;   z = z - lr d(y);   x = x + c (z - x)
//
// where beta is the momentum, d the gradient or Adam's quotient, and c = w / (sum of all w) the share of a step with the
// weight w = t^r (largest lr so far)^weight_lr_power: with constant lr and r = 0 all weigh the same. In training mode the
// model has y, in evaluation mode x: see Optimizer::train().
#pragma once

#include <array>
#include <cstdint>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct SGDScheduleFreeOptions {
  double lr = 1;                  ///< larger than that of a run with a schedule
  double momentum = 0.9;          ///< beta, in (0, 1)
  double weight_decay = 0;        ///< L2 penalty: adds weight_decay * y to the gradient
  std::int64_t warmup_steps = 0;  ///< step t (from 1) has lr * t / warmup_steps until it is reached
  double r = 0;                   ///< power of t in the weight of step t
  double weight_lr_power = 2;     ///< power of lr in it: steps of the warm-up count for less
  bool maximize = false;          ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// Gradient descent on z with the gradient at y. State: "z", and the sums that give c: "weight_sum" and "lr_max" (f64). In
/// evaluation mode it also has "y".
class SGDScheduleFree final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit SGDScheduleFree(ParameterList parameters, const SGDScheduleFreeOptions& options = {},
                           SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  Tensor evaluation_weights(const Update& u) const override;
  bool has_evaluation_weights() const override { return true; }
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;

  SGDScheduleFreeOptions options_;
};

struct AdamWScheduleFreeOptions {
  double lr = 2.5e-3;                       ///< larger than that of a run with a schedule
  std::array<double, 2> betas{0.9, 0.999};  ///< beta, in (0, 1), and the decay of the average of squares, in [0, 1)
  double eps = 1e-8;                        ///< added to the root, outside
  double weight_decay = 0;                  ///< decoupled, at y: adds weight_decay * y to the quotient
  std::int64_t warmup_steps = 0;            ///< step t (from 1) has lr * t / warmup_steps until it is reached
  double r = 0;                             ///< power of t in the weight of step t
  double weight_lr_power = 2;               ///< power of lr in it: steps of the warm-up count for less
  bool maximize = false;                    ///< climb instead of descending
  bool skip_nonfinite = false;
};

/// d = g / (sqrt(v') + eps) + weight_decay * y, where v' is the bias-corrected average of squared gradients; the average x
/// takes the place of Adam's momentum. State: that of SGDScheduleFree, and "exp_avg_sq".
class AdamWScheduleFree final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range.
  explicit AdamWScheduleFree(ParameterList parameters, const AdamWScheduleFreeOptions& options = {},
                             SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  Tensor evaluation_weights(const Update& u) const override;
  bool has_evaluation_weights() const override { return true; }
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  void check(SourceLocation where) const override;

  AdamWScheduleFreeOptions options_;
};

}  // namespace gradus::optim
