#include "gradus/optim/wrappers/lookahead.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/state/entries.h"

namespace gradus::optim {

Lookahead::Lookahead(Optimizer& fast, const LookaheadOptions& options, SourceLocation where)
    : fast_(fast), options_(options) {
  if (options.k < 1) {
    throw Error(ErrorKind::value, "optim::Lookahead", fmt::format("k is {}, must be >= 1", options.k)).at(where);
  }
  if (!(options.alpha >= 0 && options.alpha <= 1)) {
    throw Error(ErrorKind::value, "optim::Lookahead", fmt::format("alpha is {}, must be in [0, 1]", options.alpha))
        .at(where);
  }
  for (std::size_t i = 0; i < fast.parameters().size(); ++i) slow_.push_back(fast.parameters()[i].tensor());
}

bool Lookahead::minimize(const Tensor& loss, const Tensors& keep, SourceLocation where) {
  return count(fast_.minimize(loss, keep, where), where);
}

bool Lookahead::count(bool taken, SourceLocation where) {
  if (!taken || ++steps_ < options_.k) return taken;
  const ParameterList& parameters = fast_.parameters();
  Tensors moved;
  for (std::size_t i = 0; i < slow_.size(); ++i) {
    const Tensor alpha = nn::init::constant({}, options_.alpha, slow_[i].dtype());
    moved.push_back(slow_[i] + alpha * (parameters[i].tensor() - slow_[i]));
  }
  eval(moved, where);
  for (std::size_t i = 0; i < slow_.size(); ++i) {
    if (parameters[i].trainable()) parameters[i] = moved[i];
    slow_[i] = parameters[i].tensor();
  }
  steps_ = 0;
  return taken;
}

NamedTensors Lookahead::state_dict() const {
  NamedTensors dict{{"step", tensor(steps_)}};
  for (std::size_t i = 0; i < slow_.size(); ++i) dict.emplace_back(fmt::format("slow.{}", i), slow_[i]);
  return dict;
}

void Lookahead::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  detail::Entries entries("optim::Lookahead", "its state",
                          "it continues from the state of an optim::Lookahead over parameters of the same shapes");
  std::vector<const nn::Buffer*> values;
  for (const auto& [path, value] : state_dict()) values.push_back(&entries.expect(path, value.spec()));
  entries.load(dict, where);
  const auto steps = values[0]->tensor().item<std::int64_t>(where);
  if (steps < 0 || steps >= options_.k) {
    throw Error(ErrorKind::value, "optim::Lookahead", fmt::format("step is {}, must be in [0, {})", steps, options_.k))
        .at(where)
        .hint("the state was saved with another k");
  }
  Tensors slow;
  for (std::size_t i = 1; i < values.size(); ++i) slow.push_back(values[i]->tensor());
  steps_ = steps;
  slow_ = std::move(slow);
}

}  // namespace gradus::optim
