#include "gradus/transform/jvp.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/indexed_walk.h"
#include "gradus/transform/redirect.h"
#include "gradus/transform/reverse.h"

namespace gradus {
namespace {

void check_output(const Tensor& output, SourceLocation where) {
  if (!output.defined()) {
    throw Error(ErrorKind::state, "jvp", "the tensor to differentiate is undefined").at(where);
  }
  const Node& node = *output.node();
  if (!node.is_leaf() || !node.evaluated_at.known()) return;
  throw Error(ErrorKind::state, "jvp", "the tensor to differentiate was evaluated before")
      .at(where)
      .operand("output", output.spec(), "evaluated at " + node.evaluated_at.str())
      .hint("take the derivatives before item(), to_vector() or eval()");
}

/// What is left of `results` without the cotangents that stood in for those to come. The values do not depend on them, but a
/// barrier may wait for them. Throws Error(usage) when a value does depend on one: somebody's rule is not linear.
class Untied {
 public:
  Untied(std::span<const Tensor> results, std::span<const Tensor> cotangents) : walk_(results) {
    kept_.resize(walk_.nodes().size());
    const std::vector<std::int64_t> positions = walk_.positions(results);
    std::vector<char> unknown(walk_.nodes().size(), 0);
    bool found = false;
    for (const std::int64_t i : walk_.positions(cotangents)) {
      if (i >= 0) unknown[static_cast<std::size_t>(i)] = found = true;
    }
    for (std::size_t i = 0; found && i < walk_.nodes().size(); ++i) visit(i, unknown);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (positions[i] < 0) {
        results_.emplace_back();
        continue;
      }
      const auto at = static_cast<std::size_t>(positions[i]);
      if (unknown[at]) {
        throw Error(ErrorKind::usage, "jvp", "a gradient rule is not linear in its cotangent")
            .operand("output", results[i].spec(), origin(results[i]))
            .hint("vjp() of a custom gradient must be linear in args.cotangents, or forward mode does not exist");
      }
      results_.push_back(kept_[at].empty() ? results[i] : kept_[at][static_cast<std::size_t>(results[i].output())]);
    }
  }

  Tensors take() { return std::move(results_); }

 private:
  void visit(std::size_t i, std::vector<char>& unknown) {
    const Node& node = *walk_.nodes()[i];
    const bool barrier = node.op && node.op.as<Barrier>();
    Tensors operands;
    bool changed = false;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const auto from = static_cast<std::size_t>(walk_.operands(i)[k]);
      if (unknown[from]) {
        changed = true;
        if (barrier && k > 0) continue;
        unknown[i] = 1;
        return;
      }
      changed = changed || !kept_[from].empty();
      operands.push_back(kept_[from].empty() ? node.inputs[k]
                                             : kept_[from][static_cast<std::size_t>(node.inputs[k].output())]);
    }
    if (!changed) return;
    if (barrier && operands.size() == 1) {
      kept_[i] = operands;
      return;
    }
    kept_[i] = record_all(node.op, operands, node.where);
    kept_[i][0].node()->label = node.label;
    kept_[i][0].node()->called = node.called;
  }

  transform::IndexedWalk walk_;
  std::vector<Tensors> kept_;  ///< outputs of nodes that were recorded again
  Tensors results_;
};

}  // namespace

Linearized::Linearized(Tensors outputs, Tensors wrt, SourceLocation where)
    : wrt_(std::move(wrt)), cotangents_(outputs.size()) {
  Tensors floating, cotangents;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    check_output(outputs[i], where);
    if (!is_floating(outputs[i].dtype())) continue;
    cotangents_[i] = placeholder(outputs[i].spec(), where);
    floating.push_back(outputs[i]);
    cotangents.push_back(cotangents_[i]);
  }
  pullback_ = vjp(floating, cotangents, wrt_, where);
}

Tensors Linearized::operator()(std::span<const Tensor> tangents, SourceLocation where) const {
  if (tangents.size() != wrt_.size()) {
    throw Error(ErrorKind::shape, "jvp", fmt::format("{} tangents for {} tensors", tangents.size(), wrt_.size()))
        .at(where)
        .hint("pass one tangent per tensor; an undefined one is zero");
  }
  Tensors pullback, directions;
  for (std::size_t i = 0; i < tangents.size(); ++i) {
    if (!tangents[i].defined() || !wrt_[i].defined()) continue;
    if (tangents[i].spec() != wrt_[i].spec()) {
      throw Error(ErrorKind::shape, "jvp", "a tangent must have the type and shape of its tensor")
          .at(where)
          .operand("tensor", wrt_[i].spec())
          .operand("tangent", tangents[i].spec());
    }
    if (!pullback_[i].defined()) continue;
    pullback.push_back(pullback_[i]);
    directions.push_back(tangents[i]);
  }
  // The way from the pullback to its cotangents leads through nothing that can have been evaluated.
  const Tensors results =
      transform::pull_back(pullback, directions, cotangents_, where, transform::Evaluated::constant);
  try {
    return Untied(results, cotangents_).take();
  } catch (Error& error) {
    error.at(where);
    throw;
  }
}

Tensors Linearized::operator()(std::initializer_list<Tensor> tangents, SourceLocation where) const {
  return (*this)(std::span(tangents.begin(), tangents.size()), where);
}

Linearized linearize(std::span<const Tensor> outputs, std::span<const Tensor> wrt, SourceLocation where) {
  return Linearized(Tensors(outputs.begin(), outputs.end()), Tensors(wrt.begin(), wrt.end()), where);
}

Linearized linearize(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> wrt, SourceLocation where) {
  return Linearized(Tensors(outputs), Tensors(wrt), where);
}

Tensors jvp(std::span<const Tensor> outputs, std::span<const Tensor> wrt, std::span<const Tensor> tangents,
            SourceLocation where) {
  return linearize(outputs, wrt, where)(tangents, where);
}

Tensors jvp(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> wrt,
            std::initializer_list<Tensor> tangents, SourceLocation where) {
  return jvp(std::span(outputs.begin(), outputs.size()), std::span(wrt.begin(), wrt.size()),
             std::span(tangents.begin(), tangents.size()), where);
}

}  // namespace gradus
