// Cases of products, convolutions and pools.
#pragma once

#include "op_case.h"

namespace gradus::testing {

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
}

}  // namespace gradus::testing
