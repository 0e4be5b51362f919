// Cases of products, convolutions and pools.
#pragma once

#include "op_case.h"

namespace gradus::testing {

/// Convolutions over other than images, and transposed ones.
inline void add_conv_cases(std::vector<OpCase>& cases) {
  cases.push_back({"conv1d", {Shape{2, 4, 7}, Shape{6, 2, 3}, Shape{6}}, [](const Tensors& x) {
                     return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 1, .groups = 2});
                   }});
  cases.push_back({"conv1d_gradients", {Shape{1, 2, 5}, Shape{2, 2, 2}}, [](const Tensors& x) {
                     const Tensors g = grad(sum(square(conv1d(x[0], x[1]))), {x[0], x[1]});
                     return concat({flatten(g[0]), flatten(g[1])});
                   }});
  cases.push_back({"conv3d", {Shape{1, 2, 4, 3, 4}, Shape{2, 2, 2, 2, 3}, Shape{2}}, [](const Tensors& x) {
                     return conv3d(x[0], x[1], x[2], {.stride = {1, 2, 1}, .padding = {1, 0, 1}});
                   }});
  cases.push_back({"conv3d_gradients", {Shape{1, 1, 3, 3, 2}, Shape{2, 1, 2, 2, 1}}, [](const Tensors& x) {
                     const Tensors g = grad(sum(square(conv3d(x[0], x[1]))), {x[0], x[1]});
                     return concat({flatten(g[0]), flatten(g[1])});
                   }});
  cases.push_back({"conv2d same", {Shape{1, 1, 5, 4}, Shape{2, 1, 2, 4}}, [](const Tensors& x) {
                     return conv2d(x[0], x[1], Tensor(), {.padding = "same"});
                   }});
  cases.push_back({"conv_transpose2d", {Shape{2, 4, 3, 3}, Shape{4, 3, 2, 3}, Shape{6}}, [](const Tensors& x) {
                     return conv_transpose2d(
                         x[0], x[1], x[2],
                         {.stride = {3, 2}, .padding = {0, 1}, .output_padding = {2, 1}, .groups = 2});
                   }});
}

/// Poolings that are made of other operations.
inline void add_pool_cases(std::vector<OpCase>& cases) {
  cases.push_back({"max_pool2d", {Shape{1, 1, 7, 8}}, [](const Tensors& x) {
                     return max_pool2d(x[0], {2, 3}, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true});
                   }});
  cases.push_back({"max_pool3d", {Shape{1, 2, 4, 5, 4}}, [](const Tensors& x) {
                     return max_pool3d(x[0], 2, {.stride = {1, 2, 2}, .ceil_mode = true});
                   }});
  cases.push_back({"avg_pool2d", {Shape{1, 1, 6, 5}}, [](const Tensors& x) {
                     return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true});
                   }});
  cases.push_back({"avg_pool3d", {Shape{1, 1, 4, 5, 4}}, [](const Tensors& x) {
                     return avg_pool3d(x[0], 2, {.padding = {1, 0, 1}, .ceil_mode = true, .divisor_override = 5});
                   }});
  cases.push_back({"adaptive_avg_pool2d", {Shape{1, 2, 5, 7}}, [](const Tensors& x) {
                     return adaptive_avg_pool2d(x[0], {3, 2});
                   }});
  cases.push_back({"adaptive_max_pool2d", {Shape{1, 2, 5, 7}}, [](const Tensors& x) {
                     return adaptive_max_pool2d(x[0], {3, 2});
                   }});
  cases.push_back({"max_unpool2d", {Shape{1, 2, 4, 5}}, [](const Tensors& x) {
                     const auto [y, at] = max_pool2d_with_indices(x[0], 2);
                     return max_unpool2d(y * 2, at, 2, {.output_size = Size2{4, 5}});
                   }});
  cases.push_back({"lp_pool1d", {Shape{1, 2, 6}}, [](const Tensors& x) { return lp_pool1d(x[0], 3, 2); }, 0.1, 1});
}

/// Linear algebra; symmetric and well-conditioned matrices are made from the inputs.
inline void add_linalg_cases(std::vector<OpCase>& cases) {
  const Shape stack{2, 3, 3};
  const auto unary = [&](const char* name, const Shape& shape, Tensor (*f)(const Tensor&)) {
    cases.push_back({name, {shape}, [f](const Tensors& x) { return f(x[0]); }});
  };
  static const auto t = [](const Tensor& x) { return transpose(x, -2, -1); };
  static const auto definite = [](const Tensor& x) { return matmul(x, t(x)) + eye(x.size(-2), x.dtype()); };
  static const auto regular = [](const Tensor& x) { return x + 3 * eye(x.size(-1), x.dtype()); };
  unary("cholesky", stack, [](const Tensor& x) { return linalg::cholesky(definite(x)); });
  cases.push_back({"solve", {stack, Shape{3, 2}}, [](const Tensors& x) { return linalg::solve(regular(x[0]), x[1]); }});
  cases.push_back({"triangular_solve", {stack, Shape{2, 2, 3}}, [](const Tensors& x) {
                     return linalg::solve_triangular(regular(x[0]), x[1], {.upper = true, .left = false}) +
                            t(linalg::solve_triangular(regular(x[0]), t(x[1]), {.unitriangular = true}));
                   }});
  unary("slogdet", stack, [](const Tensor& x) { return linalg::slogdet(regular(x)).logabsdet + linalg::det(x); });
  unary("qr", {4, 3}, [](const Tensor& x) { return matmul(linalg::qr(x).q, sin(linalg::qr(x).r)); });
  unary("qr", {2, 3}, [](const Tensor& x) { return sin(linalg::qr(x).r); });
  unary("eigh", stack, [](const Tensor& x) {
    const auto [w, v] = linalg::eigh(x + t(x));
    return square(v) * unsqueeze(w, -1);
  });
  unary("svd", {2, 4, 3}, [](const Tensor& x) {
    const auto [u, s, vh] = linalg::svd(x);
    return matmul(square(u) * unsqueeze(s, -2), square(vh));
  });
  unary("svd", {3, 4}, [](const Tensor& x) { return matmul(linalg::svd(x).u, linalg::svd(x).vh); });
  unary("pinv", {4, 2}, [](const Tensor& x) { return linalg::pinv(x) + linalg::matrix_norm(x, "nuc"); });
}

