#include "gradus/classic/linear.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/parameter.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/lbfgs.h"

namespace gradus::classic {
namespace {

struct LinearModel {
  nn::Parameter weight, bias;  // f64 [columns, outputs], [outputs]
};

Tensor f64_rows(std::span<const float> x, std::int64_t rows, std::int64_t columns) {
  const std::vector<double> wide(x.begin(), x.end());
  return leaf<double>({rows, columns}, std::span<const double>(wide));
}

void softmax_in_place(std::vector<double>& scores, std::size_t classes) {
  for (std::size_t i = 0; i < scores.size(); i += classes) {
    const double top = *std::max_element(&scores[i], &scores[i] + classes);
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += scores[i + k] = std::exp(scores[i + k] - top);
    for (std::size_t k = 0; k < classes; ++k) scores[i + k] /= sum;
  }
}

Model learn_logistic(const Sample& train, const LogisticOptions& options) {
  detail::require_classes(train, "logistic regression");
  const Tensor x = f64_rows(train.x, train.rows, train.columns);
  const Tensor labels = leaf<std::int64_t>({train.rows}, std::span<const std::int64_t>(train.labels));
  LinearModel model{zeros({train.columns, train.classes}, DType::f64), zeros({train.classes}, DType::f64)};
  const double penalty = 1 / (2 * options.C * static_cast<double>(train.rows));
  optim::LBFGS optimizer(model, {.max_iter = options.max_iter,
                                 .max_eval = 3 * options.max_iter,
                                 .tolerance_grad = 1e-4,
                                 .history_size = 10,
                                 .line_search = optim::LineSearch::strong_wolfe});
  optimizer.step([&] {
    return cross_entropy(matmul(x, model.weight) + model.bias, labels) + penalty * sum(square(model.weight));
  });
  const std::vector<double> weight = model.weight.tensor().to_vector<double>(),
                            bias = model.bias.tensor().to_vector<double>();
  const std::int64_t parameters = static_cast<std::int64_t>(weight.size() + bias.size());
  const auto answer = [weight, bias](const Query& asked) {
    std::vector<double> scores = detail::linear_scores(asked, weight, bias);
    softmax_in_place(scores, bias.size());
    return scores;
  };
  return Model(train, 8 * parameters, answer, parameters);
}

Model learn_ridge(const Sample& train, double alpha) {
  detail::require_numbers(train, "ridge");
  const Tensor x = f64_rows(train.x, train.rows, train.columns);
  const Tensor y = leaf<double>({train.rows, 1}, std::span<const double>(train.targets));
  const Tensor x_mean = mean(x, {0}, {.keepdim = true}), y_mean = mean(y, {0}, {.keepdim = true});
  const Tensor centred = x - x_mean, target = y - y_mean;
  const Tensor across = transpose(centred, 0, 1);
  const Tensor weight = alpha > 0 ? linalg::solve(matmul(across, centred) + alpha * eye(train.columns, DType::f64),
                                                  matmul(across, target))
                                  : linalg::lstsq(centred, target);
  const Tensor bias = y_mean - matmul(x_mean, weight);
  eval(weight, bias);
  const std::vector<double> w = weight.to_vector<double>(), b = bias.to_vector<double>();
  const std::int64_t parameters = static_cast<std::int64_t>(w.size() + 1);
  return Model(
      train, 8 * parameters, [w, b](const Query& asked) { return detail::linear_scores(asked, w, b); }, parameters);
}

}  // namespace

Learner logistic_regression(const LogisticOptions& options, SourceLocation where) {
  if (!(options.C > 0) || !std::isfinite(options.C) || options.max_iter < 1) {
    throw Error(ErrorKind::value, "logistic_regression",
                fmt::format("C is {} and max_iter {}, both must be positive", options.C, options.max_iter))
        .at(where);
  }
  return {.name = "logistic regression",
          .settings = fmt::format("C {:g}", options.C),
          .learn = [options](const Sample& train, std::uint64_t) { return learn_logistic(train, options); }};
}

Learner ridge(const RidgeOptions& options, SourceLocation where) {
  if (!(options.alpha >= 0) || !std::isfinite(options.alpha))
    throw Error(ErrorKind::value, "ridge", fmt::format("alpha is {}, must be 0 or more", options.alpha)).at(where);
  return {.name = "ridge regression",
          .settings = fmt::format("alpha {:g}", options.alpha),
          .learn = [options](const Sample& train, std::uint64_t) { return learn_ridge(train, options.alpha); }};
}

namespace detail {

std::vector<double> linear_scores(const Query& asked, const std::vector<double>& weight,
                                  const std::vector<double>& bias) {
  const std::size_t outputs = bias.size();
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(asked.rows) * outputs);
  for (std::int64_t i = 0; i < asked.rows; ++i) {
    out.insert(out.end(), bias.begin(), bias.end());
    double* y = &out[out.size() - outputs];
    const double* w = weight.data();
    for (const float x : asked.row(i)) {
      for (std::size_t k = 0; k < outputs; ++k) y[k] += static_cast<double>(x) * w[k];
      w += outputs;
    }
  }
  return out;
}

}  // namespace detail

}  // namespace gradus::classic
