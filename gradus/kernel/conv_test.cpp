#include "gradus/ops/conv.h"

#include <gtest/gtest.h>

#include "gradus/kernel/conformance_test.h"
#include "gradus/ops/layout/channels_last.h"

namespace gradus::kernel::testing {
namespace {

/// Input, weights and a cotangent that fit together.
template <int N = 2>
struct Case {
  Conv<N> conv;
  Array x, weight, g;

  Case(const Conv<N>& op, DType dtype, const Shape& images, const Shape& weights)
      : conv(op),
        x(random_array({dtype, images}, 1)),
        weight(random_array({dtype, weights}, 2)),
        g(random_array({dtype, result(op, dtype, images, weights)}, 3)) {}

  static Shape result(const Conv<N>& op, DType dtype, const Shape& images, const Shape& weights) {
    const TensorSpec specs[] = {{dtype, images}, {dtype, weights}};
    return op.infer(specs)[0].shape;
  }
  Op input_gradient() const { return ConvInputGradient<N>{conv, x.spec.shape}; }
  Op weight_gradient() const { return ConvWeightGradient<N>{conv, weight.spec.shape}; }
};

template <int N>
int compare(const Case<N>& c, double tolerance) {
  return compare_all(c.conv, {c.x, c.weight}, tolerance) + compare_all(c.input_gradient(), {c.g, c.weight}, tolerance) +
         compare_all(c.weight_gradient(), {c.x, c.g}, tolerance);
}

double dot(const Array& a, const Array& b) {
  EXPECT_EQ(a.spec, b.spec);
  double sum = 0;
  for (std::int64_t i = 0; i < a.spec.shape.numel(); ++i) sum += a.at(i) * b.at(i);
  return sum;
}

/// A random convolution, or one without output when the kernel happens to be too large.
bool generate(Choices& choices, Conv2d& conv, Shape& images, Shape& weights) {
  conv.stride = {choices.pick({1, 1, 2, 3}), choices.pick({1, 1, 2, 3})};
  conv.padding = {choices.pick({0, 1, 2, 3}), choices.pick({0, 1, 2})};
  conv.dilation = {choices.pick({1, 1, 2, 3}), choices.pick({1, 1, 2})};
  conv.groups = choices.pick({1, 1, 2, 3});
  const std::int64_t in = choices.pick({1, 2, 3, 5, 16}), out = choices.pick({1, 2, 3, 6, 16});
  images = {choices.pick({1, 2, 5}), in * conv.groups, choices.pick({1, 2, 5, 9, 16}), choices.pick({1, 3, 7, 14})};
  weights = {out * conv.groups, in, choices.pick({1, 2, 3, 5}), choices.pick({1, 2, 3, 5})};
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (conv.dilation[at] * (weights[i + 2] - 1) + 1 > images[i + 2] + 2 * conv.padding[at]) return false;
  }
  return true;
}

TEST(ConvKernels, ReferenceOfAKnownConvolution) {
  const std::vector<Array> inputs{Array({1, 1, 3, 3}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}),
                                  Array({1, 1, 2, 2}, std::vector<float>{1, 10, 100, 1000})};
  const Array y = run_reference(Conv2d{}, inputs)[0];
  EXPECT_EQ(std::vector<float>(y.data<float>(), y.data<float>() + 4), (std::vector<float>{5421, 6532, 8754, 9865}));

  const Array corners = run_reference(Conv2d{{3, 3}, {1, 1}, {1, 1}, 1}, inputs)[0];
  EXPECT_EQ(corners.spec.shape, (Shape{1, 1, 2, 2}));
  EXPECT_EQ(std::vector<float>(corners.data<float>(), corners.data<float>() + 4),
            (std::vector<float>{1000, 300, 70, 9}));

  const Array dilated = run_reference(Conv2d{{1, 1}, {0, 0}, {2, 2}, 1}, inputs)[0];
  EXPECT_EQ(dilated.spec.shape, (Shape{1, 1, 1, 1}));
  EXPECT_EQ(dilated.at(0), 1 + 30 + 700 + 9000);
}

