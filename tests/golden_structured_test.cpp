// Parity with PyTorch, from the file that tools/golden/structured.py writes: output and gradients in f32 and f64.
#include "golden.h"

namespace gradus {
namespace {

using namespace testing;

TEST(GoldenStructured, Convolutions) {
  const GoldenFile file = golden("structured");
  both(file, "conv1d", 3, [](const Tensors& x) {
    return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 3, .dilation = 2, .groups = 2});
  });
  both(file, "conv1d_same", 2,
       [](const Tensors& x) { return conv1d(x[0], x[1], Tensor(), {.padding = "same", .dilation = 3}); });
  both(file, "conv2d_same", 3, [](const Tensors& x) { return conv2d(x[0], x[1], x[2], {.padding = "same"}); });
  both(file, "conv2d_depthwise", 2, [](const Tensors& x) {
    return conv2d(x[0], x[1], Tensor(), {.stride = {2, 1}, .padding = 1, .groups = 4});
  });
  both(file, "conv3d", 3, [](const Tensors& x) {
    return conv3d(x[0], x[1], x[2], {.stride = {1, 2, 1}, .padding = {1, 0, 2}, .dilation = {1, 1, 2}, .groups = 2});
  });
  both(file, "conv3d_same", 2, [](const Tensors& x) { return conv3d(x[0], x[1], Tensor(), {.padding = "same"}); });
  both(file, "conv_transpose1d", 3, [](const Tensors& x) {
    return conv_transpose1d(x[0], x[1], x[2], {.stride = 3, .padding = 1, .output_padding = 2});
  });
  both(file, "conv_transpose2d", 3, [](const Tensors& x) {
    return conv_transpose2d(
        x[0], x[1], x[2],
        {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2, .dilation = {1, 2}});
  });
  both(file, "conv_transpose2d_beyond", 3, [](const Tensors& x) {
    return conv_transpose2d(x[0], x[1], x[2],
                            {.stride = {1, 2}, .padding = {1, 0}, .output_padding = {2, 3}, .dilation = {3, 4}});
  });
  both(file, "conv_transpose1d_zeros", 2, [](const Tensors& x) {
    return conv_transpose1d(x[0], x[1], Tensor(), {.padding = 1, .output_padding = 3, .dilation = 4});
  });
  both(file, "conv_transpose3d", 2,
       [](const Tensors& x) { return conv_transpose3d(x[0], x[1], Tensor(), {.stride = 2, .padding = 1}); });
}

TEST(GoldenStructured, Poolings) {
  const GoldenFile file = golden("structured");
  both(file, "max_pool1d", 1,
       [](const Tensors& x) { return max_pool1d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); });
  both(file, "max_pool2d", 1, [](const Tensors& x) {
    return max_pool2d(x[0], {2, 3}, {.stride = 2, .padding = {0, 1}, .dilation = 2, .ceil_mode = true});
  });
  both(file, "max_pool3d", 1, [](const Tensors& x) {
    return max_pool3d(x[0], 2, {.stride = {1, 2, 2}, .padding = 1, .ceil_mode = true});
  });
  both(file, "avg_pool1d", 1,
       [](const Tensors& x) { return avg_pool1d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}); });
  both(file, "avg_pool2d", 1, [](const Tensors& x) {
    return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false, .ceil_mode = true});
  });
  both(file, "avg_pool2d_divisor", 1, [](const Tensors& x) {
    return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true, .divisor_override = 5});
  });
  both(file, "avg_pool3d", 1, [](const Tensors& x) {
    return avg_pool3d(x[0], {2, 3, 2}, {.stride = 2, .padding = {1, 1, 0}, .ceil_mode = true});
  });
  both(file, "adaptive_avg_pool2d", 1, [](const Tensors& x) { return adaptive_avg_pool2d(x[0], {3, 4}); });
  both(file, "adaptive_avg_pool3d", 1, [](const Tensors& x) { return adaptive_avg_pool3d(x[0], 2); });
  both(file, "adaptive_max_pool2d", 1, [](const Tensors& x) { return adaptive_max_pool2d(x[0], {3, 4}); });
  both(file, "adaptive_max_pool1d", 1, [](const Tensors& x) { return adaptive_max_pool1d(x[0], 4); });
  both(file, "lp_pool2d", 1, [](const Tensors& x) { return lp_pool2d(abs(x[0]) + 0.1, 3, 2, {.stride = 1}); });
  both(file, "max_unpool2d", 1, [](const Tensors& x) {
    const auto [y, at] = max_pool2d_with_indices(x[0], 2);
    return max_unpool2d(y, at, 2, {.output_size = Size2{5, 6}});
  });
}

