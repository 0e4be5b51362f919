// How the elements of a tensor spread: norm, moments and a histogram that survive NaN and infinity.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::train {

/// Counts by powers of two: entry i of both lists counts the elements whose absolute value lies in
/// [2^(lowest + i), 2^(lowest + i + 1)). The edges never depend on the data, so histograms of different steps can be compared.
/// Both lists have one length, and no empty ends. Zeros, NaN and infinities are not in it; what is below 2^-126, subnormal in
/// f32, is in the bin of -127.
struct Histogram {
  int lowest = 0;
  std::vector<std::int64_t> negative, positive;
  friend bool operator==(const Histogram&, const Histogram&) = default;
};

/// Everything but `elements`, `nans` and `infinities` is of the finite elements alone.
struct Spread {
  std::int64_t elements = 0, zeros = 0, nans = 0, infinities = 0;
  double norm = 0;           ///< Euclidean
  double mean = 0, std = 0;  ///< std: of the population; both NaN without a finite element
  double min = 0, max = 0;   ///< likewise
  Histogram bins;

  std::int64_t finite() const { return elements - nans - infinities; }
  friend bool operator==(const Spread&, const Spread&) = default;
};

/// Of an evaluated f32, bf16 or f64 tensor.
Spread spread_of(const Tensor& tensor);
/// Of a - b, element by element; both evaluated and of one type and shape.
Spread spread_of_difference(const Tensor& a, const Tensor& b);

/// What a layer's output says of its units.
struct UnitShares {
  std::int64_t units = 0;
  double dead = 0;
  double saturated = std::numeric_limits<double>::quiet_NaN();
};
/// `function`: "relu", "tanh", ...; `axis`: that of the units. See ActivationRecord. The tensor is evaluated.
UnitShares unit_shares(const Tensor& output, std::string_view function, int axis);

}  // namespace gradus::train
