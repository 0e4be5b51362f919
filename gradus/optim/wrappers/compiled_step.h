// Training steps that are recorded once and replayed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

/// A training step without the cost of recording it each time, for small networks, where recording takes longer than
/// computing:
///
///   optim::CompiledStep step(optimizer, [&](const Tensors& batch) { return mse_loss(model(batch[0]), batch[1]); });
///   for (...) total += step({inputs, targets}).item<float>();
///
/// The function is called for the first two steps of each combination of input types and shapes. If both recorded the same,
/// later steps repeat it with the inputs, parameters, state, learning rate and settings of the day; a replayed step gives the
/// bits of a recorded one. What else the function reads is a constant from then on: numbers, other tensors, frozen tensors of
/// other models. Pass as an input what changes.
///
/// Steps that cannot be repeated are recorded each time, as minimize() does, and `reason()` says why: the two differ (dropout
/// draws other numbers), or tensors other than the loss are computed for their own sake (running statistics). The optimizer,
/// and what the function refers to, must outlive it. It is used by one thread.
class CompiledStep {
 public:
  CompiledStep(Optimizer& optimizer, std::function<Tensor(const Tensors&)> loss);
  ~CompiledStep();
  CompiledStep(const CompiledStep&) = delete;
  CompiledStep& operator=(const CompiledStep&) = delete;

  /// One step. Returns the loss before it, evaluated. When an Error is thrown, parameters and state are those of before.
  /// Throws as the function and as Optimizer::minimize().
  Tensor operator()(const Tensors& inputs, SourceLocation where = SourceLocation::current());

  /// Steps that were replayed.
  std::int64_t replays() const { return replays_; }
  /// Why the last step was recorded; "" when it was replayed.
  const std::string& reason() const { return reason_; }

 private:
  struct Leaf;
  struct Recording;

  std::unique_ptr<Recording> record(const Tensors& inputs, Tensor& loss, SourceLocation where);
  void follow(Recording& recording, Optimizer::RecordedStep& step, const Tensors& inputs, SourceLocation where);
  bool find_numbers(Recording& recording);
  bool fits(const Recording& recording) const;
  bool bind(Recording& recording, const Tensors& inputs);
  Tensor replay(Recording& recording);

  Optimizer& optimizer_;
  std::function<Tensor(const Tensors&)> function_;
  std::vector<std::unique_ptr<Recording>> recordings_;  // by types and shapes of the inputs
  std::int64_t replays_ = 0;
  std::string reason_;
};

}  // namespace gradus::optim
