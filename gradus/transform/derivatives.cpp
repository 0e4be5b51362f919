#include "gradus/transform/derivatives.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/view.h"
#include "gradus/transform/jvp.h"
#include "gradus/transform/redirect.h"
#include "gradus/transform/vmap.h"

namespace gradus {
namespace {

/// The unit vectors of a tensor of `spec`: [n, axes of spec...].
Tensor basis(const TensorSpec& spec, SourceLocation where) {
  const std::int64_t n = spec.shape.numel();
  Shape shape{n};
  for (const std::int64_t size : spec.shape) shape.push_back(size);
  return reshape(TensorArg(eye(n, spec.dtype, where), where), shape);
}

Shape joined(const Shape& a, const Shape& b) {
  Shape shape = a;
  for (const std::int64_t size : b) shape.push_back(size);
  return shape;
}

void check_floating(std::string_view role, const Tensor& tensor, SourceLocation where) {
  if (!tensor.defined()) {
    throw Error(ErrorKind::state, "jacobian", fmt::format("the {} is undefined", role)).at(where);
  }
  if (is_floating(tensor.dtype())) return;
  throw Error(ErrorKind::dtype, "jacobian", fmt::format("the {} must be floating", role))
      .at(where)
      .operand(std::string(role), tensor.spec(), origin(tensor));
}

Tensor jacobian_by_rows(const Tensor& output, const Tensor& x, SourceLocation where) {
  const Tensor cotangent = placeholder(output.spec(), where);
  const Tensor row = vjp(std::span(&output, 1), std::span(&cotangent, 1), std::span(&x, 1), where)[0];
  if (!row.defined()) return {};
  const Tensor units = basis(output.spec(), where);
  return vmap(std::span(&row, 1), std::span(&cotangent, 1), std::span(&units, 1), where)[0];
}

Tensor jacobian_by_columns(const Tensor& output, const Tensor& x, SourceLocation where) {
  const Tensor tangent = placeholder(x.spec(), where);
  const Tensor column = jvp({output}, {x}, {tangent}, where)[0];
  if (!column.defined()) return {};
  const Tensor units = basis(x.spec(), where);
  const Tensor columns = vmap(std::span(&column, 1), std::span(&tangent, 1), std::span(&units, 1), where)[0];
  return transpose(TensorArg(reshape(columns, Shape{x.numel(), output.numel()}), where), 0, 1);
}

}  // namespace

Tensor jacobian(const Tensor& output, const Tensor& x, const JacobianOptions& options, SourceLocation where) {
  check_floating("output", output, where);
  check_floating("input", x, where);
  if (output.rank() + x.rank() > Shape::max_rank) {
    throw Error(ErrorKind::shape, "jacobian", fmt::format("more than {} axes", Shape::max_rank))
        .at(where)
        .operand("output", output.spec())
        .operand("input", x.spec())
        .hint("the Jacobian has the axes of both: take it of reshape(output, {-1})");
  }
  const Shape shape = joined(output.shape(), x.shape());
  const bool forward =
      options.mode == JacobianMode::forward || (options.mode == JacobianMode::automatic && x.numel() < output.numel());
  const Tensor result = forward ? jacobian_by_columns(output, x, where) : jacobian_by_rows(output, x, where);
  return result.defined() ? reshape(TensorArg(result, where), shape) : zeros(shape, output.dtype(), where);
}

Tensor hessian(const Tensor& loss, const Tensor& x, SourceLocation where) {
  return hessian(loss, std::span(&x, 1), where)[0][0];
}

std::vector<Tensors> hessian(const Tensor& loss, std::span<const Tensor> wrt, SourceLocation where) {
  const Tensors gradients = grad(loss, wrt, where);
  std::vector<Tensors> blocks;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    Tensors& row = blocks.emplace_back();
    for (const Tensor& x : wrt) {
      check_floating("input", x, where);
      row.push_back(gradients[i].defined() ? jacobian(gradients[i], x, {.mode = JacobianMode::reverse}, where)
                                           : zeros(joined(wrt[i].shape(), x.shape()), wrt[i].dtype(), where));
    }
  }
  return blocks;
}

Tensors hessian_vector_product(const Tensor& loss, std::span<const Tensor> wrt, std::span<const Tensor> vectors,
                               SourceLocation where) {
  if (wrt.size() != vectors.size()) {
    throw Error(ErrorKind::shape, "hessian_vector_product",
                fmt::format("{} vectors for {} tensors", vectors.size(), wrt.size()))
        .at(where);
  }
  const Tensors gradients = grad(loss, wrt, where);
  // The Hessian is symmetric: its product with a vector is the vector's product with it, one more reverse pass.
  Tensors outputs, cotangents;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    if (!wrt[i].defined() || !vectors[i].defined()) continue;
    if (vectors[i].spec() != wrt[i].spec()) {
      throw Error(ErrorKind::shape, "hessian_vector_product", "a vector must have the type and shape of its tensor")
          .at(where)
          .operand("tensor", wrt[i].spec())
          .operand("vector", vectors[i].spec());
    }
    if (!gradients[i].defined()) continue;
    outputs.push_back(gradients[i]);
    cotangents.push_back(vectors[i]);
  }
  return vjp(outputs, cotangents, wrt, where);
}

Tensors hessian_vector_product(const Tensor& loss, std::initializer_list<Tensor> wrt,
                               std::initializer_list<Tensor> vectors, SourceLocation where) {
  return hessian_vector_product(loss, std::span(wrt.begin(), wrt.size()), std::span(vectors.begin(), vectors.size()),
                                where);
}

}  // namespace gradus
