#include "gradus/train/loop.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/data/loader.h"
#include "gradus/engine/anomaly.h"
#include "gradus/engine/memory_limit.h"
#include "gradus/engine/precision.h"
#include "gradus/io/atomic_file.h"
#include "gradus/nn/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/update_bn.h"
#include "gradus/train/early_stopping.h"
#include "gradus/train/report/numbers.h"
#include "gradus/train/report/report.h"
#include "gradus/train/setup.h"

namespace gradus::train::detail {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

models::AnyModel make_model(const Recipe& recipe, const TrainOptions& options) {
  manual_seed(static_cast<std::uint64_t>(recipe.seed));
  models::AnyModel model = models::make(recipe.model);
  nn::train(model);
  if (options.prepare) options.prepare(model);
  return model;
}

/// Where the values that are not finite came from, in words.
std::string culprit(models::AnyModel& model, const Tensor& loss) {
  if (const auto found = engine::find_nonfinite(loss)) return found->str();
  const models::AnyModel gradient = gradients(loss, model);
  for (const nn::FieldRef& field : nn::all_fields(gradient)) {
    if (!field.tensor().defined()) continue;
    if (const auto found = engine::find_nonfinite(field.tensor())) {
      return fmt::format("{}, in the gradient of {}", found->str(), field.path);
    }
  }
  return "the sum of the squared gradients: each of them is finite";
}

/// The state dict of the average that a checkpoint holds.
NamedTensors average_state(const Checkpoint& checkpoint) {
  NamedTensors state{{"n_averaged", tensor(checkpoint.averaged)}};
  for (const auto& [name, value] : checkpoint.weights) state.emplace_back("module." + name, value);
  return state;
}

}  // namespace

Loop::Loop(const Recipe& recipe, const TrainOptions& options)
    : recipe_(recipe),
      options_(options),
      data_(load_training_data(recipe)),
      test_(load_data(recipe.data, data::Split::test)),
      model_(make_model(recipe, options)),
      optimizer_(make_optimizer(recipe_, model_)),
      numbers_(number_task(recipe_)),
      objective_(recipe_.train, data_.train, numbers_) {
  optim::AveragingOptions averaging;
  if (recipe_.train.ema > 0) averaging.decay = recipe_.train.ema;
  if (recipe_.train.ema > 0 || recipe_.train.swa_start > 0)
    average_ = std::make_unique<optim::AveragedModel<models::AnyModel>>(model_, averaging);
  check_fit(model_, data_.train);
  check_fit(model_, test_);
  for (const nn::FieldRef& field : nn::all_fields(model_)) {
    if (field.buffer != nullptr && field.tensor().defined()) buffers_.push_back(field);
  }
  state_.rows = data_.train.size();
  batches_ = (data_.train.size() + recipe.data.batch_size - 1) / recipe.data.batch_size;
  const std::int64_t epoch_steps = (batches_ + recipe.train.accumulate - 1) / recipe.train.accumulate;
  learning_rate_.emplace(make_learning_rate(recipe_, epoch_steps));
  if (!recipe_.train.record.empty()) recorder_.emplace(recipe_, epoch_steps);
}

