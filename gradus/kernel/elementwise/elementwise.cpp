// The registry's entries for regions and for single elementwise operations, which are regions of one instruction.
#include "gradus/base/error.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/attach.h"

namespace gradus::kernel {
namespace {

/// One instruction over all inputs, or none: then the first input is the output.
Region flat_region(const Request& request) {
  const TensorSpec& out = request.outputs[0];
  Region region;
  region.space = Shape{out.shape.numel()};
  for (const TensorSpec& input : request.inputs) {
    const std::int64_t stride = input.shape.numel() == out.shape.numel() ? 1 : 0;  // 0: attached, and not read
    region.inputs.push_back({input.dtype, {stride}, 0});
  }
  region.specs = {out};
  region.outputs = {static_cast<std::int32_t>(request.inputs.size())};
  RegionInstruction instruction;
  instruction.in = request.inputs.empty() ? out.dtype : request.inputs.back().dtype;
  instruction.out = out.dtype;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) instruction.args[i] = static_cast<std::int32_t>(i);
  if (const auto* elementwise = request.op.as<Elementwise>()) {
    instruction.code = elementwise->code;
  } else if (const auto* constant = request.op.as<Constant>()) {
    instruction.code = ElementwiseCode::constant;
    instruction.immediate = constant->value;
  } else if (request.op.as<Cast>()) {
    instruction.code = ElementwiseCode::cast;
  } else {
    GRADUS_ASSERT(request.op.as<StopGradient>() || request.op.as<Attach>());
    region.outputs = {0};
    return region;
  }
  region.instructions = {instruction};
  return region;
}

void check_inputs(const Region& region, const Request& request) {
  GRADUS_ASSERT(region.inputs.size() == request.inputs.size());
  for (std::size_t i = 0; i < region.inputs.size(); ++i) {
    const RegionInput& input = region.inputs[i];
    GRADUS_ASSERT(input.dtype == request.inputs[i].dtype);
    std::int64_t lowest = input.offset, highest = input.offset;
    for (int axis = 0; axis < region.space.rank(); ++axis) {
      const std::int64_t reach = (region.space[axis] - 1) * input.strides[static_cast<std::size_t>(axis)];
      (reach < 0 ? lowest : highest) += reach;
    }
    GRADUS_ASSERT(region.space.numel() == 0 || (lowest >= 0 && highest < request.inputs[i].shape.numel()));
  }
}

void check_program(const Region& region) {
  std::vector<DType> types;
  for (const RegionInput& input : region.inputs) types.push_back(input.dtype);
  for (const RegionInstruction& i : region.instructions) {
    const ElementwiseInfo& row = info(i.code);
    for (std::size_t k = 0; k < static_cast<std::size_t>(row.arity); ++k) {
      GRADUS_ASSERT(i.args[k] >= 0 && static_cast<std::size_t>(i.args[k]) < types.size());
      const bool is_condition = row.types == ElementwiseTypes::selection && row.arity == 3 && k == 0;
      GRADUS_ASSERT(types[static_cast<std::size_t>(i.args[k])] == (is_condition ? DType::boolean : i.in));
    }
    types.push_back(i.out);
  }
  GRADUS_ASSERT(region.specs.size() == region.outputs.size());
  for (std::size_t i = 0; i < region.outputs.size(); ++i) {
    const auto value = static_cast<std::size_t>(region.outputs[i]);
    GRADUS_ASSERT(value < types.size() && types[value] == region.specs[i].dtype);
    GRADUS_ASSERT(region.specs[i].shape.numel() == region.space.numel());
  }
}

}  // namespace

Region region_of(const Request& request) {
  const Region* fused = request.op.as<Region>();
  Region region = fused ? *fused : flat_region(request);
  check_inputs(region, request);
  check_program(region);
  return region;
}

std::vector<Implementation> region_kernels() {
  return {{"region", "tiles", &make_tiles}, {"region", "reference", &make_elementwise_reference}};
}

std::vector<Implementation> elementwise_kernels() {
  std::vector<Implementation> all;
  const auto add = [&](std::string_view op) {
    all.push_back({op, "tiles", &make_tiles});
    all.push_back({op, "reference", &make_elementwise_reference});
  };
  for (const std::string_view op : {"constant", "cast", "stop_gradient", "attach"}) add(op);
  for (const ElementwiseCode code : elementwise_codes()) add(info(code).name);
  return all;
}

}  // namespace gradus::kernel
