// Initialisation, the checks of layers, and losses. Values are compared with PyTorch in tests/golden_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

template <class Call>
std::string message(ErrorKind kind, Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  }
  return "no error";
}

struct Moments {
  double least, most, mean, stddev;
};
Moments moments(const Tensor& tensor) {
  const std::vector<double> v = tensor.to_vector<double>();
  double total = 0, squares = 0;
  for (const double x : v) total += x, squares += x * x;
  const auto n = static_cast<double>(v.size());
  return {*std::min_element(v.begin(), v.end()), *std::max_element(v.begin(), v.end()), total / n,
          std::sqrt(squares / n - total * total / n / n)};
}

void expect_uniform(const Tensor& tensor, double bound) {
  const Moments m = moments(tensor);
  EXPECT_GE(m.least, -bound);
  EXPECT_LE(m.most, bound);
  EXPECT_LT(m.least, -0.98 * bound);
  EXPECT_GT(m.most, 0.98 * bound);
  EXPECT_NEAR(m.mean, 0, 0.03 * bound);
  EXPECT_NEAR(m.stddev, bound / std::sqrt(3.0), 0.02 * bound);
}

TEST(Init, LayersStartAsInPyTorch) {
  manual_seed(1);
  const nn::Linear fc(100, 200);
  expect_uniform(fc.weight, 0.1);
  EXPECT_LE(moments(fc.bias).most, 0.1);
  EXPECT_GT(moments(fc.bias).most, 0.09);
  const nn::Conv2d conv(8, 64, {3, 5}, {.groups = 2});
  EXPECT_EQ(conv.weight.shape(), (Shape{64, 4, 3, 5}));
  expect_uniform(conv.weight, 1 / std::sqrt(60.0));
  EXPECT_LE(moments(conv.bias).most, 1 / std::sqrt(60.0));
}

TEST(Init, FollowsTheSeed) {
  const auto weights = [](std::uint64_t seed) {
    manual_seed(seed);
    const nn::Linear first(7, 5), second(7, 5);
    EXPECT_NE(first.weight.tensor().to_vector<float>(), second.weight.tensor().to_vector<float>());
    return second.weight.tensor().to_vector<float>();
  };
  EXPECT_EQ(weights(3), weights(3));
  EXPECT_NE(weights(3), weights(4));
}

TEST(Init, Schemes) {
  const Shape shape{300, 100};
  expect_uniform(nn::init::kaiming_uniform(shape, {}, Key{1}), std::sqrt(6.0 / 100));
  expect_uniform(nn::init::kaiming_uniform(shape, {.a = 0.2, .mode = nn::init::Fan::out}, Key{2}),
                 std::sqrt(6.0 / 1.04 / 300));
  expect_uniform(nn::init::xavier_uniform(shape, 2, Key{3}), 2 * std::sqrt(6.0 / 400));
  EXPECT_NEAR(moments(nn::init::kaiming_normal(shape, {}, Key{4})).stddev, std::sqrt(2.0 / 100), 0.002);
  EXPECT_NEAR(moments(nn::init::xavier_normal(shape, 1, Key{5})).stddev, std::sqrt(2.0 / 400), 0.001);
  EXPECT_EQ(moments(nn::init::constant({3}, 4)).least, 4);
  EXPECT_EQ(nn::init::uniform({2}, 0, 1, Key{1}, DType::f64).dtype(), DType::f64);
}

TEST(Init, RefusesWhatItCannotDo) {
  message(ErrorKind::shape, [] { nn::init::kaiming_uniform({5}); });
  EXPECT_NE(message(ErrorKind::shape, [] { nn::init::xavier_normal({5}); }), "no error");
  EXPECT_NE(message(ErrorKind::dtype, [] { nn::init::uniform({5}, 0, 1, Key{}, DType::i64); }), "no error");
}

TEST(Layers, RefuseSizesOutOfRange) {
  EXPECT_NE(message(ErrorKind::value, [] { nn::Linear(0, 3); }), "no error");
  EXPECT_NE(message(ErrorKind::value, [] { nn::Conv2d(3, 4, 0); }), "no error");
  EXPECT_NE(message(ErrorKind::value, [] { nn::Conv2d(3, 4, 3, {.stride = 0}); }), "no error");
  EXPECT_NE(message(ErrorKind::value, [] { nn::Conv2d(3, 4, 3, {.padding = {0, -1}}); }), "no error");
  EXPECT_NE(message(ErrorKind::value, [] { nn::Conv2d(3, 4, 3, {.dilation = 0}); }), "no error");
  EXPECT_NE(message(ErrorKind::value, [] { nn::Conv2d(3, 4, 3, {.groups = 2}); })
                .find("2 groups do not divide the channels 3 -> 4"),
            std::string::npos);
}

