#include "gradus/insight/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "gradus/base/error.h"

namespace gradus::insight {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void require(bool holds, const char* function, const std::string& message) {
  if (!holds) throw Error(ErrorKind::value, function, message);
}

/// c[0] x^(n-1) + ... + c[n-1]
template <std::size_t N>
double polynomial(const std::array<double, N>& c, double x) {
  double sum = 0;
  for (const double each : c) sum = sum * x + each;
  return sum;
}

/// P. J. Acklam's rational approximation of the normal quantile; relative error below 1.15e-9.
double rough_quantile(double p) {
  constexpr std::array<double, 6> a = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                                       1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr std::array<double, 6> b = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                                       6.680131188771972e+01,  -1.328068155288572e+01, 1};
  constexpr std::array<double, 6> c = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                                       -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr std::array<double, 5> d = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                                       3.754408661907416e+00, 1};
  if (p > 0.5) return -rough_quantile(1 - p);
  if (p < 0.02425) {
    const double q = std::sqrt(-2 * std::log(p));
    return polynomial(c, q) / polynomial(d, q);
  }
  const double q = p - 0.5, r = q * q;
  return q * polynomial(a, r) / polynomial(b, r);
}

/// The continued fraction of the incomplete beta function, for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < tiny ? tiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return fraction;
}

/// The ranks of |x| from 1, doubled so that mean ranks of ties stay whole.
std::vector<std::int64_t> doubled_ranks(const std::vector<double>& x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return std::abs(x[i]) < std::abs(x[j]); });
  std::vector<std::int64_t> ranks(x.size());
  for (std::size_t first = 0, last = 0; first < x.size(); first = last) {
    while (last < x.size() && std::abs(x[order[last]]) == std::abs(x[order[first]])) ++last;
    for (std::size_t i = first; i < last; ++i) ranks[order[i]] = static_cast<std::int64_t>(first + last + 1);
  }
  return ranks;
}

/// P(sum of a random half of the ranks <= sum), over all choices of signs.
double exact_lower_tail(const std::vector<std::int64_t>& ranks, std::int64_t sum) {
  const std::int64_t all = std::accumulate(ranks.begin(), ranks.end(), std::int64_t{0});
  std::vector<double> ways(static_cast<std::size_t>(all) + 1, 0);
  ways[0] = 1;
  for (const std::int64_t rank : ranks)
    for (std::size_t s = ways.size(); s-- > static_cast<std::size_t>(rank);)
      ways[s] += ways[s - static_cast<std::size_t>(rank)];
  double below = 0;
  for (std::size_t s = 0; s <= static_cast<std::size_t>(sum); ++s) below += ways[s];
  return below / std::pow(2.0, static_cast<double>(ranks.size()));
}

/// log(normal_cdf(z)) for z < -30, where the probability itself loses digits: the asymptotic series of its ratio to the density.
double log_normal_tail(double z) {
  const double w = 1 / (z * z);
  return -z * z / 2 - std::log(-z * std::sqrt(2 * std::numbers::pi)) +
         std::log1p(w * (-1 + w * (3 + w * (-15 + w * 105))));
}

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  require(p >= 0 && p <= 1, "normal_quantile", fmt::format("p is {}, must be in [0, 1]", p));
  if (p == 0) return -infinity;
  if (p == 1) return infinity;
  if (p > 0.5) return -normal_quantile(1 - p);  // which is exact, as the distance of the probability from 1 is not
  const double z = rough_quantile(p);
  if (p < 1e-300) return z - (log_normal_tail(z) - std::log(p)) / (-z - 1 / z);
  const double miss = (normal_cdf(z) - p) * std::sqrt(2 * std::numbers::pi) * std::exp(z * z / 2);
  return z - miss / (1 + z * miss / 2);
}

double incomplete_beta(double a, double b, double x) {
  require(a > 0 && b > 0, "incomplete_beta", fmt::format("a and b must be positive, they are {} and {}", a, b));
  require(x >= 0 && x <= 1, "incomplete_beta", fmt::format("x is {}, must be in [0, 1]", x));
  if (x == 0 || x == 1) return x;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double student_t_cdf(double t, double degrees) {
  require(degrees > 0, "student_t_cdf", fmt::format("degrees is {}, must be positive", degrees));
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double tail = 0.5 * incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t));
  return t > 0 ? 1 - tail : tail;
}

double student_t_quantile(double p, double degrees) {
  require(p > 0 && p < 1, "student_t_quantile", fmt::format("p is {}, must be in (0, 1)", p));
  if (p > 0.5) return -student_t_quantile(1 - p, degrees);
  double low = -1, high = 0;
  while (student_t_cdf(low, degrees) > p) low *= 2;
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle == low || middle == high) break;
    (student_t_cdf(middle, degrees) < p ? low : high) = middle;
  }
  return high;
}

