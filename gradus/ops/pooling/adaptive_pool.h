// Poolings that are made of others: to a given size, over everything, by a p-norm; and the way back from a maximum.
//
//   adaptive_avg_pool2d(x, {7, 7})                          (n, c, h, w) -> (n, c, 7, 7)
//   auto [y, at] = max_pool2d_with_indices(x, 2);
//   max_unpool2d(y, at, 2)                                  the maxima at their places, zeros elsewhere
#pragma once

#include <cstdint>
#include <optional>

#include "gradus/ops/pooling/pool.h"

namespace gradus {

/// Mean over windows that divide each axis evenly into `size` parts: part i of an axis of n elements reaches from
/// floor(i n / size) to ceil((i + 1) n / size). `x` (n, c, l), (n, c, h, w) or (n, c, d, h, w); f32 or f64. Throws
/// Error(value) unless the sizes are 1 or more, Error(shape) for another rank or empty axes.
Tensor adaptive_avg_pool1d(const TensorArg& x, Size1 size);
Tensor adaptive_avg_pool2d(const TensorArg& x, Size2 size);
Tensor adaptive_avg_pool3d(const TensorArg& x, Size3 size);

/// Largest elements of the same windows; the first of equal ones. Throws as adaptive_avg_pool.
Tensor adaptive_max_pool1d(const TensorArg& x, Size1 size);
Tensor adaptive_max_pool2d(const TensorArg& x, Size2 size);
Tensor adaptive_max_pool3d(const TensorArg& x, Size3 size);
/// The same with their positions, as max_pool2d_with_indices gives them.
Pooled adaptive_max_pool1d_with_indices(const TensorArg& x, Size1 size);
Pooled adaptive_max_pool2d_with_indices(const TensorArg& x, Size2 size);
Pooled adaptive_max_pool3d_with_indices(const TensorArg& x, Size3 size);

/// Mean and maximum over all axes behind the channels, which stay with size 1: (n, c, h, w) -> (n, c, 1, 1).
Tensor global_avg_pool(const TensorArg& x);
Tensor global_max_pool(const TensorArg& x);

template <class Size>
struct MaxUnpoolOptions {
  Size stride = 0;  ///< 0: the kernel's size
  Size padding = 0;
  std::optional<Size> output_size = {};  ///< default: (size - 1) stride - 2 padding + kernel
};

/// Puts the elements of `x` at the positions that max_pool2d_with_indices gave, zeros elsewhere; of several for one place
/// the last. Throws Error(shape, dtype, index) when the positions do not fit.
Tensor max_unpool1d(const TensorArg& x, const TensorArg& indices, Size1 kernel,
                    const MaxUnpoolOptions<Size1>& options = {});
Tensor max_unpool2d(const TensorArg& x, const TensorArg& indices, Size2 kernel,
                    const MaxUnpoolOptions<Size2>& options = {});
Tensor max_unpool3d(const TensorArg& x, const TensorArg& indices, Size3 kernel,
                    const MaxUnpoolOptions<Size3>& options = {});

template <class Size>
struct LpPoolOptions {
  Size stride = 0;  ///< 0: the kernel's size
  bool ceil_mode = false;
};

/// (sum over the window of x^p)^(1/p); of a negative sum, which odd powers can give, 0, as in PyTorch. `p` is an attribute.
/// Throws Error(value) unless p > 0, and as avg_pool.
Tensor lp_pool1d(const TensorArg& x, double p, Size1 kernel, const LpPoolOptions<Size1>& options = {});
Tensor lp_pool2d(const TensorArg& x, double p, Size2 kernel, const LpPoolOptions<Size2>& options = {});
Tensor lp_pool3d(const TensorArg& x, double p, Size3 kernel, const LpPoolOptions<Size3>& options = {});

}  // namespace gradus
