// Nodes of the lazy graph, and the one way to make them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/pool.h"
#include "gradus/base/small_vector.h"
#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"

namespace gradus {

/// A path or a parameter's name, interned for the life of the program: labels compare by pointer.
using Label = const std::string*;
Label intern(std::string_view text);

/// One operation with its operands. A node owns its outputs. It changes once: the executor sets `values` and drops
/// `inputs`, and the node is a leaf from then on.
struct Node : RefCounted, pool::Pooled {
  // In the order in which walks read them: the first cache line is all that most of them need.
  bool is_parameter = false;           ///< a trainable parameter's leaf
  bool from_parameter = false;         ///< a parameter lies among its ancestors
  Op op;                               ///< of a leaf: what made it, if anything, for messages
  SmallVector<Ref<Buffer>, 1> values;  ///< one per output once evaluated
  Label label = nullptr;               ///< of a parameter: its dotted name; of an operation: the module nearest to it
  std::uint64_t walk_id = 0;           ///< scratch of the walk with this number: only for nodes that are not leaves
  union {
    std::int64_t walk_index = 0;
    Node* next_dying;  ///< of a node that nobody holds any more
  };
  SmallVector<Tensor, 3> inputs;
  Specs specs;
  SourceLocation where;         ///< the user's call
  std::string_view called;      ///< the user function's name where it is not the op's: "flatten" for a reshape
  SourceLocation evaluated_at;  ///< where it was evaluated; unknown for a leaf that was made as one

  bool is_leaf() const { return !values.empty(); }

  Node();
  ~Node();
};

/// A tensor, or something that holds one, lent for the length of a call.
class Lent {
 public:
  Lent(const Tensor& tensor) : tensor_(&tensor) {}  // NOLINT: implicit by design
  template <class T>
  requires requires(const T& holder) { holder.operator const Tensor&(); }
  Lent(const T& holder) : tensor_(&holder.operator const Tensor&()) {}  // NOLINT
  operator const Tensor&() const { return *tensor_; }                   // NOLINT

 private:
  const Tensor* tensor_;
};

/// Records `op` on `inputs` and returns its outputs. Runs the op's shape rule first; its Error gets the location and the
/// origin of the operands.
Tensors record_all(Op op, std::span<const Tensor> inputs, SourceLocation where);
/// The same for an operation with one output.
Tensor record(Op op, std::initializer_list<Lent> inputs, SourceLocation where = {});
Tensor record(Op op, std::span<const Lent> inputs, SourceLocation where);

/// For the executor: gives a recorded node its elements (one buffer per output) and drops its inputs.
void publish(Node& node, SmallVector<Ref<Buffer>, 1> values, SourceLocation where) noexcept;

/// "flatten of f32 [32, 1, 28, 27]", "conv1.weight", "a leaf": where a tensor comes from, for messages.
std::string origin(const Tensor& tensor);

/// Number of nodes that are recorded and not evaluated, over the whole process: a training loop returns to its baseline
/// after each step.
std::int64_t live_nodes();

}  // namespace gradus
