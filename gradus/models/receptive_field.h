// Which part of the input the elements of a tensor depend on, read from the recorded graph.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "gradus/graph/node.h"

namespace gradus::models {

/// What one element sees along one axis of the input behind the channels, as the literature counts it (Araujo, Norris and
/// Sim, "Computing receptive fields of convolutional neural networks", 2019): elements in the padding count, and so do those
/// between the taps of a dilated kernel. Where paths meet it is what any of them sees.
struct ReceptiveField {
  double size = 1;     ///< input elements
  double stride = 1;   ///< input elements from what one element sees to what its neighbour sees; 0: all see the same
  bool whole = false;  ///< all elements of the axis
  friend bool operator==(const ReceptiveField&, const ReceptiveField&) = default;
};

/// Follows the axes of one input through a graph. Operations that are not known to be local, and axes that are merged before
/// they are folded, count as seeing all elements.
class ReceptiveFields {
 public:
  /// The input is (n, channels, axes...).
  explicit ReceptiveFields(const Tensor& input);

  /// Takes the nodes of the graph, operands first.
  void add(const Node& node);
  /// One for each axis of the input behind the channels; none for a node that does not depend on it.
  std::vector<ReceptiveField> of(const Node* node) const;
  /// Whether there was a convolution or a pooling: without, fields mean little.
  bool has_windows() const { return has_windows_; }

  /// Position i sees [start + i stride, start + i stride + size), all positions together [low, high).
  struct Along {
    int axis = -1;            ///< of the tensor; -1: the elements do not lie along an axis any more
    std::int64_t period = 1;  ///< where axes were merged, element k of `axis` has position k / period % count
    bool merged = false;
    std::int64_t count = 1;
    double start = 0, stride = 1, size = 1, low = 0, high = 1;
    double extent = 1;  ///< elements of the input axis
  };

 private:
  const Node* input_;
  std::unordered_map<const Node*, std::vector<Along>> along_;
  bool has_windows_ = false;
};

}  // namespace gradus::models
