// The differences between oneDNN 2.6 and 3.x, kept in one place: from 3.0 on there are no operation descriptors, and what
// they took goes to the primitive descriptors directly.
#pragma once

#include <dnnl.hpp>

namespace gradus::kernel::onednn {

/// The CPU engine of the process (never destroyed: plans may outlive static objects).
const dnnl::engine& engine();

/// Scratch memory is ours, so that running allocates nothing.
dnnl::primitive_attr user_scratchpad();

/// Strides and paddings of a convolution or pooling, in oneDNN's terms: a dilation of 0 is none.
struct Windows {
  dnnl::memory::dims strides, dilations, padding;
  dnnl::memory::dims padding_behind = padding;
};

using Desc = dnnl::memory::desc;

inline dnnl::matmul::primitive_desc matmul_desc(const Desc& a, const Desc& b, const Desc& c) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), a, b, c, user_scratchpad()};
#else
  return {dnnl::matmul::desc(a, b, c), user_scratchpad(), engine()};
#endif
}

inline dnnl::convolution_forward::primitive_desc conv_desc(const Desc& x, const Desc& weight, const Desc& y,
                                                           const Windows& w) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), kind, algorithm, x, weight, y, w.strides, w.dilations, w.padding, w.padding, user_scratchpad()};
#else
  return {dnnl::convolution_forward::desc(kind, algorithm, x, weight, y, w.strides, w.dilations, w.padding, w.padding),
          user_scratchpad(), engine()};
#endif
}

inline dnnl::convolution_backward_data::primitive_desc conv_input_gradient_desc(
    const Desc& dx, const Desc& weight, const Desc& dy, const Windows& w,
    const dnnl::convolution_forward::primitive_desc& forward) {
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(),  algorithm, dx,      weight,           dy, w.strides, w.dilations,
          w.padding, w.padding, forward, user_scratchpad()};
#else
  return {
      dnnl::convolution_backward_data::desc(algorithm, dx, weight, dy, w.strides, w.dilations, w.padding, w.padding),
      user_scratchpad(), engine(), forward};
#endif
}

inline dnnl::convolution_backward_weights::primitive_desc conv_weight_gradient_desc(
    const Desc& x, const Desc& dw, const Desc& dy, const Windows& w,
    const dnnl::convolution_forward::primitive_desc& forward) {
  constexpr auto algorithm = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), algorithm, x, dw, dy, w.strides, w.dilations, w.padding, w.padding, forward, user_scratchpad()};
#else
  return {dnnl::convolution_backward_weights::desc(algorithm, x, dw, dy, w.strides, w.dilations, w.padding, w.padding),
          user_scratchpad(), engine(), forward};
#endif
}

inline dnnl::pooling_forward::primitive_desc pool_desc(dnnl::algorithm algorithm, const Desc& x, const Desc& y,
                                                       const dnnl::memory::dims& kernel, const Windows& w) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(),         kind, algorithm, x, y, w.strides, kernel, w.dilations, w.padding, w.padding_behind,
          user_scratchpad()};
#else
  return {dnnl::pooling_forward::desc(kind, algorithm, x, y, w.strides, kernel, w.padding, w.padding_behind),
          user_scratchpad(), engine()};
#endif
}

inline dnnl::pooling_backward::primitive_desc pool_gradient_desc(dnnl::algorithm algorithm, const Desc& dx,
                                                                 const Desc& dy, const dnnl::memory::dims& kernel,
                                                                 const Windows& w,
                                                                 const dnnl::pooling_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), algorithm,        dx, dy, w.strides, kernel, w.dilations, w.padding, w.padding_behind,
          forward,  user_scratchpad()};
#else
  return {dnnl::pooling_backward::desc(algorithm, dx, dy, w.strides, kernel, w.padding, w.padding_behind),
          user_scratchpad(), engine(), forward};
#endif
}

}  // namespace gradus::kernel::onednn
