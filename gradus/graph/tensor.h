// The tensor: a handle to one output of a node of the lazy graph.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/base/buffer.h"
#include "gradus/base/location.h"
#include "gradus/base/ref.h"
#include "gradus/base/shape.h"

namespace gradus {

struct Node;

/// Nodes are released iteratively, so that a graph of any depth can die without recursion.
template <>
struct RefTraits<Node> {
  static void retain(Node* node) noexcept;
  static void release(Node* node) noexcept;
};

/// An immutable n-dimensional array, evaluated lazily.
///
/// Life of a tensor: an operation *records* it (shapes and types are checked there and then), `eval`, `item`, `to_vector`
/// or an optimizer *evaluates* it, and from then on it is a *leaf*: it holds its elements and forgets what made it.
/// Copying a tensor copies a handle. There are no in-place operations.
class Tensor {
 public:
  /// No tensor at all; `defined()` is false and everything else is an error.
  Tensor() = default;
  /// For the library: output `output` of `node`.
  Tensor(Ref<Node> node, int output) : node_(std::move(node)), output_(output) {}

  bool defined() const { return static_cast<bool>(node_); }
  const TensorSpec& spec() const;
  const Shape& shape() const { return spec().shape; }
  DType dtype() const { return spec().dtype; }
  int rank() const { return shape().rank(); }
  /// Size of one axis; negative axes count from the end. Throws Error(axis).
  std::int64_t size(int axis) const;
  std::int64_t numel() const { return shape().numel(); }
  /// True when the elements are in memory.
  bool evaluated() const;

  /// The only element of a one-element tensor, converted to T. Evaluates. Defined in engine.
  template <class T>
  T item(SourceLocation where = SourceLocation::current()) const;
  /// All elements in row-major order, converted to T. Evaluates. Defined in engine.
  template <class T>
  std::vector<T> to_vector(SourceLocation where = SourceLocation::current()) const;

  /// The elements of an evaluated tensor; throws Error(state) when it is not evaluated, Error(dtype) when T does not fit.
  template <class T>
  std::span<const T> data() const {
    return {reinterpret_cast<const T*>(raw_data(dtype_of<T>)), static_cast<std::size_t>(numel())};
  }
  /// Storage of an evaluated tensor, whatever its type.
  const Ref<Buffer>& buffer() const;

  const Ref<Node>& node() const { return node_; }
  int output() const { return output_; }
  /// Same node and output (not: same elements).
  friend bool operator==(const Tensor&, const Tensor&) = default;

 private:
  const std::byte* raw_data(DType expected) const;

  Ref<Node> node_;
  int output_ = 0;
};

using Tensors = std::vector<Tensor>;

/// Tensors with names, in order: a state dict, the content of a safetensors file.
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// A tensor whose elements are `buffer`; the buffer must hold at least spec.bytes().
Tensor leaf(TensorSpec spec, Ref<Buffer> buffer);

/// A tensor of `spec`, filled by copying `elements`.
template <class T>
Tensor leaf(const Shape& shape, std::span<const T> elements);

/// An operand of an operation: a tensor, something that converts to one (a Parameter), or a number; and the place in the
/// user's program where it was passed. Operations take it in place of `const Tensor&`, also operators, which can have no
/// further arguments. A number takes the type of the tensor that it meets (`x * 2` keeps the type of x).
class TensorArg {
 public:
  TensorArg(const Tensor& tensor, SourceLocation where = SourceLocation::current())  // NOLINT: implicit by design
      : tensor_(tensor), where_(where) {}
  TensorArg(Tensor&& tensor, SourceLocation where = SourceLocation::current())  // NOLINT
      : tensor_(std::move(tensor)), where_(where) {}
  template <class T>
  requires(std::convertible_to<const T&, Tensor> && !std::same_as<T, Tensor> && !std::same_as<T, TensorArg>)
      TensorArg(const T& holder, SourceLocation where = SourceLocation::current())  // NOLINT
      : tensor_(static_cast<Tensor>(holder)), where_(where) {}
  template <class T>
  requires std::is_arithmetic_v<T> TensorArg(T number, SourceLocation where = SourceLocation::current())  // NOLINT
      : number_(static_cast<double>(number)), is_number_(true), number_dtype_(number_type<T>()), where_(where) {}

  const Tensor& tensor() const { return tensor_; }
  /// The tensor, or the leaf that a number becomes by `make_leaf(number, dtype)` when it is first asked for.
  template <class F>
  const Tensor& as_tensor(const F& make_leaf) const {
    if (is_number_ && !tensor_.defined()) tensor_ = make_leaf(number_, number_dtype_);
    return tensor_;
  }
  bool is_number() const { return is_number_; }
  double number() const { return number_; }
  /// f32 for floating, i64 for integral, boolean for bool.
  DType number_dtype() const { return number_dtype_; }
  SourceLocation where() const { return where_; }

 private:
  template <class T>
  static constexpr DType number_type() {
    if constexpr (std::same_as<T, bool>) return DType::boolean;
    return std::is_floating_point_v<T> ? DType::f32 : DType::i64;
  }

  mutable Tensor tensor_;
  double number_ = 0;
  bool is_number_ = false;
  DType number_dtype_ = DType::f32;
  SourceLocation where_;
};

}  // namespace gradus
