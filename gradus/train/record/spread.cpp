#include "gradus/train/record/spread.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <type_traits>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::train {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int lowest_exponent = -127, exponents = 1024 - lowest_exponent + 1;

/// Of the power of two below |x|, from 0 for what is subnormal in f32; the last one stands for NaN and infinities.
std::size_t bin_of(float x) { return std::bit_cast<std::uint32_t>(x) >> 23 & 0xffu; }
std::size_t bin_of(double x) {
  const int exponent = static_cast<int>(std::bit_cast<std::uint64_t>(x) >> 52 & 0x7ffu) - 1023;
  return static_cast<std::size_t>(std::max(exponent, lowest_exponent) - lowest_exponent);
}
template <class T>
constexpr std::size_t last_bin = std::is_same_v<T, float> ? 255 : exponents - 1;

/// Counts of [positive, negative] by exponent as a histogram without empty ends.
template <std::size_t N>
Histogram histogram_of(const std::int64_t (&counts)[2][N], std::size_t last) {
  std::size_t first = 0, end = last;
  const auto empty = [&](std::size_t i) { return counts[0][i] + counts[1][i] == 0; };
  while (first < end && empty(first)) ++first;
  while (end > first && empty(end - 1)) --end;
  Histogram bins;
  if (first == end) return bins;
  bins.lowest = static_cast<int>(first) + lowest_exponent;
  bins.positive.assign(counts[0] + first, counts[0] + end);
  bins.negative.assign(counts[1] + first, counts[1] + end);
  return bins;
}

struct Moments {
  double sum = 0, squares = 0;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double x) {
    sum += x;
    squares += x * x;
    low = x < low ? x : low;
    high = x > high ? x : high;
  }
};

/// Of element(0), ..., element(n - 1).
template <class T, class Element>
Spread gather(std::size_t n, const Element& element) {
  std::int64_t counts[2][exponents] = {}, zeros[2] = {};  // of positive and negative elements
  Spread spread;
  Moments m;
  for (std::size_t i = 0; i < n; ++i) {
    const T x = element(i);
    const std::size_t sign = std::signbit(x) ? 1 : 0;
    ++counts[sign][bin_of(x)];
    zeros[sign] += x == 0 ? 1 : 0;
    m.add(static_cast<double>(x));
  }
  spread.elements = static_cast<std::int64_t>(n);
  const std::int64_t odd = counts[0][last_bin<T>] + counts[1][last_bin<T>];
  if (odd > 0) {  // rare: once more without them
    m = {};
    for (std::size_t i = 0; i < n; ++i) {
      const T x = element(i);
      if (std::isfinite(x)) m.add(static_cast<double>(x));
      spread.nans += std::isnan(x) ? 1 : 0;
    }
    spread.infinities = odd - spread.nans;
  }
  for (const std::size_t sign : {0, 1}) counts[sign][0] -= zeros[sign];
  spread.zeros = zeros[0] + zeros[1];
  spread.bins = histogram_of(counts, last_bin<T>);
  const auto finite = static_cast<double>(spread.finite());
  spread.norm = std::sqrt(m.squares);
  spread.mean = finite > 0 ? m.sum / finite : nan;
  spread.std = finite > 0 ? std::sqrt(std::max(0.0, m.squares / finite - spread.mean * spread.mean)) : nan;
  spread.min = finite > 0 ? m.low : nan;
  spread.max = finite > 0 ? m.high : nan;
  return spread;
}

/// Calls `use` with the elements as the type that they are counted in: a function from a position to a float or double.
template <class Use>
auto with_elements(const Tensor& tensor, const Use& use) {
  switch (tensor.dtype()) {
    case DType::f64: {
      const auto data = tensor.data<double>();
      return use([=](std::size_t i) { return data[i]; });
    }
    case DType::bf16: {
      const auto data = tensor.data<BFloat16>();
      return use([=](std::size_t i) { return static_cast<float>(data[i]); });
    }
    default: {
      const auto data = tensor.data<float>();
      return use([=](std::size_t i) { return data[i]; });
    }
  }
}

/// Outputs at or beyond which the slope of a function is below a twentieth of its largest.
struct Saturation {
  std::string_view function;
  double low, high;
};
constexpr double never = std::numeric_limits<double>::infinity();
constexpr Saturation saturations[] = {
    {"relu", 0, never},
    {"relu6", 0, 6},
    {"sigmoid", 0.012660, 0.987340},     // y (1 - y) = 1 / 80
    {"tanh", -0.974679, 0.974679},       // 1 - y^2 = 1 / 20
    {"hardtanh", -1, 1},                 // with the default bounds
    {"hardsigmoid", 0, 1},               //
    {"softsign", -0.776393, 0.776393},   // (1 - |y|)^2 = 1 / 20
    {"elu", -0.95, never},               // y + 1 = 1 / 20
    {"celu", -0.95, never},              //
    {"selu", -1.670194, never},          // y + a = a / 20, a = 1.758099
    {"softplus", 0.051293, never},       // 1 - exp(-y) = 1 / 20
    {"log_sigmoid", -never, -0.051293},  // 1 - exp(y) = 1 / 20
};

template <class Element>
double dead_share(std::size_t outer, std::size_t units, std::size_t inner, const Element& element) {
  std::size_t dead = 0;
  for (std::size_t u = 0; u < units; ++u) {
    const auto first = element(u * inner);
    bool same = true;
    for (std::size_t o = 0; o < outer && same; ++o) {
      const std::size_t start = (o * units + u) * inner;
      for (std::size_t i = 0; i < inner && same; ++i) same = element(start + i) == first;
    }
    dead += same ? 1 : 0;
  }
  return static_cast<double>(dead) / static_cast<double>(units);
}

}  // namespace

Spread spread_of(const Tensor& tensor) {
  return with_elements(tensor, [&](auto element) {
    return gather<decltype(element(0))>(static_cast<std::size_t>(tensor.numel()), element);
  });
}

Spread spread_of_difference(const Tensor& a, const Tensor& b) {
  GRADUS_ASSERT(a.spec() == b.spec());
  return with_elements(a, [&](auto left) {
    return with_elements(b, [&](auto right) {
      using T = decltype(left(0));
      return gather<T>(static_cast<std::size_t>(a.numel()),
                       [&](std::size_t i) { return static_cast<T>(left(i) - right(i)); });
    });
  });
}

UnitShares unit_shares(const Tensor& output, std::string_view function, int axis) {
  UnitShares shares{.units = output.size(axis), .dead = nan};
  std::size_t outer = 1, inner = 1;
  for (int i = 0; i < output.rank(); ++i) {
    const auto size = static_cast<std::size_t>(output.size(i));
    if (i < axis) outer *= size;
    if (i > axis) inner *= size;
  }
  const auto units = static_cast<std::size_t>(shares.units), n = outer * units * inner;
  if (n == 0) return shares;
  const auto* saturation = std::find_if(std::begin(saturations), std::end(saturations),
                                        [&](const Saturation& s) { return s.function == function; });
  with_elements(output, [&](auto element) {
    if (outer * inner > 1) shares.dead = dead_share(outer, units, inner, element);
    if (saturation == std::end(saturations)) return;
    using T = decltype(element(0));
    const T low = static_cast<T>(saturation->low), high = static_cast<T>(saturation->high);
    std::int64_t count = 0;
    for (std::size_t i = 0; i < n; ++i) count += element(i) <= low || element(i) >= high ? 1 : 0;
    shares.saturated = static_cast<double>(count) / static_cast<double>(n);
  });
  return shares;
}

}  // namespace gradus::train
