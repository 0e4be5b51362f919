// The measurements of chapter 8.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// Two arms of a spiral in the plane, half of the points on each: no straight line parts them. 400 to train on, 400 to test.
struct Spiral {
  data::Batch train, test;
};
Spiral spiral(std::uint64_t seed);

/// Test accuracy on a spiral after `steps` steps of Adam on all points, by networks of `depth` hidden layers of 32.
double spiral_accuracy(const std::string& activation, std::size_t depth, std::int64_t steps, std::uint64_t seed);

/// Share of the hidden units that are 0 for every training example, after training on the digits.
double dead_share(const std::string& activation, double rate, std::int64_t epochs, std::uint64_t seed);

/// log10 of the mean square of each hidden layer's outputs in a fresh network of 30 layers of 64, for normal inputs.
std::vector<double> signal(const std::string& activation, Start start, std::uint64_t seed);

void measure_activations(Notebook& notebook, Effort effort);

}  // namespace gradus::book
