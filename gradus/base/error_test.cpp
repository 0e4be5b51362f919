#include "gradus/base/error.h"

#include <gtest/gtest.h>

namespace gradus {
namespace {

TEST(Error, PrintsEveryFactOnItsLine) {
  const Error error = Error(ErrorKind::shape, "linear")
                          .context("encoder.fc1: 784 -> 64")
                          .at({"/home/ada/project/train.cpp", 57})
                          .operand("input", {DType::f32, {32, 756}}, "axis 1 is 756, expected 784")
                          .operand("weight", {DType::f32, {64, 784}}, "encoder.fc1.weight")
                          .note("input comes from flatten of f32 [32, 1, 28, 27]")
                          .hint("28 x 28 = 784; the images are 28 x 27");
  EXPECT_STREQ(error.what(),
               "shape error in linear (encoder.fc1: 784 -> 64), called at train.cpp:57\n"
               "  input   f32 [32, 756]   axis 1 is 756, expected 784\n"
               "  weight  f32 [64, 784]   encoder.fc1.weight\n"
               "  input comes from flatten of f32 [32, 1, 28, 27]\n"
               "  hint: 28 x 28 = 784; the images are 28 x 27");
  EXPECT_EQ(error.kind(), ErrorKind::shape);
  EXPECT_EQ(error.op(), "linear");
  EXPECT_EQ(error.location().line, 57);
  ASSERT_EQ(error.fields().size(), 2u);
  EXPECT_EQ(error.fields()[1].first, "weight");
  EXPECT_EQ(error.fields()[1].second, "f32 [64, 784]   encoder.fc1.weight");
}

TEST(Error, SummaryAndPlainFields) {
  const Error error = Error(ErrorKind::value, "set_num_threads", "too few").field("threads", "0");
  EXPECT_STREQ(error.what(), "value error in set_num_threads: too few\n  threads  0");
}

TEST(Error, TheFirstLocationContextAndHintStay) {
  Error error(ErrorKind::axis, "sum");
  error.at({"inner.cpp", 1}).context("inner").hint("first");
  error.at({"outer.cpp", 2}).context("outer").hint("second");
  EXPECT_STREQ(error.what(), "axis error in sum (inner), called at inner.cpp:1\n  hint: first");
}

TEST(Error, EveryKindHasAName) {
  EXPECT_EQ(name_of(ErrorKind::io), "input/output error");
  EXPECT_EQ(name_of(ErrorKind::index), "index error");
  EXPECT_EQ(name_of(ErrorKind::usage), "usage error");
}

TEST(SourceLocation, CurrentIsTheCallersLine) {
  const auto caller = [](SourceLocation where = SourceLocation::current()) { return where; };
  const SourceLocation here = caller();
  EXPECT_EQ(here.line, __LINE__ - 1);
  EXPECT_EQ(here.str().substr(0, 15), "error_test.cpp:");
  EXPECT_FALSE(SourceLocation{}.known());
  EXPECT_EQ(SourceLocation{}.str(), "an unknown place");
}

TEST(NearestName, FindsTypingErrorsOnly) {
  const std::vector<std::string> names{"learning_rate", "weight_decay", "betas"};
  EXPECT_EQ(nearest_name("learning_rat", names), "learning_rate");
  EXPECT_EQ(nearest_name("wieght_decay", names), "weight_decay");
  EXPECT_EQ(nearest_name("beta", names), "betas");
  EXPECT_EQ(nearest_name("momentum", names), "");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(Assertion, StopsWithTheCondition) {
  EXPECT_DEATH(GRADUS_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3");
  GRADUS_ASSERT(1 + 1 == 2);
}

}  // namespace
}  // namespace gradus
