// Where a NaN or an infinity was born.
#pragma once

#include <optional>
#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::engine {

/// The first value of a graph that is not finite although everything that it was computed from is.
struct Anomaly {
  std::string op;        ///< the operation, or "leaf" for an input that is not finite itself
  std::string module;    ///< path of the module nearest to it, or ""
  SourceLocation where;  ///< the user's call
  TensorSpec spec;
  std::int64_t position = 0;  ///< of the first such element, in row-major order
  double value = 0;           ///< NaN or an infinity

  /// "log in head.fc2 (loss.cpp:12) gave nan at element 3 of f32 [64, 10]"
  std::string str() const;
};

/// Evaluates the graph of the recorded tensor `tensor` vertex by vertex and returns the first anomaly in it. The tensor
/// stays recorded. Slow: for finding out after the fact. `-inf` of log_softmax and the like counts: it is not finite.
std::optional<Anomaly> find_nonfinite(const Tensor& tensor);

}  // namespace gradus::engine
