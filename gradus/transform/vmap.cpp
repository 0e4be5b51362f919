#include "gradus/transform/vmap.h"

#include <fmt/format.h>

#include <vector>

#include "gradus/base/error.h"
#include "gradus/graph/walk.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/placeholder.h"
#include "gradus/ops/view.h"
#include "gradus/transform/credit.h"

namespace gradus {
namespace {

/// Example `i` of a batched tensor.
Tensor example(const Tensor& batched, std::int64_t i) {
  return reshape(slice(batched, 0, i, i + 1), detail::example_shape(batched));
}

/// The rule of operations without one: recorded once for each example.
Tensors record_each(const Node& node, const BatchArgs& args) {
  std::vector<Tensors> parts(node.specs.size());
  for (std::int64_t i = 0; i < args.size; ++i) {
    Tensors inputs;
    for (std::size_t k = 0; k < args.inputs.size(); ++k) {
      const bool shared = k < 64 && !args.is_batched(static_cast<int>(k));
      inputs.push_back(shared ? args.inputs[k] : example(args.inputs[k], i));
    }
    const Tensors outputs = record_all(node.op, inputs, node.where);
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      parts[k].push_back(reshape(outputs[k], detail::batched_shape(1, outputs[k].shape())));
    }
  }
  Tensors results;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const TensorSpec& spec = node.specs[k];
    results.push_back(parts[k].empty() ? broadcast_to(constant(0, spec.dtype), detail::batched_shape(0, spec.shape))
                                       : concat(parts[k], 0));
  }
  return results;
}

/// Rewrites a graph front to back. A value has a slot when it depends on an example.
class Batcher {
 public:
  Batcher(std::span<const Tensor> outputs, std::int64_t size)
      : walk_(outputs), size_(size), slots_(walk_.nodes().size()) {}

  void replace(const Tensor& example, const Tensor& batched) {
    const std::int64_t i = walk_.index(example.node().get());
    if (i < 0) return;
    transform::claim(batched);
    Tensors& slots = slots_of(static_cast<std::size_t>(i));
    slots[static_cast<std::size_t>(example.output())] = batched;
  }

  void run() {
    for (std::size_t i = 0; i < walk_.nodes().size(); ++i) {
      const Node& node = *walk_.nodes()[i];
      if (!node.is_leaf() && depends(node)) rewrite(node, i);
    }
  }

  /// The batched form of `tensor`, a tensor of the graph; undefined when it does not depend on an example.
  Tensor find(const Tensor& tensor) const {
    const Tensors& slots = slots_[static_cast<std::size_t>(walk_.index(tensor.node().get()))];
    return slots.empty() ? Tensor() : slots[static_cast<std::size_t>(tensor.output())];
  }

 private:
  Tensors& slots_of(std::size_t i) {
    if (slots_[i].empty()) slots_[i].resize(walk_.nodes()[i]->specs.size());
    return slots_[i];
  }

  bool depends(const Node& node) const {
    for (const Tensor& input : node.inputs) {
      if (find(input).defined()) return true;
    }
    return false;
  }

  void rewrite(const Node& node, std::size_t position) {
    Tensors inputs;
    BatchArgs args;
    args.size = size_;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Tensor input = find(node.inputs[i]);
      const bool batched = input.defined();
      if (!batched) input = node.inputs[i];
      if (i < 64) {
        args.batched |= std::uint64_t{batched} << i;
      } else if (!batched) {
        input = broadcast_to(input, detail::batched_shape(size_, input.shape()));
      }
      inputs.push_back(input);
    }
    args.inputs = inputs;
    const Tensors outputs = node.op.has_batch_rule() ? node.op.batch(args) : record_each(node, args);
    GRADUS_ASSERT(outputs.size() == node.specs.size());
    Tensors& slots = slots_of(position);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const TensorSpec& spec = node.specs[i];
      GRADUS_ASSERT((outputs[i].spec() == TensorSpec{spec.dtype, detail::batched_shape(size_, spec.shape)}));
      transform::credit(outputs[i], node, node.called);
      if (!slots[i].defined()) slots[i] = outputs[i];
    }
  }

  GraphWalk walk_;
  std::int64_t size_;
  std::vector<Tensors> slots_;
};

