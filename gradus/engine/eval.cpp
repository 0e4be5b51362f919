#include "gradus/engine/eval.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/engine/anomaly.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/engine/run.h"
#include "gradus/graph/graph.h"
#include "gradus/kernel/elementwise/convert.h"

namespace gradus {

void eval(std::span<const Tensor> tensors, SourceLocation where) {
  bool pending = false;
  for (const Tensor& tensor : tensors) pending = pending || (tensor.defined() && !tensor.evaluated());
  if (!pending) return;
  engine::check_for_anomalies(tensors, where);
  const LiveGraph graph(tensors);
  std::shared_ptr<engine::CachedPlan> cached;
  try {
    cached = engine::find_plan(graph);
  } catch (Error& error) {
    error.at(where);
    throw;
  }
  engine::run(*cached, graph, where);
}

template <class T>
std::vector<T> Tensor::to_vector(SourceLocation where) const {
  eval(std::span(this, 1), where);
  std::vector<T> elements(static_cast<std::size_t>(numel()));
  const std::byte* bytes = buffer()->data();
  visit_dtype(dtype(), [&](auto zero) {
    using Stored = decltype(zero);
    const auto* stored = reinterpret_cast<const Stored*>(bytes);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      elements[i] = kernel::convert<T>(stored[i]);
    }
  });
  return elements;
}

template <class T>
T Tensor::item(SourceLocation where) const {
  if (numel() != 1) {
    throw Error(ErrorKind::shape, "item", "the tensor must have exactly one element")
        .at(where)
        .operand("tensor", spec(), fmt::format("{} elements", numel()))
        .hint("to_vector() gives all elements");
  }
  return to_vector<T>(where).front();
}

#define GRADUS_INSTANTIATE(T)                                         \
  template std::vector<T> Tensor::to_vector<T>(SourceLocation) const; \
  template T Tensor::item<T>(SourceLocation) const;
GRADUS_INSTANTIATE(float)
GRADUS_INSTANTIATE(double)
GRADUS_INSTANTIATE(std::int32_t)
GRADUS_INSTANTIATE(std::int64_t)
GRADUS_INSTANTIATE(long long)
GRADUS_INSTANTIATE(std::uint8_t)
GRADUS_INSTANTIATE(bool)
#undef GRADUS_INSTANTIATE

}  // namespace gradus
