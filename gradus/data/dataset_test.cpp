#include "gradus/data/dataset.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor bytes(const Shape& shape, const std::vector<std::uint8_t>& values) {
  return leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(values));
}
Tensor floats(const Shape& shape, const std::vector<float>& values) {
  return leaf<float>(shape, std::span<const float>(values));
}
Tensor longs(const std::vector<std::int64_t>& values) {
  return leaf<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values));
}
template <class T>
std::vector<T> elements(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}
using Rows = std::vector<std::int64_t>;

TEST(Dataset, ScalesBytesLikePyTorchDividesThem) {
  std::vector<std::uint8_t> all(256);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  const Dataset set("all", bytes({1, 1, 16, 16}, all), longs({0}), {.scaling = {.scale = 1 / 255.0}});
  const Batch batch = set.batch(Rows{0});
  EXPECT_EQ(batch.inputs.spec(), (TensorSpec{DType::f32, {1, 1, 16, 16}}));
  const std::vector<float> scaled = elements<float>(batch.inputs);
  for (int i = 0; i < 256; ++i) EXPECT_EQ(scaled[static_cast<std::size_t>(i)], static_cast<float>(i) / 255.f) << i;
}

TEST(Dataset, NormalisesByChannel) {
  const Scaling scaling{.scale = 0.5, .mean = {1, 2}, .std = {2, 4}};
  const std::vector<float> expected = {(1 - 1) / 2.f, (2 - 1) / 2.f, (3 - 2) / 4.f, (5 - 2) / 4.f};
  const Dataset of_bytes("b", bytes({1, 2, 2}, {2, 4, 6, 10}), longs({0}), {.scaling = scaling});
  EXPECT_EQ(elements<float>(of_bytes.batch(Rows{0}).inputs), expected);
  const Dataset of_floats("f", floats({1, 2, 2}, {2, 4, 6, 10}), longs({0}), {.scaling = scaling});
  EXPECT_EQ(elements<float>(of_floats.batch(Rows{0}).inputs), expected);
  EXPECT_EQ(elements<float>(scaled(of_bytes.examples(), scaling)), expected);
}

TEST(Dataset, PicksRowsInOrder) {
  const Dataset set("s", floats({3, 2}, {1, 2, 3, 4, 5, 6}), longs({7, 8, 9}));
  const Batch batch = set.batch(Rows{2, 0, 2});
  EXPECT_EQ(elements<float>(batch.inputs), (std::vector<float>{5, 6, 1, 2, 5, 6}));
  EXPECT_EQ(elements<std::int64_t>(batch.labels), (Rows{9, 7, 9}));
  EXPECT_EQ(set.num_classes(), 10);
  EXPECT_EQ(set.example_shape(), (Shape{2}));
  const Dataset part = set.subset(Rows{1});
  EXPECT_EQ(part.size(), 1);
  EXPECT_EQ(part.num_classes(), 10);
  EXPECT_EQ(elements<float>(part.batch(Rows{0}).inputs), (std::vector<float>{3, 4}));
  EXPECT_EQ(set.batch(Rows{}).inputs.shape(), (Shape{0, 2}));
}

TEST(Dataset, TakesExamplesOfOneElement) {
  const Dataset set("s", bytes({3}, {1, 2, 3}), longs({0, 1, 0}));
  EXPECT_EQ(elements<float>(set.batch(Rows{1, 2}).inputs), (std::vector<float>{2, 3}));
}

TEST(Dataset, RefusesWhatDoesNotFit) {
  const Tensor x = bytes({2, 2}, {1, 2, 3, 4});
  EXPECT_THAT(message_of(ErrorKind::shape, [&] { Dataset("s", x, longs({0, 1, 2})); }), HasSubstr("i64 [3]"));
  EXPECT_THAT(message_of(ErrorKind::dtype, [&] { Dataset("s", x, bytes({2}, {0, 1})); }), HasSubstr("expected i64"));
  EXPECT_THAT(message_of(ErrorKind::dtype,
                         [&] {
                           Dataset("s", longs({1, 2}), longs({0, 1}));
                         }),
              HasSubstr("u8 or f32"));
  message_of(ErrorKind::index, [&] { Dataset("s", x, longs({0, 1})).batch(Rows{2}); });
  message_of(ErrorKind::index, [&] { Dataset("s", x, longs({0, 1})).subset(Rows{-1}); });
}

