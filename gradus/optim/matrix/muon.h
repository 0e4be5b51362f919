// Steps with orthogonal matrices.
#pragma once

#include <array>
#include <cstdint>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

/// How the rate depends on the shape [a, b] of a weight.
enum class MuonRate : std::uint8_t {
  original,         ///< lr * sqrt(max(1, a / b)): Jordan
  match_rms_adamw,  ///< lr * 0.2 * sqrt(max(a, b)): takes AdamW's rates over (Liu et al., 2025)
};

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;  ///< decoupled
  double momentum = 0.95;
  bool nesterov = true;
  std::array<double, 3> ns_coefficients{3.4445, -4.7750, 2.0315};  ///< of the Newton-Schulz iteration
  double eps = 1e-7;                                               ///< least norm to divide by
  std::int64_t ns_steps = 5;                                       ///< below 100
  MuonRate adjust_lr_fn = MuonRate::original;
  bool skip_nonfinite = false;
};

/// Momentum whose singular values are all brought near 1 by a Newton-Schulz iteration (Jordan, "Muon: an optimizer for hidden
/// layers in neural networks", 2024). Only for matrices: give embeddings, biases and the last layer to AdamW. PyTorch's
/// torch.optim.Muon, except that the iteration runs in the type of the parameter, not in bf16. State: "momentum_buffer".
///   optim::Muon hidden(std::vector{&model.fc1.weight, &model.fc2.weight}, {.lr = 0.02});
class Muon final : public Optimizer {
 public:
  /// Throws Error(value) for settings out of range, Error(shape) for a parameter that is no matrix.
  explicit Muon(ParameterList parameters, const MuonOptions& options = {},
                SourceLocation where = SourceLocation::current());

 private:
  Tensor update(const Update& u) override;
  std::vector<StateField> state_fields(const Tensor& parameter, double lr) const override;
  bool counts_steps() const override { return false; }
  void check(SourceLocation where) const override;
  bool may_be_negative(std::string_view setting) const override { return setting.starts_with("ns_coefficients"); }

  MuonOptions options_;
};

}  // namespace gradus::optim
