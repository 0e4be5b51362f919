// Cases of attention and recurrent operations.
#pragma once

#include "gradus/ops/recurrent/lstm.h"
#include "op_case.h"

namespace gradus::testing {

inline void add_attention_cases(std::vector<OpCase>& cases) {
  const auto attend = [&](const Shape& q, const Shape& k, const Shape& v,
                          const ScaledDotProductAttentionOptions& options) {
    cases.push_back({"scaled_dot_product_attention", {q, k, v}, [options](const Tensors& x) {
                       return scaled_dot_product_attention(x[0], x[1], x[2], options);
                     }});
  };
  attend({2, 3, 2}, {2, 4, 2}, {1, 4, 3}, {});
  attend({1, 2, 4, 2}, {1, 2, 4, 2}, {1, 2, 4, 2}, {.is_causal = true});
  attend({3, 2}, {4, 2}, {4, 2},
         {.attn_mask = tensor({{true, true, false, true}, {false, false, false, false}, {true, true, true, true}})});
  cases.push_back(
      {"scaled_dot_product_attention of a mask",
       {Shape{2, 2, 2}, Shape{2, 3, 2}, Shape{2, 3, 1}, Shape{2, 1}, Shape{2, 1, 3}},
       [](const Tensors& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = x[3] * x[4]}); }});
  cases.push_back({"attention_gradient",
                   {Shape{2, 2}, Shape{3, 2}, Shape{3, 1}},
                   [](const Tensors& x) {
                     const Tensor y = scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = true});
                     const Tensors g = grad(sum(square(y)), {x[0], x[1], x[2]});
                     return concat({flatten(g[0]), flatten(g[1]), flatten(g[2])});
                   },
                   -1,
                   1,
                   true,
                   true});
}

/// Each input has few elements, since every one of them is moved, and derivatives unroll.
inline void add_recurrent_cases(std::vector<OpCase>& cases) {
  const auto recur = [&](const char* name, const std::vector<Shape>& inputs, std::function<Tensor(const Tensors&)> f,
                         bool differentiable = true) {
    cases.push_back({name, inputs, std::move(f), -1, 1, differentiable, true});
  };
  const std::vector<Shape> shapes{{2, 2, 4}, {4, 1}, {2, 1}, {2, 1}};
  for (const bool reverse : {false, true}) {
    recur(reverse ? "lstm in reverse" : "lstm", shapes, [reverse](const Tensors& x) {
      const detail::LstmStates y = detail::lstm(x[0], x[1], x[2], x[3], reverse, {});
      return y.h + 0.5 * y.c;
    });
  }
  // Its derivatives are the second ones of lstm.
  recur(
      "lstm_gradient", shapes,
      [](const Tensors& x) {
        const detail::LstmStates y = detail::lstm(x[0], x[1], x[2], x[3], false, {});
        const Tensors g = grad(sum(square(y.h) + y.c), {x[0], x[1], x[2], x[3]});
        return concat({flatten(g[0]), flatten(g[1]), flatten(g[2]), flatten(g[3])});
      },
      false);
  // Equal tensors in two places, and no use of the cells.
  recur("lstm of one state", {{2, 1, 4}, {4, 1}, {1, 1}},
        [](const Tensors& x) { return detail::lstm(x[0], x[1], x[2], x[2], false, {}).h; });
}

inline void add_sequence_cases(std::vector<OpCase>& cases) {
  add_attention_cases(cases);
  add_recurrent_cases(cases);
}

}  // namespace gradus::testing
