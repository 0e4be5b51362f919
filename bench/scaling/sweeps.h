// What is varied, and the nets in which it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "bench/workload.h"
#include "gradus/data/dataset.h"
#include "gradus/models/gpt.h"

namespace gradus::bench {

/// One quantity of one net, the others at their usual values.
struct Sweep {
  std::string_view net, quantity;
  std::vector<std::int64_t> values;
  std::string_view expected;  ///< of the exponent, for arithmetic alone
  std::function<std::unique_ptr<Task>(std::int64_t)> make;
};

/// mlp: 2 hidden layers of 512 on 128 rows of 784, SGD with momentum; gpt: 2 layers of width 256, heads of 64, on 4 sequences of 128
/// tokens, vocabulary 512, AdamW. Training steps.
std::vector<Sweep> sweeps();

/// The steps whose time is taken with several threads: the usual values of both nets.
std::unique_ptr<Task> usual_mlp();
std::unique_ptr<Task> usual_gpt();

/// Training steps of a gpt with so many layers, recorded and not run.
class Recorder {
 public:
  explicit Recorder(std::int64_t layers);
  /// The loss, and the weights after a step of descent.
  Tensors record();

 private:
  models::Gpt model_;
  data::Batch batch_;
};

}  // namespace gradus::bench
