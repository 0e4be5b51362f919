// The measurements of chapter 6.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// log10 of the norm of the loss's gradient with respect to the weights of each hidden layer, first to last, of a fresh network
/// of `depth` hidden layers, 64 wide.
std::vector<double> gradient_norms(const data::Batch& examples, std::int64_t depth, NetOptions options,
                                   std::uint64_t seed);
/// The first of them minus the last.
double first_to_last(const data::Batch& examples, std::int64_t depth, const NetOptions& options, std::uint64_t seed);

/// 256 digits, the same for every seed.
const data::Batch& some_digits();

void measure_vanishing_gradients(Notebook& notebook, Effort effort);

}  // namespace gradus::book
