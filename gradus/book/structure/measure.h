// The measurements of chapter 2.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// The network whose every weight lies `share` of the way from one network's to another's.
Net between(const Net& one, const Net& other, double share);

/// Share of the four cases of exclusive or that are right after training `units` hidden ReLUs (0: a linear model), mean over
/// `starts` random starts.
double exclusive_or(std::int64_t units, int starts, std::uint64_t seed);

/// A smooth function on [0, 2 pi]: three sines with random heights and phases.
struct Smooth {
  std::vector<double> heights, phases;
  explicit Smooth(std::uint64_t seed);
  double operator()(double x) const;
};
/// Largest error on [0, 2 pi] of the ReLU network of `units` hidden units that passes through the function at equal distances.
double constructed_error(const Smooth& f, int units);
/// The same of a network of that size that was trained.
double trained_error(const Smooth& f, int units, int steps, std::uint64_t seed);

/// Number of linear pieces of a network of ReLUs along the line from one input to another, counted exactly: from layer to
/// layer every piece is cut where a unit changes sign. Mean over `lines` pairs of digits.
double pieces(const Net& net, int lines, std::uint64_t seed);
/// The same for a fresh network.
double fresh_pieces(const std::vector<std::int64_t>& hidden, std::uint64_t seed);

void measure_structure(Notebook& notebook, Effort effort);

}  // namespace gradus::book
