#include "gradus/optim/wrappers/sam.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"

namespace gradus::optim {
namespace {

/// The trainable parameters; undefined tensors for the others.
Tensors trainable(const ParameterList& parameters) {
  Tensors found;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    found.push_back(parameters[i].trainable() ? parameters[i].tensor() : Tensor());
  }
  return found;
}

/// Puts the parameters back that had other values for a while.
class Restorer {
 public:
  explicit Restorer(const ParameterList& parameters) : parameters_(parameters), old_(trainable(parameters)) {}
  Restorer(const Restorer&) = delete;
  Restorer& operator=(const Restorer&) = delete;
  ~Restorer() { restore(); }

  void restore() {
    for (std::size_t i = 0; i < old_.size(); ++i) {
      if (old_[i].defined()) parameters_[i] = std::move(old_[i]);
    }
    old_.clear();
  }

 private:
  const ParameterList& parameters_;
  Tensors old_;
};

}  // namespace

SAM::SAM(Optimizer& base, const SAMOptions& options, SourceLocation where) : base_(base), options_(options) {
  if (!std::isfinite(options.rho) || options.rho < 0) {
    throw Error(ErrorKind::value, "optim::SAM", fmt::format("rho is {}, must be finite and >= 0", options.rho))
        .at(where);
  }
}

Tensor SAM::take_step(const std::function<Tensor()>& function, SourceLocation where) {
  const ParameterList& parameters = base_.parameters();
  const Tensor loss = function();
  Tensors wrt = trainable(parameters);
  Tensors gradients = grad(loss, wrt, where);
  Tensor squares;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const Tensor scaled = options_.adaptive ? abs(wrt[i]) * gradients[i] : gradients[i];
    const Tensor part = sum(square(scaled));
    squares = squares.defined() ? squares + cast(part, squares.dtype()) : part;
  }
  if (!squares.defined()) {
    throw Error(ErrorKind::state, "optim::SAM", "the loss depends on none of the trainable parameters")
        .at(where)
        .operand("loss", loss.spec())
        .hint("does the function compute it with the model that the optimizer was made for?");
  }
  // rho / |g|, and 0 where |g| is 0. The radius is a leaf, because another one is no other graph.
  const Tensor radius = nn::init::constant({}, options_.rho, squares.dtype());
  const Tensor scale = gradus::where(greater(squares, 0), radius / sqrt(squares), zeros_like(squares));

  Restorer restorer(parameters);
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const Tensor direction = options_.adaptive ? square(wrt[i]) * gradients[i] : gradients[i];
    wrt[i] = wrt[i] + cast(scale, wrt[i].dtype()) * direction;
    parameters[i] = wrt[i];
  }
  gradients = grad(function(), wrt, where);
  restorer.restore();
  wrt.clear();
  base_.step(gradients, where);
  eval({&loss, 1}, where);
  return loss;
}

}  // namespace gradus::optim
