// Orders of rows other than "all of them, shuffled": by weight, with all classes equally often, with all classes in every
// batch. A sampler goes into LoaderOptions::sampler.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gradus/base/location.h"
#include "gradus/base/random.h"

namespace gradus::data {

/// The rows of one epoch: `size` of them, in an order that depends on the key alone.
struct Sampler {
  std::int64_t size = 0;
  std::function<std::vector<std::int64_t>(Key)> rows = {};
};

/// `count` rows drawn with replacement, row i with probability weights[i] / sum (as PyTorch's WeightedRandomSampler).
/// Throws Error(value) for a weight that is negative or not finite, weights that are all 0, and a count below 1.
Sampler weighted_sampler(std::span<const double> weights, std::int64_t count,
                         SourceLocation where = SourceLocation::current());

/// `count` rows (0: as many as there are labels) with every class equally often, within one: each class gives its rows
/// in a random order, again and again. Throws Error(value) when there are no labels.
Sampler balanced_sampler(std::span<const std::int64_t> labels, std::int64_t count = 0,
                         SourceLocation where = SourceLocation::current());

/// Every row once, ordered so that each run of rows holds each class in its share of the whole, within a few rows: batches of
/// any size are stratified. Throws Error(value) when there are no labels.
Sampler stratified_sampler(std::span<const std::int64_t> labels, SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
