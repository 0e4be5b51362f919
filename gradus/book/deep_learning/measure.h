// The measurements of chapter 1.
#pragma once

#include "gradus/book/chapter.h"
#include "gradus/book/rivals.h"

namespace gradus::book {

/// `width` features max(0, w x) of standard columns, with normal w of length about 1: a hidden layer that nobody trained.
data::Dataset random_features(const data::Dataset& dataset, std::int64_t width, std::uint64_t seed);

/// Friedman's table (data::friedman) with the columns that somebody would make who knows where it comes from: sin(pi x1 x2) and (x3 - 1/2)^2 beside
/// the ten.
const data::Dataset& friedman_by_hand();
/// Friedman's ten columns.
const data::Dataset& friedman_plain();
/// Ridge regression on standard columns.
classic::Learner linear_regression();

void measure_deep_learning(Notebook& notebook, Effort effort);

}  // namespace gradus::book
