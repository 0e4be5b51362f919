// Summaries: rows, costs, receptive fields against closed forms, drawings.
#include "gradus/models/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/models/gpt.h"
#include "gradus/models/lenet5.h"
#include "gradus/nn/layers/activations.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/layers/shape.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus::models {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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
              ElementsAre("conv1 Conv2d [6, 28, 28]", " relu [6, 28, 28]", " max_pool2d [6, 14, 14]",
                          "conv2 Conv2d [16, 10, 10]", " relu [16, 10, 10]", " max_pool2d [16, 5, 5]", " flatten [400]",
                          "fc1 Linear [120]", " relu [120]", "fc2 Linear [84]", " relu [84]", "fc3 Linear [10]"));
  EXPECT_EQ(parameters, s.parameters);
  EXPECT_EQ(bytes, s.activation_bytes);
  EXPECT_EQ(bytes, 4 * (2 * 6 * 28 * 28 + 6 * 14 * 14 + 2 * 16 * 10 * 10 + 16 * 5 * 5 + 2 * 120 + 2 * 84 + 10));
  EXPECT_THAT(to_text(s), HasSubstr("conv2 (Conv2d)               [16, 10, 10]              2,416        240,000       "
                                    "     6,400        14        2\n"));
  EXPECT_THAT(
      to_text(s),
      HasSubstr(
          "fc1 (Linear)                 [120]                    48,120         48,000              480       all\n"));
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

std::vector<std::string> lines_of(const Summary& s) {
  std::vector<std::string> lines;
  for (const SummaryRow& row : s.rows) {
    std::string from;
    for (const int input : row.inputs) from += " " + std::to_string(input);
    lines.push_back(row.layer + " " + row.operation + from);
  }
  return lines;
}

/// A residual block whose layers are several operations each.
struct Block {
  nn::Conv2d conv{2, 2, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d norm{2};
  nn::Dropout drop;
  static constexpr int field_count = 3;

  Tensor operator()(const Tensor& x) { return gelu(drop(norm(conv(x))) + x); }
};

struct Nested {
  Block block;
  nn::Sequential head{nn::GlobalAvgPool{}, nn::Linear(2, 3), nn::Softmax{}};
  static constexpr int field_count = 2;

  Tensor operator()(const Tensor& x) { return head(block(x)); }
};

TEST(Summary, ALayerIsOneRowHoweverManyOperationsItIs) {
  AnyModel model = Nested();
  const Summary s = summarize(model, {2, 8, 8});
  EXPECT_THAT(lines_of(s),
              ElementsAre("block.conv Conv2d -1", "block.norm BatchNorm2d 0", "block.drop Dropout 1", " add 2 -1",
                          " gelu 3", "head.0 GlobalAvgPool 4", "head.1 Linear 5", "head.2 Softmax 6"));
  EXPECT_EQ(s.rows[1].parameters, 4);
  EXPECT_EQ(s.rows[1].activation_bytes, 4 * 2 * 8 * 8);
  EXPECT_EQ(s.rows[2].activation_bytes, 0);
  EXPECT_EQ(s.rows[6].parameters, 9);
}

/// "size/stride" for each axis.
std::string field_of(AnyModel model, const Shape& example) {
  const Summary s = summarize(model, example);
  std::string text;
  for (const ReceptiveField& along : s.rows.back().field) {
    char figures[64];
    std::snprintf(figures, sizeof figures, "%s%g/%g", text.empty() ? "" : " ", along.size, along.stride);
    text += along.whole ? (text.empty() ? "whole" : " whole") : figures;
  }
  return text;
}

nn::Sequential vgg16() {
  nn::Sequential net;
  for (const int convolutions : {2, 2, 3, 3, 3}) {
    for (int i = 0; i < convolutions; ++i) net.add(nn::Conv2d(1, 1, 3, {.padding = 1})).add(nn::ReLU{});
    net.add(nn::MaxPool2d{2});
  }
  return net;
}

/// The stages of ResNet-18, with one channel.
struct ResNet18 {
  nn::Conv2d stem{1, 1, 7, {.stride = 2, .padding = 3}};
  std::vector<nn::Conv2d> convs, shortcuts;
  static constexpr int field_count = 3;