TEST(ConvKernels, GroupsDoNotMix) {
  const std::vector<Array> inputs{Array({1, 2, 1, 2}, std::vector<float>{1, 2, 3, 4}),
                                  Array({4, 1, 1, 1}, std::vector<float>{1, 10, 100, 1000})};
  const Array y = run_reference(Conv2d{{1, 1}, {0, 0}, {1, 1}, 2}, inputs)[0];
  EXPECT_EQ(std::vector<float>(y.data<float>(), y.data<float>() + 8),
            (std::vector<float>{1, 2, 10, 20, 300, 400, 3000, 4000}));
}

// <conv(x, w), g> is linear in each of the three, so the gradients are determined by it.
TEST(ConvKernels, ReferenceGradientsAreTransposes) {
  Choices choices(11);
  int tested = 0;
  for (int i = 0; i < 60; ++i) {
    Conv2d conv;
    Shape images, weights;
    if (!generate(choices, conv, images, weights)) continue;
    const Case c(conv, DType::f64, images, weights);
    const double expected = dot(run_reference(c.conv, {c.x, c.weight})[0], c.g);
    const double tolerance = 1e-10 * (1 + std::abs(expected));
    EXPECT_NEAR(dot(run_reference(c.input_gradient(), {c.g, c.weight})[0], c.x), expected, tolerance) << Op(conv).str();
    EXPECT_NEAR(dot(run_reference(c.weight_gradient(), {c.x, c.g})[0], c.weight), expected, tolerance)
        << Op(conv).str();
    ++tested;
  }
  EXPECT_GE(tested, 30);
}

TEST(ConvKernels, AgreeOnGeneratedShapes) {
  Choices choices(13);
  int compared = 0, cases = 0;
  for (int i = 0; i < 150; ++i) {
    Conv2d conv;
    Shape images, weights;
    if (!generate(choices, conv, images, weights)) continue;
    ++cases;
    compared += compare(Case(conv, DType::f32, images, weights), 1e-5);
  }
  EXPECT_GE(cases, 80);
  EXPECT_GE(compared, 2 * cases);
}

// A weight gradient sums some ten thousand products in f32 here.
TEST(ConvKernels, AgreeOnLeNet) {
  EXPECT_GE(compare(Case(Conv2d{{1, 1}, {2, 2}, {1, 1}, 1}, DType::f32, {16, 1, 28, 28}, {6, 1, 5, 5}), 1e-4), 3);
  EXPECT_GE(compare(Case(Conv2d{}, DType::f32, {16, 6, 14, 14}, {16, 6, 5, 5}), 1e-4), 3);
}

TEST(ConvKernels, AgreeOnALargeConvolution) {
  EXPECT_GE(compare(Case(Conv2d{{2, 1}, {1, 1}, {1, 1}, 1}, DType::f32, {3, 33, 31, 29}, {40, 33, 3, 3}), 2e-5), 3);
}

// A convolution over one or three axes, and the same over images where the extra axes have size 1.
TEST(ConvKernels, SequencesAndVolumes) {
  EXPECT_EQ(compare(Case<1>(Conv1d{{2}, {3}, {2}, 3}, DType::f32, {3, 6, 19}, {9, 2, 4}), 1e-5), 3);
  EXPECT_EQ(compare(Case<1>(Conv1d{}, DType::f32, {2, 16, 33}, {32, 16, 3}), 1e-5), 3);
  EXPECT_EQ(
      compare(Case<3>(Conv3d{{1, 2, 1}, {1, 0, 2}, {1, 1, 2}, 2}, DType::f32, {2, 4, 5, 6, 7}, {6, 2, 3, 2, 2}), 1e-5),
      3);
  const Case<1> line(Conv1d{{2}, {1}, {1}, 1}, DType::f64, {2, 3, 9}, {4, 3, 3});
  const Case<2> image(Conv2d{{1, 2}, {0, 1}, {1, 1}, 1}, DType::f64, {2, 3, 1, 9}, {4, 3, 1, 3});
  const Case<3> volume(Conv3d{{2, 1, 1}, {1, 0, 0}, {1, 1, 1}, 1}, DType::f64, {2, 3, 9, 1, 1}, {4, 3, 3, 1, 1});
  for (const auto& arrays :
       {std::vector<Array>{run_reference(image.conv, {image.x, image.weight})[0],
                           run_reference(line.conv, {line.x, line.weight})[0],
                           run_reference(volume.conv, {volume.x, volume.weight})[0]},
        std::vector<Array>{run_reference(image.input_gradient(), {image.g, image.weight})[0],
                           run_reference(line.input_gradient(), {line.g, line.weight})[0],
                           run_reference(volume.input_gradient(), {volume.g, volume.weight})[0]}}) {
    for (std::int64_t i = 0; i < arrays[0].spec.shape.numel(); ++i) {
      ASSERT_EQ(arrays[0].at(i), arrays[1].at(i));
      ASSERT_EQ(arrays[0].at(i), arrays[2].at(i));
    }
  }
}

