// Images at other resolutions, axis by axis; and between channels and pixels.
#include <fmt/format.h>

#include <algorithm>
#include <array>
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
#include "gradus/ops/views/windows.h"

namespace gradus {
namespace {

using detail::refusal;

/// An axis and what becomes of it.
struct Resized {
  int axis;
  std::int64_t from, to;
  double step;  ///< elements of the input from one of the result to the next, where corners of areas keep their places
};

/// One axis at another size, by its nearest elements.
Tensor nearest_axis(const Tensor& x, const Resized& r, SourceLocation where) {
  std::vector<std::int64_t> index;
  const auto step = static_cast<float>(r.step);  // in f32, as PyTorch chooses elements
  for (std::int64_t i = 0; i < r.to; ++i) {
    index.push_back(std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(i) * step)), r.from - 1));
  }
  return take(TensorArg(x, where), from_span(index), r.axis);
}

/// Where the elements of the result lie between those of the input.
std::vector<double> positions(const Resized& r, bool align_corners) {
  const double step = !align_corners ? r.step
                      : r.to == 1    ? 0.0
                                     : static_cast<double>(r.from - 1) / static_cast<double>(r.to - 1);
  const double half = align_corners ? 0 : 0.5;
  std::vector<double> at;
  for (std::int64_t i = 0; i < r.to; ++i) at.push_back(step * (static_cast<double>(i) + half) - half);
  return at;
}

/// Numbers for each element of the axis, in the type of `x`.
Tensor along(const std::vector<double>& numbers, const Tensor& x, int axis) {
  Shape shape{static_cast<std::int64_t>(numbers.size())};
  for (int a = axis + 1; a < x.rank(); ++a) shape.push_back(1);
  return cast(from_span(numbers, shape), x.dtype());
}

/// One axis at another size, linearly between its two nearest elements.
Tensor linear_axis(const Tensor& x, const Resized& r, bool align_corners, SourceLocation where) {
  std::vector<std::int64_t> lower, upper;
  std::vector<double> weight;
  for (const double position : positions(r, align_corners)) {
    const double at = std::max(0.0, position);
    lower.push_back(std::min(static_cast<std::int64_t>(at), r.from - 1));
    upper.push_back(std::min(lower.back() + 1, r.from - 1));
    weight.push_back(at - static_cast<double>(lower.back()));
  }
  const Tensor low = take(TensorArg(x, where), from_span(lower), r.axis), high = take(x, from_span(upper), r.axis);
  return low + along(weight, x, r.axis) * (high - low);
}

/// The weights of the four elements around a place that lies `t` behind the second.
std::array<double, 4> cubic_weights(double t) {
  constexpr double a = -0.75;
  const auto near = [](double d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
  const auto far = [](double d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
  return {far(t + 1), near(t), near(1 - t), far(2 - t)};
}

Tensor cubic_axis(const Tensor& x, const Resized& r, bool align_corners, SourceLocation where) {
  const std::vector<double> places = positions(r, align_corners);
  Tensor sum;
  for (std::size_t tap = 0; tap < 4; ++tap) {
    std::vector<std::int64_t> index;
    std::vector<double> weight;
    for (const double at : places) {
      const double floor = std::floor(at);
      index.push_back(std::clamp<std::int64_t>(static_cast<std::int64_t>(floor) - 1 + static_cast<std::int64_t>(tap), 0,
                                               r.from - 1));
      weight.push_back(cubic_weights(at - floor)[tap]);
    }
    const Tensor part = take(TensorArg(x, where), from_span(index), r.axis) * along(weight, x, r.axis);
    sum = sum.defined() ? sum + part : part;
  }
  return sum;
}

void check_mode(const Tensor& input, Interpolation mode, SourceLocation where) {
  struct Need {
    int axes;
    const char* text;
  };
  constexpr Need needs[] = {{0, ""},
                            {1, "linear needs 3 axes: (n, c, l)"},
                            {2, "bilinear needs 4 axes: (n, c, h, w)"},
                            {3, "trilinear needs 5 axes: (n, c, d, h, w)"},
                            {2, "bicubic needs 4 axes: (n, c, h, w)"}};
  const Need& need = needs[static_cast<std::size_t>(mode)];
  if (need.axes != 0 && input.rank() - 2 != need.axes) {
    throw refusal(ErrorKind::shape, "interpolate", need.text, input, where);
  }
  if (mode != Interpolation::nearest && !is_floating(input.dtype())) {
    throw refusal(ErrorKind::dtype, "interpolate", "expected floating elements", input, where);
  }
}

/// `sizes` of the axes behind the channels, and the steps that go with them.
Tensor interpolate_axes(const Tensor& input, std::span<const std::int64_t> sizes, std::span<const double> steps,
                        const InterpolateOptions& options, SourceLocation where) {
  check_mode(input, options.mode, where);
  Tensor y = detail::widen(input, where);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Resized r{static_cast<int>(i) + 2, input.shape()[static_cast<int>(i) + 2], sizes[i], steps[i]};
    if (r.to < 1 || r.from < 1) {
      throw refusal(ErrorKind::value, "interpolate",
                    fmt::format("axis {} from {} to {} elements", r.axis, r.from, r.to), input, where);
    }
    if (r.to == r.from && r.step == 1) continue;
    if (options.mode == Interpolation::nearest) {
      y = nearest_axis(y, r, where);
    } else if (options.mode == Interpolation::bicubic) {
      y = cubic_axis(y, r, options.align_corners, where);
    } else {
      y = linear_axis(y, r, options.align_corners, where);
    }
  }
  return detail::narrow(y, input.dtype(), where);
}

Error wrong_count(const Tensor& input, std::size_t given, SourceLocation where) {
  return refusal(ErrorKind::shape, "interpolate",
                 fmt::format("sizes for {} axes given; expected one per axis behind (n, c, ...), 1 to 3", given), input,
                 where);
}

/// r, and the input with its four axes.
Tensor shuffled_operand(const char* op, const char* factor_name, const TensorArg& x, std::int64_t r) {
  const Tensor input = detail::operand(x, op);
  if (r < 1) {
    throw Error(ErrorKind::value, op, fmt::format("{} is {}, must be positive", factor_name, r)).at(x.where());
  }
  if (input.rank() != 4) throw refusal(ErrorKind::shape, op, "expected 4 axes: (n, c, h, w)", input, x.where());
  return input;
}

}  // namespace