TEST(GoldenStructured, Views) {
  const GoldenFile file = golden("structured");
  const auto view = [&](const char* name, Tensor (*f)(const Tensor&)) {
    both(file, name, 1, [f](const Tensors& x) { return f(x[0]); });
  };
  view("flip", [](const Tensor& x) { return flip(x, {0, 2}); });
  view("roll", [](const Tensor& x) { return roll(x, -2, 1); });
  view("tile", [](const Tensor& x) { return tile(x, {3, 2}); });
  view("repeat_interleave", [](const Tensor& x) { return repeat_interleave(x, 3, 1); });
  view("diagonal", [](const Tensor& x) { return diagonal(x, -1, 2, 0); });
  view("tril", [](const Tensor& x) { return tril(x, 1) + triu(x, 2); });
  view("diag_embed", [](const Tensor& x) { return diag_embed(x, -2); });
  view("unfold", [](const Tensor& x) { return unfold(x, 1, 3, 2); });
  static constexpr Im2colOptions patches{.dilation = {2, 1}, .padding = 1, .stride = {1, 2}};
  view("im2col", [](const Tensor& x) { return im2col(x, {2, 3}, patches); });
  view("col2im", [](const Tensor& x) { return col2im(x, {5, 6}, {2, 3}, patches); });
  static const auto bordered = [](const Tensor& x, PadMode mode) {
    return pad(x, {{0, 0}, {0, 0}, {1, 3}, {2, 1}}, mode);
  };
  view("pad_reflect", [](const Tensor& x) { return bordered(x, PadMode::reflect); });
  view("pad_replicate", [](const Tensor& x) { return bordered(x, PadMode::replicate); });
  view("pad_circular", [](const Tensor& x) { return bordered(x, PadMode::circular); });
  view("nearest", [](const Tensor& x) { return interpolate(x, {7, 3}); });
  view("bilinear", [](const Tensor& x) { return interpolate(x, {7, 3}, {.mode = Interpolation::bilinear}); });
  view("bilinear_corners", [](const Tensor& x) {
    return interpolate(x, {7, 3}, {.mode = Interpolation::bilinear, .align_corners = true});
  });
  view("bicubic", [](const Tensor& x) { return interpolate(x, {7, 3}, {.mode = Interpolation::bicubic}); });
  view("bicubic_corners", [](const Tensor& x) {
    return interpolate(x, {7, 3}, {.mode = Interpolation::bicubic, .align_corners = true});
  });
  static const ScaleFactor scale{1.7, 0.6};
  view("nearest_scale", [](const Tensor& x) { return interpolate(x, scale); });
  view("bilinear_scale", [](const Tensor& x) { return interpolate(x, scale, {.mode = Interpolation::bilinear}); });
  view("bicubic_scale", [](const Tensor& x) { return interpolate(x, scale, {.mode = Interpolation::bicubic}); });
  view("rot90", [](const Tensor& x) { return rot90(x) * rot90(x, -3, 0, 1) + rot90(x, 3, 1, 0); });
  view("channel_shuffle", [](const Tensor& x) { return channel_shuffle(x, 3); });
  view("stacks", [](const Tensor& x) {
    const Tensor rows = vstack({repeat(select(x, 0, 0), {2}), repeat(cos(select(x, 0, 1)), {2})});
    return hstack({x, sin(x)}) + rows;
  });
  view("logit", [](const Tensor& x) { return logit(sigmoid(x)) + logit(x, 0.2); });
  view("std_mean", [](const Tensor& x) {
    const auto [deviation, mean] = std_mean(x, 1);
    const auto [variance, same] = var_mean(x, 1, {.correction = 0});
    return concat({deviation, mean}) + concat({variance, same});
  });
  view("pixel_shuffle", [](const Tensor& x) { return pixel_shuffle(x, 2); });
  view("pixel_unshuffle", [](const Tensor& x) { return pixel_unshuffle(x, 3); });
  view("trilinear", [](const Tensor& x) { return interpolate(x, {3, 5, 2}, {.mode = Interpolation::trilinear}); });
  view("linear", [](const Tensor& x) { return interpolate(x, {9}, {.mode = Interpolation::linear}); });
}

