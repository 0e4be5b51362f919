#include "gradus/transform/grad.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/base/small_vector.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/transform/credit.h"
#include "gradus/transform/indexed_walk.h"
#include "gradus/transform/join_parts.h"
#include "gradus/transform/reverse.h"

namespace gradus {
namespace {

/// Reverse accumulation over the nodes between `wrt` and the outputs.
class Reverse {
 public:
  Reverse(std::span<const Tensor> outputs, std::span<const Tensor> wrt, SourceLocation where,
          transform::Evaluated evaluated)
      : walk_(outputs),
        where_(where),
        evaluated_(evaluated),
        outputs_(walk_.positions(outputs)),
        wrt_(walk_.positions(wrt)),
        reaches_(walk_.nodes().size(), 0),
        wanted_(walk_.nodes().size(), 0),
        cotangents_(walk_.nodes().size()) {
    mark();
  }

  /// What flows back to output `i`, which is `output`.
  void seed(std::size_t i, const Tensor& output, const Tensor& cotangent) {
    transform::claim(cotangent);
    accumulate(static_cast<std::size_t>(outputs_[i]), output, cotangent);
  }

  void run() {
    const std::span<Node* const> nodes = walk_.nodes();
    for (std::size_t i = nodes.size(); i-- > 0;) {
      if (nodes[i]->is_leaf() || !reaches_[i] || cotangents_[i].empty()) continue;
      propagate(*nodes[i], i);
    }
  }

  /// What arrived at entry `i` of `wrt`, which is `tensor`.
  Tensor take(std::size_t i, const Tensor& tensor) const {
    if (wrt_[i] < 0 || cotangents_[static_cast<std::size_t>(wrt_[i])].empty()) return {};
    return cotangents_[static_cast<std::size_t>(wrt_[i])][static_cast<std::size_t>(tensor.output())];
  }

 private:
  /// Which nodes depend on something in `wrt`. Refuses evaluated values that come from a parameter, unless they are meant
  /// as constants.
  void mark() {
    for (const std::int64_t i : wrt_) {
      if (i >= 0) wanted_[static_cast<std::size_t>(i)] = 1;
    }
    const std::span<Node* const> nodes = walk_.nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      reaches_[i] = wanted_[i];
      const bool stops = nodes[i]->op && nodes[i]->op.as<StopGradient>();
      for (const std::int64_t operand : walk_.operands(i)) {
        const auto j = static_cast<std::size_t>(operand);
        const Node& from = *nodes[j];
        const bool forgot = from.is_leaf() && from.from_parameter && !from.is_parameter && !wanted_[j];
        if (forgot && !stops && evaluated_ == transform::Evaluated::refuse) refuse_evaluated(from);
        if (reaches_[j]) reaches_[i] = 1;
      }
    }
  }

  [[noreturn]] void refuse_evaluated(const Node& node) const {
    throw Error(ErrorKind::state, "gradients", "a tensor between the loss and the parameters was evaluated before")
        .at(where_)
        .operand(std::string(node.op ? node.op.name() : "tensor"), node.specs.front(),
                 "evaluated at " + node.evaluated_at.str())
        .hint(
            "an evaluated tensor is a constant: take the gradients first, or wrap it in stop_gradient() if a constant "
            "is meant");
  }

