// Pooling over windows of images (n, c, h, w):
//
//   max_pool2d(x, 2)                                        halves height and width
//   avg_pool2d(x, {3, 3}, {.stride = 2, .padding = 1})
#pragma once

#include <array>
#include <cstdint>

#include "gradus/graph/op.h"
#include "gradus/graph/tensor.h"
#include "gradus/ops/size2.h"

namespace gradus {

/// Windows of a pooling: attributes are {height, width}. The result has (h + 2 padding - kernel) / stride + 1 rows, rounded
/// down; padding is at most half the kernel, so that every window holds an element.
struct PoolWindows {
  std::array<std::int64_t, 2> kernel{1, 1};
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> padding{0, 0};
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
  friend bool operator==(const MaxPool2dGradient&, const MaxPool2dGradient&) = default;
};

/// (planes, index) -> the elements that the index points to: the transpose of MaxPool2dGradient.
struct MaxPool2dGather {
  std::string_view name() const { return "max_pool2d_gather"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const MaxPool2dGather&, const MaxPool2dGather&) = default;
};

/// Mean of each window. Padding counts as zeros when `count_include_pad`, else it is left out of the mean.
struct AvgPool2d {
  PoolWindows windows;
  bool count_include_pad = true;

  std::string_view name() const { return "avg_pool2d"; }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  Tensors vjp(const VjpArgs& args) const;
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
  friend bool operator==(const AvgPool2dGradient&, const AvgPool2dGradient&) = default;
};

struct MaxPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
};

struct AvgPool2dOptions {
  Size2 stride = 0;  ///< 0: the kernel's size
  Size2 padding = 0;
  bool count_include_pad = true;
};

/// Largest element of each window of `x` (n, c, h, w), f32 or f64. Throws Error(shape) when the kernel is larger than the
/// padded images, Error(value) for a kernel, stride or padding out of range.
Tensor max_pool2d(const TensorArg& x, Size2 kernel, const MaxPool2dOptions& options = {});

/// Mean of each window of `x` (n, c, h, w), f32 or f64. Throws as max_pool2d.
Tensor avg_pool2d(const TensorArg& x, Size2 kernel, const AvgPool2dOptions& options = {});

}  // namespace gradus
