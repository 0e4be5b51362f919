// A region whose values are folded where they are computed: what the fusion passes make of elementwise operations and the
// reductions that read them.
#pragma once

#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/region.h"

namespace gradus {

/// The first `dense` outputs are those of `region`; what the region computes behind them is folded by `reduce`, and only the
/// folded values leave. All values of the region have the same shape.
struct RegionReduce {
  Region region;
  std::int32_t dense = 0;
  Reduce reduce;

  std::string_view name() const { return "region_reduce"; }
  OpFamily family() const { return OpFamily::reduce; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  /// Exists only below the gradient: asking for one is a defect.
  Tensors vjp(const VjpArgs& args) const { return region.vjp(args); }
  friend bool operator==(const RegionReduce&, const RegionReduce&) = default;
};

}  // namespace gradus
