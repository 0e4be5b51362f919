// A walk over a user's graph whose positions stay valid while rules record, and walk, other graphs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/graph/walk.h"

namespace gradus::transform {

/// Nodes below `roots`, operands before their users, and where each operand stands. The positions of a GraphWalk live in the
/// nodes and are lost at the next walk over them; a rule may start one (checkpoint differentiates inside its own rule).
class IndexedWalk {
 public:
  explicit IndexedWalk(std::span<const Tensor> roots) : walk_(roots) {
    first_operand_.reserve(walk_.nodes().size() + 1);
    operands_.reserve(2 * walk_.nodes().size());
    for (const Node* node : walk_.nodes()) {
      first_operand_.push_back(operands_.size());
      for (const Tensor& input : node->inputs) operands_.push_back(walk_.index(input.node().get()));
    }
    first_operand_.push_back(operands_.size());
  }

  std::span<Node* const> nodes() const { return walk_.nodes(); }
  /// Positions of the operands of node `i`.
  std::span<const std::int64_t> operands(std::size_t i) const {
    return std::span(operands_).subspan(first_operand_[i], first_operand_[i + 1] - first_operand_[i]);
  }
  /// Positions of `tensors`; -1 for undefined ones and those of other graphs. Before the next walk only.
  std::vector<std::int64_t> positions(std::span<const Tensor> tensors) const {
    std::vector<std::int64_t> result;
    for (const Tensor& tensor : tensors) result.push_back(tensor.defined() ? walk_.index(tensor.node().get()) : -1);
    return result;
  }

 private:
  GraphWalk walk_;
  std::vector<std::int64_t> operands_;
  std::vector<std::size_t> first_operand_;
};

}  // namespace gradus::transform
