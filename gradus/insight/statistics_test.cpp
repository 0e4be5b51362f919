#include "gradus/insight/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"

namespace gradus::insight {
namespace {

// Table values: Student's t from Fisher and Yates, "Statistical Tables" (to the digits printed there); more digits from closed
// forms (one degree: Cauchy; two degrees: algebraic) and from SciPy 1.x where none exists.
TEST(Statistics, StudentsQuantiles) {
  const struct {
    double p, degrees, t;
  } rows[] = {{0.975, 1, 12.706204736174694},
              {0.975, 4, 2.7764451051977934},
              {0.95, 10, 1.8124611228116756},
              {0.995, 30, 2.7499956535672254},
              {0.9, 2.5, 1.7302509288071766}};
  for (const auto& row : rows) {
    EXPECT_NEAR(student_t_quantile(row.p, row.degrees), row.t, 1e-10 * row.t) << row.p << ' ' << row.degrees;
    EXPECT_NEAR(student_t_quantile(1 - row.p, row.degrees), -row.t, 1e-10 * row.t);
    EXPECT_NEAR(student_t_cdf(row.t, row.degrees), row.p, 1e-12);
  }
  for (const double t : {-3.0, -0.5, 0.0, 0.1, 8.0}) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / M_PI, 1e-14);
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-14);
  }
  EXPECT_NEAR(student_t_cdf(1.3, 1e7), normal_cdf(1.3), 1e-7);
}

TEST(Statistics, NormalQuantiles) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-14);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-13);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  EXPECT_EQ(normal_quantile(0.5), 0);
  EXPECT_EQ(normal_quantile(1), INFINITY);
  EXPECT_THROW(normal_quantile(1.5), Error);
}

/// Of 60 digits (mpmath 1.3). The smallest number that there is, numbers with few bits, and the largest below 1.
TEST(Statistics, NormalQuantilesOfExtremes) {
  const std::pair<double, double> rows[] = {
      {5e-324, -38.467405617144346251},   {1e-320, -38.269125343032651018}, {1e-310, -37.663060331949523732},
      {2.3e-308, -37.518497245012296732}, {1e-300, -37.047096299361199237}, {1e-299, -36.984936496902572229},
      {1e-100, -21.273453560965324294},   {1e-16, -8.2220822161304356152},  {0.02425, -1.9729610513118848376}};
  for (const auto& [p, z] : rows) EXPECT_NEAR(normal_quantile(p), z, -1e-12 * z) << p;
  EXPECT_NEAR(normal_quantile(1 - 1e-16), 8.2095361516013868556, 1e-12);  // 1 - 2^-53
  EXPECT_NEAR(normal_quantile(1 - 0x1p-52), 8.1258906647019068585, 1e-12);
  EXPECT_EQ(normal_quantile(0), -INFINITY);
  EXPECT_THROW(normal_quantile(NAN), Error);
  EXPECT_THROW(normal_quantile(-5e-324), Error);
}

TEST(Statistics, IncompleteBeta) {
  EXPECT_NEAR(incomplete_beta(2, 3, 0.4), 0.5248, 1e-14);  // a polynomial
  EXPECT_NEAR(incomplete_beta(0.5, 30, 0.01), 0.560665631094749, 1e-13);
  EXPECT_NEAR(incomplete_beta(1, 1, 0.3), 0.3, 1e-15);
  EXPECT_EQ(incomplete_beta(3, 4, 1), 1);
  EXPECT_THROW(incomplete_beta(0, 1, 0.5), Error);
}

// Values of scipy.stats.ttest_1samp, wilcoxon (exact; and approx with correction).
TEST(Statistics, PairedTests) {
  const double x[] = {0.021, 0.018, 0.025, -0.003, 0.022, 0.009};
  const PairedTest t = paired_t_test(x);
  EXPECT_NEAR(t.p, 0.016038722122303832, 1e-13);
  EXPECT_NEAR(t.interval.low, 0.004293456614845138, 1e-14);
  EXPECT_NEAR(t.interval.high, 0.026373210051821524, 1e-14);
  EXPECT_EQ(wilcoxon_signed_rank(x), 0.0625);
  EXPECT_EQ(wilcoxon_signed_rank({{1, -2, 3, 4, 5, 6, 7, 8}}), 0.0234375);
  std::vector<double> many;
  for (int i = 0; i < 40; ++i) many.push_back(std::round(100 * (std::sin(i * 1.7) + 0.25)) / 100);
  EXPECT_NEAR(wilcoxon_signed_rank(many), 0.03203806814506738, 1e-12);
  EXPECT_EQ(wilcoxon_signed_rank({}), 1);

  const PairedTest same = paired_t_test({{0.5, 0.5, 0.5}});
  EXPECT_EQ(same.p, 0);
  EXPECT_EQ(same.interval.low, 0.5);
  EXPECT_EQ(paired_t_test({{0, 0}}).p, 1);
  EXPECT_THROW(paired_t_test({{1.0}}), Error);
  EXPECT_THROW(paired_t_test({{1.0, NAN}}), Error);
}

// The same numbers as from six overlapping splits, a sixth of the rows for the test: SciPy's t distribution, the formula of the paper.
TEST(Statistics, CorrectedResampledTest) {
  const double x[] = {0.021, 0.018, 0.025, -0.003, 0.022, 0.009};
  const PairedTest t = corrected_resampled_t_test(x, 1.0 / 5);
  EXPECT_NEAR(t.p, 0.061083184416562956, 1e-13);
  EXPECT_NEAR(t.interval.low, -0.001041450070141621, 1e-14);
  EXPECT_NEAR(t.interval.high, 0.03170811673680828, 1e-14);
  EXPECT_EQ(corrected_resampled_t_test({{0, 0}}, 0.1).p, 1);
  EXPECT_THROW(corrected_resampled_t_test(x, 0), Error);
  EXPECT_THROW(corrected_resampled_t_test({{1.0}}, 0.1), Error);
}

