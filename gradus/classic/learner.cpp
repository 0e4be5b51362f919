#include "gradus/classic/learner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/train/metrics/regression.h"

namespace gradus::classic {
namespace {

data::Batch all_of(const data::Dataset& dataset) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset.size()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return dataset.batch(rows);
}

}  // namespace

Sample sample_of(const data::Dataset& dataset, SourceLocation where) {
  if (dataset.size() == 0)
    throw Error(ErrorKind::value, "fit", "there are no examples").context(dataset.name()).at(where);
  const data::Batch all = all_of(dataset);
  Sample sample;
  sample.rows = dataset.size();
  sample.columns = all.inputs.numel() / sample.rows;
  sample.x = all.inputs.to_vector<float>();
  for (std::size_t i = 0; i < sample.x.size(); ++i) {
    if (std::isfinite(sample.x[i])) continue;
    throw Error(ErrorKind::value, "fit",
                fmt::format("element {} of example {} is {}", i % static_cast<std::size_t>(sample.columns),
                            i / static_cast<std::size_t>(sample.columns), sample.x[i]))
        .context(dataset.name())
        .at(where)
        .hint("fill in what is missing first (data::EncoderOptions::missing)");
  }
  if (dataset.is_regression()) {
    sample.targets = all.labels.to_vector<double>();
  } else {
    sample.classes = dataset.num_classes();
    sample.labels = all.labels.to_vector<std::int64_t>();
  }
  return sample;
}

Model::Model(const Sample& train, std::int64_t bytes, Answer answer, std::int64_t parameters)
    : columns_(train.columns),
      classes_(train.classes),
      bytes_(bytes),
      parameters_(parameters),
      answer_(std::move(answer)) {}

std::vector<double> Model::answers(const Tensor& inputs, SourceLocation where) const {
  if (inputs.dtype() != DType::f32) {
    throw Error(ErrorKind::dtype, "predict").at(where).operand("inputs", inputs.spec(), "expected f32");
  }
  const std::int64_t rows = inputs.rank() == 0 ? 0 : inputs.size(0);
  if (inputs.rank() == 0 || (rows > 0 && inputs.numel() != rows * columns_)) {
    throw Error(ErrorKind::shape, "predict")
        .at(where)
        .operand("inputs", inputs.spec(), fmt::format("expected {} elements for each example", columns_));
  }
  if (rows == 0) return {};
  eval(inputs);
  return answer_({inputs.data<float>(), rows, columns_});
}

Tensor Model::scores(const Tensor& inputs, SourceLocation where) const {
  const std::vector<double> found = answers(inputs, where);
  if (classes_ == 0) return leaf<double>({inputs.size(0)}, std::span<const double>(found));
  return leaf<double>({inputs.size(0), classes_}, std::span<const double>(found));
}

Tensor Model::predict(const Tensor& inputs, SourceLocation where) const {
  if (classes_ == 0) return scores(inputs, where);
  const std::vector<double> found = answers(inputs, where);
  std::vector<std::int64_t> classes(found.size() / static_cast<std::size_t>(classes_));
  for (std::size_t i = 0; i < classes.size(); ++i)
    classes[i] = detail::best_of(&found[i * static_cast<std::size_t>(classes_)], classes_);
  return leaf<std::int64_t>({inputs.size(0)}, std::span<const std::int64_t>(classes));
}

double Model::score(const data::Dataset& examples, SourceLocation where) const {
  if (examples.is_regression() != (classes_ == 0) || examples.size() == 0) {
    throw Error(ErrorKind::value, "score",
                examples.size() == 0
                    ? "there are no examples"
                    : fmt::format("the model predicts {}, the labels are {}", classes_ == 0 ? "numbers" : "classes",
                                  classes_ == 0 ? "classes" : "numbers"))
        .context(examples.name())
        .at(where);
  }
  const data::Batch all = all_of(examples);
  const Tensor predicted = predict(all.inputs, where);
  if (classes_ == 0) {
    const std::vector<double> truth = all.labels.to_vector<double>();
    metrics::Regression figures;
    figures.update(predicted, leaf<double>({examples.size()}, std::span<const double>(truth)));
    return figures.r2();
  }
  const std::span<const std::int64_t> named = predicted.data<std::int64_t>(), truth = all.labels.data<std::int64_t>();
  std::int64_t right = 0;
  for (std::size_t i = 0; i < named.size(); ++i) right += named[i] == truth[i];
  return static_cast<double>(right) / static_cast<double>(named.size());
}

