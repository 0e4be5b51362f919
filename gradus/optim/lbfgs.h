// L-BFGS: a quasi-Newton method for losses without noise.
//
//   optim::LBFGS optimizer(model, {.line_search = optim::LineSearch::strong_wolfe});
//   for (int i = 0; i < 20; ++i) optimizer.step([&] { return mse_loss(model(x), y); });
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "gradus/optim/optimizer.h"

namespace gradus::optim {

enum class LineSearch {
  none,         ///< every step has length lr (the first at most lr / |g|_1)
  strong_wolfe  ///< a step that lowers the loss enough and flattens its slope: c1 = 1e-4, c2 = 0.9, at most 25 trials
};

struct LBFGSOptions {
  double lr = 1;
  std::int64_t max_iter = 20;                 ///< directions in one call of step()
  std::optional<std::int64_t> max_eval = {};  ///< losses in one call of step(); 1.25 max_iter unless given
  double tolerance_grad = 1e-7;               ///< stop when the largest element of the gradient is not above it
  double tolerance_change = 1e-9;             ///< stop when the loss, or every parameter, changed by less
  std::int64_t history_size = 100;            ///< pairs of changes that approximate the curvature
  LineSearch line_search = LineSearch::none;
};

/// Limited-memory BFGS over all trainable parameters of a model. Nocedal and Wright, "Numerical optimization", 2006, chapters
/// 3 and 7; steps, options and defaults are PyTorch's LBFGS. Losses and gradients are one plan each time; directions are
/// computed on the host in double precision, and take 2 history_size + 6 doubles per element of the parameters.
///
/// It refers to the parameters as other optimizers do: the model must outlive it and stay where it is. When other
/// parameters are frozen than before, or a step failed, its history begins anew.
class LBFGS {
 public:
  /// Throws Error(value) for settings out of range, and Error(usage) when there is nothing to train.
  explicit LBFGS(ParameterList parameters, const LBFGSOptions& options = {},
                 SourceLocation where = SourceLocation::current());

  /// Up to max_iter directions. `loss` computes the scalar loss from the parameters as they are; it is called many times and
  /// must not evaluate what it returns. Returns the loss before the step. When an Error is thrown, the parameters are those
  /// of before the step. Throws as grad(), and Error(state) when the loss depends on no trainable parameter.
  template <std::invocable Function>
  requires std::convertible_to<std::invoke_result_t<Function&>, Tensor>
  double step(Function&& loss, SourceLocation where = SourceLocation::current()) {
    return take_step([&]() -> Tensor { return std::invoke(loss); }, where);
  }

  /// PyTorch's state of this optimizer, flattened as that of Optimizer::state_dict(): "state.0.d" and what else it remembers
  /// of all trainable parameters as one f64 vector, lists as "state.0.old_dirs.0", .... "line_search_fn" is 0 (none) or 1
  /// (strong_wolfe).
  NamedTensors state_dict() const;
  /// Continues from a state_dict(), or from PyTorch's in this form, whose "al" and "prev_loss" are passed by: settings and
  /// history, bit for bit. Throws Error(state) listing every missing, unexpected and mis-shaped entry, Error(value) for
  /// settings out of range, and then changes nothing.
  void load_state_dict(const NamedTensors& dict, SourceLocation where = SourceLocation::current());

  /// Directions and losses since the beginning.
  std::int64_t iterations() const { return iterations_; }
  std::int64_t evaluations() const { return evaluations_; }

 private:
  using Vector = std::vector<double>;
  struct Point {
    double loss = 0;
    Vector gradient;
  };
  /// A trial of the line search: the length of the step, what is there, and the slope along the direction.
  struct Trial {
    double length = 0;
    Point at;
    double slope = 0;
  };
  struct Pair {
    Vector step, change;  // of the parameters and of the gradient
    double rho;           // 1 / (step . change)
  };
  class Session;
  class WolfeSearch;

  void take_over(const detail::Entries& entries, bool searches, bool begun, bool moved, std::int64_t pairs,
                 SourceLocation where);
  static void check(const LBFGSOptions& options, SourceLocation where);
  std::int64_t trainable_elements() const;
  std::int64_t max_eval() const { return options_.max_eval.value_or(options_.max_iter * 5 / 4); }
  double take_step(const std::function<Tensor()>& loss, SourceLocation where);
  void iterate(Session& session, const Point& start);
  void update_direction(const Point& here);
  void remember_curvature(const Point& here);
  /// The next direction is the steepest descent again.
  void forget();

  ParameterList parameters_;
  LBFGSOptions options_;
  std::int64_t iterations_ = 0, evaluations_ = 0;
  std::deque<Pair> history_;
  double scale_ = 1;  // of the initial inverse Hessian
  Vector direction_, previous_gradient_;
  double length_ = 0;  // of the last step along direction_
};

}  // namespace gradus::optim
