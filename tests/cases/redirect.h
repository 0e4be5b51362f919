// Cases of values with a gradient of their own.
#pragma once

#include "gradus/transform/checkpoint.h"
#include "gradus/transform/custom_gradient.h"
#include "op_case.h"

namespace gradus::testing {

/// x^3 with its gradient written out.
struct Cube {
  Tensor forward(const Tensors& x) const { return x[0] * x[0] * x[0]; }
  Tensors vjp(const VjpArgs& args) const { return {args.cotangents[0] * square(args.inputs[0]) * 3.0}; }
  bool operator==(const Cube&) const = default;
};

inline void add_redirect_cases(std::vector<OpCase>& cases) {
  const auto f = [](const Tensor& a, const Tensor& b) { return sin(a) * exp(b); };
  cases.push_back({"redirect", {Shape{3, 2}}, [](const Tensors& x) { return custom_gradient(Cube{}, {x[0]}); }});
  cases.push_back({"redirect", {Shape{3, 2}, Shape{2}}, [f](const Tensors& x) { return checkpoint(f, x[0], x[1]); }});
  cases.push_back({"barrier", {Shape{3, 2}, Shape{2}}, [f](const Tensors& x) {
                     return grad(sum(square(checkpoint(f, x[0], x[1]))), {x[0]})[0];
                   }});
}

}  // namespace gradus::testing