double mean_of(std::span<const double> values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

namespace {

/// Student's test of the mean, whose variance is that of the differences times `share`.
PairedTest t_test(const char* op, std::span<const double> differences, double share, double level) {
  require(differences.size() >= 2, op, fmt::format("needs two pairs at least, got {}", differences.size()));
  require(level > 0 && level < 1, op, fmt::format("level is {}, must be in (0, 1)", level));
  for (std::size_t i = 0; i < differences.size(); ++i)
    require(std::isfinite(differences[i]), op, fmt::format("difference {} is {}", i, differences[i]));
  PairedTest test{.pairs = differences.size(),
                  .mean = mean_of(differences),
                  .deviation = deviation_of(differences),
                  .interval = {}};
  const auto [low, high] = std::minmax_element(differences.begin(), differences.end());
  if (*low == *high) {
    test.mean = *low;
    test.deviation = 0;
    test.interval = {test.mean, test.mean};
    test.p = test.mean == 0 ? 1 : 0;
    return test;
  }
  const double degrees = static_cast<double>(test.pairs - 1);
  const double error = test.deviation * std::sqrt(share);
  const double half = student_t_quantile(0.5 + level / 2, degrees) * error;
  test.interval = {test.mean - half, test.mean + half};
  test.p = 2 * student_t_cdf(-std::abs(test.mean / error), degrees);
  return test;
}

}  // namespace

PairedTest paired_t_test(std::span<const double> differences, double level) {
  return t_test("paired_t_test", differences, 1 / static_cast<double>(differences.size()), level);
}

PairedTest corrected_resampled_t_test(std::span<const double> differences, double test_to_train, double level) {
  require(test_to_train > 0 && std::isfinite(test_to_train), "corrected_resampled_t_test",
          fmt::format("test_to_train is {}, must be positive", test_to_train));
  return t_test("corrected_resampled_t_test", differences, 1 / static_cast<double>(differences.size()) + test_to_train,
                level);
}

CrossedTest crossed_test(std::span<const double> draws, std::span<const double> examples, double level) {
  require(!draws.empty() && examples.size() >= 2, "crossed_test",
          fmt::format("{} draws and {} examples, must be 1 and 2 at least", draws.size(), examples.size()));
  for (const std::span<const double> values : {draws, examples})
    require(std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); }), "crossed_test",
            "a value is not finite");
  const double rows = static_cast<double>(draws.size()), columns = static_cast<double>(examples.size());
  const double by_draw = std::pow(deviation_of(draws), 2) / rows,
               by_example = std::pow(deviation_of(examples), 2) / columns;
  CrossedTest found;
  found.variance = by_draw + by_example;
  const double parts = (by_draw > 0 ? by_draw * by_draw / (rows - 1) : 0) + by_example * by_example / (columns - 1);
  found.degrees = parts > 0 ? found.variance * found.variance / parts : columns - 1;
  const double mean = mean_of(examples), error = std::sqrt(found.variance);
  const double half = student_t_quantile(0.5 + level / 2, found.degrees) * error;
  const double p = error > 0 ? 2 * student_t_cdf(-std::abs(mean) / error, found.degrees) : mean == 0 ? 1 : 0;
  found.test = {examples.size(), mean, error * std::sqrt(columns), {mean - half, mean + half}, p};
  return found;
}

Interval proportion_interval(double mean, double variance, double examples, double degrees, double level) {
  require(mean >= 0 && mean <= 1 && variance >= 0 && examples > 0 && degrees > 0, "proportion_interval",
          fmt::format("mean {}, variance {}, examples {} and degrees {} must be in [0, 1], 0 or more, and positive",
                      mean, variance, examples, degrees));
  const double spread = mean * (1 - mean);
  const double n = variance > 0 && spread > 0 ? std::min(examples, spread / variance) : examples;
  const double t = student_t_quantile(0.5 + level / 2, degrees), t2 = t * t;
  const double middle = (mean + t2 / (2 * n)) / (1 + t2 / n);
  const double half = t * std::sqrt(spread / n + t2 / (4 * n * n)) / (1 + t2 / n);
  // At 0 and 1 the ends are exact, but for rounding.
  return {mean == 0 ? 0 : std::max(0.0, middle - half), mean == 1 ? 1 : std::min(1.0, middle + half)};
}

double wilcoxon_signed_rank(std::span<const double> differences) {
  std::vector<double> x;
  for (const double d : differences) {
    require(std::isfinite(d), "wilcoxon_signed_rank", fmt::format("a difference is {}", d));
    if (d != 0) x.push_back(d);
  }
  if (x.empty()) return 1;
  const std::vector<std::int64_t> ranks = doubled_ranks(x);
  std::int64_t positive = 0, all = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    all += ranks[i];
    if (x[i] > 0) positive += ranks[i];
  }
  const std::int64_t smaller = std::min(positive, all - positive);
  if (x.size() <= 25) return std::min(1.0, 2 * exact_lower_tail(ranks, smaller));
  double variance =
      0;  // of the sum of ranks; doubled ranks make it four times as large. Ties are in the ranks already.
  for (const std::int64_t rank : ranks) variance += static_cast<double>(rank * rank) / 4;
  const double distance = static_cast<double>(all) / 2 - static_cast<double>(smaller) - 1;  // 1: half a step, doubled
  return std::min(1.0, 2 * normal_cdf(-std::max(0.0, distance) / std::sqrt(variance)));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> corrected(p.size());
  double most = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    most = std::max(most, std::min(1.0, p[order[k]] * static_cast<double>(p.size() - k)));
    corrected[order[k]] = most;
  }
  return corrected;
}

double smallest_detectable(std::size_t pairs, double deviation, double level, double power) {
  require(pairs >= 2, "smallest_detectable", fmt::format("needs two pairs at least, got {}", pairs));
  const double degrees = static_cast<double>(pairs - 1);
  return (student_t_quantile(0.5 + level / 2, degrees) + student_t_quantile(power, degrees)) * deviation /
         std::sqrt(static_cast<double>(pairs));
}

LineFit fit_line(std::span<const double> x, std::span<const double> y) {
  require(x.size() == y.size(), "fit_line", fmt::format("{} x and {} y", x.size(), y.size()));
  const double mx = mean_of(x), my = mean_of(y);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
    yy += (y[i] - my) * (y[i] - my);
  }
  require(xx > 0, "fit_line", "needs two different x at least");
  const double slope = xy / xx;
  return {slope, my - slope * mx, yy > 0 ? slope * xy / yy : 1};
}

}  // namespace gradus::insight
