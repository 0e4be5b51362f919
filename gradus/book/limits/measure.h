// The measurements of chapter 4.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/rivals.h"

namespace gradus::book {

/// What a learner loses by columns of noise beside those of German credit: test accuracy without them minus with them.
double loss_by_noise(const classic::Learner& learner, std::int64_t columns, std::uint64_t seed);

/// Test accuracy on digits that were moved to the right by so many pixels after training, of a learner that was trained on digits where they
/// were.
double shifted_score(const classic::Learner& learner, std::int64_t pixels, std::uint64_t seed);

/// y = sin(2 x) with noise of 0.1 for x in [-3, 3]: 200 examples.
data::Dataset sine(std::uint64_t seed);
/// Root mean squared error from sin(2 x) of a learner trained on sine(), over a grid in [low, high].
double sine_error(const classic::Learner& learner, double low, double high, std::uint64_t seed);

/// Accuracies after each epoch of a network that learns 0 to 4 and then 5 to 9.
struct Forgetting {
  std::vector<double> old_digits, new_digits;  ///< of the test; the first half of the epochs has the old digits only
};
Forgetting forgetting(std::uint64_t seed, std::int64_t epochs);

void measure_limits(Notebook& notebook, Effort effort);

}  // namespace gradus::book
