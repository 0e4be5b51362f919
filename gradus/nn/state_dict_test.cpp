// State dicts and their strict loading.
#include "gradus/nn/state_dict.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/ops/ops.h"

namespace gradus::nn {
namespace {

struct Model {
  Conv2d conv{1, 2, 3};
  Linear fc{8, 4};
  Buffer steps = Buffer(tensor(std::int64_t{0}));
};

std::vector<float> values(const Tensor& tensor) { return tensor.to_vector<float>(); }

std::string refusal(Model& model, const StateDict& dict, LoadOptions options = {}) {
  try {
    load_state_dict(model, dict, options, {});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::state);
    return error.what();
  }
  return "no error";
}

TEST(StateDict, HasTheNamesAndShapesOfPyTorch) {
  Model model;
  const StateDict dict = state_dict(model);
  const std::vector<std::pair<std::string, std::string>> expected{{"conv.weight", "f32 [2, 1, 3, 3]"},
                                                                  {"conv.bias", "f32 [2]"},
                                                                  {"fc.weight", "f32 [4, 8]"},
                                                                  {"fc.bias", "f32 [4]"},
                                                                  {"steps", "i64 []"}};
  std::vector<std::pair<std::string, std::string>> actual;
  for (const auto& [name, tensor] : dict) actual.emplace_back(name, tensor.spec().str());
  EXPECT_EQ(actual, expected);
}

TEST(StateDict, RoundTrips) {
  Model a, b;
  ASSERT_NE(values(a.fc.weight), values(b.fc.weight));
  const LoadReport report = load_state_dict(b, state_dict(a));
  EXPECT_TRUE(report.missing.empty() && report.unexpected.empty());
  EXPECT_EQ(values(a.fc.weight), values(b.fc.weight));
  EXPECT_EQ(values(a.conv.bias), values(b.conv.bias));
}

TEST(StateDict, ConvertsBetweenFloatingTypes) {
  Model model;
  StateDict dict = state_dict(model);
  dict[3].second = tensor({0.5, 1.5, 2.5, 3.5});
  ASSERT_EQ(dict[3].second.dtype(), DType::f64);
  load_state_dict(model, dict);
  EXPECT_EQ(model.fc.bias.dtype(), DType::f32);
  EXPECT_EQ(values(model.fc.bias), (std::vector<float>{0.5f, 1.5f, 2.5f, 3.5f}));
}

TEST(StateDict, ReportsEverythingAtOnceAndChangesNothing) {
  Model model;
  const std::vector<float> before = values(model.conv.weight);
  const StateDict dict{{"conv.weight", zeros({2, 1, 3, 3})}, {"conv.bais", zeros({2})},
                       {"fc.weight", zeros({8, 4})},         {"steps", zeros({})},
                       {"head.temperature", zeros({1})},     {"conv.weight", zeros({2, 1, 3, 3})}};
  EXPECT_EQ(refusal(model, dict),
            "state error in load_state_dict: 2 missing, 2 unexpected, 2 of another shape or type, 1 repeated; the "
            "model has 5 "
            "tensors; nothing was loaded\n"
            "  missing     conv.bias  f32 [2]   did you mean conv.bais?\n"
            "  missing     fc.bias  f32 [4]\n"
            "  unexpected  conv.bais  f32 [2]   did you mean conv.bias?\n"
            "  unexpected  head.temperature  f32 [1]\n"
            "  mismatch    fc.weight  f32 [8, 4], expected f32 [4, 8]\n"
            "  mismatch    steps  f32 [], expected i64 []\n"
            "  repeated    conv.weight");
  EXPECT_EQ(values(model.conv.weight), before);
}

TEST(StateDict, SaysWhichPrefixToStrip) {
  Model model;
  StateDict dict = state_dict(model);
  for (auto& [name, tensor] : dict) name = "_orig_mod." + name;
  EXPECT_NE(refusal(model, dict).find("hint: all unexpected names begin with \"_orig_mod.\": strip it"),
            std::string::npos);
}

TEST(StateDict, NotStrictLoadsWhatFitsAndReportsTheRest) {
  Model model;
  const std::vector<float> before = values(model.fc.weight);
  const LoadReport report = load_state_dict(model, {{"conv.bias", ones({2})}, {"other", ones({1})}}, {.strict = false});
  EXPECT_EQ(report.missing, (std::vector<std::string>{"conv.weight", "fc.weight", "fc.bias", "steps"}));
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"other"}));
  EXPECT_EQ(values(model.conv.bias), (std::vector<float>{1, 1}));
  EXPECT_EQ(values(model.fc.weight), before);
  EXPECT_NE(refusal(model, {{"conv.bias", ones({3})}}, {.strict = false}).find("conv.bias  f32 [3], expected f32 [2]"),
            std::string::npos);
}

TEST(StateDict, LoadedParametersKeepNameAndTrainability) {
  Model model;
  freeze(model, "fc.*");
  load_state_dict(model, state_dict(Model()));
  EXPECT_FALSE(model.fc.weight.trainable());
  EXPECT_EQ(model.fc.weight.name(), "fc.weight");
}

}  // namespace
}  // namespace gradus::nn
