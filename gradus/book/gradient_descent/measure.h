// The measurements of chapter 5 that its claims and its figures share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// The rate with which plain descent contracts most, 2 / (L + m).
std::map<std::string, double> best_descent(const LeastSquares& problem);
/// Polyak's rate and momentum: (2 / (sqrt L + sqrt m))^2 and ((sqrt k - 1) / (sqrt k + 1))^2.
std::map<std::string, double> best_heavy_ball(const LeastSquares& problem);

/// Variance of the gradient of a fresh network, summed over its weights, for batches drawn with replacement.
struct Noise {
  std::vector<double> batch, variance;
  insight::LineFit line;  ///< of log10 variance over log10 batch
};
Noise noise_by_batch(std::uint64_t seed, int draws);

/// The figures and the numbers of the text.
void measure_gradient_descent(Notebook& notebook, Effort effort);

}  // namespace gradus::book
