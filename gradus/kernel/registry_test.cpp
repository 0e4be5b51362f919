#include "gradus/kernel/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gradus/base/error.h"
#include "gradus/kernel/onednn/version.h"
#include "gradus/ops/matmul.h"

namespace gradus::kernel {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Op product = MatMul{};

Choice choose_product(DType dtype) {
  const TensorSpec in[] = {{dtype, {100, 300}}, {dtype, {300, 400}}}, out[] = {{dtype, {100, 400}}};
  return choose({product, in, out});
}

std::string message_of(void (*call)()) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Registry, EveryOperationEndsWithItsReference) {
  const std::vector<std::string_view> names = operations();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()).size(), names.size());
  EXPECT_NE(std::find(names.begin(), names.end(), "matmul"), names.end());
  for (const std::string_view name : names) EXPECT_EQ(implementations(name).back().implementation, "reference") << name;
}

TEST(Registry, UnknownOperationHasNoImplementation) { EXPECT_THAT(implementations("no such operation"), IsEmpty()); }

TEST(Registry, PrefersTheFirstThatTakesTheRequest) {
  const Choice fast = choose_product(DType::f32);
  EXPECT_EQ(fast.implementation, "onednn");
  EXPECT_THAT(fast.refusals, ElementsAre("small: too much arithmetic", "panels: only bf16, not f32"));
  const Choice slow = choose_product(DType::f64);
  EXPECT_EQ(slow.implementation, "reference");
  EXPECT_THAT(slow.refusals, ElementsAre("small: only f32 and bf16", "panels: only bf16, not f64",
                                         "onednn: only f32, not f64", "bf16: only bf16, not f64"));
}

TEST(Registry, SwitchesImplementationsOffAndOn) {
  EXPECT_TRUE(is_enabled("onednn"));
  set_enabled("onednn", false);
  EXPECT_FALSE(is_enabled("onednn"));
  const Choice choice = choose_product(DType::f32);
  set_enabled("onednn", true);
  EXPECT_EQ(choice.implementation, "reference");
  EXPECT_THAT(choice.refusals, ElementsAre("small: too much arithmetic", "panels: only bf16, not f32",
                                           "onednn: switched off", "bf16: only bf16, not f32"));
  EXPECT_EQ(choose_product(DType::f32).implementation, "onednn");
}

TEST(Registry, TakesImplementationsFromOutside) {
  const Maker refuses = [](const Request&, std::string& reason) {
    reason = "never";
    return std::unique_ptr<Kernel>();
  };
  add_implementation({"outside", "reference", refuses});  // ends as all others do, for the test above
  add_implementation({"outside", "faster", refuses});
  EXPECT_EQ(implementations("outside").front().implementation, "faster");
  EXPECT_EQ(message_of([] {
              add_implementation({"outside", "reference", nullptr});
            }),
            "value error in add_implementation: outside has an implementation named \"reference\" already");
}

TEST(Registry, RefusesUnknownNamesAndTheReference) {
  EXPECT_THAT(message_of([] { set_enabled("onednm", false); }), HasSubstr("hint: did you mean \"onednn\"?"));
  EXPECT_EQ(message_of([] { set_enabled("reference", false); }),
            "value error in set_enabled: the reference kernels cannot be switched off\n"
            "  hint: they are the last of each list; nothing else is left to run");
}

TEST(Registry, SaysWhyNoImplementationTakesARequest) {
  EXPECT_EQ(message_of([] { (void)choose_product(DType::boolean); }),
            "dtype error in matmul: no kernel for these types\n"
            "  input 0   bool [100, 300]\n"
            "  input 1   bool [300, 400]\n"
            "  output 0  bool [100, 400]\n"
            "  small: only f32 and bf16\n"
            "  panels: only bf16, not bool\n"
            "  onednn: only f32, not bool\n"
            "  bf16: only bf16, not bool\n"
            "  reference: only f32, f64, bf16, i32 and i64");
}

TEST(Registry, NamesTheVersionOfOneDnn) {
  EXPECT_THAT(onednn_version(), ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace gradus::kernel
