#include "gradus/optim/update_bn.h"

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/ops/factory.h"

namespace gradus::optim::detail {
namespace {

/// Calls `visitor` with the layer when it is a BatchNorm<Dims>.
template <int Dims, class Visitor>
void visit_as(const nn::LayerRef& layer, Visitor visitor) {
  using Layer = nn::BatchNorm<Dims>;
  if (layer.type == &nn::layer_type<Layer>) visitor(*static_cast<Layer*>(const_cast<void*>(layer.address)));
}

}  // namespace

BatchNormRefresh::BatchNormRefresh(nn::FieldWalk& walk) {
  const auto reset = [&](auto& layer) {
    if (!layer.running_mean.defined()) return;
    momenta_.emplace_back(&layer.options.momentum, layer.options.momentum);
    for (nn::Buffer* buffer : {&layer.running_mean, &layer.running_var, &layer.num_batches_tracked}) {
      statistics_.emplace_back(buffer, buffer->tensor());
    }
    layer.options.momentum.reset();
    layer.running_mean = zeros_like(layer.running_mean);
    layer.running_var = ones_like(layer.running_var);
    layer.num_batches_tracked = zeros_like(layer.num_batches_tracked);
  };
  for (const nn::LayerRef& layer : walk.take_layers()) {
    visit_as<1>(layer, reset);
    visit_as<2>(layer, reset);
    visit_as<3>(layer, reset);
  }
  if (momenta_.empty()) return;
  for (nn::TrainingFlag* flag : walk.training_flags()) {
    flags_.emplace_back(flag, *flag);
    *flag = true;
  }
}

BatchNormRefresh::~BatchNormRefresh() {
  for (const auto& [momentum, value] : momenta_) *momentum = value;
  for (const auto& [flag, value] : flags_) *flag = value;
  if (kept_) return;
  for (auto& [buffer, value] : statistics_) *buffer = std::move(value);
}

void BatchNormRefresh::take(SourceLocation where) {
  Tensors fresh;
  for (const auto& [buffer, value] : statistics_) fresh.push_back(buffer->tensor());
  eval(fresh, where);
  ++batches_;
}

void BatchNormRefresh::keep(SourceLocation where) {
  if (batches_ == 0) {
    throw Error(ErrorKind::value, "optim::update_bn", "the loader gave no batch")
        .at(where)
        .hint("statistics of nothing do not exist; a loader that is an iterator can be run through once only");
  }
  kept_ = true;
}

}  // namespace gradus::optim::detail
