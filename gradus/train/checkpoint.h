// Checkpoints: a model's weights, and beside them all that training needs to go on as if it had never stopped.
//
//   checkpoints/last.safetensors         the weights, for anyone who reads safetensors
//   checkpoints/last.state.safetensors   optimizer, position of the loop, random state; with an average of the weights, also
//                                        those that training goes on with; and the checksum of the weights
//
// The two files change together, whatever happens: new weights are written as last.next.safetensors, then the new state
// replaces the old one (this is the moment that counts), then the weights are renamed. A reader who finds a state whose
// weights are still called "next" finishes the renaming.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::train {

/// Where the loop is. The sampler needs no more: the order of an epoch follows from the recipe's seed and the epoch.
struct LoopState {
  std::int64_t epoch = 0;       ///< epochs done
  std::int64_t batch = 0;       ///< batches done in the epoch after them
  std::int64_t rows = 0;        ///< training examples, which must not change under a run; 0: any
  std::int64_t step = 0;        ///< optimizer steps done
  double loss_sum = 0;          ///< over the examples of the epoch under way
  std::int64_t correct = 0;     ///< of them
  std::int64_t examples = 0;    ///< in them
  double train_seconds = 0;     ///< spent on them
  std::int64_t best_epoch = 0;  ///< from 1; 0: none yet
  std::int64_t best_step = 0;
  double best_val_accuracy = 0;
  /// Of the losses of the epoch's batches, each counting once.
  double batch_loss_sum = 0, batch_loss_squares = 0, batch_loss_min = 0, batch_loss_max = 0;

  friend bool operator==(const LoopState&, const LoopState&) = default;
};

struct Checkpoint {
  NamedTensors weights;  ///< those that are measured
  /// What training goes on with where `weights` are an average of it, and the number of updates of the average; empty and 0
  /// otherwise.
  NamedTensors trained = {};
  std::int64_t averaged = 0;
  NamedTensors optimizer;
  LoopState loop;
  std::array<std::uint64_t, 2> random{};  ///< of the default stream
  std::string recipe;                     ///< recipe_text() of the run
};

/// Writes "STEM.safetensors" and "STEM.state.safetensors". Throws Error(io); the earlier pair is whole then.
void save_checkpoint(const std::string& stem, const Checkpoint& checkpoint);

/// Reads them back. Throws Error(io) when there is none, Error(format) when a file is damaged or the two do not belong
/// together.
Checkpoint load_checkpoint(const std::string& stem);

/// True when there is a state file to read.
bool has_checkpoint(const std::string& stem);

}  // namespace gradus::train
