// A closer look at a trained classifier: every figure, and its worst mistakes.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/models/any_model.h"
#include "gradus/train/metrics/classification.h"

namespace gradus::train {

/// An example that the model took for another class.
struct Mistake {
  std::int64_t row = 0;  ///< in the data set
  std::int64_t label = 0, predicted = 0;
  double probability = 0;           ///< of the prediction
  double probability_of_label = 0;  ///< of the truth
};

struct Examination {
  metrics::Classification figures;
  std::vector<Mistake> mistakes;  ///< the most confident first
};

/// Runs the model over all examples, in order. At most `most_mistakes` are kept. Throws Error(value) when
/// the model answers with a number that is not finite.
Examination examine(models::AnyModel& model, const data::Dataset& dataset, std::size_t most_mistakes = 24);

/// "0", "1", ... where the data set has no names.
std::string class_name(const data::Dataset& dataset, std::int64_t c);

}  // namespace gradus::train
