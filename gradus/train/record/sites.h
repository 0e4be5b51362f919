// Where the activations of a model are: found in the graph that it recorded, so that no layer needs to know of it.
#pragma once

#include <string>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus::train {

/// The output of an activation function in a recorded graph.
struct ActivationSite {
  std::string name;      ///< of the layer whose parameters are nearest before it, "input" where there is none
  std::string function;  ///< "relu"
  Tensor output;
  int unit_axis = 0;  ///< the channels behind a convolution, else the last axis
};

/// All activations that `answer`, recorded and not evaluated, depends on, in the order of the computation, and `answer` itself
/// as the last one with the function "output" (unless it is one of them). A name that comes again gets "#2", "#3", ...
/// Inside of loops (recurrent layers) nothing is seen.
std::vector<ActivationSite> activation_sites(const Tensor& answer);

}  // namespace gradus::train