TEST(ConvKernels, OfBf16SumInF32) {
  Choices choices(17);
  int compared = 0, cases = 0;
  for (int i = 0; i < 40; ++i) {
    Conv2d conv;
    Shape images, weights;
    if (!generate(choices, conv, images, weights)) continue;
    ++cases;
    const Case c(conv, DType::bf16, images, weights);
    EXPECT_EQ(run_reference(c.conv, {c.x, c.weight})[0].spec.dtype, DType::f32);
    compared += compare(c, 1e-5);
  }
  EXPECT_GE(compared, 2 * cases);
  EXPECT_EQ(compare(Case(Conv2d{{1, 1}, {1, 1}, {1, 1}, 1}, DType::bf16, {4, 32, 9, 9}, {48, 32, 3, 3}), 2e-5), 3);
  EXPECT_EQ(compare(Case<1>(Conv1d{}, DType::bf16, {2, 16, 33}, {32, 16, 3}), 1e-5), 3);
  EXPECT_EQ(compare(Case<3>(Conv3d{}, DType::bf16, {2, 16, 5, 6, 7}, {16, 16, 3, 2, 2}), 1e-5), 3);
}

/// The same image under another order of axes.
Array turned(const Array& image, const Permute& order) { return run_reference(order, {image})[0]; }

/// Compares all kernels with channels last with their reference, and that with the one with channels in front.
int compare_channels_last(const Case<>& c, DType result, double tolerance) {
  using Pass = ConvChannelsLast::Pass;
  const Array x = turned(c.x, to_channels_last), g = turned(c.g, to_channels_last);
  const ConvChannelsLast forward{Pass::forward, c.conv, {}, result};
  const ConvChannelsLast input_gradient{Pass::input_gradient, c.conv, c.x.spec.shape, result};
  const ConvChannelsLast weight_gradient{Pass::weight_gradient, c.conv, c.weight.spec.shape};
  const std::pair<Array, Array> same[] = {
      {turned(run_reference(forward, {x, c.weight})[0], to_channels_first), run_reference(c.conv, {c.x, c.weight})[0]},
      {turned(run_reference(input_gradient, {g, c.weight})[0], to_channels_first),
       run_reference(c.input_gradient(), {c.g, c.weight})[0]},
      {run_reference(weight_gradient, {x, g})[0], run_reference(c.weight_gradient(), {c.x, c.g})[0]}};
  for (const auto& [last, first] : same) {
    EXPECT_EQ(last.spec.shape, first.spec.shape);
    const double rounding = last.spec.dtype == DType::bf16 ? 1.0 / 256 : 0;
    for (std::int64_t i = 0; i < first.spec.shape.numel(); ++i) {
      EXPECT_NEAR(last.at(i), first.at(i), rounding * std::abs(first.at(i)));
    }
  }
  return compare_all(forward, {x, c.weight}, tolerance) + compare_all(input_gradient, {g, c.weight}, tolerance) +
         compare_all(weight_gradient, {x, g}, tolerance);
}

