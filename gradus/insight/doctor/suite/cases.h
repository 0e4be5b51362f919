// Training runs with one known fault each, and healthy ones: what the doctor is measured with.
//
// They come in two parts that share neither data nor architectures nor seeds. The thresholds of the rules were chosen on the
// development part; what is published is measured on the held-out part, and nothing may be tuned there.
//   development  handwritten digits (perceptrons), three Gaussian clouds, a sum of waves (numbers)
//   held out     breast tumours, Friedman's function (numbers), rings in six columns, striped pictures (convolutions)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gradus/models/any_model.h"

namespace gradus::insight::doctor {

enum class Part { development, held_out };
std::string_view name_of(Part part);

/// Rows of numbers with a target each: a class, or a number.
struct Rows {
  std::vector<std::vector<double>> inputs;
  std::vector<double> targets;

  std::size_t size() const { return targets.size(); }
};

/// A run in the making: what a fault may change before it is trained.
struct Draft {
  Rows train, test;
  bool numbers = false;   ///< targets are numbers, not classes
  std::int64_t side = 0;  ///< of pictures; 0: a table
  std::int64_t classes = 0;
  std::uint64_t seed = 0;
  std::string model;                                    ///< the section [model] of the recipe
  std::vector<std::string> changes;                     ///< of the recipe, "train.epochs=3"
  std::function<void(models::AnyModel&)> prepare = {};  ///< as TrainOptions::prepare
};

struct Case {
  std::string name;     ///< "label-noise on digits"
  std::string fault;    ///< the rule that has to find it; "" for a healthy run
  std::string problem;  ///< "digits"
  std::function<Draft(std::uint64_t seed)> make;
};

/// The runs of a part, the faulty ones first.
std::vector<Case> cases(Part part);

/// Writes data files into `folder`, which exists, and trains in folder/run. A run that fails, as some faults want it, is a
/// result like any other. Returns the path of the run.
std::string train_case(const Case& one, std::uint64_t seed, const std::string& folder);

}  // namespace gradus::insight::doctor
