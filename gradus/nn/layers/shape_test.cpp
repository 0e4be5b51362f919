// Layers that rearrange, pad and resize, on examples by hand.
#include "gradus/nn/layers/shape.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

using Floats = std::vector<float>;

TEST(ShapeLayers, PadTheLastAxes) {
  const Tensor row = reshape(tensor({1.f, 2.f, 3.f}), {1, 1, 3});
  EXPECT_EQ((nn::ConstantPad1d{{1, 2}, 9}(row).to_vector<float>()), (Floats{9, 1, 2, 3, 9, 9}));
  EXPECT_EQ((nn::ZeroPad1d{1}(row).to_vector<float>()), (Floats{0, 1, 2, 3, 0}));
  EXPECT_EQ((nn::ReflectionPad1d{2}(row).to_vector<float>()), (Floats{3, 2, 1, 2, 3, 2, 1}));
  EXPECT_EQ((nn::ReplicationPad1d{{2, 0}}(row).to_vector<float>()), (Floats{1, 1, 1, 2, 3}));
  const Tensor image = reshape(tensor({1.f, 2.f, 3.f, 4.f}), {1, 1, 2, 2});
  const Tensor padded = nn::ZeroPad2d{{1, 0, 0, 1}}(image);  // left, right, top, bottom
  EXPECT_EQ(padded.shape(), (Shape{1, 1, 3, 3}));
  EXPECT_EQ(padded.to_vector<float>(), (Floats{0, 1, 2, 0, 3, 4, 0, 0, 0}));
  EXPECT_EQ((nn::ReplicationPad2d{{0, 1, 1, 0}}(image).to_vector<float>()), (Floats{1, 2, 2, 1, 2, 2, 3, 4, 4}));
  EXPECT_THROW(nn::ZeroPad2d{1}(tensor({1.f, 2.f})), Error);
}

TEST(ShapeLayers, RearrangeAndResize) {
  const Tensor x = reshape(tensor({1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f}), {1, 4, 1, 2});
  const Tensor pixels = nn::PixelShuffle{2}(x);
  EXPECT_EQ(pixels.shape(), (Shape{1, 1, 2, 4}));
  EXPECT_EQ(pixels.to_vector<float>(), (Floats{1, 3, 2, 4, 5, 7, 6, 8}));
  EXPECT_THROW(nn::PixelShuffle{3}(x), Error);
  EXPECT_THROW(nn::PixelShuffle{0}(x), Error);
  EXPECT_EQ(nn::PixelUnshuffle{2}(nn::PixelShuffle{2}(x)).to_vector<float>(), x.to_vector<float>());
  EXPECT_THROW(nn::PixelUnshuffle{2}(x), Error);
  EXPECT_THROW(nn::Upsample{}(x), Error);
  EXPECT_THROW((nn::Upsample{.size = {2, 2}, .scale_factor = {2}}(x)), Error);
  EXPECT_THROW((nn::Upsample{.scale_factor = {-1}}(x)), Error);
  EXPECT_THROW((nn::Upsample{.scale_factor = {1, 2, 3}}(x)), Error);
  nn::Sequential net{nn::Flatten{}, nn::Unflatten{1, {2, -1}}};
  EXPECT_EQ(net(x).shape(), (Shape{1, 2, 4}));
  EXPECT_THROW((nn::Unflatten{3, {2}}(tensor({1.f, 2.f}))), Error);
  const Tensor larger = nn::Upsample{{2, 4}}(slice(x, 1, 0, 1));
  EXPECT_EQ(larger.to_vector<float>(), (Floats{1, 1, 2, 2, 1, 1, 2, 2}));
}

}  // namespace
}  // namespace gradus
