#include "gradus/engine/anomaly.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/engine/interpret.h"
#include "gradus/graph/walk.h"
#include "gradus/kernel/elementwise/convert.h"

namespace gradus::engine {
namespace {

/// Position of the first element that is not finite, or -1.
template <class T>
std::int64_t first_nonfinite(const Tensor& tensor, AnomalyOptions options, double& value) {
  const std::span<const T> elements = tensor.data<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    value = kernel::convert<double>(elements[i]);
    if (options.infinities ? !std::isfinite(value) : std::isnan(value)) return static_cast<std::int64_t>(i);
  }
  return -1;
}

std::int64_t first_nonfinite_of(const Tensor& tensor, AnomalyOptions options, double& value) {
  if (tensor.dtype() == DType::f32) return first_nonfinite<float>(tensor, options, value);
  if (tensor.dtype() == DType::f64) return first_nonfinite<double>(tensor, options, value);
  if (tensor.dtype() == DType::bf16) return first_nonfinite<BFloat16>(tensor, options, value);
  return -1;
}

constexpr std::string_view gradient_prefix = "gradient of ";

/// What the mode of this thread asks for, if there is one.
std::optional<AnomalyOptions>& mode() {
  thread_local std::optional<AnomalyOptions> options;
  return options;
}

}  // namespace

std::optional<Anomaly> find_nonfinite(std::span<const Tensor> tensors, AnomalyOptions options) {
  const GraphWalk walk(tensors);
  const std::vector<Node*> nodes(walk.nodes().begin(), walk.nodes().end());  // in the order of the vertices
  const Capture captured = capture(tensors);
  std::optional<Anomaly> found;
  interpret(captured, false, [&](std::size_t i, const VertexValues& values) {
    for (const Tensor& value : values) {
      double what = 0;
      const std::int64_t position = first_nonfinite_of(value, options, what);
      if (position < 0) continue;
      const Vertex& v = captured.graph.vertices[i];
      const bool backward = !v.is_leaf() && nodes[i]->called.starts_with(gradient_prefix);
      found = Anomaly{std::string(v.op.name()),
                      std::string(backward ? nodes[i]->called : std::string_view()),
                      v.label ? *v.label : "",
                      captured.where[static_cast<std::size_t>(v.source)],
                      value.spec(),
                      position,
                      what};
      return false;
    }
    return true;
  });
  return found;
}

std::optional<Anomaly> find_nonfinite(const Tensor& tensor, AnomalyOptions options) {
  return find_nonfinite(std::span(&tensor, 1), options);
}

AnomalyMode::AnomalyMode(AnomalyOptions options) : outer_(mode()) { mode() = options; }
AnomalyMode::~AnomalyMode() { mode() = outer_; }

bool is_watching_for_anomalies() { return mode().has_value(); }

void check_for_anomalies(std::span<const Tensor> tensors, SourceLocation where) {
  if (!mode()) return;
  const std::optional<Anomaly> found = find_nonfinite(tensors, *mode());
  if (!found) return;
  const bool leaf = found->op == "leaf";
  Error error(ErrorKind::value, leaf ? "eval" : found->op,
              fmt::format("{} {} at element {}", leaf ? "a leaf holds" : "gave", found->value, found->position));
  if (!found->module.empty()) error.context(found->module);
  error.at(leaf ? where : found->where).operand(leaf ? "leaf" : "result", found->spec);
  if (found->backward()) error.note("in the backward pass: part of the " + found->part_of);
  throw error.hint(leaf ? "look at the data or at the last update of this parameter"
                        : "all that it was computed from is finite: look at the range of its operands");
}

std::string Anomaly::str() const {
  std::string text = op;
  if (!module.empty()) text += (op == "leaf" ? " " : " in ") + module;
  if (where.known()) text += fmt::format(" ({})", where.str());
  if (backward()) text += fmt::format(", part of the {},", part_of);
  return text + fmt::format(" gave {} at element {} of {}", value, position, spec.str());
}

}  // namespace gradus::engine