TEST(GoldenStructured, Indexing) {
  const GoldenFile file = golden("structured");
  const Tensor tokens = tensor({{0, 3, 1}, {1, 1, 4}});
  both(file, "scatter", 2, [](const Tensors& x) { return scatter(x[0], 1, tensor({{0, 3}, {1, 2}, {2, 0}}), x[1]); });
  const auto folded = [&](const char* name, ScatterReduce fold, bool include_self = true) {
    both(file, name, 2, [&](const Tensors& x) {
      return scatter_reduce(x[0], 1, tensor({{0, 3, 0}, {2, 2, 2}}), x[1], fold, include_self);
    });
  };
  folded("scatter_amax", ScatterReduce::amax);
  folded("scatter_amin", ScatterReduce::amin);
  folded("scatter_mean", ScatterReduce::mean);
  folded("scatter_sum", ScatterReduce::sum);
  folded("scatter_mean_only", ScatterReduce::mean, false);
  folded("scatter_prod", ScatterReduce::prod);
  folded("scatter_prod_only", ScatterReduce::prod, false);
  both(file, "scatter_prod_zeros", 2, [](const Tensors& x) {
    return scatter_reduce(relu(x[0]), 1, tensor({{0, 3, 0}, {2, 2, 2}}), relu(x[1]), ScatterReduce::prod);
  });
  both(file, "quantile", 1, [](const Tensors& x) { return quantile(x[0], 0.3, 1); });
  both(file, "index_copy", 2, [](const Tensors& x) { return index_copy(x[0], 1, tensor({2, 0}), x[1]); });
  both(file, "index_fill", 1, [](const Tensors& x) { return index_fill(x[0], 0, tensor({2, 0}), 0.5); });
  both(file, "diff", 1, [](const Tensors& x) { return diff(x[0], 0, 2); });
  both(file, "cummax", 1, [](const Tensors& x) { return cummax(x[0], 1).values; });
  both(file, "cummin", 1, [](const Tensors& x) { return cummin(x[0], 0).values; });
  both(file, "masked_select", 1, [](const Tensors& x) { return masked_select(x[0], tensor({true, false, true})); });
  both(file, "sort", 1, [](const Tensors& x) { return sort(x[0], 1, {.descending = true}).values; });
  both(file, "topk", 1, [](const Tensors& x) { return topk(x[0], 3, {.largest = false}).values; });
  both(file, "kthvalue", 1, [](const Tensors& x) { return kthvalue(x[0], 2, 0).values; });
  both(file, "median", 1, [](const Tensors& x) { return median(x[0], 1).values; });
  both(file, "index_add", 2, [](const Tensors& x) { return index_add(x[0], 0, tensor({2, 0, 2}), x[1], 0.5); });
  both(file, "embedding", 1, [&](const Tensors& x) { return embedding(x[0], tokens, {.padding_idx = 1}); });
  const auto bag = [&](const char* name, BagMode mode) {
    both(file, name, 1,
         [&](const Tensors& x) { return embedding_bag(x[0], tokens, {.mode = mode, .padding_idx = 1}); });
  };
  bag("bag_sum", BagMode::sum);
  bag("bag_mean", BagMode::mean);
  bag("bag_max", BagMode::max);
  both(file, "bag_offsets_max", 1, [&](const Tensors& x) {
    return embedding_bag(x[0], flatten(tokens), tensor({0, 4, 4}), {.mode = BagMode::max});
  });
  both(file, "bag_offsets", 1, [&](const Tensors& x) {
    return embedding_bag(x[0], flatten(tokens), tensor({0, 4, 4}));
  });
}

