// Cases of views and indexing.
#pragma once

#include "op_case.h"

namespace gradus::testing {

/// Views, windows, order and rows that are made of other operations.
inline void add_rearrangement_cases(std::vector<OpCase>& cases) {
  const Shape s{2, 3, 4}, matrix{4, 5}, images{1, 2, 4, 5};
  const auto unary = [&](const char* name, const Shape& shape, Tensor (*f)(const Tensor&)) {
    cases.push_back({name, {shape}, [f](const Tensors& x) { return f(x[0]); }});
  };
  unary("flip", s, [](const Tensor& x) { return flip(x, {0, 2}); });
  unary("stack", s, [](const Tensor& x) { return stack({x, square(x)}, -1); });
  unary("split", s, [](const Tensor& x) { return split(x, 3, -1)[0] * chunk(x, 4, -1)[3]; });
  unary("roll", s, [](const Tensor& x) { return roll(x, -2, 1) * roll(x, 5); });
  unary("repeat", matrix, [](const Tensor& x) { return repeat(x, {2, 1, 3}); });
  unary("repeat_interleave", matrix, [](const Tensor& x) { return repeat_interleave(x, 3, 0); });
  unary("tril", matrix, [](const Tensor& x) { return tril(x, 1) * triu(x, -1); });
  unary("diagonal", s, [](const Tensor& x) { return diagonal(x, -1, 2, 1); });
  unary("diag_embed", matrix, [](const Tensor& x) { return diag_embed(x, -2); });
  unary("pad reflect", matrix, [](const Tensor& x) { return pad(x, {{2, 0}, {1, 4}}, PadMode::reflect); });
  unary("pad circular", matrix, [](const Tensor& x) { return pad(x, {{2, 0}, {1, 5}}, PadMode::circular); });
  unary("unfold", matrix, [](const Tensor& x) { return unfold(x, 1, 3, 2); });
  unary("im2col", images, [](const Tensor& x) { return im2col(x, {2, 3}, {.padding = 1, .stride = {2, 1}}); });
  unary("col2im", Shape{1, 12, 8}, [](const Tensor& x) { return col2im(x, {4, 3}, {3, 2}, {.padding = {1, 0}}); });
  unary("interpolate", images, [](const Tensor& x) {
    return interpolate(x, {7, 3}, {.mode = Interpolation::bilinear}) +
           interpolate(x, {7, 3}) * interpolate(x, {7, 3}, {.mode = Interpolation::bicubic});
  });
  unary("sort", s, [](const Tensor& x) { return sort(x, 1, {.descending = true}).values; });
  unary("topk", s, [](const Tensor& x) { return topk(x, 2).values * unsqueeze(median(x, -1).values, -1); });
  unary("searchsorted", matrix, [](const Tensor& x) {
    return x * cast(searchsorted(stop_gradient(sort(x).values), stop_gradient(x * 0.5)), x.dtype());
  });
  static const Tensor places = tensor({{0, 3, 0}, {2, 2, 2}});
  for (const ScatterReduce fold :
       {ScatterReduce::amax, ScatterReduce::amin, ScatterReduce::mean, ScatterReduce::prod}) {
    cases.push_back({"scatter_reduce", {matrix, Shape{2, 3}}, [fold](const Tensors& x) {
                       return scatter_reduce(x[0], 1, places, x[1], fold) *
                              scatter_reduce(x[0], 1, places, x[1], fold, false);
                     }});
  }
  unary("embedding", matrix, [](const Tensor& x) { return embedding(x, tensor({{0, 3}, {3, 1}})); });
  unary("embedding_bag", matrix, [](const Tensor& x) {
    return embedding_bag(x, tensor({0, 3, 3, 1}), tensor({0, 1}), {.mode = BagMode::mean});
  });
}

inline void add_view_and_index_cases(std::vector<OpCase>& cases) {
  const Shape s{2, 3, 4};
  cases.push_back({"reshape", {s}, [](const Tensors& x) { return reshape(x[0], {4, 6}); }});
  cases.push_back({"permute", {s}, [](const Tensors& x) { return permute(x[0], {2, 0, 1}); }});
  cases.push_back({"slice", {s}, [](const Tensors& x) { return slice(x[0], 2, 1, 4); }});
  cases.push_back({"slice", {Shape{9}}, [](const Tensors& x) { return slice(x[0], 0, 1, 9, 3); }});
  cases.push_back({"broadcast_to", {Shape{3, 1}}, [](const Tensors& x) { return broadcast_to(x[0], {2, 3, 4}); }});
  cases.push_back({"pad", {Shape{2, 3}}, [](const Tensors& x) { return pad(x[0], {{1, 0}, {0, 2}}, 0.5); }});
  cases.push_back({"concat", {Shape{2, 3}, Shape{2, 1}}, [](const Tensors& x) { return concat({x[0], x[1]}, 1); }});
  cases.push_back({"gather", {Shape{3, 4}}, [](const Tensors& x) {
                     return gather(x[0], 1, tensor({{0, 3}, {1, 1}, {2, 0}}));
                   }});
  cases.push_back({"scatter_add", {Shape{3, 4}, Shape{3, 2}}, [](const Tensors& x) {
                     return scatter_add(x[0], 1, tensor({{0, 3}, {1, 1}, {2, 0}}), x[1]);
                   }});
  cases.push_back({"scatter", {Shape{3, 4}, Shape{3, 2}}, [](const Tensors& x) {
                     return scatter(x[0], 1, tensor({{0, 3}, {1, 1}, {2, 0}}), x[1]);
                   }});
  cases.push_back({"dynamic_update_slice", {Shape{2, 5, 3}, Shape{2, 2, 3}}, [](const Tensors& x) {
                     const auto at = [&](int start) { return dynamic_update_slice(x[0], x[1], tensor({start}), 1); };
                     return at(1) + 2 * at(9);  // the second does not fit there
                   }});
  cases.push_back({"take", {Shape{4, 3}}, [](const Tensors& x) { return take(x[0], tensor({2, 0, 2})); }});
  cases.push_back(
      {"take_add", {Shape{4, 3}}, [](const Tensors& x) {  // the adjoint of take, reached through its gradient
         return grad(sum(square(take(x[0], tensor({2, 0, 2})))), {x[0]})[0];
       }});
  add_rearrangement_cases(cases);
  cases.push_back({"one_hot", {Shape{2}}, [](const Tensors& x) {
                     return x[0] * cast(sum(one_hot(tensor({0, 2}), 3), 1), x[0].dtype());
                   }});
}

}  // namespace gradus::testing