void Loop::restore(const RunFolder& run) {
  const Checkpoint last = run.checkpoint("last");
  Recipe then = parse_recipe(last.recipe, run.checkpoint_stem("last"));
  then.data.workers = recipe_.data.workers;  // these change nothing in the result
  then.train.checkpoint_steps = recipe_.train.checkpoint_steps;
  then.train.memory_limit = recipe_.train.memory_limit;
  then.log = recipe_.log;
  if (then != recipe_) {
    throw Error(ErrorKind::state, "resume", fmt::format("{} was changed since the last checkpoint", run.recipe_path()))
        .hint("undo the change, or start a new run with the changed recipe");
  }
  if (last.loop.rows != 0 && last.loop.rows != data_.train.size()) {
    throw Error(ErrorKind::state, "resume", "the training data were changed since the last checkpoint")
        .field("examples", fmt::format("{}", data_.train.size()))
        .field("then", fmt::format("{}", last.loop.rows))
        .hint("undo the change, or start a new run");
  }
  nn::load_state_dict(model_, last.averaged > 0 ? last.trained : last.weights);
  if (average_ && last.averaged > 0) average_->load_state_dict(average_state(last));
  optimizer_->load_state_dict(last.optimizer);
  state_ = last.loop;
  state_.rows = data_.train.size();
  set_random_state(last.random);
  for (const EpochMetrics& record : read_metrics(run.metrics_path())) {
    if (record.epoch > state_.epoch) continue;
    history_.push_back(record);
    learning_rate_->end_epoch(metric(record));
  }
  if (static_cast<std::int64_t>(history_.size()) != state_.epoch) {
    throw Error(ErrorKind::state, "resume",
                fmt::format("{} has {} lines for {} epochs", run.metrics_path(), history_.size(), state_.epoch));
  }
  if (state_.best_epoch == 0) return;
  if (state_.best_step == state_.step) {  // killed between saving "last" and "best"
    best_weights_ = nn::state_dict(measured());
    save(run, "best");
    return;
  }
  const Checkpoint best = run.checkpoint("best");
  if (best.loop.step != state_.best_step) {
    throw Error(ErrorKind::state, "resume",
                fmt::format("checkpoint \"best\" is of step {}, and \"last\" says that the best was step {}",
                            best.loop.step, state_.best_step));
  }
  best_weights_ = best.weights;
}

TrainResult Loop::run(const RunFolder& run) {
  write_metrics(run.metrics_path(), history_);
  if (recorder_) recorder_->open(run, state_);
  if (recipe_.log.tensorboard) events_ = std::make_unique<EventLog>(run, recipe_, state_.step);
  Observer silent;
  Observer& observer = options_.observer ? *options_.observer : silent;
  observer.on_train_begin(state_.epoch, recipe_.train.epochs);
  TrainResult result;
  result.finished = true;
  while (state_.epoch < recipe_.train.epochs && !ended_early() && result.finished) {
    observer.on_epoch_begin(state_.epoch + 1);
    result.finished = train_epoch(run);
    if (result.finished) finish_epoch(run);
  }
  if (result.finished && recipe_.log.report) write_report(run, observer);
  observer.on_train_end(result.finished);
  result.history = history_;
  result.loop = state_;
  return result;
}

bool Loop::train_epoch(const RunFolder& run) {
  const data::LoaderOptions options = {.batch_size = recipe_.data.batch_size,
                                       .shuffle = recipe_.data.shuffle,
                                       .seed = static_cast<std::uint64_t>(recipe_.seed),
                                       .epoch = state_.epoch,
                                       .workers = static_cast<int>(recipe_.data.workers),
                                       .skip_batches = state_.batch};
  auto start = Clock::now();
  for (const auto& [images, labels] : data::loader(data_.train, options)) {
    if (!within_group() && asked_to_stop()) {
      save(run, "last");
      return false;
    }
    step(run, images, labels);
    const double seconds = seconds_since(start);
    state_.train_seconds += seconds;
    step_seconds_ += seconds;
    ++steps_;
    start = Clock::now();
    report(last_loss_);
    if (within_group()) continue;
    const std::int64_t every = recipe_.train.checkpoint_steps;
    if (every > 0 && state_.step % every == 0 && state_.batch < batches_) save(run, "last");
  }
  return true;
}

models::AnyModel& Loop::measured() { return average_ && average_->n_averaged() > 0 ? average_->model() : model_; }

double Loop::next_lr() const {
  const TrainSettings& t = recipe_.train;
  if (t.swa_lr && state_.epoch + 1 >= t.swa_start) return *t.swa_lr;
  return (*learning_rate_)(state_.step);
}

std::int64_t Loop::group_examples() const {
  const std::int64_t group = recipe_.train.accumulate, first = state_.batch / group * group;
  const std::int64_t last = std::min(first + group, batches_);
  return std::min(last * recipe_.data.batch_size, data_.train.size()) - first * recipe_.data.batch_size;
}

void Loop::remember_group_start() {
  group_start_ = state_;
  buffers_at_start_.clear();
  for (const nn::FieldRef& field : buffers_) buffers_at_start_.push_back(field.tensor());
}

