// What the implementations of regions share.
#pragma once

#include "gradus/kernel/kernel.h"
#include "gradus/ops/region.h"

namespace gradus::kernel {

/// The request as a region: itself, or one instruction over a flat space (Elementwise, Cast, Constant, StopGradient).
/// Asserts that the region is well-formed and stays inside its inputs.
Region region_of(const Request& request);

std::unique_ptr<Kernel> make_tiles(const Request& request, std::string& reason);
std::unique_ptr<Kernel> make_elementwise_reference(const Request& request, std::string& reason);

}  // namespace gradus::kernel
