// Where a NaN or an infinity was born.
//
//   const engine::AnomalyMode anomalies;                     // as long as it lives, every evaluation looks for them
//   optimizer.minimize(loss);                                // throws: "value error in log (head.fc2), called at ..."
#pragma once

#include <optional>
#include <span>
#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::engine {

/// The first value of a graph that is not finite although everything that it was computed from is.
struct Anomaly {
  std::string op;        ///< the operation, or "leaf" for an input that is not finite itself
  std::string part_of;   ///< in a backward pass: "gradient of log", the operation that is differentiated; else ""
  std::string module;    ///< path of the module nearest to it, or ""
  SourceLocation where;  ///< the user's call; in a backward pass, that of the operation that is differentiated
  TensorSpec spec;
  std::int64_t position = 0;  ///< of the first such element, in row-major order
  double value = 0;           ///< NaN or an infinity

  bool backward() const { return !part_of.empty(); }
  /// "log in head.fc2 (loss.cpp:12) gave nan at element 3 of f32 [64, 10]"
  std::string str() const;
};

struct AnomalyOptions {
  bool infinities = true;  ///< false: NaN alone counts, for graphs that mask with -inf
};

/// Evaluates the graph of recorded tensors vertex by vertex and returns the first anomaly in it. The tensors stay recorded.
/// Slow: for finding out after the fact. With infinities, `-inf` of log_softmax and the like counts.
std::optional<Anomaly> find_nonfinite(std::span<const Tensor> tensors, AnomalyOptions options = {});
std::optional<Anomaly> find_nonfinite(const Tensor& tensor, AnomalyOptions options = {});

/// While one lives, every evaluation of its thread (eval, item, to_vector, optimizers) first looks for anomalies, in the
/// forward pass and in gradients, and throws Error(value) with the first one: operation, module, the user's line. Then
/// nothing is evaluated or updated. Evaluation takes several times as long: a tool for debugging.
class AnomalyMode {
 public:
  explicit AnomalyMode(AnomalyOptions options = {});
  ~AnomalyMode();
  AnomalyMode(const AnomalyMode&) = delete;
  AnomalyMode& operator=(const AnomalyMode&) = delete;

 private:
  std::optional<AnomalyOptions> outer_;
};

/// Whether an AnomalyMode of this thread lives.
bool is_watching_for_anomalies();
/// For the executor: what an AnomalyMode of this thread asks for. Throws Error(value).
void check_for_anomalies(std::span<const Tensor> tensors, SourceLocation where);

}  // namespace gradus::engine
