// Lookahead around any optimizer.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

struct LookaheadOptions {
  std::int64_t k = 5;  ///< steps of the optimizer underneath between two of the slow weights
  double alpha = 0.5;  ///< how far the slow weights follow, in [0, 1]
};

/// k steps forward, one step back: after every k steps of the optimizer underneath, slow = slow + alpha (fast - slow), and the
/// parameters continue from there. Zhang et al., "Lookahead optimizer", 2019.
///
///   optim::AdamW fast(model, {.lr = 1e-3});
///   optim::Lookahead optimizer(fast);
///   optimizer.minimize(loss);
///
/// The optimizer underneath must outlive it, and keeps its state and its learning rate. Steps that its guard refuses do not
/// count.
class Lookahead {
 public:
  /// The slow weights begin as the parameters are. Throws Error(value) for settings out of range.
  explicit Lookahead(Optimizer& fast, const LookaheadOptions& options = {},
                     SourceLocation where = SourceLocation::current());

  /// As Optimizer::minimize().
  bool minimize(const Tensor& loss, const Tensors& keep = {}, SourceLocation where = SourceLocation::current());
  /// As Optimizer::step(): gradients as a model of them, or one per parameter.
  template <class Gradients>
  bool step(const Gradients& gradients, SourceLocation where = SourceLocation::current()) {
    return count(fast_.step(gradients, where), where);
  }

  /// "step" (i64: since the slow weights moved), and the slow weights as "slow.0", "slow.1", ... by position of the parameter.
  NamedTensors state_dict() const;
  /// Continues from a state_dict(); strict and all or nothing as nn::load_state_dict.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current());

 private:
  bool count(bool taken, SourceLocation where);

  Optimizer& fast_;
  LookaheadOptions options_;
  std::int64_t steps_ = 0;  // since the slow weights moved
  Tensors slow_;
};

}  // namespace gradus::optim
