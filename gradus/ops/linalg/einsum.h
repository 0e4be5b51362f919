// Sums of products by Einstein's notation:
//
//   einsum("bij,bjk->bik", {a, b})      products of stacks of matrices
//   einsum("ii", {a})                   trace
//   einsum("...i,...i->...", {a, b})    scalar products along the last axis
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>

#include "gradus/graph/tensor.h"

namespace gradus {

/// One label (a letter) per axis of each operand, then "->" and those of the result; labels that are not in the result are
/// summed over, and repeated ones within an operand take its diagonal. "..." stands for any axes, which broadcast. Without
/// "->" the result has the axes of "..." and then the labels that occur once, in the order of the alphabet.
///
/// Becomes permutations, reshapes and matrix products, operand by operand from the left. Throws Error(value) that points
/// into the equation, Error(shape) when a label has two sizes, Error(dtype).
Tensor einsum(std::string_view equation, std::span<const Tensor> operands,
              SourceLocation where = SourceLocation::current());
Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands,
              SourceLocation where = SourceLocation::current());

}  // namespace gradus
