#include "gradus/nn/conv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/conv.h"

namespace gradus::nn {
namespace {

/// What the two families of layers refuse alike.
class Checks {
 public:
  Checks(std::string layer, SourceLocation where) : layer_(std::move(layer)), where_(where) {}

  void channels(std::int64_t in, std::int64_t out, std::int64_t groups) const {
    if (in < 1 || out < 1) fail(fmt::format("channels must be positive, not {} -> {}", in, out));
    if (groups < 1 || in % groups != 0 || out % groups != 0) {
      fail(fmt::format("{} groups do not divide the channels {} -> {}", groups, in, out));
    }
  }
  template <class Size>
  void positive(const char* name, const Size& size) const {
    if (!at_least(size, 1)) fail(fmt::format("the {} must be positive, not {}", name, text(size)));
  }
  template <class Size>
  void not_negative(const char* name, const Size& size) const {
    if (!at_least(size, 0)) fail(fmt::format("the {} must not be negative: {}", name, text(size)));
  }

 private:
  [[noreturn]] void fail(std::string summary) const {
    throw Error(ErrorKind::value, layer_, std::move(summary)).at(where_);
  }
  template <class Size>
  static bool at_least(const Size& size, std::int64_t least) {
    const auto all = size.array();
    return std::all_of(all.begin(), all.end(), [&](std::int64_t n) { return n >= least; });
  }
  template <class Size>
  static std::string text(const Size& size) {
    return fmt::format("{}", fmt::join(size.array(), " x "));
  }

  std::string layer_;
  SourceLocation where_;
};

template <class Size>
Shape weight_shape(std::int64_t first, std::int64_t second, const Size& kernel) {
  Shape shape{first, second};
  for (const std::int64_t size : kernel.array()) shape.push_back(size);
  return shape;
}

/// The function over as many axes.
template <int Dims>
constexpr auto convolution() {
  if constexpr (Dims == 1)
    return gradus::conv1d;
  else if constexpr (Dims == 2)
    return gradus::conv2d;
  else
    return gradus::conv3d;
}
template <int Dims>
constexpr auto transposed_convolution() {
  if constexpr (Dims == 1)
    return gradus::conv_transpose1d;
  else if constexpr (Dims == 2)
    return gradus::conv_transpose2d;
  else
    return gradus::conv_transpose3d;
}

}  // namespace

template <int Dims>
Conv<Dims>::Conv(std::int64_t in, std::int64_t out, SizeOf<Dims> kernel_size, ConvLayerOptions<Dims> conv_options,
                 SourceLocation where)
    : options(conv_options) {
  const Checks checks(fmt::format("nn::Conv{}d", Dims), where);
  checks.channels(in, out, options.groups);
  checks.positive("kernel", kernel_size);
  checks.positive("stride", options.stride);
  if (!options.padding.rule) checks.not_negative("padding", options.padding.size);
  checks.positive("dilation", options.dilation);
  const Shape shape = weight_shape(out, in / options.groups, kernel_size);
  weight = init::kaiming_uniform(shape, {.a = std::sqrt(5.0)});
  if (options.bias) bias = init::bias_uniform({out}, init::fans(shape).in);
}

template <int Dims>
Tensor Conv<Dims>::operator()(const TensorArg& x) const {
  const gradus::ConvOptions<SizeOf<Dims>> conv{options.stride, options.padding, options.dilation, options.groups};
  return observed(*this, x, convolution<Dims>()(x, weight, bias, conv, x.where()));
}

template <int Dims>
SizeOf<Dims> Conv<Dims>::kernel() const {
  const Shape& shape = weight.shape();
  if constexpr (Dims == 1)
    return {shape[2]};
  else if constexpr (Dims == 2)
    return {shape[2], shape[3]};
  else
    return {shape[2], shape[3], shape[4]};
}

template struct Conv<1>;
template struct Conv<2>;
template struct Conv<3>;

template <int Dims>
ConvTranspose<Dims>::ConvTranspose(std::int64_t in, std::int64_t out, SizeOf<Dims> kernel_size,
                                   ConvTransposeLayerOptions<Dims> conv_options, SourceLocation where)
    : options(conv_options) {
  const Checks checks(fmt::format("nn::ConvTranspose{}d", Dims), where);
  checks.channels(in, out, options.groups);
  checks.positive("kernel", kernel_size);
  checks.positive("stride", options.stride);
  checks.not_negative("padding", options.padding);
  checks.not_negative("output_padding", options.output_padding);
  checks.positive("dilation", options.dilation);
  const Shape shape = weight_shape(in, out / options.groups, kernel_size);
  weight = init::kaiming_uniform(shape, {.a = std::sqrt(5.0)});
  if (options.bias) bias = init::bias_uniform({out}, init::fans(shape).in);
}

template <int Dims>
Tensor ConvTranspose<Dims>::operator()(const TensorArg& x) const {
  const gradus::ConvTransposeOptions<SizeOf<Dims>> conv{options.stride, options.padding, options.output_padding,
                                                        options.groups, options.dilation};
  return observed(*this, x, transposed_convolution<Dims>()(x, weight, bias, conv, x.where()));
}

template struct ConvTranspose<1>;
template struct ConvTranspose<2>;
template struct ConvTranspose<3>;

}  // namespace gradus::nn
