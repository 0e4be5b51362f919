// The parts of gather(): each measures one side of a run.
#pragma once

#include "gradus/insight/doctor/evidence.h"
#include "gradus/train/setup.h"

namespace gradus::insight::doctor::detail {

/// The data of a run.
struct Parts {
  data::Dataset training, validation, test;
};

/// What can be said of the examples alone.
DataEvidence examine_data(const Parts& parts);

/// Layers, activations, rounding, and how well the network does. `run` has a last checkpoint.
void examine_network(const train::RunFolder& run, const train::Checkpoint& last, const Parts& parts,
                     Evidence& evidence);

/// What the instruments of a run saw.
RecordedEvidence examine_record(const train::Instruments& seen);

/// A few steps with other rates.
RateEvidence examine_rates(const train::Recipe& recipe, const data::Dataset& training, std::int64_t steps);

/// Where the loss of the validation examples is no longer finite, if it is.
std::optional<Failure> examine_validation(const train::Recipe& recipe, const train::Checkpoint& last,
                                          const data::Dataset& training, const data::Dataset& validation);

/// Does the next step of the checkpoint again; nothing when it is finite.
std::optional<Failure> repeat_step(const train::Recipe& recipe, const train::Checkpoint& last,
                                   const data::Dataset& training);

}  // namespace gradus::insight::doctor::detail
