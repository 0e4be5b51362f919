// Rows for training and for testing: random, stratified, grouped and by time; and the folds of cross-validation. The same
// seed gives the same rows, everywhere; each part keeps the order of the rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/base/location.h"

namespace gradus::data {

using Rows = std::vector<std::int64_t>;

/// How `count` rows are shared out: floor(fraction * count) each, and one more for the largest remainders (the first of
/// equal ones). Throws Error(value) unless the fractions are positive and sum up to 1 (within 1e-9), or when a part
/// stays empty.
std::vector<std::int64_t> part_sizes(std::int64_t count, std::span<const double> fractions,
                                     SourceLocation where = SourceLocation::current());

/// Parts of 0..count-1, in the sizes of part_sizes.
///
///   auto parts = data::random_split(table.rows(), {{0.7, 0.15, 0.15}}, 1);
std::vector<Rows> random_split(std::int64_t count, const std::vector<double>& fractions, std::uint64_t seed,
                               SourceLocation where = SourceLocation::current());

/// The same with each class shared out by the fractions: the sizes of the parts are those of part_sizes, and a part's
/// count of each class is within one of fraction * (rows of the class). Throws Error(value) for a class with fewer rows
/// than parts, or a negative label.
std::vector<Rows> stratified_split(std::span<const std::int64_t> labels, const std::vector<double>& fractions,
                                   std::uint64_t seed, SourceLocation where = SourceLocation::current());

/// Rows of one group (a patient, a customer) never stand in two parts. The groups, in an order of the seed, largest first,
/// go where most rows lack: sizes are near the fractions, not exact. Throws Error(value) for fewer groups than parts.
std::vector<Rows> grouped_split(std::span<const std::int64_t> groups, const std::vector<double>& fractions,
                                std::uint64_t seed, SourceLocation where = SourceLocation::current());

/// By time: the first part is the oldest. Rows of equal times never stand in two parts (they go to the later one). Throws
/// Error(value) when a part would stay empty, or a time is not a number.
std::vector<Rows> time_split(std::span<const double> times, const std::vector<double>& fractions,
                             SourceLocation where = SourceLocation::current());

/// One fold of a cross-validation.
struct Fold {
  Rows train, validation;
};

/// Every row is in the validation part of exactly one fold; their sizes differ by one at most, larger ones first.
/// Throws Error(value) unless 2 <= folds <= count.
std::vector<Fold> k_fold(std::int64_t count, std::int64_t folds, std::uint64_t seed,
                         SourceLocation where = SourceLocation::current());
/// The same with each class spread evenly: its counts in the folds differ by one at most. Throws Error(value) for a
/// class with fewer rows than folds.
std::vector<Fold> stratified_k_fold(std::span<const std::int64_t> labels, std::int64_t folds, std::uint64_t seed,
                                    SourceLocation where = SourceLocation::current());
/// The same with each group in one fold.
std::vector<Fold> grouped_k_fold(std::span<const std::int64_t> groups, std::int64_t folds, std::uint64_t seed,
                                 SourceLocation where = SourceLocation::current());
/// `repeats` times k_fold, each with a seed of its own: repeats * folds folds.
std::vector<Fold> repeated_k_fold(std::int64_t count, std::int64_t folds, std::int64_t repeats, std::uint64_t seed,
                                  SourceLocation where = SourceLocation::current());
std::vector<Fold> repeated_stratified_k_fold(std::span<const std::int64_t> labels, std::int64_t folds,
                                             std::int64_t repeats, std::uint64_t seed,
                                             SourceLocation where = SourceLocation::current());

/// Throws Error(value) when a row stands in two of the parts, or twice in one, and names it; Error(index) for a row that is
/// not there.
void check_disjoint(const std::vector<Rows>& parts, std::int64_t count,
                    SourceLocation where = SourceLocation::current());
/// Throws Error(value) when a group has rows in two of the parts, and names both rows.
void check_groups(const std::vector<Rows>& parts, std::span<const std::int64_t> groups,
                  SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
