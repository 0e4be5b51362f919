// PNG images in memory: for pages and logs that carry their pictures with them.
#pragma once

#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::data {

/// The content of a PNG file of an evaluated u8 tensor [height, width] or [1 to 4 channels, height, width].
/// Throws Error(dtype), Error(shape).
std::string png_bytes(const Tensor& image, SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