Model Learner::fit(const data::Dataset& train, std::uint64_t seed, SourceLocation where) const {
  try {
    return learn(sample_of(train, where), seed);
  } catch (Error& error) {
    throw error.at(where);
  }
}

Learner baseline() {
  return {.name = "baseline", .settings = {}, .learn = [](const Sample& train, std::uint64_t) {
            std::vector<double> answer(static_cast<std::size_t>(std::max<std::int64_t>(train.classes, 1)));
            for (const std::int64_t label : train.labels) answer[static_cast<std::size_t>(label)] += 1;
            for (const double target : train.targets) answer[0] += target;
            for (double& each : answer) each /= static_cast<double>(train.rows);
            return Model(train, static_cast<std::int64_t>(8 * answer.size()), [answer](const Query& asked) {
              std::vector<double> out;
              for (std::int64_t i = 0; i < asked.rows; ++i) out.insert(out.end(), answer.begin(), answer.end());
              return out;
            });
          }};
}

namespace {

struct Columns {
  std::vector<double> mean, scale;

  explicit Columns(const Sample& train)
      : mean(static_cast<std::size_t>(train.columns)), scale(static_cast<std::size_t>(train.columns)) {
    for (std::size_t i = 0; i < train.x.size(); ++i) mean[i % mean.size()] += train.x[i];
    for (double& m : mean) m /= static_cast<double>(train.rows);
    for (std::size_t i = 0; i < train.x.size(); ++i) {
      const double d = train.x[i] - mean[i % mean.size()];
      scale[i % mean.size()] += d * d;
    }
    // What is left of rounding in a constant column is not its variance.
    for (std::size_t j = 0; j < scale.size(); ++j) {
      const double deviation = std::sqrt(scale[j] / static_cast<double>(train.rows));
      scale[j] = deviation > 1e-7 * std::abs(mean[j]) ? 1 / deviation : 0;
    }
  }
  std::vector<float> applied(std::span<const float> x) const {
    std::vector<float> out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      out[i] = static_cast<float>((x[i] - mean[i % mean.size()]) * scale[i % mean.size()]);
    return out;
  }
};

}  // namespace

Learner standardised(Learner learner) {
  Learner wrapped = learner;
  wrapped.learn = [learn = learner.learn](const Sample& train, std::uint64_t seed) {
    const auto columns = std::make_shared<const Columns>(train);
    Sample scaled = train;
    scaled.x = columns->applied(train.x);
    const auto inner = std::make_shared<const Model>(learn(scaled, seed));
    const auto answer = [columns, inner](const Query& asked) {
      const std::vector<float> x = columns->applied(asked.x);
      return inner->answer({x, asked.rows, asked.columns});
    };
    return Model(train, inner->bytes() + 16 * train.columns, answer, inner->parameters());
  };
  return wrapped;
}

namespace detail {

void require_classes(const Sample& sample, const char* learner) {
  if (sample.classes > 0) return;
  throw Error(ErrorKind::value, "fit", "learns classes, and the labels are numbers")
      .context(learner)
      .hint("ridge, forests, boosting, neighbours and networks learn numbers");
}

void require_numbers(const Sample& sample, const char* learner) {
  if (sample.classes == 0) return;
  throw Error(ErrorKind::value, "fit", "learns numbers, and the labels are classes")
      .context(learner)
      .hint("logistic_regression is its counterpart for classes");
}

bool has_one_class(const Sample& sample) {
  return std::adjacent_find(sample.labels.begin(), sample.labels.end(), std::not_equal_to<>()) == sample.labels.end() &&
         sample.classes > 0;
}

std::int64_t best_of(const double* scores, std::int64_t count) {
  return std::max_element(scores, scores + count) - scores;
}

}  // namespace detail

}  // namespace gradus::classic
