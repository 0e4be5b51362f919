#include "gradus/transform/jvp.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/ops/placeholder.h"
#include "gradus/transform/grad.h"

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
  return vjp(pullback, directions, cotangents_, where);
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
