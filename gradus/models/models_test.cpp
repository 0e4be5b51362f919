#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/models/activations.h"
#include "gradus/models/gpt.h"
#include "gradus/models/layer_types.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"
#include "gradus/models/registry.h"
#include "gradus/nn/state_dict.h"

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

TEST(Gpt, HasThePublishedSizes) {
  const auto count = [](const GptSettings& settings) { return nn::num_parameters(Gpt(settings)); };
  // nanoGPT's model of characters for a processor.
  EXPECT_EQ(count({.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128, .bias = false}),
            804096);
  // GPT-2 small, whose count is linear in the vocabulary and the layers: from models that fit into a test.
  const std::int64_t one = count({.vocab_size = 1, .n_layer = 1});
  const std::int64_t word = count({.vocab_size = 2, .n_layer = 1}) - one;
  const std::int64_t layer = count({.vocab_size = 1, .n_layer = 2}) - one;
  EXPECT_EQ(one + (GptSettings().vocab_size - 1) * word + (GptSettings().n_layer - 1) * layer, 124439808);
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

}  // namespace
}  // namespace gradus::models
