#include "gradus/ops/pooling/adaptive_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/concat.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/operands.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

using Sizes = std::span<const std::int64_t>;

std::string sizes_str(Sizes sizes) { return fmt::format("{}", fmt::join(sizes, " x ")); }

/// The operand, with `axes` axes behind the channels; empty ones are allowed in front only.
Tensor pool_operand(const char* op, const TensorArg& argument, std::size_t axes) {
  const Tensor& x = detail::tensor_operand(op, "input", argument, argument.where());
  const int rank = static_cast<int>(axes) + 2;
  constexpr const char* layouts[] = {"(n, c, l)", "(n, c, h, w)", "(n, c, d, h, w)"};
  if (x.rank() != rank) {
    throw detail::refusal(ErrorKind::shape, op, fmt::format("expected {} axes: {}", rank, layouts[axes - 1]), x,
                          argument.where());
  }
  if (!is_floating(x.dtype())) {
    throw detail::refusal(ErrorKind::dtype, op, "expected floating elements", x, argument.where());
  }
  for (int axis = 2; axis < rank; ++axis) {
    if (x.shape()[axis] > 0) continue;
    throw detail::refusal(ErrorKind::shape, op, fmt::format("axis {} is empty", axis), x, argument.where());
  }
  return x;
}

void check_sizes(const char* op, Sizes sizes, SourceLocation where) {
  if (std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size >= 1; })) return;
  throw Error(ErrorKind::value, op).at(where).field("size", sizes_str(sizes) + ", expected 1 or more");
}

/// The parts of one axis as an index [parts, longest]: a shorter part repeats its last element.
struct Parts {
  std::vector<std::int64_t> index, lengths;
  std::int64_t longest = 0;

  Parts(std::int64_t size, std::int64_t parts) {
    const auto begin = [&](std::int64_t i) { return i * size / parts; };
    const auto end = [&](std::int64_t i) { return ((i + 1) * size + parts - 1) / parts; };
    for (std::int64_t i = 0; i < parts; ++i) {
      lengths.push_back(end(i) - begin(i));
      longest = std::max(longest, lengths.back());
    }
    for (std::int64_t i = 0; i < parts; ++i) {
      for (std::int64_t k = 0; k < longest; ++k) index.push_back(std::min(begin(i) + k, end(i) - 1));
    }
  }
  Tensor index_tensor() const { return from_span(index, Shape{static_cast<std::int64_t>(lengths.size()), longest}); }
};

bool divides(const Shape& shape, Sizes sizes) {
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (shape[static_cast<int>(i) + 2] % sizes[i] != 0) return false;
  }
  return true;
}

/// [.., size, ..] -> [.., parts, .., ..] with the mean of each part.
Tensor average_axis(const Tensor& x, int axis, std::int64_t size) {
  const Parts parts(x.shape()[axis], size);
  const Tensor windows = take(x, parts.index_tensor(), axis);  // [.., parts, longest, ..]
  Shape column{size, 1};
  for (int i = axis + 1; i < x.rank(); ++i) column.push_back(1);
  Shape row{parts.longest};
  for (int i = axis + 1; i < x.rank(); ++i) row.push_back(1);
  const Tensor lengths = from_span(parts.lengths, column);
  const Tensor inside = less(reshape(arange(parts.longest), row), lengths);
  const Tensor kept = where(inside, windows, constant(0, x.dtype()));
  return sum(kept, axis + 1) / cast(squeeze(lengths, 1), x.dtype());
}

template <class Size>
Size divided(const Shape& shape, Sizes sizes) {
  std::array<std::int64_t, 3> kernel{1, 1, 1};
  for (std::size_t i = 0; i < sizes.size(); ++i) kernel[i] = shape[static_cast<int>(i) + 2] / sizes[i];
  if constexpr (sizeof(Size) == sizeof(Size1)) return Size(kernel[0]);
  if constexpr (sizeof(Size) == sizeof(Size2)) return Size(kernel[0], kernel[1]);
  if constexpr (sizeof(Size) == sizeof(Size3)) return Size(kernel[0], kernel[1], kernel[2]);
}

