// Cases of random numbers.
#pragma once

#include "op_case.h"

namespace gradus::testing {

inline void add_random_cases(std::vector<OpCase>& cases) {
  const Key key{7};
  cases.push_back({"random_uniform", {Shape{8}}, [key](const Tensors& x) {
                     return x[0] * cast(uniform({8}, {}, key), x[0].dtype());
                   }});
  cases.push_back({"random_normal", {Shape{8}}, [key](const Tensors& x) {
                     return x[0] * cast(normal({8}, {}, key), x[0].dtype());
                   }});
  cases.push_back(
      {"random_permutation", {Shape{8}}, [key](const Tensors& x) { return take(x[0], permutation(8, key)); }});
}

}  // namespace gradus::testing