bool Loop::plain_step(const Tensor& loss, const Tensor& predicted, const Sample* sample) {
  ++state_.step;
  Tensors keep = sample ? sample->tensors() : Tensors();
  if (predicted.defined()) keep.push_back(predicted);
  return optimizer_->minimize(loss, keep);
}

bool Loop::gathered_step(const Tensor& loss, const Tensor& predicted, std::int64_t examples, Sample* sample) {
  // The loss of a step is the mean over all its examples, whatever batches they came in.
  const double share = static_cast<double>(examples) / static_cast<double>(group_examples());
  models::AnyModel gradient = gradients(loss * share, model_);
  if (gathered_) {
    const std::vector<nn::FieldRef> before = nn::all_fields(*gathered_);
    std::size_t i = 0;
    for (const nn::FieldRef& field : nn::all_fields(gradient)) {
      const nn::FieldRef& other = before[i++];
      if (field.parameter && field.parameter->defined()) field.parameter->hold(field.tensor() + other.tensor());
    }
  }
  if (sample) sample->set_gradients(gradient);
  Tensors all = sample ? sample->tensors() : Tensors();
  for (const nn::FieldRef& field : nn::all_fields(gradient)) {
    if (field.parameter ? field.parameter->defined() : field.buffer->defined()) all.push_back(field.tensor());
  }
  all.insert(all.end(), {loss, predicted});
  eval(all);
  if (!std::isfinite(loss.item<double>())) return false;
  if (!ends_group()) {
    gathered_ = std::move(gradient);
    return true;
  }
  gathered_.reset();
  ++state_.step;
  return optimizer_->step(gradient);
}

void Loop::step(const RunFolder& run, const Tensor& images, const Tensor& labels) {
  if (!within_group()) remember_group_start();
  optimizer_->train();
  const precision::Scope scope(step_precision(recipe_.train));
  const memory::Limit limit(static_cast<std::size_t>(recipe_.train.memory_limit) * 1'000'000);
  optimizer_->set_lr(next_lr());
  Tensor loss, predicted;
  data::Batch batch;
  std::optional<Sample> sample;
  {
    const Objective::Step step = objective_.training(model_, images, labels);
    loss = step.loss;
    batch = step.batch;
    if (!data_.train.is_regression()) predicted = argmax(step.answer, 1);
    if (recorder_ && ends_group() && recorder_->wants(state_.step))
      sample.emplace(recorder_->asked(), Subject{model_, objective_, batch.inputs, batch.labels}, step.answer, loss);
  }
  const bool plain = recipe_.train.accumulate == 1;
  Sample* const seen = sample ? &*sample : nullptr;
  if (!(plain ? plain_step(loss, predicted, seen) : gathered_step(loss, predicted, labels.numel(), seen))) {
    sample.reset();
    fail_nonfinite(run, batch.inputs, batch.labels);
  }
  const bool stepped = state_.step > group_start_.step;
  if (stepped) objective_.constrain(model_);
  if (sample) record(*sample, loss.item<double>());
  if (recipe_.train.ema > 0 && stepped) average_->update(model_);
  last_loss_ = loss.item<double>();
  count_loss(last_loss_);
  state_.loss_sum += last_loss_ * static_cast<double>(labels.numel());
  if (predicted.defined()) state_.correct += count_equal(predicted, labels);
  state_.examples += labels.numel();
  ++state_.batch;
}

void Loop::count_loss(double loss) {
  const bool first = state_.batch == 0;
  state_.batch_loss_sum = loss + (first ? 0 : state_.batch_loss_sum);
  state_.batch_loss_squares = loss * loss + (first ? 0 : state_.batch_loss_squares);
  state_.batch_loss_min = first ? loss : std::min(loss, state_.batch_loss_min);
  state_.batch_loss_max = first ? loss : std::max(loss, state_.batch_loss_max);
}

