#include "gradus/train/settings/schedules.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus::train {
namespace {

using Options = LearningRateOptions;

/// The settings of one schedule, by type, with the length of what is left after the warm-up in units of the schedule.
struct Values {
  const Settings& settings;
  double lr;
  std::int64_t total;

  double number(const char* name) const { return std::get<double>(settings.at(name)); }
  std::int64_t whole(const char* name) const { return static_cast<std::int64_t>(number(name)); }
  bool on(const char* name) const { return std::get<bool>(settings.at(name)); }
  const std::string& text(const char* name) const { return std::get<std::string>(settings.at(name)); }
  std::vector<std::int64_t> wholes(const char* name) const {
    std::vector<std::int64_t> list;
    for (const double x : std::get<std::vector<double>>(settings.at(name)))
      list.push_back(static_cast<std::int64_t>(x));
    return list;
  }
};

struct Row {
  Choice choice;
  optim::Schedule (*make)(const Values&);  ///< nullptr: depends on more than the step
};

SettingInfo number(const char* name, double initial, std::string_view doc = {}) {
  return {.name = name, .initial = initial, .doc = doc};
}
SettingInfo whole(const char* name, double initial, std::string_view doc = {}) {
  return {.name = name, .initial = initial, .whole = true, .doc = doc};
}
SettingInfo given(SettingInfo info) {
  info.required = true;
  return info;
}
SettingInfo choice(const char* name, std::vector<std::string> choices, std::string_view doc = {}) {
  return {.name = name, .initial = choices.front(), .choices = std::move(choices), .doc = doc};
}

SettingInfo gamma() { return number("gamma", 0.1, "factor of the rate"); }
SettingInfo min_lr() { return number("min_lr", 0, "where the rate ends"); }
SettingInfo unit() { return choice("unit", {"step", "epoch"}, "what the schedule counts"); }

optim::Curve curve(const std::string& name) {
  if (name == "cosine") return optim::Curve::cosine;
  return name == "linear" ? optim::Curve::linear : optim::Curve::one_minus_sqrt;
}

optim::CyclicMode cyclic_mode(const std::string& name) {
  if (name == "triangular") return optim::CyclicMode::triangular;
  return name == "triangular2" ? optim::CyclicMode::triangular2 : optim::CyclicMode::exp_range;
}

/// Schedules of which the rate ends with the run, or has no end.
std::vector<Row> smooth_rows() {
  return {
      {{"constant"}, [](const Values& v) -> optim::Schedule { return optim::ConstantSchedule{.base = v.lr}; }},
      {{"cosine", {min_lr(), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::CosineSchedule{.base = v.lr, .total = v.total, .min = v.number("min_lr")};
       }},
      {{"linear",
        {number("start_factor", 1, "of the rate, at first"), number("end_factor", 0, "of the rate, at the end"),
         unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::LinearSchedule{.base = v.lr,
                                      .start_factor = v.number("start_factor"),
                                      .end_factor = v.number("end_factor"),
                                      .total = v.total};
       }},
      {{"polynomial", {number("power", 1), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::PolynomialSchedule{.base = v.lr, .total = v.total, .power = v.number("power")};
       }},
      {{"one-cycle",
        {number("pct_start", 0.3, "share of the rise in the run"),
         choice("anneal", {"cosine", "linear"}),
         number("div_factor", 25, "the first rate is lr divided by it"),
         number("final_div_factor", 1e4, "the last rate is the first one divided by it"),
         {.name = "three_phase", .initial = false, .doc = "fall to the first rate before the end"},
         unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::OneCycleSchedule{.max = v.lr,
                                        .total = v.total,
                                        .pct_start = v.number("pct_start"),
                                        .anneal = curve(v.text("anneal")),
                                        .div_factor = v.number("div_factor"),
                                        .final_div_factor = v.number("final_div_factor"),
                                        .three_phase = v.on("three_phase")};
       }},
      {{"warmup-stable-decay",
        {given(whole("decay", 0, "length of the fall at the end")), min_lr(),
         choice("curve", {"linear", "cosine", "one-minus-sqrt"}), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::WarmupStableDecaySchedule{.base = v.lr,
                                                 .total = v.total,
                                                 .decay = v.whole("decay"),
                                                 .min = v.number("min_lr"),
                                                 .curve = curve(v.text("curve"))};
       }},
  };
}

std::vector<Row> stepped_rows() {
  return {
      {{"step", {given(whole("step_size", 1, "between two falls")), gamma(), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::StepSchedule{.base = v.lr, .step_size = v.whole("step_size"), .gamma = v.number("gamma")};
       }},
      {{"multistep",
        {given({.name = "milestones", .initial = std::vector<double>(), .whole = true, .doc = "where the rate falls"}),
         gamma(), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::MultiStepSchedule{
             .base = v.lr, .milestones = v.wholes("milestones"), .gamma = v.number("gamma")};
       }},
      {{"exponential", {given(gamma()), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::ExponentialSchedule{.base = v.lr, .gamma = v.number("gamma")};
       }},
      {{"cosine-restarts",
        {given(whole("period", 1, "length of the first cosine")),
         whole("multiplier", 1, "how much longer each is than the one before"), min_lr(), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::CosineRestartsSchedule{
             .base = v.lr, .period = v.whole("period"), .multiplier = v.whole("multiplier"), .min = v.number("min_lr")};
       }},
      {{"constant-warmup",
        {number("factor", 1.0 / 3, "of the rate"), given(whole("length", 5, "of the part with the factor")), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::ConstantWarmupSchedule{.base = v.lr, .factor = v.number("factor"), .total = v.whole("length")};
       }},
      {{"cyclic",
        {given(number("max_lr", 0, "the highest rate")), whole("step_size_up", 2000),
         whole("step_size_down", 0, "0: as many as up"), choice("mode", {"triangular", "triangular2", "exp_range"}),
         number("gamma", 1, "factor of the rate"), unit()}},
       [](const Values& v) -> optim::Schedule {
         return optim::CyclicSchedule{.base = v.lr,
                                      .max = v.number("max_lr"),
                                      .step_size_up = v.whole("step_size_up"),
                                      .step_size_down = v.whole("step_size_down"),
                                      .mode = cyclic_mode(v.text("mode")),
                                      .gamma = v.number("gamma")};
       }},
      {{"reduce-on-plateau",
        {number("factor", 0.1, "of the rate"), whole("patience", 10, "epochs without progress that are let pass"),
         number("threshold", 1e-4, "what counts as progress of train.monitor"),
         choice("threshold_mode", {"relative", "absolute"}), whole("cooldown", 0, "epochs that do not count then"),
         min_lr(), number("eps", 1e-8, "a smaller reduction is not made")}},
       nullptr},
  };
}

const std::vector<Row>& rows() {
  static const std::vector<Row>& all = *[] {
    auto* list = new std::vector<Row>(smooth_rows());
    for (Row& row : stepped_rows()) list->push_back(std::move(row));
    return list;
  }();
  return all;
}

optim::ReduceOnPlateau make_plateau(const Values& v, optim::Better better) {
  const bool relative = v.text("threshold_mode") == "relative";
  return optim::ReduceOnPlateau({.lr = v.lr,
                                 .mode = better,
                                 .factor = v.number("factor"),
                                 .patience = v.whole("patience"),
                                 .threshold = v.number("threshold"),
                                 .threshold_mode = relative ? optim::Threshold::relative : optim::Threshold::absolute,
                                 .cooldown = v.whole("cooldown"),
                                 .min_lr = v.number("min_lr"),
                                 .eps = v.number("eps")},
                                {});
}

}  // namespace

const std::vector<Choice>& schedule_choices() {
  static const std::vector<Choice>& choices = *[] {
    auto* list = new std::vector<Choice>;
    for (const Row& row : rows()) list->push_back(row.choice);
    return list;
  }();
  return choices;
}

LearningRate::LearningRate(const LearningRateOptions& o) : warmup_(o.warmup_steps) {
  const auto row =
      std::find_if(rows().begin(), rows().end(), [&](const Row& r) { return r.choice.name == o.schedule; });
  if (row == rows().end()) throw Error(ErrorKind::config, "train", fmt::format("unknown schedule \"{}\"", o.schedule));
  Settings settings = o.settings;
  fill_in(settings, row->choice);
  const auto counts_in = settings.find("unit");
  const bool epochs = counts_in != settings.end() && std::get<std::string>(counts_in->second) == "epoch";
  if (epochs) unit_ = o.epoch_steps;
  const std::int64_t left = o.epochs * o.epoch_steps - warmup_;
  const Values values{settings, o.lr, std::max<std::int64_t>(1, (left + unit_ - 1) / unit_)};
  if (row->make == nullptr) {
    plateau_ = make_plateau(values, o.better);
  } else {
    schedule_ = row->make(values);
    schedule_->lr(0, {});  // says now what it would say at the first step
  }
}

double LearningRate::operator()(std::int64_t step) const {
  const std::int64_t position = std::max<std::int64_t>(0, step - warmup_) / unit_;
  const double rate = plateau_ ? plateau_->lr() : schedule_->lr(position, {});
  return step < warmup_ ? rate * static_cast<double>(step + 1) / static_cast<double>(warmup_) : rate;
}

void LearningRate::end_epoch(double metric) {
  if (plateau_) plateau_->step(metric);
}

}  // namespace gradus::train