TEST(GoldenStructured, Products) {
  const GoldenFile file = golden("structured");
  both(file, "einsum_batched", 2, [](const Tensors& x) { return einsum("...ij,...jk->k...i", x); });
  both(file, "einsum_diagonal", 2, [](const Tensors& x) { return einsum("iij, jk -> ik", x); });
  both(file, "einsum_three", 3, [](const Tensors& x) { return einsum("ab,bc,cd", x); });
  both(file, "tensordot", 2, [](const Tensors& x) { return tensordot(x[0], x[1], {{1, 1}, {2, 0}}); });
  both(file, "addmm", 3, [](const Tensors& x) { return addmm(x[0], x[1], x[2], 0.5, 2); });
  both(file, "cross", 2, [](const Tensors& x) { return cross(x[0], x[1], 0); });
  both(file, "cov", 1, [](const Tensors& x) { return cov(x[0]) + corrcoef(x[0]); });
  both(file, "kron", 2, [](const Tensors& x) { return kron(x[0], x[1]); });
  both(file, "cdist", 2, [](const Tensors& x) { return cdist(x[0], x[1]); });
  both(file, "cdist_3", 2, [](const Tensors& x) { return cdist(x[0], x[1], 3); });
}

TEST(GoldenStructured, LinearAlgebra) {
  const GoldenFile file = golden("structured");
  static const auto t = [](const Tensor& x) { return transpose(x, -2, -1); };
  static const auto definite = [](const Tensor& x) { return matmul(x, t(x)) + eye(x.size(-2), x.dtype()); };
  static const auto regular = [](const Tensor& x) { return x + 3 * eye(x.size(-1), x.dtype()); };
  const auto unary = [&](const char* name, Tensor (*f)(const Tensor&)) {
    both(file, name, 1, [f](const Tensors& x) { return f(x[0]); });
  };
  unary("cholesky", [](const Tensor& x) { return linalg::cholesky(definite(x)); });
  both(file, "solve", 2, [](const Tensors& x) { return linalg::solve(regular(x[0]), x[1]); });
  both(file, "solve_triangular", 2,
       [](const Tensors& x) { return linalg::solve_triangular(regular(x[0]), x[1], {.upper = true, .left = false}); });
  unary("inv", [](const Tensor& x) { return linalg::inv(regular(x)); });
  unary("det", [](const Tensor& x) { return linalg::det(x); });
  unary("slogdet", [](const Tensor& x) { return linalg::slogdet(x).logabsdet; });
  unary("qr", [](const Tensor& x) { return matmul(linalg::qr(x).q, sin(linalg::qr(x).r)); });
  unary("eigh", [](const Tensor& x) {
    const auto [w, v] = linalg::eigh(x + t(x));
    return square(v) * w;
  });
  unary("svd", [](const Tensor& x) {
    const auto [u, s, vh] = linalg::svd(x);
    return square(u) * s;
  });
  unary("svdvals", [](const Tensor& x) { return linalg::svd(x).s; });
  unary("pinv", [](const Tensor& x) { return linalg::pinv(x); });
  both(file, "lstsq", 2, [](const Tensors& x) { return linalg::lstsq(x[0], x[1]); });
  unary("norm_fro", [](const Tensor& x) { return linalg::matrix_norm(x); });
  unary("norm_nuc", [](const Tensor& x) { return linalg::matrix_norm(x, "nuc"); });
  unary("norm_1", [](const Tensor& x) { return linalg::matrix_norm(x, 1); });
  unary("power", [](const Tensor& x) { return linalg::matrix_power(regular(x), 3); });
  unary("power_negative", [](const Tensor& x) { return linalg::matrix_power(regular(x), -2); });
}

}  // namespace
}  // namespace gradus
