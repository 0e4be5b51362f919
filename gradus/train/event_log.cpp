#include "gradus/train/event_log.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/engine/eval.h"

namespace gradus::train {

EventLog::EventLog(const RunFolder& run, const Recipe& recipe, std::int64_t step)
    : writer_(run.path(), step > 0 ? step : -1), every_steps_(recipe.log.every_steps) {
  if (step == 0) writer_.text("recipe", 0, "```toml\n" + recipe_text(recipe) + "```");
  writer_.flush();
}

void EventLog::step(const StepReport& report, double loss) {
  if (report.step % every_steps_ != 0) return;
  writer_.scalar("step/loss", report.step, loss);
  writer_.scalar("step/lr", report.step, report.lr);
  writer_.scalar("step/samples_per_s", report.step, report.samples_per_s);
}

void EventLog::epoch(const EpochMetrics& m, const models::AnyModel& model) {
  writer_.scalar("loss/train", m.step, m.train_loss);
  writer_.scalar("loss/validation", m.step, m.val_loss);
  const auto fit = [&](const Fit& figures, const char* part) {
    writer_.scalar(fmt::format("r2/{}", part), m.step, figures.r2);
    writer_.scalar(fmt::format("mae/{}", part), m.step, figures.mae);
    writer_.scalar(fmt::format("rmse/{}", part), m.step, figures.rmse);
  };
  if (m.val_fit) fit(*m.val_fit, "validation");
  if (m.test_fit) fit(*m.test_fit, "test");
  if (!m.val_fit) writer_.scalar("accuracy/train", m.step, m.train_accuracy);
  if (!m.val_fit) writer_.scalar("accuracy/validation", m.step, m.val_accuracy);
  if (m.test_loss) writer_.scalar("loss/test", m.step, *m.test_loss);
  if (m.test_accuracy) writer_.scalar("accuracy/test", m.step, *m.test_accuracy);
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (field.parameter == nullptr || !field.parameter->defined()) continue;
    writer_.histogram("parameters/" + field.path, m.step, field.tensor().to_vector<double>());
  }
  writer_.flush();
}

void EventLog::inside(const StepRecord& record) {
  // What does not exist, as the saturation of a function that cannot saturate, is left out.
  const auto scalar = [&](const std::string& tag, double value) {
    if (!std::isnan(value)) writer_.scalar(tag, record.step, value);
  };
  for (const GradientRecord& g : record.gradients) {
    scalar(fmt::format("gradients/{}/norm", g.name), g.spread.norm);
    if (g.spread.finite() < g.spread.elements)
      scalar(fmt::format("gradients/{}/nonfinite", g.name), static_cast<double>(g.spread.elements - g.spread.finite()));
  }
  for (const UpdateRecord& u : record.updates) scalar(fmt::format("updates/{}/ratio", u.name), u.ratio());
  for (const ActivationRecord& a : record.activations) {
    scalar(fmt::format("activations/{}/mean", a.name), a.spread.mean);
    scalar(fmt::format("activations/{}/std", a.name), a.spread.std);
    scalar(fmt::format("activations/{}/dead", a.name), a.dead);
    scalar(fmt::format("activations/{}/saturated", a.name), a.saturated);
  }
  if (record.losses) {
    scalar("losses/mean", record.losses->mean);
    scalar("losses/std", record.losses->std);
    scalar("losses/max", record.losses->max);
  }
  if (record.noise) {
    scalar("noise/signal", record.noise->signal);
    scalar("noise/noise", record.noise->noise);
  }
  if (record.failed) writer_.flush();
}

void EventLog::inside(const EpochRecord& record) {
  writer_.scalar("inside/batch_loss_std", record.step, record.batch_loss.std);
  if (record.generalisation) writer_.scalar("inside/generalisation_gap", record.step, record.generalisation->gap());
  if (record.calibration) writer_.scalar("inside/calibration_error", record.step, record.calibration->error);
  if (record.sharpness) writer_.scalar("inside/sharpness", record.step, record.sharpness->eigenvalue);
}

}  // namespace gradus::train
