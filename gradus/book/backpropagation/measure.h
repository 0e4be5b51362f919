// The measurements of chapter 3.
#pragma once

#include <cstdint>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// Relative error of central differences with the step h for the derivative of a network's loss in a random direction, in f64;
/// what reverse mode says is the truth.
double difference_error(double h, std::uint64_t seed);

/// Which gradient a network on the digits is trained with.
enum class Teacher {
  backpropagation,
  last_layer,  ///< the hidden layers keep their random weights
  direction  ///< the derivative in one random direction, times that direction: an unbiased guess (Baydin and others, 2022)
};
/// Validation accuracy after each epoch; the last entry is the test accuracy.
std::vector<double> taught(Teacher teacher, double rate, std::int64_t epochs, std::uint64_t seed);

/// Largest difference between the gradients of a deep network with and without recomputing its activations.
double checkpoint_difference(std::uint64_t seed);

/// Ten steps of a network of six weights, with every operand.
void by_hand_figure(Notebook& notebook);

void measure_backpropagation(Notebook& notebook, Effort effort);

}  // namespace gradus::book
