#include "gradus/train/record/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/softmax.h"
#include "gradus/train/mode.h"
#include "gradus/train/record/sharpness.h"

namespace gradus::train {
namespace {

/// Streams of the recipe's seed that nothing else draws from.
constexpr std::uint64_t rows_stream = 0x7265636f72640001, direction_stream = 0x7265636f72640002;

/// Examples at an epoch's end: of the training part for the generalisation gap, and of a Hessian.
constexpr std::int64_t gap_examples = 1000, curvature_examples = 64;
constexpr std::int64_t curvature_iterations = 12;

std::int64_t default_interval(std::int64_t steps) { return std::clamp<std::int64_t>(steps / 60, 1, 200); }

}  // namespace

Recorder::Recorder(const Recipe& recipe, std::int64_t epoch_steps)
    : asked_(Asked::of(recipe.train.record)),
      every_steps_(recipe.train.record_every_steps > 0 ? recipe.train.record_every_steps
                                                       : default_interval(recipe.train.epochs * epoch_steps)),
      batch_size_(recipe.data.batch_size),
      seed_(static_cast<std::uint64_t>(recipe.seed)) {
  if (predicts_numbers(recipe)) asked_.calibration = false;
}

void Recorder::open(const RunFolder& run, const LoopState& state) {
  path_ = run.instruments_path();
  std::string kept;
  if (state.step > 0 && std::filesystem::exists(path_)) {
    const std::string text = io::read_file(path_);
    std::size_t start = 0, number = 1;
    for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', start), ++number) {
      const std::string line = text.substr(start, end + 1 - start);
      start = end + 1;
      LinePlace place;
      try {
        place = place_of(line);
      } catch (Error& error) {
        error.context(fmt::format("{}:{}", path_, number));
        throw;
      }
      if (place.is_epoch ? place.epoch <= state.epoch : place.step <= state.step) kept += line;
    }
  }
  io::write_file(path_, kept);
}

void Recorder::append(const std::string& line) const {
  std::FILE* file = std::fopen(path_.c_str(), "ab");
  bool good = file != nullptr;
  if (good) good = std::fwrite((line + '\n').data(), 1, line.size() + 1, file) == line.size() + 1;
  if (file != nullptr) good = std::fclose(file) == 0 && good;
  if (!good) throw Error(ErrorKind::io, "train", fmt::format("cannot write {}: {}", path_, std::strerror(errno)));
}

Look Recorder::look_at_validation(std::int64_t classes) {
  if (!asked_.calibration) return {};
  validation_.emplace(metrics::ClassificationOptions{.classes = classes});
  finite_ = true;
  return [this](const Tensor& answer, const Tensor& labels) {
    const Tensor probabilities = softmax(cast(answer, DType::f64), 1);
    const std::vector<double> values = probabilities.to_vector<double>();
    finite_ = finite_ && std::all_of(values.begin(), values.end(), [](double p) { return std::isfinite(p); });
    if (finite_) validation_->update(probabilities, labels);
  };
}

std::vector<std::int64_t> Recorder::rows(const data::Dataset& training, std::int64_t most) const {
  std::vector<std::int64_t> order = random_permutation(training.size(), Key{seed_}.fold(rows_stream));
  order.resize(static_cast<std::size_t>(std::min(most, training.size())));
  return order;
}

SharpnessRecord Recorder::measure_sharpness(models::AnyModel& model, const Objective& objective,
                                            const data::Dataset& training) const {
  const EvaluationMode mode(model);
  const std::vector<std::int64_t> some = rows(training, curvature_examples);
  const data::Batch batch = training.batch(some);
  const Sharpness found =
      sharpness(model, [&](models::AnyModel& m) { return objective(m(batch.inputs), batch.labels); },
                {.max_iterations = curvature_iterations, .key = Key{seed_}.fold(direction_stream)});
  return {found.eigenvalue, found.iterations, found.converged, static_cast<std::int64_t>(some.size())};
}

EpochRecord Recorder::epoch(const EpochMetrics& metrics, const LoopState& state, models::AnyModel& model,
                            const Objective& objective, const data::Dataset& training, const NumberTask& numbers) {
  EpochRecord record;
  record.epoch = metrics.epoch;
  record.step = metrics.step;
  const auto batches = static_cast<double>(state.batch);
  const double mean = state.batch_loss_sum / batches;
  record.batch_loss = {.batches = state.batch,
                       .mean = mean,
                       .std = std::sqrt(std::max(0.0, state.batch_loss_squares / batches - mean * mean)),
                       .min = state.batch_loss_min,
                       .max = state.batch_loss_max};
  if (asked_.generalisation) {
    const std::vector<std::int64_t> some = rows(training, gap_examples);
    const Evaluation trained = evaluate(model, training.subset(some), numbers);
    record.generalisation = Generalisation{.examples = static_cast<std::int64_t>(some.size()),
                                           .train_loss = trained.loss,
                                           .val_loss = metrics.val_loss,
                                           .train_score = trained.fit ? trained.fit->r2 : trained.accuracy,
                                           .val_score = gradus::train::val_score(metrics)};
  }
  if (asked_.calibration && validation_ && finite_)
    record.calibration = Calibration{validation_->calibration_error(), validation_->calibration()};
  if (asked_.sharpness) record.sharpness = measure_sharpness(model, objective, training);
  return record;
}

}  // namespace gradus::train
