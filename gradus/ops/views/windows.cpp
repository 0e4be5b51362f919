#include "gradus/ops/views/windows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using detail::refusal;

/// Which element of an axis stands at position `i`, which may lie outside.
std::int64_t source_of(std::int64_t i, std::int64_t size, PadMode mode) {
  if (mode == PadMode::replicate) return std::clamp<std::int64_t>(i, 0, size - 1);
  if (mode == PadMode::circular) return i < 0 ? i + size : i >= size ? i - size : i;
  return i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
}

void check_border(const Tensor& x, int axis, const Padding& padding, PadMode mode, SourceLocation where) {
  const std::int64_t size = x.shape()[axis];
  const std::int64_t most = mode == PadMode::circular ? size : mode == PadMode::reflect ? size - 1 : padding.first;
  if (padding.first < 0 || padding.second < 0) {
    throw refusal(ErrorKind::value, "pad", fmt::format("the padding of axis {} is negative", axis), x, where)
        .hint("slice() removes elements");
  }
  if (size == 0) throw refusal(ErrorKind::shape, "pad", fmt::format("axis {} is empty", axis), x, where);
  if (mode == PadMode::replicate || (padding.first <= most && padding.second <= most)) return;
  throw refusal(ErrorKind::value, "pad",
                fmt::format("the padding of axis {} is {} and {}, expected at most {}", axis, padding.first,
                            padding.second, most),
                x, where);
}

/// [windows, size]: window i begins at i * step; its elements are `dilation` apart.
Tensor window_index(std::int64_t windows, std::int64_t size, std::int64_t step, std::int64_t dilation) {
  std::vector<std::int64_t> index;
  for (std::int64_t i = 0; i < windows; ++i) {
    for (std::int64_t k = 0; k < size; ++k) index.push_back(i * step + k * dilation);
  }
  return from_span(index, Shape{windows, size});
}

/// Patches along both axes of images, and their indexes.
struct Patches {
  std::int64_t rows = 0, columns = 0;
  Tensor row_index, column_index;  // [rows, kh], [columns, kw]

  Patches(const char* op, const Shape& padded, Size2 kernel, const Im2colOptions& o, SourceLocation where) {
    const auto count = [&](std::int64_t size, std::int64_t k, std::int64_t dilation, std::int64_t stride) {
      if (k < 1 || dilation < 1 || stride < 1) {
        throw Error(ErrorKind::value, op, "kernel, dilation and stride must be 1 or more").at(where);
      }
      const std::int64_t extent = dilation * (k - 1) + 1;
      if (extent > size) {
        throw Error(ErrorKind::shape, op, "the kernel is larger than the padded input")
            .at(where)
            .field("kernel", fmt::format("{} x {}", kernel.height, kernel.width))
            .field("padded", fmt::format("{} x {}", padded[2], padded[3]));
      }
      return (size - extent) / stride + 1;
    };
    rows = count(padded[2], kernel.height, o.dilation.height, o.stride.height);
    columns = count(padded[3], kernel.width, o.dilation.width, o.stride.width);
    row_index = window_index(rows, kernel.height, o.stride.height, o.dilation.height);
    column_index = window_index(columns, kernel.width, o.stride.width, o.dilation.width);
  }
};

void check_padding(const char* op, Size2 padding, SourceLocation where) {
  if (padding.height >= 0 && padding.width >= 0) return;
  throw Error(ErrorKind::value, op)
      .at(where)
      .field("padding", fmt::format("{} x {}, expected 0 or more", padding.height, padding.width));
}

}  // namespace

Tensor pad(const TensorArg& x, std::span<const Padding> padding, PadMode mode) {
  if (mode == PadMode::constant) return pad(x, padding, 0.0);
  Tensor input = detail::operand(x, "pad");
  if (static_cast<int>(padding.size()) != input.rank()) {
    throw refusal(ErrorKind::shape, "pad",
                  fmt::format("padding for {} axes given to a tensor with rank {}", padding.size(), input.rank()),
                  input, x.where());
  }
  for (int axis = 0; axis < input.rank(); ++axis) {
    const Padding& around = padding[static_cast<std::size_t>(axis)];
    if (around == Padding{0, 0}) continue;
    check_border(input, axis, around, mode, x.where());
    const std::int64_t size = input.shape()[axis];
    std::vector<std::int64_t> index;
    for (std::int64_t i = -around.first; i < size + around.second; ++i) index.push_back(source_of(i, size, mode));
    input = take(TensorArg(input, x.where()), from_span(index), axis);
  }
  return input;
}