Tensor average_windows(const TensorArg& x, Size1 kernel) { return avg_pool1d(x, kernel); }
Tensor average_windows(const TensorArg& x, Size2 kernel) { return avg_pool2d(x, kernel); }
Tensor average_windows(const TensorArg& x, Size3 kernel) { return avg_pool3d(x, kernel); }
Pooled largest_of_windows(const TensorArg& x, Size1 kernel) { return max_pool1d_with_indices(x, kernel); }
Pooled largest_of_windows(const TensorArg& x, Size2 kernel) { return max_pool2d_with_indices(x, kernel); }
Pooled largest_of_windows(const TensorArg& x, Size3 kernel) { return max_pool3d_with_indices(x, kernel); }

template <class Size>
Tensor adaptive_average(const char* op, const TensorArg& argument, Size size) {
  const auto sizes = size.array();
  Tensor x = pool_operand(op, argument, sizes.size());
  check_sizes(op, sizes, argument.where());
  if (divides(x.shape(), sizes)) return average_windows(argument, divided<Size>(x.shape(), sizes));
  for (std::size_t i = sizes.size(); i-- > 0;) x = average_axis(x, static_cast<int>(i) + 2, sizes[i]);
  return x;
}

template <class Size>
Pooled adaptive_maximum(const char* op, const TensorArg& argument, Size size) {
  const auto sizes = size.array();
  Tensor x = pool_operand(op, argument, sizes.size());
  check_sizes(op, sizes, argument.where());
  if (divides(x.shape(), sizes)) return largest_of_windows(argument, divided<Size>(x.shape(), sizes));
  const Shape& plane = x.shape();
  Shape flat = plane;
  flat.set(0, 1);
  flat.set(1, 1);
  Tensor at = broadcast_to(reshape(arange(flat.numel()), flat), plane);
  for (std::size_t i = sizes.size(); i-- > 0;) {
    const int axis = static_cast<int>(i) + 2;
    const Tensor index = Parts(x.shape()[axis], sizes[i]).index_tensor();
    const Tensor windows = take(x, index, axis);
    const Tensor best = argmax(windows, axis + 1, {.keepdim = true});
    x = squeeze(gather(windows, axis + 1, best), axis + 1);
    at = squeeze(gather(take(at, index, axis), axis + 1, best), axis + 1);
  }
  return {x, at};
}

/// The same over everything behind the channels.
Axes behind_channels(const char* op, const TensorArg& argument) {
  const Tensor& x = detail::tensor_operand(op, "input", argument, argument.where());
  if (x.rank() < 3) {
    throw detail::refusal(ErrorKind::shape, op, "expected 3 or more axes: (n, c, ...)", x, argument.where());
  }
  SmallVector<int, 4> axes;
  for (int axis = 2; axis < x.rank(); ++axis) axes.push_back(axis);
  return {std::span<const int>(axes)};
}

template <class Size>
Tensor max_unpool(const char* op, const TensorArg& argument, const TensorArg& indices_arg, Size kernel,
                  const MaxUnpoolOptions<Size>& options) {
  const auto kernels = kernel.array(), strides = options.stride.array(), paddings = options.padding.array();
  const Tensor x = pool_operand(op, argument, kernels.size());
  const Tensor& indices = detail::tensor_operand(op, "indices", indices_arg, argument.where());
  if (indices.shape() != x.shape()) {
    throw Error(ErrorKind::shape, op)
        .at(argument.where())
        .operand("input", x.spec())
        .operand("indices", indices.spec(), "expected the shape of the input");
  }
  Shape shape{x.shape()[0], x.shape()[1]};
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const int axis = static_cast<int>(i) + 2;
    const std::int64_t stride = strides[i] == 0 ? kernels[i] : strides[i];
    const std::int64_t usual = (x.shape()[axis] - 1) * stride - 2 * paddings[i] + kernels[i];
    const std::int64_t size = options.output_size ? options.output_size->array()[i] : usual;
    if (size < 1 || size <= usual - stride || size >= usual + stride) {
      throw Error(ErrorKind::value, op)
          .at(argument.where())
          .operand("input", x.spec())
          .field("output_size", fmt::format("axis {} would be {}, expected {} to {}", axis, size,
                                            std::max<std::int64_t>(1, usual - stride + 1), usual + stride - 1));
    }
    shape.push_back(size);
  }
  const Shape flat{shape[0], shape[1], shape.numel(2, shape.rank())};
  const Tensor places = flatten(indices, 2), values = flatten(TensorArg(x, argument.where()), 2);
  const Tensor base = broadcast_to(constant(0, x.dtype()), flat);
  return reshape(scatter(TensorArg(base, argument.where()), 2, places, values), shape);
}

