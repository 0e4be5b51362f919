#include "bench/scaling/curve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::bench {
namespace {

std::vector<double> times(const Curve& curve, const std::vector<double>& x) {
  std::vector<double> t;
  for (const double each : x) t.push_back(curve.at(each));
  return t;
}

TEST(Curve, FindsTheOneThatMadeThePoints) {
  const std::vector<double> x = {8, 16, 32, 64, 128, 256};
  for (const Curve& made : {Curve{2, 0.5, 1}, Curve{0, 3, 2}, Curve{100, 0.01, 2.5}, Curve{0, 1, 0.5}}) {
    const Curve found = fit_curve(x, times(made, x));
    EXPECT_NEAR(found.exponent, made.exponent, 1e-4);
    EXPECT_NEAR(found.fixed, made.fixed, 1e-3 * (made.fixed + made.at(8)));
    EXPECT_NEAR(found.factor / made.factor, 1, 1e-2);
    EXPECT_LT(found.worst, 1e-3);
    EXPECT_LT(found.exponent_error, 1e-3);
  }
}

TEST(Curve, TellsHowSureTheExponentIs) {
  const std::vector<double> x = {1, 2, 4, 8, 16};
  std::vector<double> t = times({0, 1, 1}, x);
  for (std::size_t i = 0; i < t.size(); ++i) t[i] *= i % 2 == 0 ? 1.1 : 0.9;
  const Curve found = fit_curve(x, t);
  EXPECT_NEAR(found.exponent, 1, 4 * found.exponent_error);
  EXPECT_GT(found.exponent_error, 0.01);
  EXPECT_GT(found.worst, 0.05);
}

TEST(Curve, NoPartIsNegative) {
  const std::vector<double> x = {1, 2, 4, 8}, t = {4, 3, 2, 1};  // falls
  const Curve found = fit_curve(x, t);
  EXPECT_GE(found.fixed, 0);
  EXPECT_GE(found.factor, 0);
}

TEST(Curve, NeedsFourPositivePoints) {
  const std::vector<double> three = {1, 2, 3}, with_zero = {1, 2, 3, 0}, four = {1, 2, 3, 4};
  EXPECT_THROW(fit_curve(three, three), Error);
  EXPECT_THROW(fit_curve(with_zero, four), Error);
  EXPECT_THROW(fit_curve(four, with_zero), Error);
  EXPECT_THROW(fit_curve(four, three), Error);
}

}  // namespace
}  // namespace gradus::bench