  void propagate(const Node& node, std::size_t position) {
    SmallVector<Tensor, 2> outputs;
    for (int i = 0; i < static_cast<int>(node.specs.size()); ++i) {
      outputs.emplace_back(Ref<Node>(walk_.nodes()[position]), i);
    }
    VjpArgs args{node.inputs, outputs, cotangents_[position], 0};
    const std::span<const std::int64_t> operands = walk_.operands(position);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (reaches_[static_cast<std::size_t>(operands[i])] && is_floating(node.inputs[i].dtype())) {
        args.wanted |= std::uint64_t{1} << std::min<std::size_t>(i, 63);
      }
    }
    Tensors flows = flows_of(node, args);
    GRADUS_ASSERT(flows.size() == node.inputs.size());
    // A gradient's work belongs to the module, and to the user's line, of the operation that it differentiates.
    const std::string_view called = transform::gradient_name(node.called.empty() ? node.op.name() : node.called);
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (flows[i].defined() && args.wants(static_cast<int>(std::min<std::size_t>(i, 63)))) {
        transform::credit(flows[i], node, called);
        const auto to = static_cast<std::size_t>(operands[i]);
        transform::credit(accumulate(to, node.inputs[i], std::move(flows[i])), node, called);
      }
    }
    // The cotangent of an inner node is not needed again, unless it is itself asked for.
    if (!wanted_[position]) cotangents_[position].clear();
  }

  /// A user's own rule may refuse: the place is where its operation was called.
  static Tensors flows_of(const Node& node, const VjpArgs& args) {
    try {
      return node.op.vjp(args);
    } catch (Error& error) {
      error.at(node.where);
      throw;
    }
  }

  /// Adds to what flows back to `tensor`, and returns the sum.
  const Tensor& accumulate(std::size_t position, const Tensor& tensor, Tensor cotangent) {
    GRADUS_ASSERT(cotangent.spec() == tensor.spec());
    auto& slots = cotangents_[position];
    if (slots.empty()) slots.resize(tensor.node()->specs.size());
    Tensor& slot = slots[static_cast<std::size_t>(tensor.output())];
    if (!slot.defined()) return slot = std::move(cotangent);
    Tensor joined = transform::joined(slot, cotangent);
    return slot = joined.defined() ? std::move(joined) : slot + cotangent;
  }

  transform::IndexedWalk walk_;
  SourceLocation where_;
  transform::Evaluated evaluated_;
  std::vector<std::int64_t> outputs_, wrt_;  // positions
  std::vector<char> reaches_, wanted_;
  std::vector<SmallVector<Tensor, 1>> cotangents_;
};

}  // namespace

namespace transform {

Tensors pull_back(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt,
                  SourceLocation where, Evaluated evaluated) {
  Reverse reverse(outputs, wrt, where, evaluated);
  for (std::size_t i = 0; i < outputs.size(); ++i) reverse.seed(i, outputs[i], cotangents[i]);
  reverse.run();
  Tensors gradients;
  for (std::size_t i = 0; i < wrt.size(); ++i) gradients.push_back(reverse.take(i, wrt[i]));
  return gradients;
}

}  // namespace transform

Tensors vjp(std::span<const Tensor> outputs, std::span<const Tensor> cotangents, std::span<const Tensor> wrt,
            SourceLocation where) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined()) {
      throw Error(ErrorKind::state, "gradients", "the tensor to differentiate is undefined").at(where);
    }
    const Node& node = *outputs[i].node();
    if (node.is_leaf() && node.evaluated_at.known()) {
      throw Error(ErrorKind::state, "gradients", "the tensor to differentiate was evaluated before")
          .at(where)
          .operand("loss", outputs[i].spec(), "evaluated at " + node.evaluated_at.str())
          .hint(
              "take the gradients before item(), to_vector() or eval(); optimizer.minimize(loss) evaluates the loss as "
              "well");
    }
    if (i >= cotangents.size() || cotangents[i].spec() != outputs[i].spec()) {
      Error error(ErrorKind::shape, "vjp", "a cotangent must have the type and shape of its output");
      error.at(where).operand("output", outputs[i].spec());
      if (i < cotangents.size()) error.operand("cotangent", cotangents[i].spec());
      throw error;
    }
  }
  return transform::pull_back(outputs, cotangents, wrt, where, transform::Evaluated::refuse);
}

Tensors vjp(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> cotangents,
            std::initializer_list<Tensor> wrt, SourceLocation where) {
  return vjp(std::span(outputs.begin(), outputs.size()), std::span(cotangents.begin(), cotangents.size()),
             std::span(wrt.begin(), wrt.size()), where);
}

Tensors grad(const Tensor& loss, std::span<const Tensor> wrt, SourceLocation where) {
  if (!loss.defined()) throw Error(ErrorKind::state, "gradients", "the loss is undefined").at(where);
  if (loss.numel() != 1 || loss.rank() != 0) {
    throw Error(ErrorKind::shape, "gradients", "the loss must be a scalar")
        .at(where)
        .operand("loss", loss.spec(), origin(loss))
        .hint("reduce it with mean() or sum(), or use vjp() with a cotangent");
  }
  if (!is_floating(loss.dtype())) {
    throw Error(ErrorKind::dtype, "gradients", "the loss must be floating").at(where).operand("loss", loss.spec());
  }
  const Tensor one = ones(Shape{}, loss.dtype());
  return vjp(std::span(&loss, 1), std::span(&one, 1), wrt, where);
}

Tensors grad(const Tensor& loss, std::initializer_list<Tensor> wrt, SourceLocation where) {
  return grad(loss, std::span(wrt.begin(), wrt.size()), where);
}

}  // namespace gradus
