// Cases of views and indexing.
#pragma once

#include "op_case.h"

namespace gradus::testing {

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
  cases.push_back({"take", {Shape{4, 3}}, [](const Tensors& x) { return take(x[0], tensor({2, 0, 2})); }});
  cases.push_back(
      {"take_add", {Shape{4, 3}}, [](const Tensors& x) {  // the adjoint of take, reached through its gradient
         return grad(sum(square(take(x[0], tensor({2, 0, 2})))), {x[0]})[0];
       }});
  cases.push_back({"one_hot", {Shape{2}}, [](const Tensors& x) {
                     return x[0] * cast(sum(one_hot(tensor({0, 2}), 3), 1), x[0].dtype());
                   }});
}

}  // namespace gradus::testing
