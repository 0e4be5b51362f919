// Cases of reductions and softmax.
#pragma once

#include "op_case.h"

namespace gradus::testing {

inline void add_reduction_cases(std::vector<OpCase>& cases) {
  const Shape s{2, 3, 4};
  cases.push_back({"sum", {s}, [](const Tensors& x) { return sum(x[0], {0, 2}); }});
  cases.push_back({"sum", {s}, [](const Tensors& x) { return sum(x[0], 1, {.keepdim = true}); }});
  cases.push_back({"mean", {s}, [](const Tensors& x) { return mean(x[0], -1); }});
  cases.push_back({"max", {s}, [](const Tensors& x) { return max(x[0], 1); }});
  cases.push_back({"min", {s}, [](const Tensors& x) { return min(x[0], {0, 1}); }});
  cases.push_back({"prod", {s}, [](const Tensors& x) { return prod(x[0], 2); }, 0.5, 1.5});
  cases.push_back({"softmax", {Shape{3, 5}}, [](const Tensors& x) { return softmax(x[0]); }});
  cases.push_back({"softmax", {s}, [](const Tensors& x) { return softmax(x[0], 1); }});
  cases.push_back({"log_softmax", {Shape{3, 5}}, [](const Tensors& x) { return log_softmax(x[0]); }});
  cases.push_back({"cumsum", {s}, [](const Tensors& x) { return cumsum(x[0], 1); }});
  cases.push_back({"cumsum", {s}, [](const Tensors& x) { return cumsum(x[0], -1, {.reverse = true}); }});
  cases.push_back({"cumprod", {s}, [](const Tensors& x) { return cumprod(x[0], 2); }});
  cases.push_back({"cummax", {s}, [](const Tensors& x) { return cummax(x[0], 1).values * cummin(x[0], -1).values; }});
  cases.push_back({"logcumsumexp", {s}, [](const Tensors& x) { return logcumsumexp(x[0], 2, {.reverse = true}); }});
  cases.push_back({"var", {s}, [](const Tensors& x) { return var(x[0], {0, 2}); }});
  cases.push_back(
      {"stddev", {s}, [](const Tensors& x) { return stddev(x[0], 1, {.correction = 0, .keepdim = true}); }});
  cases.push_back({"norm",
                   {s},
                   [](const Tensors& x) {
                     return norm(x[0], 2, {0, 1}) + norm(x[0], 3.5, {0, 1});
                   },
                   0.1,
                   1});
  cases.push_back({"logsumexp", {s}, [](const Tensors& x) { return logsumexp(x[0], {0, 1}); }});
  cases.push_back({"sparsemax", {s}, [](const Tensors& x) { return sparsemax(x[0], 1); }});
  cases.push_back({"sparsemax", {Shape{3, 5}}, [](const Tensors& x) { return sparsemax(x[0]); }});
  cases.push_back({"argmax", {s}, [](const Tensors& x) { return cast(argmax(x[0], 1), x[0].dtype()); }, -1, 1, false});
  cases.push_back({"argmin", {s}, [](const Tensors& x) { return cast(argmin(x[0], 1), x[0].dtype()); }, -1, 1, false});
}

}  // namespace gradus::testing
