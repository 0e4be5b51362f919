#include "gradus/engine/gradcheck.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"
#include "gradus/graph/node.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/jvp.h"

namespace gradus {
namespace {

Tensor random_of(const Shape& shape, std::uint64_t seed) {
  std::vector<double> elements(static_cast<std::size_t>(shape.numel()));
  fill_uniform(std::span<double>(elements), Key{seed}, 0.5, 1.5);
  return leaf<double>(shape, std::span<const double>(elements));
}

/// A scalar whose gradient mixes every element of the output, each with a weight of its own.
Tensor scalar_of(const Tensor& y) { return sum(y * random_of(y.shape(), 17)); }

class Check {
 public:
  Check(const char* name, const GradcheckFunction& scalar, const Tensors& inputs, const GradcheckOptions& options,
        SourceLocation where)
      : name_(name), scalar_(scalar), inputs_(inputs), options_(options), where_(where) {
    bool any = false;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].defined())
        throw Error(ErrorKind::state, name_, fmt::format("input {} is undefined", i)).at(where_);
      if (!is_floating(inputs[i].dtype())) continue;
      any = true;
      if (inputs[i].dtype() != DType::f64) {
        throw Error(ErrorKind::dtype, name_, "inputs must be f64")
            .at(where_)
            .operand(fmt::format("input {}", i), inputs[i].spec())
            .hint("central differences need the precision: cast(x, DType::f64)");
      }
    }
    if (!any) throw Error(ErrorKind::usage, name_, "no input is floating").at(where_);
  }

  void run() {
    const Tensor y = scalar_(inputs_);
    if (!y.defined()) return;  // no input has a gradient
    Tensors directions, roots = grad(y, inputs_, where_);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      directions.push_back(is_floating(inputs_[i].dtype()) ? random_of(inputs_[i].shape(), 31 + i) : Tensor());
    }
    if (options_.forward_mode) roots.push_back(jvp(std::span(&y, 1), inputs_, directions, where_)[0]);
    eval(std::span<const Tensor>(roots), where_);
    double along = 0;  // the slope along the directions, by differences
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (directions[i].defined()) along += check_input(i, roots[i], directions[i].to_vector<double>());
    }
    if (!options_.forward_mode) return;
    const double forward = roots.back().defined() ? roots.back().item<double>() : 0;
    if (!agree(forward, along)) {
      throw Error(ErrorKind::value, name_, "forward mode does not agree with central differences")
          .at(where_)
          .field("jvp", fmt::format("{}", forward))
          .field("differences", fmt::format("{}", along));
    }
  }

 private:
  bool agree(double analytic, double numeric) const {
    return std::abs(analytic - numeric) <= options_.atol + options_.rtol * std::abs(numeric);
  }

  /// Checks every element of one input; returns the slope along `direction`.
  double check_input(std::size_t i, const Tensor& gradient, const std::vector<double>& direction) {
    const std::vector<double> values = inputs_[i].to_vector<double>();
    const std::vector<double> slopes =
        gradient.defined() ? gradient.to_vector<double>() : std::vector<double>(values.size(), 0.0);
    double along = 0;
    for (std::size_t k = 0; k < values.size(); ++k) {
      double sides[2];
      for (int side = 0; side < 2; ++side) {
        std::vector<double> moved = values;
        moved[k] += side == 0 ? options_.eps : -options_.eps;
        Tensors shifted = inputs_;
        shifted[i] = leaf<double>(inputs_[i].shape(), std::span<const double>(moved));
        sides[side] = scalar_(shifted).item<double>(where_);
      }
      const double numeric = (sides[0] - sides[1]) / (2 * options_.eps);
      along += numeric * direction[k];
      if (agree(slopes[k], numeric)) continue;
      throw Error(ErrorKind::value, name_, fmt::format("the gradient of input {} is wrong at element {}", i, k))
          .at(where_)
          .operand(fmt::format("input {}", i), inputs_[i].spec())
          .field("gradient", fmt::format("{}", slopes[k]))
          .field("differences", fmt::format("{}", numeric))
          .hint("if the function has a kink there, check elsewhere; otherwise its vjp is wrong");
    }
    return along;
  }

  const char* name_;
  GradcheckFunction scalar_;
  Tensors inputs_;
  GradcheckOptions options_;
  SourceLocation where_;
};

}  // namespace

void gradcheck(const GradcheckFunction& function, const Tensors& inputs, const GradcheckOptions& options,
               SourceLocation where) {
  const auto scalar = [&](const Tensors& x) { return scalar_of(function(x)); };
  Check("gradcheck", scalar, inputs, options, where).run();
}

void gradgradcheck(const GradcheckFunction& function, const Tensors& inputs, const GradcheckOptions& options,
                   SourceLocation where) {
  const auto scalar = [&](const Tensors& x) {
    Tensor total;
    for (const Tensor& g : grad(scalar_of(function(x)), x, where)) {
      if (!g.defined()) continue;
      const Tensor part = scalar_of(g);
      total = total.defined() ? total + part : part;
    }
    return total;
  };
  Check("gradgradcheck", scalar, inputs, options, where).run();
}

}  // namespace gradus