std::int64_t count_examples(std::span<const Tensor> examples, std::span<const Tensor> batched, SourceLocation where) {
  if (examples.empty() || examples.size() != batched.size()) {
    throw Error(ErrorKind::usage, "vmap",
                fmt::format("{} batched tensors for {} examples", batched.size(), examples.size()))
        .at(where)
        .hint("pass at least one example, and a batched tensor for each");
  }
  for (std::size_t i = 0; i < examples.size(); ++i) {
    if (!examples[i].defined() || !batched[i].defined()) {
      throw Error(ErrorKind::state, "vmap", "an undefined tensor among the examples").at(where);
    }
    const TensorSpec &one = examples[i].spec(), &all = batched[i].spec();
    const std::int64_t size = all.shape.rank() > 0 ? all.shape[0] : 0;
    const TensorSpec expected{one.dtype, detail::batched_shape(all.shape.rank() > 0 ? size : 1, one.shape)};
    if (all != expected) {
      throw Error(all.dtype == one.dtype ? ErrorKind::shape : ErrorKind::dtype, "vmap")
          .at(where)
          .operand("example", one)
          .operand("batched", all, "expected the example's type and shape behind an axis that counts them");
    }
    if (size != batched[0].shape()[0]) {
      throw Error(ErrorKind::shape, "vmap", "the numbers of examples differ")
          .at(where)
          .operand("batched 0", batched[0].spec(), fmt::format("axis 0 is {}", batched[0].shape()[0]))
          .operand(fmt::format("batched {}", i), all, fmt::format("axis 0 is {}", size));
    }
  }
  return batched[0].shape()[0];
}

}  // namespace

Tensors vmap(std::span<const Tensor> outputs, std::span<const Tensor> examples, std::span<const Tensor> batched,
             SourceLocation where) {
  const std::int64_t size = count_examples(examples, batched, where);
  for (const Tensor& output : outputs) {
    if (!output.defined()) throw Error(ErrorKind::state, "vmap", "an output is an undefined tensor").at(where);
  }
  Batcher batcher(outputs, size);
  for (std::size_t i = 0; i < examples.size(); ++i) batcher.replace(examples[i], batched[i]);
  batcher.run();
  Tensors results;
  for (const Tensor& output : outputs) {
    Tensor result = batcher.find(output);
    if (!result.defined()) {
      result = broadcast_to(TensorArg(output, where), detail::batched_shape(size, output.shape()));
    }
    results.push_back(result);
  }
  return results;
}

namespace detail {

VmapCall::VmapCall(std::span<const TensorArg> arguments, const BatchAxes& in_axes, SourceLocation where)
    : where_(where) {
  if (in_axes.size() != 1 && in_axes.size() != arguments.size()) {
    throw Error(ErrorKind::usage, "vmap", fmt::format("{} in_axes for {} arguments", in_axes.size(), arguments.size()))
        .at(where)
        .hint("give one axis per argument, {} for those that all examples share, or a single one for all");
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Tensor x = operand(arguments[i], "vmap");
    const BatchAxis& axis = in_axes[in_axes.size() == 1 ? 0 : i];
    if (!axis) {
      examples_.push_back(x);
      continue;
    }
    const int position = normalize_axis(*axis, x, "vmap", where);
    const std::int64_t size = x.shape()[position];
    if (!batched_.empty() && batched_[0].shape()[0] != size) {
      throw Error(ErrorKind::shape, "vmap", "the numbers of examples differ")
          .at(where)
          .operand("batched 0", batched_[0].spec(), fmt::format("axis 0 is {}", batched_[0].shape()[0]))
          .operand(fmt::format("argument {}", i), x.spec(), fmt::format("axis {} is {}", position, size));
    }
    TensorSpec one = x.spec();
    one.shape.erase(position);
    examples_.push_back(placeholder(one, where));
    replaced_.push_back(examples_.back());
    batched_.push_back(position == 0 ? x : move_axis(TensorArg(x, where), position, 0));
  }
  if (batched_.empty()) {
    throw Error(ErrorKind::usage, "vmap", "no argument is batched")
        .at(where)
        .hint("at least one of in_axes must name an axis");
  }
}

Tensors VmapCall::finish(const Tensors& outputs, const BatchAxes& out_axes) const {
  if (out_axes.size() != 1 && out_axes.size() != outputs.size()) {
    throw Error(ErrorKind::usage, "vmap", fmt::format("{} out_axes for {} results", out_axes.size(), outputs.size()))
        .at(where_)
        .hint("give one axis per result, or a single one for all");
  }
  Tensors results = gradus::vmap(outputs, replaced_, batched_, where_);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const BatchAxis& axis = out_axes[out_axes.size() == 1 ? 0 : i];
    if (!axis) throw Error(ErrorKind::usage, "vmap", "out_axes must name an axis for every result").at(where_);
    const int position = normalize_axis(*axis, results[i], "vmap", where_);
    results[i] = move_axis(TensorArg(results[i], where_), 0, position);
  }
  return results;
}

}  // namespace detail
}  // namespace gradus
