#include "gradus/train/selftest/selftest.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/base/error.h"

namespace gradus::train {
namespace {

TEST(Selftest, EveryOracleHolds) {
  const std::vector<OracleResult> results = selftest();
  EXPECT_GE(results.size(), 19u);
  for (const OracleResult& r : results) {
    EXPECT_TRUE(r.passed) << r.name << " (" << r.about << "): found " << r.found << ", expected " << r.expected << " "
                          << r.error;
  }
}

TEST(Selftest, WrongAnswersAndExceptionsFail) {
  const auto run = [](double tolerance, std::function<double()> find) {
    return run_oracle({"x", "y", 1, tolerance, std::move(find)});
  };
  EXPECT_TRUE(run(0.5, [] { return 1.5; }).passed);
  EXPECT_FALSE(run(0.25, [] { return 1.5; }).passed);
  EXPECT_FALSE(run(0.5, [] { return std::nan(""); }).passed);
  const OracleResult thrown = run(0.5, []() -> double { throw Error(ErrorKind::value, "op", "no"); });
  EXPECT_FALSE(thrown.passed);
  EXPECT_EQ(thrown.error, "value error in op: no");
}

}  // namespace
}  // namespace gradus::train
