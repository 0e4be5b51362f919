#include "gradus/optim/lbfgs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/transform/grad.h"

namespace gradus::optim {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

void add(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}

double largest(const Vector& a) {
  double result = 0;
  for (const double x : a) result = std::max(result, std::abs(x));
  return result;
}

/// Where the cubic through two values and slopes has its minimum, kept within [low, high]; the middle where it has none.
double cubic_minimum(double x1, double f1, double g1, double x2, double f2, double g2, double low, double high) {
  if (x1 > x2) {
    std::swap(x1, x2);
    std::swap(f1, f2);
    std::swap(g1, g2);
  }
  const double d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2), square = d1 * d1 - g1 * g2;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const double place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2));
  return std::isnan(place) ? (low + high) / 2 : std::min(std::max(place, low), high);
}

}  // namespace

/// One call of step(): the parameters as one vector. They go back to their first values unless it ends well.
class LBFGS::Session {
 public:
  Session(const ParameterList& parameters, std::function<Tensor()> function, SourceLocation where)
      : parameters_(parameters), function_(std::move(function)), where_(where) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      old_.push_back(parameters[i].trainable() ? parameters[i].tensor() : Tensor());
      if (!old_[i].defined()) continue;
      const Vector values = old_[i].to_vector<double>(where);
      x.insert(x.end(), values.begin(), values.end());
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    for (std::size_t i = 0; i < old_.size(); ++i) {
      if (old_[i].defined()) parameters_[i] = std::move(old_[i]);
    }
  }
  void keep() { old_.assign(old_.size(), Tensor()); }

  /// Loss and gradient at x + length * direction, where the parameters then are.
  Point evaluate(double length, const Vector& direction) {
    Vector trial = x;
    add(trial, length, direction);
    write(trial);
    return evaluate();
  }
  Point evaluate() {
    const Tensor loss = function_();
    Tensors wrt;
    for (std::size_t i = 0; i < old_.size(); ++i) {
      wrt.push_back(old_[i].defined() ? parameters_[i].tensor() : Tensor());
    }
    const Tensors gradients = grad(loss, wrt, where_);
    Tensors roots = gradients;
    roots.push_back(loss);
    eval(roots, where_);
    ++evaluations;
    Point point{loss.item<double>(where_), {}};
    bool any = false;
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      if (!wrt[i].defined()) continue;
      any = any || gradients[i].defined();
      const auto size = static_cast<std::size_t>(wrt[i].numel());
      const Vector values = gradients[i].defined() ? gradients[i].to_vector<double>(where_) : Vector(size);
      point.gradient.insert(point.gradient.end(), values.begin(), values.end());
    }
    if (any) return point;
    throw Error(ErrorKind::state, "optim::LBFGS", "the loss depends on none of the trainable parameters")
        .at(where_)
        .operand("loss", loss.spec())
        .hint("are they frozen, or does the function compute it with another copy of the model?");
  }
  void move(double length, const Vector& direction) {
    add(x, length, direction);
    write(x);
  }

  Vector x;
  std::int64_t evaluations = 0;

 private:
  void write(const Vector& values) {
    auto from = values.begin();
    for (std::size_t i = 0; i < old_.size(); ++i) {
      if (!old_[i].defined()) continue;
      const auto to = from + old_[i].numel();
      const Tensor exact = from_span(Vector(from, to), old_[i].shape());
      const Tensor value = cast(exact, old_[i].dtype());
      eval({&value, 1}, where_);
      parameters_[i] = value;
      from = to;
    }
  }

  const ParameterList& parameters_;
  std::function<Tensor()> function_;
  SourceLocation where_;
  Tensors old_;
};

/// Looks for a length with f(x + t d) <= f(x) + c1 t f'(x) and |f'(x + t d)| <= c2 |f'(x)|: first widens the step until one
/// lies within, then narrows by cubic interpolation (Nocedal and Wright, algorithms 3.5 and 3.6).
class LBFGS::WolfeSearch {
 public:
  WolfeSearch(Session& session, const Vector& direction, Trial start)
      : session_(session), direction_(direction), start_(std::move(start)) {}