  ResNet18() {
    for (int block = 0; block < 8; ++block) {
      const std::int64_t stride = block > 0 && block % 2 == 0 ? 2 : 1;
      convs.emplace_back(1, 1, 3, nn::Conv2dOptions{.stride = stride, .padding = 1});
      convs.emplace_back(1, 1, 3, nn::Conv2dOptions{.padding = 1});
      shortcuts.emplace_back(1, 1, 1, nn::Conv2dOptions{.stride = stride});
    }
  }
  Tensor operator()(const Tensor& images) {
    Tensor x = max_pool2d(relu(stem(images)), 3, {.stride = 2, .padding = 1});
    for (std::size_t i = 0; i < shortcuts.size(); ++i) {
      x = relu(convs[2 * i + 1](relu(convs[2 * i](x))) + shortcuts[i](x));
    }
    return x;
  }
};

TEST(ReceptiveField, OfPublishedNetworks) {
  EXPECT_EQ(field_of(vgg16(), {1, 224, 224}), "212/32 212/32");  // Araujo et al., 2019
  EXPECT_EQ(field_of(ResNet18(), {1, 224, 224}), "435/32 435/32");
  EXPECT_EQ(field_of(LeNet5(), {1, 28, 28}), "whole whole");
}

TEST(ReceptiveField, ByHand) {
  const auto net = [](auto... layers) { return nn::Sequential{layers...}; };
  const auto function = [](auto f) { return AnyModel(nn::Sequential{nn::Conv2d(2, 2, 3, {.padding = 1}), f}); };
  const struct {
    const char* what;
    AnyModel model;
    Shape example;
    const char* field;
  } cases[] = {
      {"dilation",
       net(nn::Conv2d(1, 1, 3, {.dilation = 2}), nn::Conv2d(1, 1, {3, 1}, {.dilation = 4})),
       {1, 32, 32},
       "13/1 5/1"},
      {"sequence", net(nn::Conv1d(1, 1, 5, {.stride = 2}), nn::MaxPool1d{3, 3}), {1, 40}, "9/6"},
      {"volume", net(nn::Conv3d(1, 1, {1, 3, 5}), nn::AvgPool3d{{2, 2, 3}}), {1, 8, 9, 17}, "2/2 4/2 7/3"},
      {"transposed",
       net(nn::Conv2d(1, 1, 3, {.stride = 2}), nn::ConvTranspose2d(1, 1, 4, {.stride = 2, .padding = 1})),
       {1, 33, 33},
       "5/1 5/1"},
      {"nearest",
       function([](const Tensor& x) {
         return interpolate(avg_pool2d(x, 2), {16, 16});
       }),
       {2, 16, 16},
       "4/1 4/1"},
      {"bilinear",
       function([](const Tensor& x) {
         return interpolate(avg_pool2d(x, 2), {16, 16}, {.mode = Interpolation::bilinear});
       }),
       {2, 16, 16},
       "6/1 6/1"},
      {"reflected", net(nn::ReflectionPad2d{1}, nn::Conv2d(1, 1, 3)), {1, 16, 16}, "3/1 3/1"},
      {"adaptive", net(nn::Conv2d(1, 1, 1), nn::AdaptiveAvgPool2d{3}), {1, 8, 8}, "4/2.5 4/2.5"},
      {"windows", function([](const Tensor& x) { return sum(unfold(x, 3, 4, 2), -1); }), {2, 16, 16}, "3/1 6/2"},
      {"cropped",
       function([](const Tensor& x) { return slice(slice(x, 2, 1, 15, 2), 3, 4, 8); }),
       {2, 16, 16},
       "3/2 3/1"},
      {"turned",
       function([](const Tensor& x) {
         return transpose(max_pool2d(x, {1, 2}), 2, 3);
       }),
       {2, 16, 16},
       "3/1 4/2"},
      {"branches",
       function([](const Tensor& x) {
         return concat({x, max_pool2d(x, {3, 5}, {.stride = 1, .padding = {1, 2}})}, 1);
       }),
       {2, 16, 16},
       "5/1 7/1"},
      {"columns", function([](const Tensor& x) { return softmax(x, 3); }), {2, 16, 16}, "3/1 whole"},
      {"gate", function([](const Tensor& x) { return x * sigmoid(global_avg_pool(x)); }), {2, 16, 16}, "whole whole"},
      {"instance", net(nn::Conv2d(2, 2, 3, {.padding = 1}), nn::InstanceNorm2d(2)), {2, 16, 16}, "whole whole"},
      {"everything", net(nn::Conv2d(1, 1, 3), nn::GlobalAvgPool{}), {1, 16, 16}, "whole whole"},
  };
  for (const auto& c : cases) EXPECT_EQ(field_of(c.model, c.example), c.field) << c.what;
}

TEST(ReceptiveField, IsLeftOutWhereNothingIsLocal) {
  AnyModel model = nn::Sequential{nn::Flatten{}, nn::Linear(16, 2)};
  EXPECT_TRUE(summarize(model, {1, 4, 4}).rows[1].field.empty());
  EXPECT_THAT(to_text(summarize(model, {1, 4, 4})), Not(HasSubstr("stride")));
}

TEST(Summary, OfTokens) {
  Gpt gpt({.vocab_size = 16, .block_size = 8, .n_layer = 2, .n_head = 2, .n_embd = 4});
  const std::int64_t parameters = nn::num_parameters(gpt);
  AnyModel model = gpt;
  const Summary s = summarize(model, {DType::i64, {8}});
  std::int64_t counted = 0, macs = 0;
  for (const SummaryRow& row : s.rows) {
    counted += row.parameters;
    macs += row.macs;
    EXPECT_TRUE(row.field.empty());
  }
  EXPECT_EQ(counted, parameters);  // the table that input and output share is counted once
  EXPECT_EQ(s.rows[0].layer, "wte");
  EXPECT_EQ(s.rows.back().output, (Shape{8, 16}));
  // Linear layers, the output, and what queries, keys and values need of each other.
  EXPECT_EQ(macs, 2 * 8 * 12 * 4 * 4 + 8 * 4 * 16 + 2 * 8 * 8 * (4 + 4));
}

TEST(Summary, Drawing) {
  AnyModel model = Nested();
  const Drawing drawing = drawing_of(summarize(model, {2, 8, 8}), "nested <1>");
  EXPECT_EQ(drawing.boxes.size(), 9);
  EXPECT_THAT(drawing.arrows,
              ElementsAre(std::pair(0, 1), std::pair(1, 2), std::pair(2, 3), std::pair(3, 4), std::pair(0, 4),
                          std::pair(4, 5), std::pair(5, 6), std::pair(6, 7), std::pair(7, 8)));
  EXPECT_THAT(drawing.boxes[1].lines, ElementsAre("2 \u00d7 8 \u00d7 8", "36 parameters"));
  EXPECT_TRUE(drawing.boxes[4].lines.empty());  // the shape is that of its operands
  EXPECT_THAT(to_svg(drawing), HasSubstr("nested &lt;1&gt;"));
}

}  // namespace
}  // namespace gradus::models
