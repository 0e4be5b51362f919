// Borders and sliding windows: padding that repeats the input, windows as an axis, columns of images, other resolutions.
//
//   pad(images, {{0, 0}, {0, 0}, {2, 2}, {2, 2}}, PadMode::reflect)
//   unfold(signal, -1, 400, 160)                   [.., n] -> [.., frames, 400]
//   interpolate(images, {56, 56}, {.mode = Interpolation::bilinear})
//   interpolate(images, ScaleFactor(2))
//
// All of it is `take` with indexes that are made here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>

#include "gradus/base/small_vector.h"
#include "gradus/graph/tensor.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/size2.h"

namespace gradus {

enum class PadMode : std::uint8_t {
  constant,   ///< zeros; other values: the `pad` with a number
  reflect,    ///< mirrored without the border: dcb|abcd|cba; at most size - 1 elements
  replicate,  ///< the border: aaa|abcd|ddd
  circular    ///< the other end: bcd|abcd|abc; at most size elements
};

/// `x` with elements of its own around it: one {before, after} per axis. Throws Error(shape, value).
Tensor pad(const TensorArg& x, std::span<const Padding> padding, PadMode mode);
Tensor pad(const TensorArg& x, std::initializer_list<Padding> padding, PadMode mode);

/// Windows of `size` elements every `step` elements of `axis`, as a new last axis; PyTorch's Tensor.unfold. Throws
/// Error(value) for a size that the axis does not have, or a step below 1.
Tensor unfold(const TensorArg& x, int axis, std::int64_t size, std::int64_t step);

struct Im2colOptions {
  Size2 dilation = 1;
  Size2 padding = 0;
  Size2 stride = 1;
};

/// The patches of images as columns: (n, c, h, w) -> (n, c kh kw, patches), row-major; PyTorch's functional.unfold. A
/// convolution is a matrix product with these. Throws Error(shape, value).
Tensor im2col(const TensorArg& x, Size2 kernel, const Im2colOptions& options = {});
/// The transpose of im2col: the columns added where they were taken from, PyTorch's functional.fold:
/// (n, c kh kw, patches) -> (n, c, h, w).
Tensor col2im(const TensorArg& columns, Size2 output_size, Size2 kernel, const Im2colOptions& options = {});

enum class Interpolation : std::uint8_t {
  nearest,    ///< the element at floor(i in / out)
  linear,     ///< between the two nearest of a sequence (n, c, l)
  bilinear,   ///< between the four nearest of images (n, c, h, w)
  trilinear,  ///< between the eight nearest of volumes (n, c, d, h, w)
  bicubic     ///< cubic convolution of 4 x 4 elements of images, a = -0.75 (Keys, 1981); may overshoot
};

struct InterpolateOptions {
  Interpolation mode = Interpolation::nearest;
  /// Whether the corner elements keep their places; else the corners of the elements' areas do. Not for nearest.
  bool align_corners = false;
};

/// `x` (n, c, l), (n, c, h, w) or (n, c, d, h, w) at another resolution: one size per axis behind the channels. Throws
/// Error(shape, value).
Tensor interpolate(const TensorArg& x, std::span<const std::int64_t> size, const InterpolateOptions& options = {});
Tensor interpolate(const TensorArg& x, std::initializer_list<std::int64_t> size,
                   const InterpolateOptions& options = {});

/// How many times larger each axis behind the channels becomes; one number for all.
struct ScaleFactor {
  SmallVector<double, 3> factors;
  ScaleFactor(double all) : factors{all} {}                           // NOLINT: `interpolate(x, ScaleFactor(2))`
  ScaleFactor(std::initializer_list<double> each) : factors(each) {}  // NOLINT
  explicit ScaleFactor(std::span<const double> each) : factors(each) {}
};
/// The same with sizes floor(size * factor); positions follow from the factors, as PyTorch's do. Throws Error(value) unless
/// the factors are positive.
Tensor interpolate(const TensorArg& x, const ScaleFactor& scale, const InterpolateOptions& options = {});

/// Channels become pixels (Shi et al., 2016): (n, c r r, h, w) -> (n, c, h r, w r) with r = upscale_factor. Throws
/// Error(shape) when r r does not divide the channels, Error(value) for r < 1.
Tensor pixel_shuffle(const TensorArg& x, std::int64_t upscale_factor);
/// The way back: (n, c, h r, w r) -> (n, c r r, h, w) with r = downscale_factor. Throws as pixel_shuffle.
Tensor pixel_unshuffle(const TensorArg& x, std::int64_t downscale_factor);

}  // namespace gradus
