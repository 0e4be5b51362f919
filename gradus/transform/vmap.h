// From one example to many: a function of graphs.
//
//   auto distance = [](const Tensor& a, const Tensor& b) { return sqrt(sum(square(a - b))); };
//   Tensor all = vmap(distance)(xs, ys);                           // [n, d], [n, d] -> [n]
//   Tensor table = vmap(vmap(distance, {0, {}}), {{}, 0})(xs, ys); // [n, d], [m, d] -> [m, n]
//
// The function runs once, on tensors that stand for one example; what it recorded is rewritten operation by operation, by
// the batching rules of the operations (graph/op.h). An operation without a rule is recorded once for each example. So the
// function can use any operation, models, grad() and other vmaps, but not the elements: item(), to_vector() and eval() of
// something that depends on an example throw Error(state).
//
// Random numbers: a key that is drawn inside the function is drawn once, so all examples get the same numbers. Examples get
// numbers of their own when these come as a batched argument, or when their keys do: record(RandomNormal{shape}, {key}).
#pragma once

#include <concepts>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Outputs of a recorded graph for many examples at once: `examples[i]`, a tensor of the graph, is replaced by
/// `batched[i]`, which has the examples along a new axis 0. Every result has the batch as axis 0, also where the output
/// does not depend on an example. Nodes that do not depend on one are shared.
///
/// Throws Error(shape, dtype) when `batched` does not fit `examples`, Error(usage) without examples.
Tensors vmap(std::span<const Tensor> outputs, std::span<const Tensor> examples, std::span<const Tensor> batched,
             SourceLocation where = SourceLocation::current());

/// Which axis of an argument counts the examples; nothing: all examples share the argument.
using BatchAxis = std::optional<int>;
/// One entry per argument; a single one is for all of them.
using BatchAxes = std::vector<BatchAxis>;

namespace detail {

/// One call of a batched function.
class VmapCall {
 public:
  VmapCall(std::span<const TensorArg> arguments, const BatchAxes& in_axes, SourceLocation where);

  /// What the function is called with.
  const Tensors& examples() const { return examples_; }
  Tensors finish(const Tensors& outputs, const BatchAxes& out_axes) const;

 private:
  SourceLocation where_;
  Tensors examples_;  ///< one per argument
  Tensors replaced_, batched_;
};

}  // namespace detail

/// What vmap() returns: callable with one tensor per argument of the function.
template <class Function>
class Vmapped {
 public:
  Vmapped(Function function, BatchAxes in_axes, BatchAxes out_axes)
      : function_(std::move(function)), in_axes_(std::move(in_axes)), out_axes_(std::move(out_axes)) {}

  /// Throws Error(axis) for axes out of range, Error(shape) when the arguments count different numbers of examples,
  /// Error(usage) when no argument is batched or the numbers of axes and arguments differ.
  template <std::convertible_to<Tensor>... More>
  auto operator()(const TensorArg& first, const More&... more) {
    const TensorArg arguments[] = {first, TensorArg(static_cast<Tensor>(more), first.where())...};
    const detail::VmapCall call(arguments, in_axes_, first.where());
    return apply(call, std::make_index_sequence<1 + sizeof...(More)>());
  }

 private:
  template <std::size_t... I>
  auto apply(const detail::VmapCall& call, std::index_sequence<I...>) {
    auto outputs = std::invoke(function_, call.examples()[I]...);
    if constexpr (std::convertible_to<decltype(outputs), Tensor>) {
      return call.finish({static_cast<Tensor>(std::move(outputs))}, out_axes_).front();
    } else {
      return call.finish(outputs, out_axes_);
    }
  }

  Function function_;
  BatchAxes in_axes_, out_axes_;
};

/// `function`, which takes tensors and returns a Tensor or Tensors, for many examples: `in_axes` says along which axis each
/// argument holds them, `out_axes` where they go in the results. Axes count from the end when negative.
template <class Function>
Vmapped<std::decay_t<Function>> vmap(Function&& function, BatchAxes in_axes = {0}, BatchAxes out_axes = {0}) {
  return {std::forward<Function>(function), std::move(in_axes), std::move(out_axes)};
}

}  // namespace gradus
