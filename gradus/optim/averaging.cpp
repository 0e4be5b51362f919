#include "gradus/optim/averaging.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/init.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/state/entries.h"

namespace gradus::optim::detail {
namespace {

constexpr const char* name = "optim::AveragedModel";

void check_same(std::span<const nn::FieldRef> average, std::span<const nn::FieldRef> model, SourceLocation where) {
  if (average.size() != model.size()) {
    throw Error(ErrorKind::state, name, "the model has other fields than the average")
        .at(where)
        .field("model", fmt::format("{} parameters and buffers", model.size()))
        .field("average", std::to_string(average.size()))
        .hint("an average follows the model that it was made from");
  }
  for (std::size_t i = 0; i < model.size(); ++i) {
    const Tensor ours = average[i].tensor(), theirs = model[i].tensor();
    if (average[i].path == model[i].path && ours.defined() == theirs.defined() &&
        (!ours.defined() || ours.spec() == theirs.spec()))
      continue;
    Error error(ErrorKind::state, name, fmt::format("{} is not what it was when the average was made", model[i].path));
    if (theirs.defined()) error.operand("model", theirs.spec());
    if (ours.defined()) error.operand("average", ours.spec());
    throw std::move(error).at(where).hint("an average follows the model that it was made from");
  }
}

}  // namespace

Averaging::Averaging(const AveragingOptions& options, SourceLocation where) : options_(options) {
  if (options.decay && !(*options.decay >= 0 && *options.decay < 1)) {
    throw Error(ErrorKind::value, name, fmt::format("decay is {}, must be in [0, 1)", *options.decay)).at(where);
  }
  if (options.warmup && !options.decay) {
    throw Error(ErrorKind::value, name, "warmup is of the decay, and there is none")
        .at(where)
        .hint("for example {.decay = 0.999, .warmup = true}");
  }
}

void Averaging::update(std::span<const nn::FieldRef> average, std::span<const nn::FieldRef> model,
                       SourceLocation where) {
  check_same(average, model, where);
  const auto n = static_cast<double>(updates_);
  double share = 1 / (n + 1);
  if (options_.decay) share = 1 - (options_.warmup ? std::min(*options_.decay, (1 + n) / (10 + n)) : *options_.decay);

  std::vector<std::pair<DType, Tensor>> shares;  // leaves: a later update has the same graph
  const auto share_of = [&](DType dtype) {
    for (const auto& [known, tensor] : shares) {
      if (known == dtype) return tensor;
    }
    return shares.emplace_back(dtype, nn::init::constant({}, share, dtype)).second;
  };
  Tensors values;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const Tensor seen = model[i].tensor();
    const bool averaged = updates_ > 0 && model[i].parameter && seen.defined() && is_floating(seen.dtype());
    const Tensor old = average[i].tensor();
    values.push_back(averaged ? old + share_of(seen.dtype()) * (seen - old) : seen);
  }
  eval(values, where);
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (values[i].defined()) average[i].assign(values[i]);
  }
  ++updates_;
}

NamedTensors Averaging::state_dict(std::span<const nn::FieldRef> average) const {
  NamedTensors dict{{"n_averaged", tensor(updates_)}};
  for (auto& [path, value] : nn::detail::state_dict(average)) dict.emplace_back("module." + path, value);
  return dict;
}

void Averaging::load_state_dict(std::span<const nn::FieldRef> average, const NamedTensors& dict, SourceLocation where) {
  for (const auto& [key, value] : dict) {
    if (key != "n_averaged" || !value.defined() || value.spec() != TensorSpec{DType::i64, {}}) continue;
    if (const auto count = value.item<std::int64_t>(where); count < 0) {
      throw Error(ErrorKind::value, name, fmt::format("n_averaged is {}, must be >= 0", count)).at(where);
    }
  }
  Entries entries(name, "the average", "it continues from the state of an average of the same model");
  const nn::Buffer& count = entries.expect("n_averaged", {DType::i64, {}});
  for (const nn::FieldRef& field : average) entries.expect({"module." + field.path, field.parameter, field.buffer});
  entries.load(dict, where);
  updates_ = count.tensor().item<std::int64_t>(where);
}

}  // namespace gradus::optim::detail
