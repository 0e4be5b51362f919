// A function of one's own with a gradient of one's own.
//
//   /// Clips in the forward pass, and lets gradients through as if it had not.
//   struct StraightThroughClip {
//     double limit = 1;                                                   // attributes: plain values
//
//     Tensor forward(const Tensors& x) const { return minimum(maximum(x[0], -limit), limit); }
//     Tensors vjp(const VjpArgs& args) const { return {args.cotangents[0]}; }
//     bool operator==(const StraightThroughClip&) const = default;        // identity comes from the fields
//   };
//   Tensor y = custom_gradient(StraightThroughClip{2.0}, {x});
//
// `forward` and `vjp` are written with tensor functions, so there is no kernel to write: they are fused and planned like
// everything else, `vjp` can be differentiated again, and forward mode and vmap() follow from it. For a function that needs
// a kernel, write an operation (CONTRIBUTING.md).
#pragma once

#include <concepts>
#include <string_view>
#include <utility>

#include "gradus/graph/op.h"

namespace gradus {

/// `forward(inputs)` gives a Tensor or Tensors. `vjp(args)` gets the inputs, the outputs and their cotangents (undefined
/// where nothing flows back) and gives one tensor per input, of its type and shape, undefined for no gradient; it has to be
/// linear in the cotangents. A `name()` is optional: messages show it.
template <class T>
concept CustomGradient = std::equality_comparable<T> && requires(const T& rule, const Tensors& x, const VjpArgs& args) {
  rule.forward(x);
  { rule.vjp(args) } -> std::same_as<Tensors>;
};

namespace detail {

/// The arguments of a Redirect, `outputs` of whose inputs are its outputs, as `rule` expects them; and what it answers,
/// checked. Throws Error(usage, shape, dtype) when the answer does not fit the inputs.
Tensors custom_vjp(std::string_view name, std::int64_t outputs, const VjpArgs& args,
                   Tensors (*rule)(const void*, const VjpArgs&), const void* self);
Tensors custom_batch(const Op& rule, std::int64_t outputs, const BatchArgs& args);
Tensors redirect(Op rule, Tensors outputs, const Tensors& inputs, std::string_view name, SourceLocation where);

/// What a Redirect holds for a user's rule.
template <CustomGradient T>
struct CustomRule {
  T user;
  std::int64_t outputs = 1;

  std::string_view name() const {
    if constexpr (requires { std::string_view(user.name()); }) {
      return user.name();
    } else {
      return "custom_gradient";
    }
  }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec>) const { return {}; }
  Tensors vjp(const VjpArgs& args) const {
    const auto call = [](const void* self, const VjpArgs& own) { return static_cast<const T*>(self)->vjp(own); };
    return custom_vjp(name(), outputs, args, call, &user);
  }
  Tensors batch(const BatchArgs& args) const { return custom_batch(Op(*this), outputs, args); }
  bool operator==(const CustomRule&) const = default;
};

}  // namespace detail

/// `rule.forward(inputs)` with the gradient `rule.vjp`. Gradients reach `inputs` only: what else the function uses is a
/// constant. Throws what `forward` throws, Error(state) when it returns an undefined tensor; the gradient throws Error when
/// what `vjp` returns does not fit the inputs.
template <CustomGradient T>
auto custom_gradient(const T& rule, const Tensors& inputs, SourceLocation where = SourceLocation::current()) {
  auto outputs = rule.forward(inputs);
  if constexpr (std::convertible_to<decltype(outputs), Tensor>) {
    const detail::CustomRule<T> custom{rule, 1};
    return detail::redirect(Op(custom), {static_cast<Tensor>(outputs)}, inputs, custom.name(), where).front();
  } else {
    const detail::CustomRule<T> custom{rule, static_cast<std::int64_t>(outputs.size())};
    return detail::redirect(Op(custom), std::move(outputs), inputs, custom.name(), where);
  }
}

}  // namespace gradus
