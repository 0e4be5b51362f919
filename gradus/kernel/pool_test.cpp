#include "gradus/ops/pooling/pool.h"

#include <gtest/gtest.h>

#include <limits>

#include "gradus/kernel/conformance_test.h"

namespace gradus::kernel::testing {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float inf = std::numeric_limits<float>::infinity();

std::vector<double> elements(const Array& array) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < array.spec.shape.numel(); ++i) list.push_back(array.at(i));
  return list;
}

double dot(const Array& a, const Array& b) {
  EXPECT_EQ(a.spec, b.spec);
  double sum = 0;
  for (std::int64_t i = 0; i < a.spec.shape.numel(); ++i) sum += a.at(i) * b.at(i);
  return sum;
}

/// Random windows; false when they do not fit the images.
bool generate(Choices& choices, PoolWindows& windows, Shape& images, bool dilated = false) {
  windows.kernel = {choices.pick({1, 2, 2, 3, 5}), choices.pick({1, 2, 2, 3})};
  windows.stride = {choices.pick({1, 2, 2, 3}), choices.pick({1, 2, 2, 4})};
  windows.padding = {choices.pick({0, 0, windows.kernel[0] / 2}), choices.pick({0, 0, windows.kernel[1] / 2})};
  images = {choices.pick({1, 2, 3}), choices.pick({1, 3, 16}), choices.pick({1, 2, 5, 10, 28}),
            choices.pick({1, 3, 8, 14, 28, 67})};
  windows.ceil_mode = choices.pick({0, 1}) == 1;
  if (dilated) windows.dilation = {choices.pick({1, 1, 2}), choices.pick({1, 2, 3})};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t extent = windows.dilation[i] * (windows.kernel[i] - 1) + 1,
                       size = images[static_cast<int>(i) + 2];
    if (extent > size + 2 * windows.padding[i] || (windows.dilation[i] > 1 && extent > size)) return false;
  }
  return true;
}

TEST(PoolKernels, ReferenceOfAKnownMaximum) {
  const Array x({1, 1, 4, 4}, std::vector<float>{1, 2, 5, 3, 4, 0, 5, 5, -1, -2, -3, -3, -4, -9, -3, -8});
  const std::vector<Array> out = run_reference(MaxPool2d{{{2, 2}, {2, 2}, {0, 0}}}, {x});
  EXPECT_EQ(elements(out[0]), (std::vector<double>{4, 5, -1, -3}));
  EXPECT_EQ(elements(out[1]), (std::vector<double>{4, 2, 8, 10}));
  const Array g({1, 1, 2, 2}, std::vector<float>{1, 2, 3, 4});
  const Array dx = run_reference(MaxPool2dGradient{4, 4}, {g, out[1]})[0];
  EXPECT_EQ(elements(dx), (std::vector<double>{0, 0, 2, 0, 1, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0, 0}));
  EXPECT_EQ(elements(run_reference(MaxPool2dGather{}, {dx, out[1]})[0]), elements(g));
}

TEST(PoolKernels, OverlappingWindowsAddTheirGradients) {
  const Array x({1, 1, 1, 3}, std::vector<float>{0, 9, 1});
  const std::vector<Array> out = run_reference(MaxPool2d{{{1, 2}, {1, 1}, {0, 0}}}, {x});
  EXPECT_EQ(elements(out[1]), (std::vector<double>{1, 1}));
  const Array g({1, 1, 1, 2}, std::vector<float>{3, 4});
  EXPECT_EQ(elements(run_reference(MaxPool2dGradient{1, 3}, {g, out[1]})[0]), (std::vector<double>{0, 7, 0}));
}

TEST(PoolKernels, PaddingNeverWins) {
  const Array x({1, 1, 2, 2}, std::vector<float>{-inf, -inf, -5, -inf});
  const std::vector<Array> out = run_reference(MaxPool2d{{{3, 3}, {2, 2}, {1, 1}}}, {x});
  EXPECT_EQ(elements(out[0]), (std::vector<double>{-5}));
  EXPECT_EQ(elements(out[1]), (std::vector<double>{2}));
  EXPECT_EQ(compare_all(MaxPool2d{{{3, 3}, {2, 2}, {1, 1}}}, {x}, 0), 1);
}