TEST(Dataset, NamesTheRowOfAWrongLabel) {
  const Tensor x = bytes({3, 1}, {1, 2, 3});
  const std::string message = message_of(ErrorKind::index, [&] {
    Dataset("pets", x, longs({0, 1, 2}), {.class_names = {"cat", "dog"}});
  });
  EXPECT_THAT(message, HasSubstr("label 2 in row 2"));
  EXPECT_THAT(message, HasSubstr("0 to 1 (2 classes)"));
  EXPECT_THAT(message, HasSubstr("pets"));
  EXPECT_THAT(message, HasSubstr("dataset_test.cpp"));
  EXPECT_THAT(message_of(ErrorKind::index,
                         [&] {
                           Dataset("s", x, longs({0, -1, 2}));
                         }),
              HasSubstr("label -1 in row 1"));
  message_of(ErrorKind::index, [&] { Dataset("s", x, longs({0, 0, std::numeric_limits<std::int64_t>::max()})); });
  message_of(ErrorKind::value, [&] { Dataset("s", x, longs({0, 0, 0}), {.class_names = {"a"}, .num_classes = 2}); });
}

TEST(Dataset, RefusesANormalisationThatDoesNotFit) {
  const Tensor x = bytes({1, 3, 1, 1}, {1, 2, 3});
  const auto with = [&](Scaling scaling) { Dataset("s", x, longs({0}), {.scaling = std::move(scaling)}); };
  EXPECT_THAT(message_of(ErrorKind::value, [&] { with({.mean = {1, 2}}); }), HasSubstr("3 channels"));
  EXPECT_THAT(message_of(ErrorKind::value, [&] { with({.std = {0}}); }), HasSubstr("std is 0"));
  message_of(ErrorKind::value, [&] { with({.mean = {std::numeric_limits<double>::infinity()}}); });
  message_of(ErrorKind::value, [&] { with({.scale = std::numeric_limits<double>::quiet_NaN()}); });
}

TEST(Dataset, SplitsBySeedAlone) {
  std::vector<std::uint8_t> values(100);
  std::iota(values.begin(), values.end(), std::uint8_t{0});
  const Dataset set("s", bytes({100}, values), longs(Rows(100, 0)));
  const auto [train, validation] = split(set, 30, 5);
  EXPECT_EQ(train.size(), 70);
  EXPECT_EQ(validation.size(), 30);
  const auto again = split(set, 30, 5);
  EXPECT_EQ(elements<std::uint8_t>(validation.examples()), elements<std::uint8_t>(again.validation.examples()));
  EXPECT_NE(elements<std::uint8_t>(validation.examples()),
            elements<std::uint8_t>(split(set, 30, 6).validation.examples()));
  std::vector<std::uint8_t> both = elements<std::uint8_t>(train.examples());
  EXPECT_TRUE(std::is_sorted(both.begin(), both.end()));
  for (const std::uint8_t x : elements<std::uint8_t>(validation.examples())) both.push_back(x);
  std::sort(both.begin(), both.end());
  EXPECT_EQ(both, values);
  for (const std::int64_t size : {-1, 0, 100}) {
    EXPECT_THAT(message_of(ErrorKind::value, [&] { split(set, size, 0); }), HasSubstr("1 to 99"));
  }
}

TEST(Stack, JoinsEqualExamples) {
  const Tensor stacked = stack({bytes({2}, {1, 2}), bytes({2}, {3, 4})});
  EXPECT_EQ(stacked.shape(), (Shape{2, 2}));
  EXPECT_THAT(elements<std::uint8_t>(stacked), ElementsAre(1, 2, 3, 4));
  message_of(ErrorKind::shape, [&] { stack({bytes({2}, {1, 2}), bytes({1}, {3})}); });
  message_of(ErrorKind::dtype, [&] { stack({bytes({1}, {1}), floats({1}, {3})}); });
  message_of(ErrorKind::value, [&] { stack({}); });
}

}  // namespace
}  // namespace gradus::data
