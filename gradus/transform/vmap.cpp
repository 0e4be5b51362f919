#include "gradus/transform/vmap.h"

#include <fmt/format.h>

#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"
#include "gradus/transform/credit.h"
#include "gradus/transform/indexed_walk.h"
#include "gradus/transform/redirect.h"

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
  Batcher(std::span<const Tensor> outputs, std::span<const Tensor> examples, std::span<const Tensor> batched)
      : walk_(outputs), outputs_(walk_.positions(outputs)), size_(batched[0].shape()[0]), slots_(walk_.nodes().size()) {
    const std::vector<std::int64_t> positions = walk_.positions(examples);
    for (std::size_t i = 0; i < examples.size(); ++i) {
      transform::claim(batched[i]);
      if (positions[i] >= 0) slot(static_cast<std::size_t>(positions[i]), examples[i].output()) = batched[i];
    }
  }

  void run() {
    for (std::size_t i = 0; i < walk_.nodes().size(); ++i) {
      const Node& node = *walk_.nodes()[i];
      bool depends = false;
      for (std::size_t k = 0; k < node.inputs.size(); ++k) depends = depends || operand(i, k).defined();
      if (depends) rewrite(node, i);
    }
  }

  /// The batched form of output `i`, which is `output`; undefined when it does not depend on an example.
  Tensor take(std::size_t i, const Tensor& output) const { return find(outputs_[i], output.output()); }

 private:
  Tensor& slot(std::size_t position, int output) {
    Tensors& slots = slots_[position];
    if (slots.empty()) slots.resize(walk_.nodes()[position]->specs.size());
    return slots[static_cast<std::size_t>(output)];
  }

  Tensor find(std::int64_t position, int output) const {
    const Tensors& slots = slots_[static_cast<std::size_t>(position)];
    return slots.empty() ? Tensor() : slots[static_cast<std::size_t>(output)];
  }

  Tensor operand(std::size_t position, std::size_t k) const {
    return find(walk_.operands(position)[k], walk_.nodes()[position]->inputs[k].output());
  }

  void rewrite(const Node& node, std::size_t position) {
    Tensors inputs;
    BatchArgs args;
    args.size = size_;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Tensor input = operand(position, i);
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
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const TensorSpec& spec = node.specs[i];
      GRADUS_ASSERT((outputs[i].spec() == TensorSpec{spec.dtype, detail::batched_shape(size_, spec.shape)}));
      transform::credit(outputs[i], node, node.called);
      Tensor& place = slot(position, static_cast<int>(i));
      if (!place.defined()) place = outputs[i];
    }
  }

  transform::IndexedWalk walk_;
  std::vector<std::int64_t> outputs_;  // positions
  std::int64_t size_;
  std::vector<Tensors> slots_;
};

void check_examples(std::span<const Tensor> examples, std::span<const Tensor> batched, SourceLocation where) {
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
}

}  // namespace

Tensors vmap(std::span<const Tensor> outputs, std::span<const Tensor> examples, std::span<const Tensor> batched,
             SourceLocation where) {
  check_examples(examples, batched, where);
  for (const Tensor& output : outputs) {
    if (!output.defined()) throw Error(ErrorKind::state, "vmap", "an output is an undefined tensor").at(where);
  }
  Batcher batcher(outputs, examples, batched);
  batcher.run();
  Tensors results;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor result = batcher.take(i, outputs[i]);
    const Shape shape = detail::batched_shape(batched[0].shape()[0], outputs[i].shape());
    results.push_back(result.defined() ? result : broadcast_to(TensorArg(outputs[i], where), shape));
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