void Loop::record(const Sample& sample, double loss, bool failed) {
  StepRecord seen = sample.finish(model_);
  seen.step = state_.step + (failed ? 1 : 0);
  seen.epoch = state_.epoch + 1;
  seen.lr = optimizer_->lr();
  seen.loss = loss;
  seen.failed = failed;
  recorder_->write(seen);
  if (events_) events_->inside(seen);
}

void Loop::record_failure(const Tensor& images, const Tensor& labels) {
  Asked asked = recorder_->asked();
  asked.updates = asked.noise = false;
  const Tensor answer = model_(images), loss = objective_(answer, labels);
  const Sample sample(asked, Subject{model_, objective_, images, labels}, answer, loss);
  Tensors all = sample.tensors();
  all.push_back(loss);
  eval(all);
  record(sample, loss.item<double>(), true);
}

void Loop::fail_nonfinite(const RunFolder& run, const Tensor& images, const Tensor& labels) {
  const std::int64_t batch = state_.batch + 1;
  state_ = group_start_;
  for (std::size_t i = 0; i < buffers_.size(); ++i) buffers_[i].assign(buffers_at_start_[i]);
  save(run, "last");
  optimizer_->train();
  if (recorder_) record_failure(images, labels);
  const std::string cause = culprit(model_, objective_(model_(images), labels));
  throw Error(ErrorKind::value, "train", "the loss or a gradient is not finite")
      .field("step", fmt::format("{} (epoch {}, batch {})", state_.step + 1, state_.epoch + 1, batch))
      .field("first", cause)
      .field("kept", fmt::format("{}.safetensors, the weights before this step", run.checkpoint_stem("last")))
      .hint(fmt::format("a lower optimizer.lr (it was {:g}) or a longer optimizer.warmup_steps often helps",
                        optimizer_->lr()));
}

void Loop::finish_epoch(const RunFolder& run) {
  const auto start = Clock::now();
  optimizer_->eval_mode();
  ++state_.epoch;
  if (recipe_.train.swa_start > 0 && state_.epoch >= recipe_.train.swa_start) {
    average_->update(model_);
    optim::update_bn(data::loader(data_.train, {.batch_size = recipe_.data.batch_size}), average_->model());
  }
  const Look look = recorder_ ? recorder_->look_at_validation(data_.train.num_classes()) : Look();
  const Evaluation validation = evaluate(measured(), data_.validation, numbers_, look);
  const double examples = static_cast<double>(state_.examples);
  EpochMetrics record;
  record.epoch = state_.epoch;
  record.step = state_.step;
  record.train_loss = state_.loss_sum / examples;
  record.train_accuracy = static_cast<double>(state_.correct) / examples;
  record.val_loss = validation.loss;
  record.val_accuracy = validation.accuracy;
  record.val_fit = validation.fit;
  record.lr = optimizer_->lr();
  record.samples_per_s = examples / state_.train_seconds;
  record.seconds = state_.train_seconds + seconds_since(start);
  const bool best = is_best(record);
  if (best) {
    state_.best_epoch = state_.epoch;
    state_.best_step = state_.step;
    state_.best_val_accuracy = validation.accuracy;
    best_weights_ = nn::state_dict(measured());
  }
  history_.push_back(record);
  learning_rate_->end_epoch(metric(record));
  const bool stopped = options_.observer && options_.observer->wants_stop(record);
  if (state_.epoch == recipe_.train.epochs || stopped || ended_early()) {
    const Evaluation test = evaluate_best(test_);
    record.test_loss = test.loss;
    record.test_fit = test.fit;
    if (!test.fit) record.test_accuracy = test.accuracy;
    history_.back() = record;
  }
  if (recorder_) {
    const EpochRecord seen = recorder_->epoch(record, state_, measured(), objective_, data_.train, numbers_);
    recorder_->write(seen);
    if (events_) events_->inside(seen);
  }
  state_.batch = 0;
  state_.loss_sum = 0;
  state_.correct = 0;
  state_.examples = 0;
  state_.train_seconds = 0;
  // In this order a kill at any moment loses nothing: the record is cut off again when "last" is older, and "best" is
  // written again when "last" says that it is the best.
  write_metrics(run.metrics_path(), history_);
  save(run, "last");
  if (best) save(run, "best");
  if (events_) events_->epoch(record, measured());
  if (options_.observer) options_.observer->on_epoch(record, recipe_.train.epochs);
}