Tensor interpolate(const TensorArg& x, std::span<const std::int64_t> size, const InterpolateOptions& options) {
  const Tensor input = detail::operand(x, "interpolate");
  const int axes = input.rank() - 2;
  if (axes < 1 || axes > 3 || static_cast<int>(size.size()) != axes) throw wrong_count(input, size.size(), x.where());
  SmallVector<double, 3> steps;
  for (int i = 0; i < axes; ++i) {
    const std::int64_t to = std::max<std::int64_t>(1, size[static_cast<std::size_t>(i)]);
    steps.push_back(static_cast<double>(input.shape()[i + 2]) / static_cast<double>(to));
  }
  return interpolate_axes(input, size, std::span<const double>(steps), options, x.where());
}

Tensor interpolate(const TensorArg& x, std::initializer_list<std::int64_t> size, const InterpolateOptions& options) {
  return interpolate(x, std::span(size.begin(), size.size()), options);
}

Tensor interpolate(const TensorArg& x, const ScaleFactor& scale, const InterpolateOptions& options) {
  const Tensor input = detail::operand(x, "interpolate");
  const int axes = input.rank() - 2;
  const std::size_t given = scale.factors.size();
  if (axes < 1 || axes > 3 || (given != 1 && static_cast<int>(given) != axes)) {
    throw wrong_count(input, given, x.where());
  }
  SmallVector<std::int64_t, 3> sizes;
  SmallVector<double, 3> steps;
  for (int i = 0; i < axes; ++i) {
    const double factor = scale.factors[given == 1 ? 0 : static_cast<std::size_t>(i)];
    const double size = std::floor(static_cast<double>(input.shape()[i + 2]) * factor);
    if (!(factor > 0) || !(size < 1e9)) {
      throw refusal(ErrorKind::value, "interpolate", fmt::format("the scale factor of axis {} is {}", i + 2, factor),
                    input, x.where());
    }
    sizes.push_back(static_cast<std::int64_t>(size));
    steps.push_back(1 / factor);
  }
  return interpolate_axes(input, std::span<const std::int64_t>(sizes), std::span<const double>(steps), options,
                          x.where());
}

Tensor pixel_shuffle(const TensorArg& x, std::int64_t r) {
  const Tensor input = shuffled_operand("pixel_shuffle", "upscale_factor", x, r);
  const std::int64_t n = input.size(0), c = input.size(1) / (r * r), h = input.size(2), w = input.size(3);
  if (input.size(1) % (r * r) != 0) {
    throw refusal(ErrorKind::shape, "pixel_shuffle", fmt::format("expected a multiple of {} channels", r * r), input,
                  x.where());
  }
  const Tensor split = reshape(TensorArg(input, x.where()), Shape{n, c, r, r, h, w});
  const Tensor turned = permute(TensorArg(split, x.where()), {0, 1, 4, 2, 5, 3});
  return reshape(TensorArg(turned, x.where()), Shape{n, c, h * r, w * r});
}

Tensor pixel_unshuffle(const TensorArg& x, std::int64_t r) {
  const Tensor input = shuffled_operand("pixel_unshuffle", "downscale_factor", x, r);
  if (input.size(2) % r != 0 || input.size(3) % r != 0) {
    throw refusal(ErrorKind::shape, "pixel_unshuffle", fmt::format("expected multiples of {} rows and columns", r),
                  input, x.where());
  }
  const std::int64_t n = input.size(0), c = input.size(1), h = input.size(2) / r, w = input.size(3) / r;
  const Tensor split = reshape(TensorArg(input, x.where()), Shape{n, c, h, r, w, r});
  const Tensor turned = permute(TensorArg(split, x.where()), {0, 1, 3, 5, 2, 4});
  return reshape(TensorArg(turned, x.where()), Shape{n, c * r * r, h, w});
}

}  // namespace gradus
