#include "gradus/nn/regularise/mixup.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "gradus/nn/functional/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/index.h"
#include "gradus/ops/views/rearrange.h"

namespace gradus {
namespace {

/// The logarithm of a gamma variate of the given shape: that of a small shape would underflow.
double log_gamma_variate(double shape, Key key) {
  std::array<double, 1> draw;
  double log_boost = 0;
  if (shape < 1) {  // of shape + 1, times u^(1 / shape)
    fill_uniform(draw, key.fold(0), 0, 1);
    log_boost = std::log1p(-draw[0]) / shape;
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (std::uint64_t attempt = 1;; ++attempt) {
    std::array<double, 1> normal;
    fill_normal(normal, key.fold(2 * attempt), 0, 1);
    fill_uniform(draw, key.fold(2 * attempt + 1), 0, 1);
    const double root = 1 + c * normal[0], v = root * root * root;
    if (v > 0 && std::log1p(-draw[0]) < normal[0] * normal[0] / 2 + d * (1 - v + std::log(v)))
      return std::log(d * v) + log_boost;
  }
}

}  // namespace

double random_beta(double a, double b, Key key, SourceLocation where) {
  detail::require_value(std::isfinite(a) && a > 0, "random_beta", "a", a, "finite and > 0", where);
  detail::require_value(std::isfinite(b) && b > 0, "random_beta", "b", b, "finite and > 0", where);
  return 1 / (1 + std::exp(log_gamma_variate(b, key.fold(2)) - log_gamma_variate(a, key.fold(1))));
}

Mixed mixup(const TensorArg& inputs, const TensorArg& targets, double share) {
  const SourceLocation where = inputs.where();
  const Tensor x = detail::required_floating("mixup", "inputs", inputs);
  const Tensor y = detail::required_floating("mixup", "targets", targets);
  detail::require_value(share >= 0 && share <= 1, "mixup", "share", share, "in [0, 1]", where);
  if (x.rank() == 0 || y.rank() == 0 || x.shape()[0] != y.shape()[0]) {
    throw Error(ErrorKind::shape, "mixup")
        .at(where)
        .operand("inputs", x.spec())
        .operand("targets", y.spec(), "expected as many examples along axis 0");
  }
  const auto mix = [&](const Tensor& of) {
    return detail::named("mixup", TensorArg(of, where) * share + TensorArg(roll(of, 1, 0), where) * (1 - share));
  };
  return {mix(x), mix(y)};
}

Mixed mixup(const TensorArg& inputs, const TensorArg& labels, std::int64_t classes, const MixupOptions& options,
            std::optional<Key> key) {
  const SourceLocation where = labels.where();
  detail::require_value(std::isfinite(options.alpha) && options.alpha > 0, "mixup", "alpha", options.alpha,
                        "finite and > 0", where);
  detail::require_value(classes > 0, "mixup", "classes", static_cast<double>(classes), "> 0", where);
  const double share = random_beta(options.alpha, options.alpha, key ? *key : next_key(), where);
  const Tensor targets = cast(one_hot(detail::required("mixup", "labels", labels), classes), DType::f32);
  return mixup(inputs, TensorArg(targets, where), std::max(share, 1 - share));
}

}  // namespace gradus
