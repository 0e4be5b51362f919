#include "gradus/nn/layers/pool.h"

#include "gradus/nn/functional/argument.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/view.h"

namespace gradus::nn {
namespace {

/// The function of a family over as many axes.
template <int Dims, class F1, class F2, class F3>
constexpr auto over(F1 one, F2 two, F3 three) {
  if constexpr (Dims == 1) {
    return one;
  } else if constexpr (Dims == 2) {
    return two;
  } else {
    return three;
  }
}

}  // namespace

template <int Dims>
Tensor MaxPool<Dims>::operator()(const TensorArg& x) const {
  const auto pool = over<Dims>(max_pool1d, max_pool2d, max_pool3d);
  return observed(*this, x, pool(x, kernel, {stride, padding, dilation, ceil_mode}));
}

template <int Dims>
Tensor AvgPool<Dims>::operator()(const TensorArg& x) const {
  const auto pool = over<Dims>(avg_pool1d, avg_pool2d, avg_pool3d);
  return observed(*this, x, pool(x, kernel, {stride, padding, count_include_pad, ceil_mode, divisor_override}));
}

template <int Dims>
Tensor AdaptiveAvgPool<Dims>::operator()(const TensorArg& x) const {
  const auto pool = over<Dims>(adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d);
  return observed(*this, x, pool(x, output_size));
}

template <int Dims>
Tensor AdaptiveMaxPool<Dims>::operator()(const TensorArg& x) const {
  const auto pool = over<Dims>(adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d);
  return observed(*this, x, pool(x, output_size));
}

template <int Dims>
Tensor LpPool<Dims>::operator()(const TensorArg& x) const {
  const auto pool = over<Dims>(lp_pool1d, lp_pool2d, lp_pool3d);
  return observed(*this, x, pool(x, norm_type, kernel, {stride, ceil_mode}));
}

template <int Dims>
Tensor MaxUnpool<Dims>::operator()(const TensorArg& x, const TensorArg& indices) const {
  const auto unpool = over<Dims>(max_unpool1d, max_unpool2d, max_unpool3d);
  return observed(*this, x, unpool(x, indices, kernel, {stride, padding, {}}));
}

#define GRADUS_INSTANTIATE(Dims)         \
  template struct MaxPool<Dims>;         \
  template struct AvgPool<Dims>;         \
  template struct AdaptiveAvgPool<Dims>; \
  template struct AdaptiveMaxPool<Dims>; \
  template struct LpPool<Dims>;          \
  template struct MaxUnpool<Dims>;
GRADUS_INSTANTIATE(1)
GRADUS_INSTANTIATE(2)
GRADUS_INSTANTIATE(3)
#undef GRADUS_INSTANTIATE

Tensor GlobalAvgPool::operator()(const TensorArg& x) const {
  const Tensor pooled = global_avg_pool(x);
  return observed(*this, x, flatten(TensorArg(pooled, x.where()), 1));
}

}  // namespace gradus::nn
