// A fused region of elementwise operations: what the fusion pass writes and the tile kernel runs.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "gradus/graph/op.h"
#include "gradus/ops/elementwise.h"

namespace gradus {

/// How a region reads one input: element strides over the region's space (0 = broadcast) from `offset`. So broadcasts,
/// transposes and slices in front of a region cost no pass of their own.
struct RegionInput {
  DType dtype = DType::f32;
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t offset = 0;
  friend bool operator==(const RegionInput&, const RegionInput&) = default;
};

/// One step of the program, in single-assignment form: values 0..inputs-1 are the inputs, value inputs+i is what
/// instruction i defines.
struct RegionInstruction {
  ElementwiseCode code{};
  DType in = DType::f32;   ///< type of the operands that are computed with (of `cast`: the source)
  DType out = DType::f32;  ///< type of the result
  std::array<std::int32_t, 3> args{-1, -1, -1};
  double immediate = 0;  ///< of ElementwiseCode::constant
  friend bool operator==(const RegionInstruction&, const RegionInstruction&) = default;
};

/// The operation. Runs its instructions for every point of `space`; outputs are dense over `space`, in row-major order.
struct Region {
  Shape space;
  std::vector<RegionInput> inputs;
  std::vector<RegionInstruction> instructions;
  std::vector<std::int32_t> outputs;  ///< value of each output
  std::vector<TensorSpec> specs;      ///< of each output; its shape has as many elements as `space`

  std::string_view name() const { return "region"; }
  OpFamily family() const { return OpFamily::elementwise; }
  Specs infer(std::span<const TensorSpec>) const { return Specs(std::span<const TensorSpec>(specs)); }
  /// Regions exist only below the gradient: asking for one is a defect.
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const Region&, const Region&) = default;
};

}  // namespace gradus
