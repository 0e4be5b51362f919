#include "gradus/graph/tensor.h"

#include <fmt/format.h>

#include <cstring>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"

namespace gradus {
namespace {

[[noreturn]] void refuse_undefined(const char* what) {
  throw Error(ErrorKind::state, what, "the tensor is undefined")
      .hint("a default-constructed Tensor holds nothing; assign one first");
}

}  // namespace

const TensorSpec& Tensor::spec() const {
  if (!node_) refuse_undefined("Tensor::spec");
  return node_->specs[static_cast<std::size_t>(output_)];
}

std::int64_t Tensor::size(int axis) const {
  const int wrapped = axis < 0 ? axis + rank() : axis;
  if (wrapped < 0 || wrapped >= rank()) {
    throw Error(ErrorKind::axis, "Tensor::size", fmt::format("axis {} of a tensor of rank {}", axis, rank()))
        .operand("tensor", spec())
        .hint(rank() == 0 ? "a scalar has no axes" : fmt::format("axes go from {} to {}", -rank(), rank() - 1));
  }
  return shape()[wrapped];
}

bool Tensor::evaluated() const { return node_ && node_->is_leaf(); }

const Ref<Buffer>& Tensor::buffer() const {
  if (!node_) refuse_undefined("Tensor::buffer");
  if (!node_->is_leaf()) {
    throw Error(ErrorKind::state, "Tensor::data", "the tensor is not evaluated yet")
        .operand("tensor", spec(), origin(*this))
        .hint("call eval(tensor) first, or use to_vector()");
  }
  return node_->values[static_cast<std::size_t>(output_)];
}

const std::byte* Tensor::raw_data(DType expected) const {
  const std::byte* data = buffer()->data();
  if (dtype() != expected) {
    throw Error(ErrorKind::dtype, "Tensor::data", fmt::format("asked for elements of type {}", name_of(expected)))
        .operand("tensor", spec())
        .hint("to_vector<T>() converts, cast() makes a tensor of another type");
  }
  return data;
}

Tensor leaf(TensorSpec spec, Ref<Buffer> buffer) {
  GRADUS_ASSERT(buffer && buffer->bytes() >= spec.bytes());
  auto node = Ref<Node>::first(new Node);
  node->specs.push_back(std::move(spec));
  node->values.push_back(std::move(buffer));
  return Tensor(std::move(node), 0);
}

template <class T>
Tensor leaf(const Shape& shape, std::span<const T> elements) {
  const TensorSpec spec{dtype_of<T>, shape};
  if (static_cast<std::size_t>(shape.numel()) != elements.size()) {
    throw Error(ErrorKind::shape, "leaf", fmt::format("{} elements do not fill the shape", elements.size()))
        .operand("tensor", spec, fmt::format("{} elements", shape.numel()));
  }
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  if (!elements.empty()) std::memcpy(buffer->data(), elements.data(), spec.bytes());
  return leaf(spec, std::move(buffer));
}

template Tensor leaf(const Shape&, std::span<const float>);
template Tensor leaf(const Shape&, std::span<const double>);
template Tensor leaf(const Shape&, std::span<const BFloat16>);
template Tensor leaf(const Shape&, std::span<const std::int32_t>);
template Tensor leaf(const Shape&, std::span<const std::int64_t>);
template Tensor leaf(const Shape&, std::span<const std::uint8_t>);
template Tensor leaf(const Shape&, std::span<const bool>);

}  // namespace gradus