TEST(ConvKernels, ChannelsLast) {
  Choices choices(19);
  int compared = 0, cases = 0;
  for (int i = 0; i < 25; ++i) {
    Conv2d conv;
    Shape images, weights;
    if (!generate(choices, conv, images, weights)) continue;
    ++cases;
    compared += compare_channels_last(Case(conv, DType::f32, images, weights), DType::f32, 1e-5);
  }
  EXPECT_GE(compared, 2 * cases);
  const Conv2d same{{1, 1}, {1, 1}, {1, 1}, 1}, half{{2, 2}, {1, 1}, {1, 1}, 1};
  EXPECT_EQ(compare_channels_last(Case(same, DType::f32, {4, 32, 9, 9}, {48, 32, 3, 3}), DType::f32, 2e-5), 3);
  EXPECT_EQ(compare_channels_last(Case(half, DType::f32, {4, 3, 9, 9}, {16, 3, 3, 3}), DType::f32, 2e-5), 3);
  for (const DType result : {DType::f32, DType::bf16}) {
    const double tolerance = result == DType::f32 ? 2e-5 : 1.0 / 128;
    EXPECT_EQ(compare_channels_last(Case(same, DType::bf16, {4, 32, 9, 9}, {48, 32, 3, 3}), result, tolerance), 3);
    EXPECT_GE(compare_channels_last(Case(half, DType::bf16, {4, 64, 9, 9}, {32, 64, 1, 1}), result, tolerance), 3);
    EXPECT_GE(compare_channels_last(Case(same, DType::bf16, {4, 32, 4, 4}, {48, 32, 3, 3}), result, tolerance), 3);
    const Conv2d wide{{1, 1}, {2, 1}, {2, 1}, 1}, tall{{1, 2}, {0, 1}, {1, 1}, 1};
    EXPECT_GE(compare_channels_last(Case(wide, DType::bf16, {3, 16, 5, 4}, {32, 16, 3, 2}), result, tolerance), 3);
    EXPECT_GE(compare_channels_last(Case(tall, DType::bf16, {3, 16, 5, 7}, {32, 16, 2, 3}), result, tolerance), 3);
  }
}

TEST(ConvKernels, EmptyBatch) {
  const Case c(Conv2d{}, DType::f32, {0, 2, 5, 5}, {3, 2, 3, 3});
  EXPECT_EQ(run_reference(c.conv, {c.x, c.weight})[0].spec.shape, (Shape{0, 3, 3, 3}));
  const Array dw = run_reference(c.weight_gradient(), {c.x, c.g})[0];
  for (std::int64_t i = 0; i < dw.spec.shape.numel(); ++i) EXPECT_EQ(dw.at(i), 0);
  EXPECT_EQ(compare(c, 0), 0);  // everything but the reference refuses
}

/// The gradient of a weight that meets nothing but padding is zero, whatever lay in its memory before.
TEST(ConvKernels, WeightsThatMeetOnlyPaddingGetAGradient) {
  const Conv2d conv{{2, 2}, {1, 1}, {1, 1}};
  for (const std::int64_t taps : {2, 3}) {
    const TensorSpec inputs[] = {{DType::bf16, {6, 16, 9, 1}}, {DType::bf16, {6, 16, 5, 1}}},
                     dw{DType::f32, {16, 16, 3, taps}};
    const Op op(ConvWeightGradient<2>{conv, dw.shape});
    for (const Implementation& implementation : implementations(op.name())) {
      std::string reason;
      const auto kernel = implementation.make({op, inputs, std::span(&dw, 1)}, reason);
      if (!kernel) continue;
      const auto filled = [](std::size_t bytes, int value) {
        Ref<Buffer> memory = Buffer::allocate(bytes);
        std::fill_n(memory->data(), bytes, static_cast<std::byte>(value));
        return memory;
      };
      const Ref<Buffer> x = filled(inputs[0].bytes(), 0x3f), g = filled(inputs[1].bytes(), 0x3f),
                        scratch = filled(kernel->scratch_bytes(), 0xff), to = filled(dw.bytes(), 0xff);
      const std::byte* in[] = {x->data(), g->data()};
      std::byte* out[] = {to->data()};
      ASSERT_TRUE(kernel->run({in, out, scratch->data()}).ok);
      const auto* numbers = reinterpret_cast<const float*>(to->data());
      for (std::int64_t i = 0; i < dw.shape.numel(); ++i)
        ASSERT_EQ(numbers[i] == 0, i % taps != 1) << implementation.implementation << ' ' << taps << ' ' << i;
    }
  }
}

}  // namespace
}  // namespace gradus::kernel::testing
