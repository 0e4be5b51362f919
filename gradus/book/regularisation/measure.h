// The measurements of chapter 13.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"

namespace gradus::book {

/// A network that can learn its examples by heart: 300 digits, 256 hidden units, Adam, 60 epochs.
FitOptions free_fit(std::uint64_t seed);
/// The same with three tenths of the training labels replaced by random ones.
FitOptions misled_fit(std::uint64_t seed);

/// A technique: its name, and what it changes.
struct Technique {
  std::string name;
  void (*apply)(FitOptions&);
};
/// All of the chapter, each at a usual strength; the first changes nothing.
const std::vector<Technique>& techniques();
const Technique& technique(std::string_view name);

/// Share of the weights of a network that are exactly 0.
double zeros(const Net& net);
/// How much the training loss rises when all weights move by `radius` along the gradient.
double rise(const FitOptions& options, const Net& net, double radius);

void measure_regularisation(Notebook& notebook, Effort effort);

}  // namespace gradus::book
