#include "gradus/ops/activation.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"

namespace gradus {
namespace {

/// A tensor inside an activation: operations on it carry the place of the user's call.
class Value {
 public:
  Value(Tensor tensor, SourceLocation where) : tensor_(std::move(tensor)), where_(where) {}
  operator TensorArg() const { return {tensor_, where_}; }  // NOLINT: implicit by design
  const Tensor& tensor() const { return tensor_; }
  Value operator()(Tensor result) const { return {std::move(result), where_}; }

  friend Value operator+(const Value& a, const TensorArg& b) { return a(add(a, b)); }
  friend Value operator-(const Value& a, const TensorArg& b) { return a(sub(a, b)); }
  friend Value operator*(const Value& a, const TensorArg& b) { return a(mul(a, b)); }
  friend Value operator/(const Value& a, const TensorArg& b) { return a(div(a, b)); }

 private:
  Tensor tensor_;
  SourceLocation where_;
};

/// Calls the operations between `input` and `result` by the name of the function that they make up, a literal, for messages
/// and summaries. What the user computed for another argument was recorded at another place.
Tensor named(std::string_view name, const Tensor& input, Tensor result, SourceLocation where) {
  Tensors pending{result};
  while (!pending.empty()) {
    const Tensor next = std::move(pending.back());
    pending.pop_back();
    Node& node = *next.node();
    const bool ours = node.where.file == where.file && node.where.line == where.line && node.called.empty();
    if (next == input || node.is_leaf() || node.inputs.empty() || !ours) continue;
    node.called = name;
    for (const Tensor& operand : node.inputs) pending.push_back(operand);
  }
  return result;
}

/// f(x) computed in a floating type that is not bf16, rounded to the type that the result has.
template <class F>
Tensor activation(std::string_view name, const TensorArg& x, const F& f) {
  const Tensor input = detail::operand(x, name);
  const DType stored = is_floating(input.dtype()) ? input.dtype() : DType::f32;
  const Value value(cast(TensorArg(input, x.where()), detail::compute_type(stored)), x.where());
  return named(name, input, detail::narrow(f(value).tensor(), stored, x.where()), x.where());
}

Value choose(const Value& x, Tensor condition, const TensorArg& a, const TensorArg& b) {
  return x(where(x(std::move(condition)), a, b));
}

void require(bool holds, std::string_view op, std::string summary, SourceLocation where) {
  if (!holds) throw Error(ErrorKind::value, std::string(op), std::move(summary)).at(where);
}

// The functions that others are made of.

Value elu_of(const Value& x, const TensorArg& alpha) {
  const Value below = x(expm1(x(clamp_max(x, 0))));  // no overflow where the other branch is taken
  return choose(x, greater(x, 0), x, below * alpha);
}
Value softplus_of(const Value& x) { return x(neg(x(log_sigmoid(x(neg(x)))))); }
Value hardtanh_of(const Value& x, double low, double high) {
  const Tensor inside = logical_and(x(greater(x, low)), less(x, high));
  return choose(x, inside, x, stop_gradient(x(clamp(x, low, high))));
}
Value gelu_of(const Value& x, GeluApproximation approximate) {
  if (approximate == GeluApproximation::none) return x * 0.5 * (x(erf(x * 0.7071067811865476)) + 1);
  const Value inner = (x + x * x * x * 0.044715) * 0.7978845608028654;
  return x * 0.5 * (x(tanh(inner)) + 1);
}
Value silu_of(const Value& x) { return x * sigmoid(x); }

/// first * gate(second), of the halves along `axis`.
template <class Gate>
Tensor gated(std::string_view name, const TensorArg& x, int axis, const Gate& gate) {
  const Tensor input = detail::operand(x, name);
  const int position = detail::normalize_axis(axis, input, name, x.where());
  const std::int64_t size = input.size(position);
  if (size % 2 != 0) {
    throw detail::refusal(ErrorKind::shape, name, fmt::format("axis {} is {}, which has no halves", position, size),
                          input, x.where());
  }
  return activation(name, x, [&](const Value& all) {
    const Value second = all(slice(all, position, size / 2, size));
    return all(slice(all, position, 0, size / 2)) * gate(second);
  });
}

}  // namespace

Tensor leaky_relu(const TensorArg& x, const TensorArg& negative_slope) {
  return activation("leaky_relu", x, [&](const Value& v) { return choose(v, greater(v, 0), v, v * negative_slope); });
}

Tensor prelu(const TensorArg& x, const TensorArg& weight) {
  const Tensor input = detail::operand(x, "prelu"), slopes = detail::operand(weight, "prelu");
  const std::int64_t channels = input.rank() > 1 ? input.size(1) : 1;
  if (slopes.rank() > 1 || (slopes.numel() != 1 && slopes.numel() != channels)) {
    throw Error(ErrorKind::shape, "prelu")
        .at(x.where())
        .operand("input", input.spec(), input.rank() > 1 ? fmt::format("axis 1 is {}", channels) : "")
        .operand("weight", slopes.spec(), fmt::format("expected [{}] or [1]", channels));
  }
  Shape shape;  // of the weight beside the input
  if (slopes.numel() != 1) {
    shape = Shape{channels};
    for (int axis = 2; axis < input.rank(); ++axis) shape.push_back(1);
  }
  const Tensor column = reshape(TensorArg(slopes, x.where()), shape);
  return activation("prelu", x, [&](const Value& v) { return choose(v, greater(v, 0), v, v * column); });
}

Tensor rrelu(const TensorArg& x, RReluOptions options, std::optional<Key> key) {
  require(options.lower <= options.upper, "rrelu",
          fmt::format("lower {} is above upper {}", options.lower, options.upper), x.where());
  if (!options.training) return leaky_relu(x, (options.lower + options.upper) / 2);
  return activation("rrelu", x, [&](const Value& v) {
    const Tensor slopes = uniform(
        v.tensor().shape(), {.low = options.lower, .high = options.upper, .dtype = v.tensor().dtype()}, key, x.where());
    return choose(v, greater(v, 0), v, v * slopes);
  });
}

Tensor elu(const TensorArg& x, const TensorArg& alpha) {
  return activation("elu", x, [&](const Value& v) { return elu_of(v, alpha); });
}

Tensor celu(const TensorArg& x, double alpha) {
  require(alpha != 0, "celu", "alpha is 0", x.where());
  return activation("celu", x, [&](const Value& v) {
    return choose(v, greater(v, 0), v, v(expm1(v(clamp_max(v, 0)) / alpha)) * alpha);
  });
}

Tensor selu(const TensorArg& x) {
  return activation("selu", x, [](const Value& v) { return elu_of(v, selu_alpha) * selu_scale; });
}

Tensor gelu(const TensorArg& x, GeluOptions options) {
  return activation("gelu", x, [&](const Value& v) { return gelu_of(v, options.approximate); });
}

Tensor silu(const TensorArg& x) { return activation("silu", x, silu_of); }

Tensor mish(const TensorArg& x) {
  return activation("mish", x, [](const Value& v) { return v * tanh(softplus_of(v)); });
}

Tensor softplus(const TensorArg& x, SoftplusOptions options) {
  require(options.beta != 0, "softplus", "beta is 0", x.where());
  return activation("softplus", x, [&](const Value& v) {
    const Value scaled = v * options.beta;
    return choose(v, greater(scaled, options.threshold), v, softplus_of(scaled) / options.beta);
  });
}

Tensor softsign(const TensorArg& x) {
  return activation("softsign", x, [](const Value& v) { return v / (v(abs(v)) + 1); });
}

Tensor hardtanh(const TensorArg& x, double min_val, double max_val) {
  require(min_val <= max_val, "hardtanh", fmt::format("min_val {} is above max_val {}", min_val, max_val), x.where());
  return activation("hardtanh", x, [&](const Value& v) { return hardtanh_of(v, min_val, max_val); });
}
Tensor relu6(const TensorArg& x) {
  return activation("relu6", x, [](const Value& v) { return hardtanh_of(v, 0, 6); });
}
Tensor hardsigmoid(const TensorArg& x) {
  return activation("hardsigmoid", x, [](const Value& v) { return hardtanh_of(v + 3, 0, 6) / 6; });
}
Tensor hardswish(const TensorArg& x) {
  return activation("hardswish", x, [](const Value& v) { return v * hardtanh_of(v + 3, 0, 6) / 6; });
}

Tensor tanhshrink(const TensorArg& x) {
  return activation("tanhshrink", x, [](const Value& v) { return v - tanh(v); });
}
Tensor softshrink(const TensorArg& x, double lambd) {
  require(lambd >= 0, "softshrink", fmt::format("lambd {} is below 0", lambd), x.where());
  return activation("softshrink", x, [&](const Value& v) {
    return choose(v, less_equal(v(abs(v)), lambd), 0, v - clamp(v, -lambd, lambd));
  });
}
Tensor hardshrink(const TensorArg& x, double lambd) {
  return activation("hardshrink", x, [&](const Value& v) { return choose(v, less_equal(v(abs(v)), lambd), 0, v); });
}
Tensor threshold(const TensorArg& x, double threshold, double value) {
  return activation("threshold", x, [&](const Value& v) { return choose(v, less_equal(v, threshold), value, v); });
}

Tensor snake(const TensorArg& x, const TensorArg& alpha) {
  return activation("snake", x, [&](const Value& v) { return v + v(square(v(sin(v * alpha)))) / alpha; });
}

Tensor glu(const TensorArg& x, int axis) {
  return gated("glu", x, axis, [](const Value& v) { return v(sigmoid(v)); });
}
Tensor geglu(const TensorArg& x, int axis) {
  return gated("geglu", x, axis, [](const Value& v) { return gelu_of(v, GeluApproximation::none); });
}
Tensor swiglu(const TensorArg& x, int axis) { return gated("swiglu", x, axis, silu_of); }
Tensor reglu(const TensorArg& x, int axis) {
  return gated("reglu", x, axis, [](const Value& v) { return v(relu(v)); });
}

Tensor maxout(const TensorArg& x, int pieces, int axis) {
  const Tensor input = detail::operand(x, "maxout");
  const int position = detail::normalize_axis(axis, input, "maxout", x.where());
  const std::int64_t size = input.size(position);
  if (pieces < 1 || size % pieces != 0) {
    throw detail::refusal(ErrorKind::shape, "maxout",
                          fmt::format("axis {} is {}, which is not a multiple of {} pieces", position, size, pieces),
                          input, x.where());
  }
  Shape split;
  for (int k = 0; k < input.rank(); ++k) {
    split.push_back(k == position ? size / pieces : input.size(k));
    if (k == position) split.push_back(pieces);
  }
  return max(TensorArg(reshape(TensorArg(input, x.where()), split), x.where()), position + 1);
}

Tensor logit(const TensorArg& x, std::optional<double> eps) {
  return activation("logit", x, [&](const Value& v) {
    const Value inside = eps ? v(clamp(v, *eps, 1 - *eps)) : v;
    return v(log(inside / (v(neg(inside)) + 1)));
  });
}

}  // namespace gradus