TEST(CrossEntropy, NamesTheRowTheClassAndTheNumberOfClasses) {
  const Tensor logits = zeros({4, 3});
  const std::int64_t labels[] = {0, 2, 3, 1};
  const SourceLocation here{"train.cpp", 57};
  EXPECT_EQ(message(ErrorKind::index, [&] { cross_entropy(TensorArg(logits, here), from_span(labels)); }),
            "index error in cross_entropy, called at train.cpp:57: row 2 has label 3, but there are 3 classes\n"
            "  logits  f32 [4, 3]   labels go from 0 to 2\n"
            "  labels  i64 [4]      element 2 is 3\n"
            "  hint: are the labels counted from 1?");
  const std::int64_t images[] = {0, 1, 0, -1};
  EXPECT_NE(message(ErrorKind::index,
                    [&] {
                      cross_entropy(zeros({2, 2, 2}), from_span(images, {2, 2}));
                    })
                .find("row 1 has label -1, but there are 2 classes"),
            std::string::npos);
}

TEST(CrossEntropy, ChecksLabelsThatAreComputedWhenItIsEvaluated) {
  const std::int64_t labels[] = {0, 1, 2};
  const Tensor loss = cross_entropy(zeros({3, 3}), from_span(labels) + 1);
  EXPECT_NE(message(ErrorKind::index, [&] { loss.item<float>(); }), "no error");
}

TEST(CrossEntropy, TakesLabelsOfAnyIntegerType) {
  const Tensor logits = nn::init::normal({2, 3}, 0, 1, Key{1});
  const std::int64_t labels[] = {2, 0};
  const float expected = cross_entropy(logits, from_span(labels)).item<float>();
  EXPECT_EQ(cross_entropy(logits, cast(from_span(labels), DType::i32)).item<float>(), expected);
  EXPECT_EQ(cross_entropy(logits, cast(from_span(labels), DType::u8)).item<float>(), expected);
}

TEST(CrossEntropy, UniformLogitsCostTheLogarithmOfTheClasses) {
  const std::int64_t labels[] = {2, 0};
  EXPECT_NEAR(cross_entropy(zeros({2, 10}, DType::f64), from_span(labels)).item<double>(), std::log(10.0), 1e-12);
  EXPECT_TRUE(std::isnan(cross_entropy(zeros({2, 3}), full({2}, -100)).item<float>()));  // the mean of nothing
}

TEST(CrossEntropy, RefusesShapesAndTypesThatDoNotFit) {
  const auto kind_of = [](ErrorKind kind, const Tensor& logits, const Tensor& labels,
                          CrossEntropyOptions options = {}) {
    return message(kind, [&] { cross_entropy(logits, labels, options); });
  };
  const Tensor labels = zeros({4}, DType::i64);
  EXPECT_NE(kind_of(ErrorKind::shape, zeros({5, 3}), labels).find("expected [5]"), std::string::npos);
  EXPECT_NE(kind_of(ErrorKind::shape, zeros({4, 3}), zeros({4, 1}, DType::i64)).find("reshape the labels to [4]"),
            std::string::npos);
  EXPECT_NE(kind_of(ErrorKind::shape, zeros({4}), labels), "no error");
  EXPECT_NE(kind_of(ErrorKind::shape, zeros({4, 0}), labels), "no error");
  EXPECT_NE(kind_of(ErrorKind::dtype, zeros({4, 3}), zeros({4})), "no error");
  EXPECT_NE(kind_of(ErrorKind::dtype, zeros({4, 3}, DType::i64), labels), "no error");
  EXPECT_NE(kind_of(ErrorKind::value, zeros({4, 3}), labels, {.label_smoothing = 1.5}), "no error");
}

TEST(MseLoss, DoesNotBroadcast) {
  const std::string text = message(ErrorKind::shape, [] { mse_loss(zeros({5, 1}), zeros({5})); });
  EXPECT_NE(text.find("the shapes must be equal"), std::string::npos);
  EXPECT_NE(text.find("reshape one of them"), std::string::npos);
  EXPECT_NE(message(ErrorKind::dtype, [] { mse_loss(zeros({5}), zeros({5}, DType::i64)); }), "no error");
  EXPECT_EQ(mse_loss(full({4}, 3.0f), zeros({4})).item<float>(), 9);
}

TEST(Accuracy, CountsTheLargestLogits) {
  const Tensor logits = tensor({{1.f, 2.f, 0.f}, {3.f, 2.f, 0.f}, {0.f, 0.f, 5.f}, {9.f, 1.f, 1.f}});
  const std::int64_t labels[] = {1, 0, 2, 2};
  EXPECT_EQ(accuracy(logits, from_span(labels)).item<float>(), 0.75f);
  EXPECT_NE(message(ErrorKind::shape, [&] { accuracy(logits, zeros({3}, DType::i64)); }), "no error");
}

}  // namespace
}  // namespace gradus
