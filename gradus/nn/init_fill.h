// For the initialisers' own sources: leaves written on the host.
#pragma once

#include <span>

#include "gradus/base/error.h"
#include "gradus/graph/tensor.h"

namespace gradus::nn::init {

/// A leaf whose elements `fill(span)` writes. Throws Error(dtype) unless f32 or f64.
template <class Fill>
Tensor filled(const Shape& shape, DType dtype, const char* op, const Fill& fill) {
  const TensorSpec spec{dtype, shape};
  if (dtype != DType::f32 && dtype != DType::f64) {
    throw Error(ErrorKind::dtype, op, "parameters are drawn as f32 or f64").operand("parameter", spec);
  }
  Ref<gradus::Buffer> buffer = gradus::Buffer::allocate(spec.bytes());
  const auto count = static_cast<std::size_t>(shape.numel());
  if (dtype == DType::f32) {
    fill(std::span(reinterpret_cast<float*>(buffer->data()), count));
  } else {
    fill(std::span(reinterpret_cast<double*>(buffer->data()), count));
  }
  return leaf(spec, std::move(buffer));
}

}  // namespace gradus::nn::init
