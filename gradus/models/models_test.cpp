#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/models/activations.h"
#include "gradus/models/layer_types.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"
#include "gradus/models/registry.h"
#include "gradus/models/summary.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/factory.h"

namespace gradus::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor zeros_like(const Shape& shape) {
  const std::vector<float> elements(static_cast<std::size_t>(shape.numel()), 0.5f);
  return leaf<float>(shape, elements);
}

std::vector<std::string> keys(const AnyModel& model) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : nn::state_dict(model)) names.push_back(name);
  return names;
}

template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(LeNet5, HasThePublishedSize) {
  LeNet5 model;
  EXPECT_EQ(nn::num_parameters(model), 61706);
  EXPECT_EQ(model(zeros_like({3, 1, 28, 28})).shape(), (Shape{3, 10}));
}

TEST(LeNet5, NamesTheLayerThatDoesNotFit) {
  LeNet5 model;
  nn::num_parameters(model);
  EXPECT_THAT(refusal([&] { model(zeros_like({3, 1, 32, 32})); }), HasSubstr("400"));
}

TEST(Mlp, LayersAndKeys) {
  Mlp model({.inputs = 12, .hidden = {8, 6}, .outputs = 4, .activation = tanh});
  EXPECT_EQ(nn::num_parameters(model), 12 * 8 + 8 + 8 * 6 + 6 + 6 * 4 + 4);
  EXPECT_EQ(model(zeros_like({5, 3, 4})).shape(), (Shape{5, 4}));
  EXPECT_THAT(keys(model), ElementsAre("layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias",
                                       "layers.2.weight", "layers.2.bias"));
  Mlp linear({.inputs = 12, .hidden = {}, .outputs = 4});
  EXPECT_EQ(nn::num_parameters(linear), 12 * 4 + 4);
}

TEST(AnyModel, KeepsTheNamesOfTheModel) { EXPECT_EQ(keys(make({.name = "lenet5"})).front(), "conv1.weight"); }

TEST(AnyModel, CopiesAreIndependent) {
  AnyModel model = Mlp({.inputs = 2, .hidden = {}, .outputs = 2});
  AnyModel copy = model;
  const Tensor before = nn::state_dict(copy)[0].second;
  const float fresh[] = {1, 2, 3, 4};
  nn::load_state_dict(model, {{"layers.0.weight", leaf<float>({2, 2}, fresh)},
                              {"layers.0.bias", leaf<float>({2}, std::span(fresh, 2))}});
  EXPECT_EQ(nn::state_dict(copy)[0].second, before);
  EXPECT_NE(nn::state_dict(model)[0].second, before);
}

TEST(Registry, SameSeedSameWeights) {
  manual_seed(3);
  const NamedTensors a = nn::state_dict(make({.name = "lenet5"}));
  manual_seed(3);
  const NamedTensors b = nn::state_dict(make({.name = "lenet5"}));
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(a[i].second.data<float>(), b[i].second.data<float>())) << a[i].first;
  }
}

TEST(Registry, ListOfLayersIsASequential) {
  ModelSettings settings{.name = "layers"};
  settings.layers.resize(5);
  settings.layers[0] = {.type = "conv2d", .in_channels = 1, .out_channels = 4, .kernel_size = 3, .padding = 1};
  settings.layers[1].type = "sigmoid";
  settings.layers[2] = {.type = "max_pool2d", .kernel_size = 2};
  settings.layers[3].type = "flatten";
  settings.layers[4] = {.type = "linear", .in_features = 4 * 14 * 14, .out_features = 10, .bias = false};
  AnyModel model = make(settings);
  EXPECT_EQ(model(zeros_like({2, 1, 28, 28})).shape(), (Shape{2, 10}));
  EXPECT_THAT(keys(model), ElementsAre("0.weight", "0.bias", "4.weight"));
}

