// PNG images.
#pragma once

#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::data {

struct PngOptions {
  /// Channels of the result: 0 as stored (grey 1, grey with alpha 2, RGB 3, RGBA 4), else 1 (grey) or 3 (RGB).
  int channels = 0;
};

/// Reads a PNG file as u8 [channels, height, width]. Palettes and packed bits are expanded, 16-bit samples are rounded
/// to 8 bits. Colour becomes grey by the luma of ITU-R BT.601 (0.299, 0.587, 0.114), rounded; conversion drops alpha.
///
///   Tensor image = data::read_png("shirt.png", {.channels = 1});   // u8 [1, 28, 28]
///
/// Throws Error(io) when the file cannot be read; Error(format) when it is no PNG, is truncated or corrupted, or its
/// size is beyond 2^28 samples or beyond what a file of this length can hold; Error(value) for any other number of
/// channels.
Tensor read_png(const std::string& path, const PngOptions& options = {});

/// Writes an evaluated u8 tensor [height, width] or [1 to 4 channels, height, width] with 8 bits a sample.
/// Throws Error(io), Error(dtype), Error(shape); leaves no half-written file.
void write_png(const std::string& path, const Tensor& image);

}  // namespace gradus::data
