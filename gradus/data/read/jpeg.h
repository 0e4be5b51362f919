// JPEG images.
#pragma once

#include <string>

#include "gradus/graph/tensor.h"

namespace gradus::data {

struct JpegOptions {
  /// Channels of the result: 0 as stored (grey 1, colour 3), else 1 (grey: the luma that the file holds) or 3 (RGB).
  int channels = 0;
};

/// Reads a JPEG file, baseline or progressive, as u8 [channels, height, width].
///
/// Throws Error(io) when the file cannot be read; Error(format) when it is no JPEG, is truncated or corrupted, has four
/// channels (CMYK), or its size is beyond 2^28 samples or beyond what a file of this length can hold; Error(value) for any
/// other number of channels. Orientation tags (EXIF) are not applied.
Tensor read_jpeg(const std::string& path, const JpegOptions& options = {});

/// Writes an evaluated u8 tensor [height, width], [1, height, width] or [3, height, width], with 4:4:4 sampling at
/// `quality` 1 to 100. Throws Error(io), Error(dtype), Error(shape), Error(value); leaves no half-written file.
void write_jpeg(const std::string& path, const Tensor& image, int quality = 95);

}  // namespace gradus::data