template <class Size>
AvgPoolOptions<Size> average_options(const LpPoolOptions<Size>& options) {
  return {.stride = options.stride, .ceil_mode = options.ceil_mode};
}

template <class Size>
Tensor lp_pool(const char* op, const TensorArg& argument, double p, Size kernel, const LpPoolOptions<Size>& options,
               Tensor (*average)(const TensorArg&, Size, const AvgPoolOptions<Size>&)) {
  const Tensor x = pool_operand(op, argument, kernel.array().size());
  if (!(p > 0)) throw Error(ErrorKind::value, op).at(argument.where()).field("p", fmt::format("{}, expected > 0", p));
  double elements = 1;
  for (const std::int64_t size : kernel.array()) elements *= static_cast<double>(size);
  const Tensor means = average(TensorArg(pow(TensorArg(x, argument.where()), constant(p, x.dtype())), argument.where()),
                               kernel, average_options(options));
  const Tensor positive = greater(means, constant(0, x.dtype()));
  const Tensor sums = where(positive, means * constant(elements, x.dtype()), constant(1, x.dtype()));
  return where(positive, pow(sums, constant(1 / p, x.dtype())), constant(0, x.dtype()));
}

}  // namespace

Tensor adaptive_avg_pool1d(const TensorArg& x, Size1 size) { return adaptive_average("adaptive_avg_pool1d", x, size); }
Tensor adaptive_avg_pool2d(const TensorArg& x, Size2 size) { return adaptive_average("adaptive_avg_pool2d", x, size); }
Tensor adaptive_avg_pool3d(const TensorArg& x, Size3 size) { return adaptive_average("adaptive_avg_pool3d", x, size); }

Pooled adaptive_max_pool1d_with_indices(const TensorArg& x, Size1 size) {
  return adaptive_maximum("adaptive_max_pool1d", x, size);
}
Pooled adaptive_max_pool2d_with_indices(const TensorArg& x, Size2 size) {
  return adaptive_maximum("adaptive_max_pool2d", x, size);
}
Pooled adaptive_max_pool3d_with_indices(const TensorArg& x, Size3 size) {
  return adaptive_maximum("adaptive_max_pool3d", x, size);
}
Tensor adaptive_max_pool1d(const TensorArg& x, Size1 size) { return adaptive_max_pool1d_with_indices(x, size).values; }
Tensor adaptive_max_pool2d(const TensorArg& x, Size2 size) { return adaptive_max_pool2d_with_indices(x, size).values; }
Tensor adaptive_max_pool3d(const TensorArg& x, Size3 size) { return adaptive_max_pool3d_with_indices(x, size).values; }

Tensor global_avg_pool(const TensorArg& x) {
  const Tensor pooled = mean(x, behind_channels("global_avg_pool", x), {.keepdim = true});
  for (Node* node = pooled.node().get(); node->called == "mean" && node != x.tensor().node().get();
       node = node->inputs[0].node().get()) {
    node->called = "global_avg_pool";
  }
  return pooled;
}
Tensor global_max_pool(const TensorArg& x) { return max(x, behind_channels("global_max_pool", x), {.keepdim = true}); }

Tensor max_unpool1d(const TensorArg& x, const TensorArg& indices, Size1 kernel,
                    const MaxUnpoolOptions<Size1>& options) {
  return max_unpool("max_unpool1d", x, indices, kernel, options);
}
Tensor max_unpool2d(const TensorArg& x, const TensorArg& indices, Size2 kernel,
                    const MaxUnpoolOptions<Size2>& options) {
  return max_unpool("max_unpool2d", x, indices, kernel, options);
}
Tensor max_unpool3d(const TensorArg& x, const TensorArg& indices, Size3 kernel,
                    const MaxUnpoolOptions<Size3>& options) {
  return max_unpool("max_unpool3d", x, indices, kernel, options);
}

Tensor lp_pool1d(const TensorArg& x, double p, Size1 kernel, const LpPoolOptions<Size1>& options) {
  return lp_pool("lp_pool1d", x, p, kernel, options, avg_pool1d);
}
Tensor lp_pool2d(const TensorArg& x, double p, Size2 kernel, const LpPoolOptions<Size2>& options) {
  return lp_pool("lp_pool2d", x, p, kernel, options, avg_pool2d);
}
Tensor lp_pool3d(const TensorArg& x, double p, Size3 kernel, const LpPoolOptions<Size3>& options) {
  return lp_pool("lp_pool3d", x, p, kernel, options, avg_pool3d);
}

}  // namespace gradus
