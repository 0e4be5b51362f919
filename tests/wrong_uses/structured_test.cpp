// Wrong uses of convolutions, poolings and views and what is said about them.
#include <cmath>

#include "gradus/gradus.h"
#include "wrong_uses.h"

namespace gradus::testing {
namespace {

const std::vector<WrongUse> convolutions = {
    {"sequence without a batch",
     [] {
       conv1d(ones({4, 9}), ones({6, 4, 3}));
     },
     R"(shape error in conv1d (4 -> 6, 3)
  input   f32 [4, 9]   expected 3 axes: (n, c, l)
  weight  f32 [6, 4, 3]
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 []
  hint: unsqueeze(input, 0) makes a batch of one sequence)"},
    {"channels last",
     [] {
       conv1d(ones({2, 9, 4}), ones({6, 4, 3}));
     },
     R"(shape error in conv1d (4 -> 6, 3)
  input   f32 [2, 9, 4]   axis 1 is 9, expected 4
  weight  f32 [6, 4, 3]
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 []
  hint: channels come before the length: permute(input, {0, 2, 1}))"},
    {"no such padding",
     [] {
       conv2d(ones({1, 3, 8, 8}), ones({6, 3, 3, 3}), Tensor(), {.padding = "some"});
     },
     R"(value error in conv2d (3 -> 6, 3 x 3)
  padding  "some", expected numbers, "same" or "valid")"},
    {"same with a stride",
     [] {
       conv2d(ones({1, 3, 8, 8}), ones({6, 3, 3, 3}), Tensor(), {.stride = 2, .padding = "same"});
     },
     R"(value error in conv2d (3 -> 6, 3 x 3): padding "same" needs a stride of 1
  stride  2 x 2)"},
    {"integer images",
     [] {
       conv2d(arange(64) + 0, ones({6, 3, 3, 3}));
     },
     R"(dtype error in conv2d (3 -> 6, 3 x 3)
  input   i64 [64]   expected f32
  weight  f32 [6, 3, 3, 3]
  hint: convert it: cast(input, DType::f32))"},
    {"groups of a volume",
     [] {
       conv3d(ones({1, 4, 4, 4, 4}), ones({5, 2, 1, 1, 1}), Tensor(), {.groups = 2});
     },
     R"(shape error in conv3d (4 -> 5, 1 x 1 x 1)
  input   f32 [1, 4, 4, 4, 4]
  weight  f32 [5, 2, 1, 1, 1]   axis 0 is 5, expected a multiple of 2 groups
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 [])"},
    {"kernel larger than the volume",
     [] {
       conv3d(ones({1, 4, 4, 2, 4}), ones({5, 4, 3, 3, 3}), Tensor(), {.padding = {1, 0, 1}});
     },
     R"(shape error in conv3d (4 -> 5, 3 x 3 x 3): the kernel is larger than the padded input
  input   f32 [1, 4, 4, 2, 4]   axis 3 is 2, 2 with padding
  weight  f32 [5, 4, 3, 3, 3]   axis 3 is 3
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 [])"},
    {"transposed, channels",
     [] {
       conv_transpose2d(ones({1, 3, 8, 8}), ones({6, 3, 3, 3}));
     },
     R"(shape error in conv_transpose2d (6 -> 3, 3 x 3)
  input   f32 [1, 3, 8, 8]   axis 1 is 3, expected 6
  weight  f32 [6, 3, 3, 3])"},
    {"transposed, output padding",
     [] {
       conv_transpose2d(ones({1, 3, 8, 8}), ones({3, 6, 3, 3}), Tensor(), {.stride = 2, .output_padding = 2});
     },
     R"(value error in conv_transpose2d (3 -> 6, 3 x 3)
  output_padding  2 x 2, expected less than the stride or the dilation
  stride          2 x 2
  dilation        1 x 1)"},
    {"transposed, nothing left",
     [] {
       conv_transpose1d(ones({1, 3, 1}), ones({3, 6, 2}), Tensor(), {.padding = 1});
     },
     R"(shape error in conv_transpose1d (3 -> 6, 2): axis 2 of the result would have size 0
  input   f32 [1, 3, 1]   axis 2 is 1
  weight  f32 [3, 6, 2])"},
    {"transposed, bias",
     [] {
       conv_transpose1d(ones({1, 3, 4}), ones({3, 2, 2}), ones({3}), {.groups = 2});
     },
     R"(shape error in conv_transpose1d (3 -> 4, 2)
  input   f32 [1, 3, 4]
  weight  f32 [3, 2, 2]   axis 0 is 3, expected a multiple of 2 groups)"},
};

const std::vector<WrongUse> poolings = {
    {"volume without a batch",
     [] {
       max_pool3d(ones({2, 4, 4, 4}), 2);
     },
     R"(shape error in max_pool3d
  input  f32 [2, 4, 4, 4]   expected 5 axes: (n, c, d, h, w)
  operand 0 comes from broadcast_to of f32 []
  hint: unsqueeze(input, 0) makes a batch of one volume)"},
    {"padding",
     [] {
       avg_pool1d(ones({1, 2, 8}), 3, {.padding = 2});
     },
     R"(value error in avg_pool1d
  padding  2, expected 0 up to half the kernel
  kernel   3
  operand 0 comes from broadcast_to of f32 [])"},
    {"kernel",
     [] {
       avg_pool3d(ones({1, 2, 4, 1, 4}), 2);
     },
     R"(shape error in avg_pool3d: the kernel is larger than the padded input
  input   f32 [1, 2, 4, 1, 4]   axis 3 is 1, 1 with padding
  kernel  2 x 2 x 2
  operand 0 comes from broadcast_to of f32 [])"},
    {"window in the padding",
     [] {
       max_pool1d(ones({1, 1, 2}), 2, {.padding = 3, .dilation = 5});
     },
     R"(shape error in max_pool1d: a window lies in the padding alone
  input   f32 [1, 1, 2]   axis 2 is 2, 8 with padding
  kernel  2, 6 with dilation
  operand 0 comes from broadcast_to of f32 [])"},
    {"divisor",
     [] {
       avg_pool2d(ones({1, 2, 4, 4}), 2, {.divisor_override = -1});
     },
     R"(value error in avg_pool2d
  divisor_override  -1, expected 1 or more, or 0 for none)"},
    {"adaptive, size",
     [] {
       adaptive_avg_pool2d(ones({1, 2, 4, 4}), {0, 2});
     },
     R"(value error in adaptive_avg_pool2d
  size  0 x 2, expected 1 or more)"},
    {"adaptive, rank",
     [] {
       adaptive_max_pool1d(ones({1, 2, 4, 4}), 2);
     },
     R"(shape error in adaptive_max_pool1d: expected 3 axes: (n, c, l)
  input  f32 [1, 2, 4, 4]
  input comes from broadcast_to of f32 [])"},
    {"unpool, indices",
     [] {
       max_unpool2d(ones({1, 2, 4, 4}), zeros({1, 2, 2, 2}, DType::i64), 2);
     },
     R"(shape error in max_unpool2d
  input    f32 [1, 2, 4, 4]
  indices  i64 [1, 2, 2, 2]   expected the shape of the input)"},
    {"unpool, size",
     [] {
       max_unpool2d(ones({1, 2, 4, 4}), zeros({1, 2, 4, 4}, DType::i64), 2, {.output_size = Size2{8, 11}});
     },
     R"(value error in max_unpool2d
  input        f32 [1, 2, 4, 4]
  output_size  axis 3 would be 11, expected 7 to 9)"},
    {"p",
     [] {
       lp_pool2d(ones({1, 2, 4, 4}), -1, 2);
     },
     R"(value error in lp_pool2d
  p  -1, expected > 0)"},
    {"global",
     [] {
       global_avg_pool(ones({2, 4}));
     },
     R"(shape error in global_avg_pool: expected 3 or more axes: (n, c, ...)
  input  f32 [2, 4]
  input comes from broadcast_to of f32 [])"},
};

const std::vector<WrongUse> views = {
    {"stack",
     [] {
       stack({ones({2, 3}), ones({3, 2})});
     },
     R"(shape error in stack
  input 0  f32 [2, 3]
  input 1  f32 [3, 2]   expected f32 [2, 3])"},
    {"stack nothing", [] { stack({}); }, R"(usage error in stack: no tensors were given)"},
    {"split by size",
     [] {
       split(ones({2, 6}), 0, 1);
     },
     R"(value error in split: parts of 0 elements, expected 1 or more
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"split by sizes",
     [] {
       split(ones({2, 6}), {2, 3}, 1);
     },
     R"(shape error in split: the parts have 5 elements, axis 1 has 6
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"chunk",
     [] {
       chunk(ones({2, 6}), 0);
     },
     R"(value error in chunk: 0 chunks, expected 1 or more
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"narrow",
     [] {
       narrow(ones({2, 6}), 1, 4, 3);
     },
     R"(index error in narrow: 3 elements from 4 do not lie in axis 1, which has 6
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"select",
     [] {
       select(ones({2, 6}), 0, 2);
     },
     R"(index error in select: element 2 of axis 0, which has 2
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"flip twice",
     [] {
       flip(ones({2, 6}), {1, -1});
     },
     R"(axis error in flip: axis -1 is given twice for a tensor with rank 2
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"roll",
     [] {
       roll(ones({2, 6}), 1, 2);
     },
     R"(axis error in roll: axis 2 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"repeat",
     [] {
       repeat(ones({2, 6}), {3});
     },
     R"(shape error in repeat: counts for 1 axes given to a tensor with rank 2
  input  f32 [2, 6]
  input comes from broadcast_to of f32 []
  hint: tile() accepts fewer counts than axes)"},
    {"expand",
     [] {
       expand(ones({2, 6}), {-1, 2, 6});
     },
     R"(shape error in expand: size 0 is -1, but the axis is a new one
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"movedim",
     [] {
       movedim(ones({2, 6}), 0, 5);
     },
     R"(axis error in movedim: axis 5 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"tril", [] { tril(ones({6})); },
     R"(shape error in tril: expected 2 or more axes
  input  f32 [6]
  input comes from broadcast_to of f32 [])"},
    {"diagonal",
     [] {
       diagonal(ones({2, 6}), 0, 1, -1);
     },
     R"(axis error in diagonal: both axes are axis 1
  input  f32 [2, 6]
  input comes from broadcast_to of f32 [])"},
    {"diag",
     [] {
       diag(ones({2, 2, 2}));
     },
     R"(shape error in diag: expected a vector or a matrix
  input  f32 [2, 2, 2]
  input comes from broadcast_to of f32 []
  hint: diagonal() and diag_embed() accept stacks)"},
    {"trace",
     [] {
       trace(ones({2, 2, 2}));
     },
     R"(shape error in trace: expected a matrix
  input  f32 [2, 2, 2]
  input comes from broadcast_to of f32 [])"},
    {"reflect too far",
     [] {
       pad(ones({2, 3}), {{0, 0}, {0, 3}}, PadMode::reflect);
     },
     R"(value error in pad: the padding of axis 1 is 0 and 3, expected at most 2
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
    {"circular too far",
     [] {
       pad(ones({2, 3}), {{3, 0}, {0, 3}}, PadMode::circular);
     },
     R"(value error in pad: the padding of axis 0 is 3 and 0, expected at most 2
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
    {"unfold",
     [] {
       unfold(ones({2, 3}), 1, 4, 1);
     },
     R"(value error in unfold: windows of 4 every 1 elements of axis 1, which has 3
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
    {"im2col",
     [] {
       im2col(ones({3, 8, 8}), 2);
     },
     R"(shape error in im2col: expected 4 axes: (n, c, h, w)
  input  f32 [3, 8, 8]
  input comes from broadcast_to of f32 [])"},
    {"col2im",
     [] {
       col2im(ones({1, 12, 5}), {4, 4}, 2);
     },
     R"(shape error in col2im: expected 3 x 3 = 9 patches
  input  f32 [1, 12, 5]
  input comes from broadcast_to of f32 [])"},
    {"interpolate sizes",
     [] {
       interpolate(ones({1, 3, 8, 8}), {16});
     },
     R"(shape error in interpolate: sizes for 1 axes given; expected one per axis behind (n, c, ...), 1 to 3
  input  f32 [1, 3, 8, 8]
  input comes from broadcast_to of f32 [])"},
    {"bilinear sequence",
     [] {
       interpolate(ones({1, 3, 8}), {16}, {.mode = Interpolation::bilinear});
     },
     R"(shape error in interpolate: bilinear needs 4 axes: (n, c, h, w)
  input  f32 [1, 3, 8]
  input comes from broadcast_to of f32 [])"},
};

TEST(WrongUses, Convolutions) { check_wrong_uses(convolutions); }
TEST(WrongUses, Poolings) { check_wrong_uses(poolings); }
TEST(WrongUses, Views) { check_wrong_uses(views); }

}  // namespace
}  // namespace gradus::testing