TEST(PoolKernels, NanAndTiesAgree) {
  Choices choices(3);
  std::vector<float> numbers;
  for (int i = 0; i < 2 * 34 * 34; ++i) {
    const std::int64_t kind = choices.pick({0, 1, 2, 2, 3, 4});
    numbers.push_back(kind == 0 ? nan : kind == 1 ? -inf : kind == 2 ? 1.f : kind == 3 ? 0.f : -0.f);
  }
  const Array x({1, 2, 34, 34}, numbers);
  EXPECT_EQ(compare_all(MaxPool2d{{{2, 2}, {2, 2}, {0, 0}}}, {x}, 0), 1);
  EXPECT_EQ(compare_all(MaxPool2d{{{3, 3}, {2, 1}, {1, 1}}}, {x}, 0), 1);
}

TEST(PoolKernels, MaximumAgreesOnGeneratedShapes) {
  Choices choices(5);
  int compared = 0;
  for (int i = 0; i < 200; ++i) {
    PoolWindows windows;
    Shape images;
    if (!generate(choices, windows, images, true)) continue;
    compared += compare_all(MaxPool2d{windows}, {random_array({DType::f32, images}, 1)}, 0);
  }
  EXPECT_GE(compared, 100);
}

TEST(PoolKernels, HalvingAgreesForEveryWidth) {
  for (std::int64_t width = 2; width < 70; ++width) {
    EXPECT_EQ(compare_all(MaxPool2d{{{2, 2}, {2, 2}, {0, 0}}}, {random_array({DType::f32, {1, 2, 5, width}}, 9)}, 0),
              1);
  }
}

TEST(PoolKernels, ReferenceOfAKnownMean) {
  const Array x({1, 1, 2, 2}, std::vector<double>{1, 2, 3, 4});
  const PoolWindows windows{{2, 2}, {1, 1}, {1, 1}};
  EXPECT_EQ(elements(run_reference(AvgPool2d{windows, true}, {x})[0]),
            (std::vector<double>{0.25, 0.75, 0.5, 1, 2.5, 1.5, 0.75, 1.75, 1}));
  EXPECT_EQ(elements(run_reference(AvgPool2d{windows, false}, {x})[0]),
            (std::vector<double>{1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4}));
}

TEST(PoolKernels, MeanAndItsGradientAgreeOnGeneratedShapes) {
  Choices choices(17);
  int compared = 0, cases = 0;
  for (int i = 0; i < 200; ++i) {
    PoolWindows windows;
    Shape images;
    if (!generate(choices, windows, images)) continue;
    const AvgPool2d op{windows, choices.pick({0, 1}) == 1};
    const Op gradient = AvgPool2dGradient{op, images[2], images[3]};
    const TensorSpec x{DType::f32, images};
    const TensorSpec y = op.infer(std::span(&x, 1))[0];
    ++cases;
    compared += compare_all(op, {random_array(x, 1)}, 1e-6);
    compared += compare_all(gradient, {random_array(y, 2)}, 1e-6);

    const Array images64 = random_array({DType::f64, images}, 1), cotangent = random_array({DType::f64, y.shape}, 2);
    const double expected = dot(run_reference(op, {images64})[0], cotangent);
    EXPECT_NEAR(dot(run_reference(gradient, {cotangent})[0], images64), expected, 1e-10 * (1 + std::abs(expected)))
        << Op(op).str() << " of " << x.str();
  }
  EXPECT_GE(cases, 100);
  EXPECT_GE(compared, cases);
}

TEST(PoolKernels, EmptyBatch) {
  const Array x(TensorSpec{DType::f32, {0, 3, 4, 4}});
  EXPECT_EQ(compare_all(MaxPool2d{{{2, 2}, {2, 2}, {0, 0}}}, {x}, 0), 1);
  EXPECT_EQ(compare_all(AvgPool2d{{{2, 2}, {2, 2}, {0, 0}}, true}, {x}, 0), 0);
}

}  // namespace
}  // namespace gradus::kernel::testing
