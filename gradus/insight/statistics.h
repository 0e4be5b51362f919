// The statistics behind a verdict: distributions, intervals, paired tests, and corrections for asking many questions.
//
//   const double gains[] = {0.021, 0.018, 0.025, 0.019, 0.022};   // treated minus untreated, one seed each
//   const insight::PairedTest test = insight::paired_t_test(gains);
//   test.mean, test.interval.low, test.p
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace gradus::insight {

struct Interval {
  double low = 0, high = 0;
};

/// P(Z <= z) of the standard normal distribution.
double normal_cdf(double z);
/// The z with normal_cdf(z) = p: Acklam's approximation and one step of Halley's method, to rounding. 0 and 1 give
/// infinities; Error(value) outside.
double normal_quantile(double p);

/// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and Stegun 26.5.8; Lentz's
/// method). Error(value) unless a, b > 0 and 0 <= x <= 1.
double incomplete_beta(double a, double b, double x);
/// P(T <= t) of Student's distribution with `degrees` > 0 degrees of freedom, which need not be whole.
double student_t_cdf(double t, double degrees);
/// The t with student_t_cdf(t, degrees) = p, 0 < p < 1.
double student_t_quantile(double p, double degrees);

/// Mean of zero or more values, and the standard deviation with n - 1 (0 for fewer than two).
double mean_of(std::span<const double> values);
double deviation_of(std::span<const double> values);

/// Differences of pairs against 0.
struct PairedTest {
  std::size_t pairs = 0;
  double mean = 0, deviation = 0;
  Interval interval;  ///< of the mean, with the level that was asked for
  double p = 1;       ///< two-sided
};

/// Student's paired test. Differences that are all the same leave no doubt: the interval is a point, and p is 0, or 1 when
/// they are 0. Error(value) for fewer than two pairs, or one that is not finite.
PairedTest paired_t_test(std::span<const double> differences, double level = 0.95);

/// The same for differences over splits of one data set. Their training parts overlap, so that they vary together, and Student's test
/// would find effects that are not there. Nadeau and Bengio ("Inference for the generalization error", 2003) therefore widen the
/// variance of the mean from s^2 / n to s^2 (1 / n + test / train). `test_to_train`: rows of a test part by rows of a
/// training part, 1/9 in ten folds. Error(value) also when it is not positive.
PairedTest corrected_resampled_t_test(std::span<const double> differences, double test_to_train, double level = 0.95);

/// Of a mean over draws (rows of a table, such as training parts) and examples (its columns), both of which were chosen at random.
struct CrossedTest {
  PairedTest test;                   ///< of the mean against 0; `pairs` counts the examples
  double variance = 0, degrees = 1;  ///< of the mean, and of its t
};
/// The two-way layout with random rows and columns: `draws`, the means of the rows, and `examples`, the means of the columns, of the same
/// table (so that both have one mean). The variance of the mean is deviation(draws)^2 / draws + deviation(examples)^2 / examples,
/// which counts their interaction twice and is therefore a little too large; degrees of freedom by Satterthwaite ("An
/// approximate distribution of estimates of variance components", 1946). Of a single draw only the choice of the examples is
/// known: the interval is for that draw alone. Error(value) for no draw, fewer than two examples, or a number that is not finite.
CrossedTest crossed_test(std::span<const double> draws, std::span<const double> examples, double level = 0.95);

/// An interval of a proportion whose estimate has this variance, however it came about: Wilson's score interval (1927) for as many
/// independent examples as would have the variance, mean (1 - mean) / variance of them (the effective sample size of surveys: Korn and
/// Graubard, "Confidence intervals for proportions with small expected number of positive counts estimated from survey data",
/// 1998), at most `examples`, with Student's quantile of `degrees`. It lies in [0, 1], holds the mean, and is no point at 0 and
/// 1 either. Error(value) unless 0 <= mean <= 1, variance >= 0, and examples, degrees > 0.
Interval proportion_interval(double mean, double variance, double examples, double degrees, double level = 0.95);

/// Two-sided p of Wilcoxon's signed-rank test. Zeros are left out; up to 25 differences the distribution is counted out
/// exactly (ties share their mean rank), beyond that it is the normal approximation with correction for ties and continuity.
double wilcoxon_signed_rank(std::span<const double> differences);

/// Holm's correction (Holm, "A simple sequentially rejective multiple test procedure", 1979): p values that hold together.
/// In the order of `p`.
std::vector<double> holm(std::span<const double> p);

/// The smallest mean difference that a paired test of so many pairs would have found with probability `power`, for differences of
/// this standard deviation: (t(1 - (1 - level) / 2) + t(power)) * deviation / sqrt(pairs).
double smallest_detectable(std::size_t pairs, double deviation, double level = 0.95, double power = 0.8);

/// Least squares of a line through (x, y).
struct LineFit {
  double slope = 0, intercept = 0;
  double r2 = 0;  ///< share of the variance that the line explains
};
/// Error(value) for fewer than two different x, or sizes that differ.
LineFit fit_line(std::span<const double> x, std::span<const double> y);

}  // namespace gradus::insight
