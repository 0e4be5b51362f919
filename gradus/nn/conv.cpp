#include "gradus/nn/conv.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/conv.h"

namespace gradus::nn {
namespace {

void check(std::int64_t in, std::int64_t out, Size2 kernel, const Conv2dOptions& o, SourceLocation where) {
  const auto fail = [&](std::string summary) -> Error {
    return Error(ErrorKind::value, "nn::Conv2d", std::move(summary)).at(where);
  };
  const auto both_at_least = [](Size2 size, std::int64_t least) { return size.height >= least && size.width >= least; };
  const auto pair = [](Size2 size) { return fmt::format("{} x {}", size.height, size.width); };
  if (in < 1 || out < 1) throw fail(fmt::format("channels must be positive, not {} -> {}", in, out));
  if (!both_at_least(kernel, 1)) throw fail("the kernel must be positive, not " + pair(kernel));
  if (!both_at_least(o.stride, 1)) throw fail("the stride must be positive, not " + pair(o.stride));
  if (!both_at_least(o.padding, 0)) throw fail("the padding must not be negative: " + pair(o.padding));
  if (!both_at_least(o.dilation, 1)) throw fail("the dilation must be positive, not " + pair(o.dilation));
  if (o.groups < 1 || in % o.groups != 0 || out % o.groups != 0) {
    throw fail(fmt::format("{} groups do not divide the channels {} -> {}", o.groups, in, out));
  }
}

}  // namespace

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, Size2 kernel, Conv2dOptions conv_options,
               SourceLocation where)
    : options(conv_options) {
  check(in_channels, out_channels, kernel, options, where);
  const Shape shape{out_channels, in_channels / options.groups, kernel.height, kernel.width};
  weight = init::kaiming_uniform(shape, {.a = std::sqrt(5.0)});
  if (options.bias) bias = init::bias_uniform({out_channels}, init::fans(shape).in);
}

Tensor Conv2d::operator()(const TensorArg& x) const {
  const gradus::Conv2dOptions conv{options.stride, options.padding, options.dilation, options.groups};
  return observed(*this, x, conv2d(x, weight, bias, conv, x.where()));
}

}  // namespace gradus::nn