// Holm's own example has p = 0.01, 0.02, 0.015 with three hypotheses; corrected by hand.
TEST(Statistics, ProportionsStayWithinTheirRange) {
  // With many degrees of freedom and the variance of independent examples it is Wilson's: 8 of 10 is 0.4902 to 0.9433.
  const Interval wilson = proportion_interval(0.8, 0.8 * 0.2 / 10, 10, 1e9);
  EXPECT_NEAR(wilson.low, 0.49016, 1e-5);
  EXPECT_NEAR(wilson.high, 0.94332, 1e-5);
  const Interval all = proportion_interval(1, 0, 10, 1e9);  // 10 of 10: 0.7225 to 1
  EXPECT_NEAR(all.low, 0.72247, 1e-5);
  EXPECT_EQ(all.high, 1);
  EXPECT_EQ(proportion_interval(0, 0, 10, 1e9).low, 0);
  EXPECT_NEAR(proportion_interval(0, 0, 10, 1e9).high, 1 - all.low, 1e-12);
  for (const double mean : {0.0, 1e-9, 0.02, 0.5, 0.98, 1.0}) {
    for (const double variance : {0.0, 1e-12, 1e-4, 0.04, 0.3}) {
      for (const double degrees : {1.0, 4.0, 19.0}) {
        const Interval i = proportion_interval(mean, variance, 500, degrees);
        EXPECT_TRUE(0 <= i.low && i.low <= mean && mean <= i.high && i.high <= 1) << mean << " " << variance;
        EXPECT_LT(i.low, i.high);
      }
    }
  }
  // Twice the variance, half the examples.
  EXPECT_NEAR(proportion_interval(0.7, 0.7 * 0.3 / 50, 100, 9).low, proportion_interval(0.7, 0, 50, 9).low, 1e-12);
  EXPECT_THROW(proportion_interval(1.1, 0, 10, 3), Error);
  EXPECT_THROW(proportion_interval(0.5, -1, 10, 3), Error);
}

TEST(Statistics, CrossedTests) {
  const std::vector<double> examples = {1, 0, 0, 1, 0, 0, 0, 1};
  const double one[] = {0.375};
  const CrossedTest single = crossed_test(one, examples);  // the plain test over examples
  const PairedTest plain = paired_t_test(examples);
  EXPECT_NEAR(single.test.mean, plain.mean, 1e-15);
  EXPECT_NEAR(single.test.interval.low, plain.interval.low, 1e-12);
  EXPECT_NEAR(single.test.p, plain.p, 1e-12);
  EXPECT_EQ(single.degrees, 7);
  // By hand: s^2 of the draws is 0.01, of the examples 0.04; the variance 0.01 / 2 + 0.04 / 4 = 0.015, and the degrees
  // 0.015^2 / (0.005^2 / 1 + 0.01^2 / 3) = 27 / 7.
  const double draws[] = {0.5 - std::sqrt(0.005), 0.5 + std::sqrt(0.005)};
  const double a = std::sqrt(0.03);
  const CrossedTest both = crossed_test(draws, std::vector<double>{0.5 - a, 0.5 - a, 0.5 + a, 0.5 + a});
  EXPECT_NEAR(both.variance, 0.015, 1e-12);
  EXPECT_NEAR(both.degrees, 27.0 / 7, 1e-9);
  const double alike[] = {0, 0};
  EXPECT_EQ(crossed_test(alike, alike).test.p, 1);
  EXPECT_THROW(crossed_test({}, examples), Error);
  EXPECT_THROW(crossed_test(one, one), Error);
  const double infinite[] = {0.5, INFINITY};
  EXPECT_THROW(crossed_test(infinite, examples), Error);
}

TEST(Statistics, HolmsCorrection) {
  EXPECT_EQ(holm({{0.01, 0.02, 0.015}}), (std::vector<double>{0.03, 0.03, 0.03}));
  EXPECT_EQ(holm({{0.5, 0.001, 0.04}}), (std::vector<double>{0.5, 0.003, 0.08}));
  EXPECT_EQ(holm({{0.9, 0.8}}), (std::vector<double>{1, 1}));
  EXPECT_TRUE(holm({}).empty());
}

// With very many pairs the quantiles are those of the normal distribution.
TEST(Statistics, SmallestDetectable) {
  EXPECT_NEAR(smallest_detectable(1000000, 1), (1.959963984540054 + 0.8416212335729143) / 1000, 1e-8);
  EXPECT_NEAR(smallest_detectable(5, 2), (2.7764451051977934 + student_t_quantile(0.8, 4)) * 2 / std::sqrt(5.0), 1e-12);
}

TEST(Statistics, LinesAreFitted) {
  const LineFit fit = fit_line({{0, 1, 2, 3}}, {{1, 3, 5, 7}});
  EXPECT_DOUBLE_EQ(fit.slope, 2);
  EXPECT_DOUBLE_EQ(fit.intercept, 1);
  EXPECT_DOUBLE_EQ(fit.r2, 1);
  EXPECT_THROW(fit_line({{1, 1}}, {{1, 2}}), Error);
  EXPECT_THROW(fit_line({{1, 2}}, {{1}}), Error);
}

}  // namespace
}  // namespace gradus::insight