double Loop::metric(const EpochMetrics& record) const {
  const std::string& monitor = recipe_.train.monitor;
  if (monitor == "val_loss" || !record.val_fit) return monitor == "val_loss" ? record.val_loss : record.val_accuracy;
  if (monitor == "val_r2") return record.val_fit->r2;
  return monitor == "val_mae" ? record.val_fit->mae : record.val_fit->rmse;
}

double Loop::monitored(const EpochMetrics& record) const {
  return more_is_better(recipe_) ? metric(record) : -metric(record);
}

bool Loop::is_best(const EpochMetrics& record) const {
  if (state_.best_epoch == 0) return true;
  return monitored(record) > monitored(history_[static_cast<std::size_t>(state_.best_epoch - 1)]);
}

bool Loop::ended_early() const {
  if (!history_.empty() && history_.back().test_loss) return true;
  if (recipe_.train.patience == 0) return false;
  EarlyStopping stopping({recipe_.train.patience, recipe_.train.min_delta, Mode::max});
  bool stop = false;
  for (const EpochMetrics& record : history_) stop = stopping.update(monitored(record));
  return stop;
}

void Loop::write_report(const RunFolder& run, Observer& observer) const {
  if (!std::isfinite(history_.back().test_loss.value_or(0))) {
    observer.on_note("no report: the test loss is not finite");
    return;
  }
  models::AnyModel best = model_;
  nn::load_state_dict(best, best_weights_);
  const std::filesystem::path folder = std::filesystem::absolute(run.path()).lexically_normal();
  const ReportInput input{.title = (folder.has_filename() ? folder : folder.parent_path()).filename().string(),
                          .recipe = recipe_,
                          .history = history_,
                          .best_epoch = state_.best_epoch,
                          .parameters = nn::num_parameters(best),
                          .instruments = recorder_ ? read_instruments(run.instruments_path()) : Instruments()};
  io::write_file(run.report_path(), test_.is_regression()
                                        ? report_of_numbers(input, test_, predicted_numbers(best, test_, numbers_))
                                        : report_html(input, test_, examine(best, test_)));
  observer.on_note(fmt::format("report: {}", run.report_path()));
}

Evaluation Loop::evaluate_best(const data::Dataset& dataset) const {
  models::AnyModel best = model_;
  nn::load_state_dict(best, best_weights_);
  return evaluate(best, dataset, numbers_);
}

void Loop::report(double loss) {
  if (!options_.observer && !events_) return;
  const double examples = static_cast<double>(state_.examples);
  StepReport report;
  report.epoch = state_.epoch + 1;
  report.epochs = recipe_.train.epochs;
  report.batch = state_.batch;
  report.batches = batches_;
  report.step = state_.step;
  report.loss = state_.loss_sum / examples;
  report.accuracy = data_.train.is_regression() ? std::numeric_limits<double>::quiet_NaN()
                                                : static_cast<double>(state_.correct) / examples;
  report.lr = optimizer_->lr();
  report.samples_per_s = examples / state_.train_seconds;
  const auto left = static_cast<double>((report.epochs - state_.epoch) * batches_ - state_.batch);
  report.seconds_left = left * step_seconds_ / static_cast<double>(steps_);
  if (events_) events_->step(report, loss);
  if (options_.observer) options_.observer->on_step(report);
}

void Loop::save(const RunFolder& run, const std::string& which) const {
  Checkpoint checkpoint;
  optimizer_->eval_mode();  // the next step has the weights of training again
  checkpoint.weights = nn::state_dict(measured());
  if (average_ && average_->n_averaged() > 0) {
    checkpoint.trained = nn::state_dict(model_);
    checkpoint.averaged = average_->n_averaged();
  }
  checkpoint.optimizer = optimizer_->state_dict();
  checkpoint.loop = state_;
  checkpoint.random = random_state();
  checkpoint.recipe = recipe_text(recipe_);
  save_checkpoint(run.checkpoint_stem(which), checkpoint);
}

}  // namespace gradus::train::detail
