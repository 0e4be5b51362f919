// The measurements of chapter 7.
#pragma once

#include <cstdint>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// A network that is large for its data: 256 hidden units, 300 digits, Adam.
FitOptions large_fit(std::uint64_t seed);

/// Expected squared error of the least-squares solution of smallest norm, beyond the noise: `examples` with `features` normal inputs, a
/// signal of length 1, noise of the given variance. Mean over `draws` data sets.
double minimum_norm_risk(std::int64_t examples, std::int64_t features, double noise, int draws, std::uint64_t seed);

void measure_overfitting(Notebook& notebook, Effort effort);

}  // namespace gradus::book
