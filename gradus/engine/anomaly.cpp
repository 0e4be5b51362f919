#include "gradus/engine/anomaly.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/engine/interpret.h"

namespace gradus::engine {
namespace {

/// Position of the first element that is not finite, or -1.
template <class T>
std::int64_t first_nonfinite(const Tensor& tensor) {
  const std::span<const T> elements = tensor.data<T>();
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!std::isfinite(static_cast<double>(elements[i]))) return static_cast<std::int64_t>(i);
  }
  return -1;
}

std::int64_t first_nonfinite_of(const Tensor& tensor, double& value) {
  std::int64_t position = -1;
  if (tensor.dtype() == DType::f32) {
    position = first_nonfinite<float>(tensor);
    if (position >= 0) value = static_cast<double>(tensor.data<float>()[static_cast<std::size_t>(position)]);
  } else if (tensor.dtype() == DType::f64) {
    position = first_nonfinite<double>(tensor);
    if (position >= 0) value = tensor.data<double>()[static_cast<std::size_t>(position)];
  }
  return position;
}

}  // namespace

std::optional<Anomaly> find_nonfinite(const Tensor& tensor) {
  if (!tensor.defined()) return std::nullopt;
  const Capture captured = capture(std::span(&tensor, 1));
  std::optional<Anomaly> found;
  interpret(captured, false, [&](std::size_t i, const VertexValues& values) {
    for (const Tensor& value : values) {
      double what = 0;
      const std::int64_t position = first_nonfinite_of(value, what);
      if (position < 0) continue;
      const Vertex& v = captured.graph.vertices[i];
      found = Anomaly{std::string(v.op.name()),
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

std::string Anomaly::str() const {
  std::string text = op;
  if (!module.empty()) text += (op == "leaf" ? " " : " in ") + module;
  if (where.known()) text += fmt::format(" ({})", where.str());
  return text + fmt::format(" gave {} at element {} of {}", value, position, spec.str());
}

}  // namespace gradus::engine
