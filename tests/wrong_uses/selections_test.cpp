// Wrong uses of what resizes, rearranges and selects, and what is said about them.
#include "gradus/gradus.h"
#include "wrong_uses.h"

namespace gradus::testing {
namespace {

const std::vector<WrongUse> images = {
    {"scale factor",
     [] {
       interpolate(ones({1, 3, 8, 8}), ScaleFactor(-2));
     },
     R"(value error in interpolate: the scale factor of axis 2 is -2
  input  f32 [1, 3, 8, 8]
  input comes from broadcast_to of f32 [])"},
    {"scale factors",
     [] {
       interpolate(ones({1, 3, 8, 8}), ScaleFactor{2, 2, 2});
     },
     R"(shape error in interpolate: sizes for 3 axes given; expected one per axis behind (n, c, ...), 1 to 3
  input  f32 [1, 3, 8, 8]
  input comes from broadcast_to of f32 [])"},
    {"bicubic sequence",
     [] {
       interpolate(ones({1, 3, 8}), {16}, {.mode = Interpolation::bicubic});
     },
     R"(shape error in interpolate: bicubic needs 4 axes: (n, c, h, w)
  input  f32 [1, 3, 8]
  input comes from broadcast_to of f32 [])"},
    {"upsample",
     [] {
       nn::Upsample{}(ones({1, 3, 8, 8}));
     },
     R"(value error in nn::Upsample: expected a size or a scale_factor, not both)"},
    {"pixel shuffle",
     [] {
       pixel_shuffle(ones({1, 6, 2, 2}), 2);
     },
     R"(shape error in pixel_shuffle: expected a multiple of 4 channels
  input  f32 [1, 6, 2, 2]
  input comes from broadcast_to of f32 [])"},
    {"pixel shuffle, factor",
     [] {
       pixel_shuffle(ones({1, 6, 2, 2}), 0);
     },
     R"(value error in pixel_shuffle: upscale_factor is 0, must be positive)"},
    {"pixel unshuffle",
     [] {
       pixel_unshuffle(ones({1, 6, 3, 2}), 2);
     },
     R"(shape error in pixel_unshuffle: expected multiples of 2 rows and columns
  input  f32 [1, 6, 3, 2]
  input comes from broadcast_to of f32 [])"},
    {"channel shuffle",
     [] {
       channel_shuffle(ones({1, 6, 3, 2}), 4);
     },
     R"(value error in channel_shuffle: expected (n, channels, ...) with a multiple of 4 channels
  input  f32 [1, 6, 3, 2]
  input comes from broadcast_to of f32 [])"},
    {"unflatten",
     [] {
       unflatten(ones({2, 6}), 1, {4, -1});
     },
     R"(shape error in reshape: the numbers of elements differ
  input  f32 [2, 6]   12 elements
  shape  [2, 4, -1]   the other sizes multiply to 8)"},
    {"rot90",
     [] {
       rot90(ones({2, 6}), 1, 0, -2);
     },
     R"(axis error in rot90: axis 0 was given twice
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
};

const std::vector<WrongUse> selections = {
    {"diff", [] { diff(ones({2}), 0, -1); },
     R"(value error in diff: n is -1
  input  f32 [2]
  input comes from broadcast_to of f32 [])"},
    {"cummax", [] { cummax(ones({3}), 1); },
     R"(axis error in cummax: axis 1 of a tensor with rank 1; it must be in [-1, 0]
  input  f32 [3]
  input comes from broadcast_to of f32 [])"},
    {"quantile",
     [] {
       quantile(ones({2, 6}), 50, 1);
     },
     R"(value error in quantile: q is 50, expected 0 to 1
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"quantile of integers",
     [] {
       quantile(tensor({1, 2}), 0.5, 0);
     },
     R"(dtype error in quantile: expected floating elements
  input  i64 [2])"},
    {"quantile of nothing",
     [] {
       quantile(ones({2, 0}), 0.5, 1);
     },
     R"(shape error in quantile: axis 1 is empty
  input  f32 [2, 0]
  input comes from broadcast_to of f32 [])"},
    {"mask of integers",
     [] {
       masked_select(ones({3}), tensor({1, 0, 1}));
     },
     R"(dtype error in masked_select
  input  f32 [3]
  mask   i64 [3]   expected bool
  hint: compare: greater(x, 0))"},
    {"mask of another shape",
     [] {
       masked_select(ones({3}), tensor({true, false}));
     },
     R"(shape error in masked_select
  input  f32 [3]
  mask   bool [2]   does not broadcast with the input)"},
    {"index_copy",
     [] {
       index_copy(ones({3, 2}), 0, tensor({1}), ones({2, 2}));
     },
     R"(shape error in index_copy
  input   f32 [3, 2]
  index   i64 [1]
  source  f32 [2, 2]   expected [1, 2])"},
    {"cross",
     [] {
       cross(ones({2, 4}), ones({2, 4}));
     },
     R"(shape error in cross
  a  f32 [2, 4]   expected 3 elements along axis 1
  b  f32 [2, 4])"},
    {"cov", [] { cov(ones({4})); },
     R"(shape error in cov: expected 2 axes: (variables, observations)
  input  f32 [4]
  input comes from broadcast_to of f32 [])"},
    {"embedding, max_norm",
     [] {
       embedding(ones({5, 2}), tensor({0, 1}), {.max_norm = -1});
     },
     R"(value error in embedding
  max_norm   -1, expected > 0
  norm_type  2, expected > 0)"},
    {"allclose", [] { allclose(ones({3}), ones({2})); },
     R"(shape error in allclose: the shapes do not broadcast
  a  f32 [3]
  b  f32 [2])"},
};

TEST(WrongUses, Images) { check_wrong_uses(images); }
TEST(WrongUses, Selections) { check_wrong_uses(selections); }

}  // namespace
}  // namespace gradus::testing