Tensor pad(const TensorArg& x, std::initializer_list<Padding> padding, PadMode mode) {
  return pad(x, std::span(padding.begin(), padding.size()), mode);
}

Tensor unfold(const TensorArg& x, int axis, std::int64_t size, std::int64_t step) {
  const Tensor input = detail::operand(x, "unfold");
  const int at = detail::normalize_axis(axis, input, "unfold", x.where());
  const std::int64_t total = input.shape()[at];
  if (size < 1 || size > total || step < 1) {
    throw refusal(ErrorKind::value, "unfold",
                  fmt::format("windows of {} every {} elements of axis {}, which has {}", size, step, at, total), input,
                  x.where());
  }
  const Tensor windows = take(TensorArg(input, x.where()), window_index((total - size) / step + 1, size, step, 1), at);
  SmallVector<int, 8> order;
  for (int a = 0; a < windows.rank(); ++a) {
    if (a != at + 1) order.push_back(a);
  }
  order.push_back(at + 1);
  return permute(TensorArg(windows, x.where()), std::span<const int>(order));
}

Tensor im2col(const TensorArg& x, Size2 kernel, const Im2colOptions& options) {
  const Tensor input = detail::operand(x, "im2col");
  const SourceLocation where = x.where();
  if (input.rank() != 4) {
    throw refusal(ErrorKind::shape, "im2col", "expected 4 axes: (n, c, h, w)", input, where);
  }
  check_padding("im2col", options.padding, where);
  const Padding rows{options.padding.height, options.padding.height},
      columns{options.padding.width, options.padding.width};
  const Tensor padded = pad(TensorArg(input, where), {{0, 0}, {0, 0}, rows, columns});
  const Patches p("im2col", padded.shape(), kernel, options, where);
  Tensor patches = take(TensorArg(padded, where), p.column_index, 3);  // n, c, h, columns, kw
  patches = take(TensorArg(patches, where), p.row_index, 2);           // n, c, rows, kh, columns, kw
  patches = permute(TensorArg(patches, where), {0, 1, 3, 5, 2, 4});
  const Shape& s = input.shape();
  return reshape(TensorArg(patches, where), Shape{s[0], s[1] * kernel.height * kernel.width, p.rows * p.columns});
}

Tensor col2im(const TensorArg& columns, Size2 output_size, Size2 kernel, const Im2colOptions& options) {
  const Tensor input = detail::operand(columns, "col2im");
  const SourceLocation where = columns.where();
  const std::int64_t window = kernel.height * kernel.width;
  if (input.rank() != 3 || window < 1 || input.shape()[1] % window != 0) {
    throw refusal(ErrorKind::shape, "col2im",
                  fmt::format("expected 3 axes (n, c * {} * {}, patches)", kernel.height, kernel.width), input, where);
  }
  check_padding("col2im", options.padding, where);
  const std::int64_t n = input.shape()[0], c = input.shape()[1] / window;
  const Shape padded{n, c, output_size.height + 2 * options.padding.height,
                     output_size.width + 2 * options.padding.width};
  const Patches p("col2im", padded, kernel, options, where);
  if (input.shape()[2] != p.rows * p.columns) {
    throw refusal(ErrorKind::shape, "col2im",
                  fmt::format("expected {} x {} = {} patches", p.rows, p.columns, p.rows * p.columns), input, where);
  }
  const Shape split{n, c, kernel.height, kernel.width, p.rows, p.columns};
  const Tensor patches = permute(TensorArg(reshape(TensorArg(input, where), split), where), {0, 1, 4, 2, 5, 3});
  const Tensor zero = constant(0, input.dtype());
  const Tensor rows = broadcast_to(zero, Shape{n, c, padded[2], p.columns, kernel.width});
  const Tensor lines = record(TakeAdd{2}, {rows, p.row_index, patches}, where);
  Tensor images = record(TakeAdd{3}, {broadcast_to(zero, padded), p.column_index, lines}, where);
  images = slice(TensorArg(images, where), 2, options.padding.height, options.padding.height + output_size.height);
  return slice(TensorArg(images, where), 3, options.padding.width, options.padding.width + output_size.width);
}

}  // namespace gradus