TEST(Registry, EveryLayerWorksAndReadsItsSettings) {
  for (const std::string_view name : layer_type_names()) {
    LayerSettings layer;
    layer.type = name;
    layer.in_channels = layer.out_channels = 2;
    layer.kernel_size = layer.output_size = 2;
    layer.in_features = layer.out_features = 6;
    layer.num_features = layer.num_channels = 2;
    layer.normalized_shape = {6};
    ModelSettings settings{.name = "layers"};
    settings.layers = {layer};
    AnyModel model = make(settings);
    const bool one_axis = name.ends_with("1d");
    const Tensor y = model(one_axis ? zeros_like({3, 2, 6}) : zeros_like({3, 2, 6, 6}));
    EXPECT_EQ(y.shape()[0], 3) << name;
    EXPECT_EQ(y.rank(), name == "flatten" || name == "global_avg_pool" ? 2 : one_axis ? 3 : 4) << name;
    for (const float value : y.to_vector<float>()) ASSERT_TRUE(std::isfinite(value)) << name;
  }
  EXPECT_THAT(layers_that_read("output_size"), ElementsAre("adaptive_avg_pool2d", "adaptive_max_pool2d"));
  ModelSettings grouped{.name = "layers"};
  grouped.layers.resize(1);
  grouped.layers[0] = {
      .type = "conv2d", .in_channels = 4, .out_channels = 4, .kernel_size = 3, .dilation = 2, .groups = 4};
  AnyModel model = make(grouped);
  EXPECT_EQ(model(zeros_like({1, 4, 9, 9})).shape(), (Shape{1, 4, 5, 5}));
  EXPECT_EQ(nn::num_parameters(model), 4 * 9 + 4);
}

TEST(Registry, NamesTheNearest) {
  EXPECT_EQ(refusal([] { make({.name = "lenet"}); }),
            "configuration error in models::make: unknown model \"lenet\"\n  hint: did you mean \"lenet5\"?");
  ModelSettings settings{.name = "layers"};
  settings.layers.resize(1);
  settings.layers[0].type = "conv2";
  EXPECT_EQ(refusal([&] { make(settings); }),
            "configuration error in models::make (model.layers[0]): unknown layer type \"conv2\"\n  hint: did you mean "
            "\"conv2d\"?");
}

TEST(Summary, LeNet5ByHand) {
  AnyModel model = LeNet5();
  const Summary s = summarize(model, {1, 28, 28});
  EXPECT_EQ(s.parameters, 61706);
  EXPECT_EQ(s.macs, 6 * 28 * 28 * 25 + 16 * 10 * 10 * 150 + 400 * 120 + 120 * 84 + 84 * 10);
  std::vector<std::string> rows;
  std::int64_t parameters = 0, bytes = 0;
  for (const SummaryRow& row : s.rows) {
    rows.push_back(row.layer + " " + row.operation + " " + row.output.str());
    parameters += row.parameters;
    bytes += row.activation_bytes;
  }
  EXPECT_THAT(rows,
              ElementsAre("conv1 conv2d [6, 28, 28]", " relu [6, 28, 28]", " max_pool2d [6, 14, 14]",
                          "conv2 conv2d [16, 10, 10]", " relu [16, 10, 10]", " max_pool2d [16, 5, 5]", " flatten [400]",
                          "fc1 linear [120]", " relu [120]", "fc2 linear [84]", " relu [84]", "fc3 linear [10]"));
  EXPECT_EQ(parameters, s.parameters);
  EXPECT_EQ(bytes, s.activation_bytes);
  EXPECT_EQ(bytes, 4 * (2 * 6 * 28 * 28 + 6 * 14 * 14 + 2 * 16 * 10 * 10 + 16 * 5 * 5 + 2 * 120 + 2 * 84 + 10));
  EXPECT_THAT(to_text(s),
              HasSubstr("conv1 (conv2d)           [6, 28, 28]                 156        117,600           18,816"));
}

/// A convolution over a sequence and its way back.
struct Hourglass {
  nn::Parameter down, up;
  static constexpr int field_count = 2;

  Hourglass() : down(ones({3, 2, 4})), up(ones({3, 2, 4})) {}
  Tensor operator()(const TensorArg& x) const {
    return conv_transpose1d(conv1d(x, down, Tensor(), {.stride = 2}), up, Tensor(), {.stride = 2});
  }
};

TEST(Summary, ConvolutionsOfOtherKinds) {
  AnyModel model = Hourglass();
  const Summary s = summarize(model, {2, 10});
  ASSERT_EQ(s.rows.size(), 2);
  EXPECT_EQ(s.rows[0].operation, "conv1d");
  EXPECT_EQ(s.rows[0].macs, 3 * 4 * 2 * 4);
  EXPECT_EQ(s.rows[1].operation, "conv_transpose1d");
  EXPECT_EQ(s.rows[1].macs, 3 * 4 * 2 * 4);
}

TEST(Summary, RefusesAnExampleThatDoesNotFit) {
  AnyModel model = LeNet5();
  EXPECT_THROW(summarize(model, {3, 28, 28}), Error);
}

}  // namespace
}  // namespace gradus::models
