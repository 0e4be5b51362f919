// Running statistics for averaged weights.
//
//   optim::AveragedModel average(model);
//   ...
//   optim::update_bn(data::loader(train, {.batch_size = 256}), average.model());
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/base/fields.h"
#include "gradus/nn/fields.h"

namespace gradus::optim {

namespace detail {

/// The batch normalisations of a model while their statistics are taken anew. Puts everything back, the statistics too,
/// unless it ends well.
class BatchNormRefresh {
 public:
  /// From a walk that collects layers. Resets the statistics and switches the whole model to training.
  explicit BatchNormRefresh(nn::FieldWalk& walk);
  BatchNormRefresh(const BatchNormRefresh&) = delete;
  BatchNormRefresh& operator=(const BatchNormRefresh&) = delete;
  ~BatchNormRefresh();

  int layers() const { return static_cast<int>(momenta_.size()); }
  /// The model has seen a batch: evaluates the statistics, and nothing that comes after the last of them.
  void take(SourceLocation where);
  /// Keeps the new statistics. Throws Error(value) when there was no batch.
  void keep(SourceLocation where);

 private:
  std::vector<std::pair<std::optional<double>*, std::optional<double>>> momenta_;  // and what they were
  std::vector<std::pair<nn::Buffer*, Tensor>> statistics_;                         // likewise
  std::vector<std::pair<nn::TrainingFlag*, bool>> flags_;                          // likewise
  std::int64_t batches_ = 0;
  bool kept_ = false;
};

/// A tensor, or the first of several.
template <class Batch>
Tensor input_of(const Batch& batch) {
  if constexpr (std::is_convertible_v<const Batch&, Tensor>) {
    return batch;
  } else if constexpr (requires { std::get<0>(batch); }) {
    return std::get<0>(batch);
  } else {
    return std::get<0>(fields::tie(batch));
  }
}

}  // namespace detail

/// Gives the batch normalisations of `model` the statistics of `loader`'s inputs, with the weights as they are: averaged
/// weights (SWA) have seen no batch themselves. The statistics begin anew and are the plain average over all batches, whatever
/// `momentum` the layers have. PyTorch's torch.optim.swa_utils.update_bn.
///
/// `loader`: a range of tensors, or of batches whose first field is the input. The model runs in training mode; afterwards
/// every layer is in the mode in which it was. Returns the number of layers with statistics; where there are none, nothing is
/// run. Throws Error(value) when the loader gives no batch, and what the model throws; then the model is as before.
template <class Loader, class Model>
int update_bn(Loader&& loader, Model& model, SourceLocation where = SourceLocation::current()) {
  nn::FieldWalk walk;
  walk.collect_layers();
  walk("", model);
  detail::BatchNormRefresh refresh(walk);
  if (refresh.layers() == 0) return 0;
  for (auto&& batch : loader) {
    static_cast<void>(std::invoke(model, detail::input_of(batch)));
    refresh.take(where);
  }
  refresh.keep(where);
  return refresh.layers();
}

}  // namespace gradus::optim