  Trial run(double length) {
    if (!widen(length)) narrow();
    return low_;
  }

 private:
  static constexpr double c1 = 1e-4, c2 = 0.9, smallest_change = 1e-9;
  static constexpr int max_trials = 25;

  Trial attempt(double length) {
    Trial trial{length, session_.evaluate(length, direction_), 0};
    trial.slope = dot(trial.at.gradient, direction_);
    return trial;
  }
  /// NaN counts as too high.
  bool too_high(const Trial& t) const { return !(t.at.loss <= start_.at.loss + c1 * t.length * start_.slope); }
  bool flat(const Trial& t) const { return std::abs(t.slope) <= -c2 * start_.slope; }
  void bracket(const Trial& a, const Trial& b) {
    const bool ordered = !(b.at.loss < a.at.loss);
    low_ = ordered ? a : b;
    high_ = ordered ? b : a;
  }

  /// True when it met a good length on the way; otherwise low_ and high_ enclose one, or the trials are used up.
  bool widen(double length) {
    Trial previous = start_, trial = attempt(length);
    for (; trials_ < max_trials; ++trials_) {
      if (too_high(trial) || (trials_ > 1 && trial.at.loss >= previous.at.loss)) {
        bracket(previous, trial);
        return false;
      }
      if (flat(trial)) {
        low_ = trial;
        return true;
      }
      if (trial.slope >= 0) {
        bracket(previous, trial);
        return false;
      }
      const double next =
          cubic_minimum(previous.length, previous.at.loss, previous.slope, trial.length, trial.at.loss, trial.slope,
                        trial.length + 0.01 * (trial.length - previous.length), 10 * trial.length);
      previous = std::move(trial);
      trial = attempt(next);
    }
    bracket(start_, trial);
    return false;
  }

  void narrow() {
    bool near_end = false;  // the last trial already was close to an end of the interval
    for (; trials_ < max_trials; ++trials_) {
      const double left = std::min(low_.length, high_.length), right = std::max(low_.length, high_.length);
      if ((right - left) * largest(direction_) < smallest_change) return;
      double length =
          cubic_minimum(low_.length, low_.at.loss, low_.slope, high_.length, high_.at.loss, high_.slope, left, right);
      const double margin = 0.1 * (right - left);
      const bool close = std::min(right - length, length - left) < margin;
      if (close && (near_end || length >= right || length <= left)) {
        length = std::abs(length - right) < std::abs(length - left) ? right - margin : left + margin;
        near_end = false;
      } else {
        near_end = close;
      }
      Trial trial = attempt(length);
      if (too_high(trial) || !(trial.at.loss < low_.at.loss)) {
        bracket(low_, trial);
        continue;
      }
      const bool good = flat(trial);
      if (!good && trial.slope * (high_.length - low_.length) >= 0) high_ = low_;
      low_ = std::move(trial);
      if (!good) continue;
      ++trials_;
      return;
    }
  }

  Session& session_;
  const Vector& direction_;
  Trial start_, low_, high_;
  int trials_ = 0;
};

void LBFGS::check(const LBFGSOptions& o, SourceLocation where) {
  const auto require = [&](bool holds, const char* setting, auto value, const char* rule) {
    if (holds) return;
    throw Error(ErrorKind::value, "optim::LBFGS", fmt::format("{} is {}, must be {}", setting, value, rule)).at(where);
  };
  require(std::isfinite(o.lr) && o.lr > 0, "lr", o.lr, "finite and > 0");
  require(o.max_iter >= 1, "max_iter", o.max_iter, ">= 1");
  if (o.max_eval) require(*o.max_eval >= 1, "max_eval", *o.max_eval, ">= 1");
  require(o.tolerance_grad >= 0, "tolerance_grad", o.tolerance_grad, ">= 0");
  require(o.tolerance_change >= 0, "tolerance_change", o.tolerance_change, ">= 0");
  require(o.history_size >= 1, "history_size", o.history_size, ">= 1");
}