/// Products that are made of matrix products.
inline void add_product_cases(std::vector<OpCase>& cases) {
  const auto binary = [&](const char* name, const Shape& a, const Shape& b, Tensor (*f)(const Tensor&, const Tensor&)) {
    cases.push_back({name, {a, b}, [f](const Tensors& x) { return f(x[0], x[1]); }});
  };
  binary("tensordot", {2, 3, 4}, {4, 3, 2}, [](const Tensor& a, const Tensor& b) {
    return tensordot(a, b, {{1, 1}, {2, 0}});
  });
  binary("kron", {2, 3}, {3, 2}, [](const Tensor& a, const Tensor& b) { return kron(a, b); });
  binary("cdist", {3, 4}, {2, 4}, [](const Tensor& a, const Tensor& b) { return cdist(a, b) + cdist(a, b, 3); });
  binary("outer", {3}, {4}, [](const Tensor& a, const Tensor& b) { return outer(a, b) * dot(a, a); });
  binary("einsum", {2, 3, 4}, {2, 4, 5}, [](const Tensor& a, const Tensor& b) {
    return einsum("...ij,...jk->k...", {a, b});
  });
  binary("einsum", {3, 3, 2}, {2, 4}, [](const Tensor& a, const Tensor& b) {
    return einsum("iij,jk,jl->lik", {a, b, b});
  });
}

inline void add_contraction_cases(std::vector<OpCase>& cases) {
  cases.push_back({"matmul", {Shape{3, 4}, Shape{4, 2}}, [](const Tensors& x) { return matmul(x[0], x[1]); }});
  cases.push_back({"matmul", {Shape{2, 3, 4}, Shape{2, 4, 5}}, [](const Tensors& x) { return matmul(x[0], x[1]); }});
  cases.push_back({"matmul", {Shape{4, 3}, Shape{2, 4}}, [](const Tensors& x) {
                     return matmul(transpose(x[0], 0, 1), transpose(x[1], 0, 1));
                   }});
  cases.push_back(
      {"linear", {Shape{2, 3, 4}, Shape{5, 4}, Shape{5}}, [](const Tensors& x) { return linear(x[0], x[1], x[2]); }});
  cases.push_back({"conv2d", {Shape{2, 2, 5, 6}, Shape{3, 2, 3, 2}, Shape{3}}, [](const Tensors& x) {
                     return conv2d(x[0], x[1], x[2], {.stride = {2, 1}, .padding = {1, 0}});
                   }});
  cases.push_back({"conv2d", {Shape{1, 4, 6, 6}, Shape{4, 2, 2, 2}}, [](const Tensors& x) {
                     return conv2d(x[0], x[1], Tensor(), {.padding = 1, .dilation = 2, .groups = 2});
                   }});
  cases.push_back({"conv2d_input_gradient", {Shape{1, 2, 5, 5}, Shape{2, 2, 3, 3}}, [](const Tensors& x) {
                     return grad(sum(square(conv2d(x[0], x[1]))), {x[0]})[0];
                   }});
  cases.push_back({"conv2d_weight_gradient", {Shape{1, 2, 5, 5}, Shape{2, 2, 3, 3}}, [](const Tensors& x) {
                     return grad(sum(square(conv2d(x[0], x[1]))), {x[1]})[0];
                   }});
  cases.push_back({"max_pool2d", {Shape{2, 2, 6, 5}}, [](const Tensors& x) { return max_pool2d(x[0], 2); }});
  cases.push_back({"max_pool2d", {Shape{1, 2, 7, 7}}, [](const Tensors& x) {
                     return max_pool2d(x[0], 3, {.stride = 2, .padding = 1});
                   }});
  cases.push_back({"max_pool2d_gradient", {Shape{1, 2, 6, 6}}, [](const Tensors& x) {
                     return grad(sum(square(max_pool2d(x[0], 2))), {x[0]})[0];
                   }});
  cases.push_back({"max_pool2d_gather", {Shape{1, 1, 6, 6}}, [](const Tensors& x) {
                     const Tensor g = grad(sum(square(max_pool2d(x[0], 2))), {x[0]})[0];
                     return grad(sum(square(g)), {x[0]})[0];
                   }});
  cases.push_back({"avg_pool2d", {Shape{2, 2, 6, 5}}, [](const Tensors& x) { return avg_pool2d(x[0], 2); }});
  cases.push_back({"avg_pool2d", {Shape{1, 2, 5, 5}}, [](const Tensors& x) {
                     return avg_pool2d(x[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false});
                   }});
  cases.push_back({"avg_pool2d_gradient", {Shape{1, 2, 4, 4}}, [](const Tensors& x) {
                     return grad(sum(square(avg_pool2d(x[0], 2))), {x[0]})[0];
                   }});
  add_linalg_cases(cases);
  add_product_cases(cases);
  add_conv_cases(cases);
  add_pool_cases(cases);
}

}  // namespace gradus::testing
