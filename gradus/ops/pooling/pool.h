// Pooling over windows of sequences (n, c, l), images (n, c, h, w) and volumes (n, c, d, h, w):
//
//   max_pool2d(x, 2)                                        halves height and width
//   avg_pool2d(x, {3, 3}, {.stride = 2, .padding = 1})
//
// The operations work on images; sequences are images of one row, and volumes are pooled over their planes first and over
// the depth then. Adaptive and global pooling, Lp pooling and unpooling: ops/pooling/adaptive_pool.h.
#pragma once

#include <array>
#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"
#include "gradus/ops/size2.h"

namespace gradus {

/// Windows of a pooling: attributes are {height, width}. The result has (h + 2 padding - dilation (kernel - 1) - 1) / stride
/// + 1 rows, rounded down, or up with `ceil_mode` if the last window then starts inside or in the padding before. Padding is
/// at most half the extent of the kernel, and every window holds an element.
struct PoolWindows {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
  std::array<std::int64_t, 2> dilation{1, 1};
  bool ceil_mode = false;
  friend bool operator==(const PoolWindows&, const PoolWindows&) = default;
};

/// Largest element of each window, and where it lies: outputs are the values and their i32 index h * width + w within the
/// image plane. The first of equal elements wins, NaN wins over everything.
struct MaxPool2d {
  PoolWindows windows;

  std::string_view name() const { return "max_pool2d"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const MaxPool2d&, const MaxPool2d&) = default;
};

/// (cotangent, index) -> planes of height x width, each element of the cotangent added where its index points.
struct MaxPool2dGradient {
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::string_view name() const { return "max_pool2d_gradient"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const MaxPool2dGradient&, const MaxPool2dGradient&) = default;
};

/// (planes, index) -> the elements that the index points to: the transpose of MaxPool2dGradient.
struct MaxPool2dGather {
  std::string_view name() const { return "max_pool2d_gather"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const MaxPool2dGather&, const MaxPool2dGather&) = default;
};

/// Mean of each window; no dilation. Padding counts as zeros when `count_include_pad`, else it is left out of the mean.
struct AvgPool2d {
  PoolWindows windows;
  bool count_include_pad = true;

  std::string_view name() const { return "avg_pool2d"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const AvgPool2d&, const AvgPool2d&) = default;
};

/// Transpose of an average pooling: cotangent -> planes of height x width.
struct AvgPool2dGradient {
  AvgPool2d pool;
  std::int64_t height = 0;
  std::int64_t width = 0;

  std::string_view name() const { return "avg_pool2d_gradient"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const;
  friend bool operator==(const AvgPool2dGradient&, const AvgPool2dGradient&) = default;
};

template <class Size>
struct MaxPoolOptions {
  Size stride = 0;  ///< 0: the kernel's size
  Size padding = 0;
  Size dilation = 1;
  bool ceil_mode = false;  ///< also pool what is left over at the end
};

template <class Size>
struct AvgPoolOptions {
  Size stride = 0;  ///< 0: the kernel's size
  Size padding = 0;
  bool count_include_pad = true;
  bool ceil_mode = false;             ///< also pool what is left over at the end
  std::int64_t divisor_override = 0;  ///< divide the sums by this; 0: by the number of elements
};

using MaxPool1dOptions = MaxPoolOptions<Size1>;
using MaxPool2dOptions = MaxPoolOptions<Size2>;
using MaxPool3dOptions = MaxPoolOptions<Size3>;
using AvgPool1dOptions = AvgPoolOptions<Size1>;
using AvgPool2dOptions = AvgPoolOptions<Size2>;
using AvgPool3dOptions = AvgPoolOptions<Size3>;

/// What a maximum is and where: i64 positions within the sequence, plane (h * width + w) or volume.
struct Pooled {
  Tensor values;
  Tensor indices;
};

/// Largest element of each window of `x` (n, c, l), (n, c, h, w) or (n, c, d, h, w), f32 or f64. Throws Error(shape) when
/// the kernel is larger than the padded input, Error(value) for a kernel, stride, padding or dilation out of range.
Tensor max_pool1d(const TensorArg& x, Size1 kernel, const MaxPool1dOptions& options = {});
Tensor max_pool2d(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options = {});
Tensor max_pool3d(const TensorArg& x, Size3 kernel, const MaxPool3dOptions& options = {});

/// The same with the positions: what PyTorch gives for return_indices, and max_unpool takes.
Pooled max_pool1d_with_indices(const TensorArg& x, Size1 kernel, const MaxPool1dOptions& options = {});
Pooled max_pool2d_with_indices(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options = {});
Pooled max_pool3d_with_indices(const TensorArg& x, Size3 kernel, const MaxPool3dOptions& options = {});

/// Mean of each window of `x` (n, c, l), (n, c, h, w) or (n, c, d, h, w), f32 or f64. Throws as max_pool.
Tensor avg_pool1d(const TensorArg& x, Size1 kernel, const AvgPool1dOptions& options = {});
Tensor avg_pool2d(const TensorArg& x, Size2 kernel, const AvgPool2dOptions& options = {});
Tensor avg_pool3d(const TensorArg& x, Size3 kernel, const AvgPool3dOptions& options = {});

}  // namespace gradus
