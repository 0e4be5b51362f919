// What chapters 1 and 4 share: learners of gradus/classic, networks among them, on the same rows; and tables that are changed in ways
// that some of them notice.
#pragma once

#include <cstdint>

#include "gradus/classic/learner.h"
#include "gradus/data/dataset.h"

namespace gradus::book {

/// German credit as numbers (one column for each category), in f32 [1000, 61].
const data::Dataset& credit();

/// Rows to train on and rows to test on.
struct Parts {
  data::Dataset train, test;
};
/// Seven tenths and three tenths of the rows, with the classes in their shares, by seed; `examples`: so many of the first part, which
/// begin with those of a smaller number; 0: all.
Parts parts_of(const data::Dataset& all, std::uint64_t seed, std::int64_t examples = 0);
/// Test accuracy (of numbers R2) of a learner on parts_of.
double test_score(const classic::Learner& learner, const data::Dataset& all, std::uint64_t seed,
                  std::int64_t examples = 0);

/// Columns of mean 0 and variance 1.
data::Dataset standard(const data::Dataset& dataset);
/// Standard columns, turned by a random rotation of the whole space: no column means anything any more, and no distance has changed.
data::Dataset rotated(const data::Dataset& dataset, std::uint64_t seed);
/// Standard columns and so many more, of normal noise.
data::Dataset with_noise(const data::Dataset& dataset, std::int64_t columns, std::uint64_t seed);
/// Every column in another unit: multiplied by a power of ten between 10^-3 and 10^3.
data::Dataset in_other_units(const data::Dataset& dataset, std::uint64_t seed);

/// Whether this build has what svm() asks for, and a sentence for those that go without.
bool has_svm();
inline constexpr const char* without_svm = "it asks for LIBSVM, which this build is without (gradus doctor --build).";

/// The learners as the chapters use them, without tuning: standardised where that matters.
classic::Learner logistic();  ///< C 0.1
classic::Learner forest();    ///< 100 trees
classic::Learner svm();       ///< RBF, C 3
classic::Learner network(std::vector<std::int64_t> hidden = {64}, std::int64_t epochs = 40);

}  // namespace gradus::book
