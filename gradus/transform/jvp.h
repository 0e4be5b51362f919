// Forward-mode differentiation: how outputs move when inputs do.
//
//   Tensor slope = jvp({y}, {x}, {direction})[0];          // dy/dx * direction, recorded
//
// No operation has a rule for it. The rule of reverse mode is linear in its cotangent, so forward mode is the transpose of
// reverse mode: the pullback of the outputs is recorded for cotangents that are not known yet, and pulled back once more.
// What depends on those cotangents disappears; the result costs what a forward rule would.
#pragma once

#include <initializer_list>
#include <span>

#include "gradus/graph/tensor.h"

namespace gradus {

/// Jacobian-vector products: for each of `outputs` the sum over `wrt` of d output / d wrt times its tangent, recorded and
/// not evaluated, so that they can be differentiated again in either mode. Tangents have the shapes and types of `wrt`; an
/// undefined one is zero. A result is undefined where the output does not depend on what has a tangent, and where it is
/// not floating.
///
/// Throws Error(state) when an output, or something between it and a parameter, has been evaluated already, Error(shape)
/// when a tangent does not have the type and shape of its tensor or their numbers differ.
Tensors jvp(std::span<const Tensor> outputs, std::span<const Tensor> wrt, std::span<const Tensor> tangents,
            SourceLocation where = SourceLocation::current());
Tensors jvp(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> wrt,
            std::initializer_list<Tensor> tangents, SourceLocation where = SourceLocation::current());

/// The derivative of `outputs` with respect to `wrt` as a linear map: recorded once, applied to any number of tangents.
///
///   const Linearized map = linearize({y}, {x});
///   Tensor a = map({u})[0], b = map({v})[0];
class Linearized {
 public:
  /// For linearize().
  Linearized(Tensors outputs, Tensors wrt, SourceLocation where);

  /// As jvp() with these tangents.
  Tensors operator()(std::span<const Tensor> tangents, SourceLocation where = SourceLocation::current()) const;
  Tensors operator()(std::initializer_list<Tensor> tangents, SourceLocation where = SourceLocation::current()) const;

 private:
  Tensors wrt_;
  Tensors cotangents_;  ///< placeholders, one per output; undefined for outputs that are not floating
  Tensors pullback_;    ///< one per entry of wrt_, linear in cotangents_
};

/// Throws as jvp().
Linearized linearize(std::span<const Tensor> outputs, std::span<const Tensor> wrt,
                     SourceLocation where = SourceLocation::current());
Linearized linearize(std::initializer_list<Tensor> outputs, std::initializer_list<Tensor> wrt,
                     SourceLocation where = SourceLocation::current());

}  // namespace gradus