LBFGS::LBFGS(ParameterList parameters, const LBFGSOptions& options, SourceLocation where)
    : parameters_(std::move(parameters)), options_(options) {
  check(options, where);
  if (parameters_.size() > 0) return;
  throw Error(ErrorKind::usage, "optim::LBFGS", "there are no parameters to train")
      .at(where)
      .hint("does the model have layers?");
}

void LBFGS::remember_curvature(const Point& here) {
  Pair pair{direction_, here.gradient, 0};
  for (double& x : pair.step) x *= length_;
  add(pair.change, -1, previous_gradient_);
  const double product = dot(pair.step, pair.change);
  if (!(product > 1e-10)) return;  // no positive curvature was seen
  pair.rho = 1 / product;
  scale_ = product / dot(pair.change, pair.change);
  history_.push_back(std::move(pair));
  if (history_.size() > static_cast<std::size_t>(options_.history_size)) history_.pop_front();
}

/// The inverse Hessian of the history times the negative gradient, by the two-loop recursion.
void LBFGS::update_direction(const Point& here) {
  Vector d(here.gradient.size());
  add(d, -1, here.gradient);
  std::vector<double> weights(history_.size());
  for (std::size_t i = history_.size(); i-- > 0;) {
    weights[i] = history_[i].rho * dot(history_[i].step, d);
    add(d, -weights[i], history_[i].change);
  }
  for (double& x : d) x *= scale_;
  for (std::size_t i = 0; i < history_.size(); ++i) {
    add(d, weights[i] - history_[i].rho * dot(history_[i].change, d), history_[i].step);
  }
  direction_ = std::move(d);
}

void LBFGS::iterate(Session& session, const Point& start) {
  Point here = start;
  for (std::int64_t i = 1; largest(here.gradient) > options_.tolerance_grad; ++i) {
    const bool first = previous_gradient_.empty();
    if (!first) remember_curvature(here);
    ++iterations_;
    update_direction(here);
    previous_gradient_ = here.gradient;
    double sum = 0;
    for (const double g : here.gradient) sum += std::abs(g);
    length_ = first ? std::min(1.0, 1 / sum) * options_.lr : options_.lr;
    const double slope = dot(here.gradient, direction_), loss_before = here.loss;
    if (!(slope <= -options_.tolerance_change)) return;
    if (options_.line_search == LineSearch::strong_wolfe) {
      Trial found = WolfeSearch(session, direction_, {0, here, slope}).run(length_);
      length_ = found.length;
      here = std::move(found.at);
      session.move(length_, direction_);
    } else {
      session.move(length_, direction_);
      if (i < options_.max_iter) here = session.evaluate();
    }
    if (i >= options_.max_iter || session.evaluations >= max_eval()) return;
    if (length_ * largest(direction_) <= options_.tolerance_change) return;
    if (std::abs(here.loss - loss_before) < options_.tolerance_change) return;
  }
}

void LBFGS::forget() {
  history_.clear();
  previous_gradient_.clear();
  scale_ = 1;
}

std::int64_t LBFGS::trainable_elements() const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i].trainable()) count += parameters_[i].numel();
  }
  return count;
}

double LBFGS::take_step(const std::function<Tensor()>& loss, SourceLocation where) {
  Session session(parameters_, loss, where);
  try {
    const Point start = session.evaluate();
    if (start.gradient.size() != previous_gradient_.size()) forget();  // other parameters are frozen now
    iterate(session, start);
    evaluations_ += session.evaluations;
    session.keep();
    return start.loss;
  } catch (...) {
    forget();
    throw;
  }
}

}  // namespace gradus::optim
