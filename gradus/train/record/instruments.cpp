#include "gradus/train/record/instruments.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"

namespace gradus::train {
namespace {

using Json = nlohmann::json;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Writes an object, member by member.
class Writer {
 public:
  void field(std::string_view name, double value) {
    if (std::isfinite(value)) {
      fmt::format_to(at(name), "{}", value);
    } else {
      fmt::format_to(at(name), "null");
    }
  }
  void field(std::string_view name, std::int64_t value) { fmt::format_to(at(name), "{}", value); }
  void field(std::string_view name, int value) { fmt::format_to(at(name), "{}", value); }
  void field(std::string_view name, bool value) { fmt::format_to(at(name), "{}", value); }
  void field(std::string_view name, const std::string& text) { fmt::format_to(at(name), "{}", Json(text).dump()); }
  void field(std::string_view name, const char* text) { field(name, std::string(text)); }
  void field(std::string_view name, const std::vector<std::int64_t>& values) {
    fmt::format_to(at(name), "[{}]", fmt::join(values, ","));
  }
  /// A member that is an object.
  template <class Fill>
  void object(std::string_view name, const Fill& fill) {
    at(name);
    braces([&] { fill(*this); });
  }
  /// A member that is a list of objects, one for each item.
  template <class Items, class Fill>
  void list(std::string_view name, const Items& items, const Fill& fill) {
    fmt::format_to(at(name), "[");
    bool first = true;
    for (const auto& item : items) {
      if (!std::exchange(first, false)) text_ += ',';
      braces([&] { fill(*this, item); });
    }
    text_ += ']';
  }
  std::string take() { return '{' + std::move(text_) + '}'; }

 private:
  std::back_insert_iterator<std::string> at(std::string_view name) {
    if (!text_.empty() && text_.back() != '{') text_ += ',';
    fmt::format_to(std::back_inserter(text_), "\"{}\":", name);
    return std::back_inserter(text_);
  }
  template <class Fill>
  void braces(const Fill& fill) {
    text_ += '{';
    fill();
    text_ += '}';
  }

  std::string text_;
};

void put(Writer& out, const Spread& s) {
  out.field("elements", s.elements);
  out.field("zeros", s.zeros);
  out.field("nans", s.nans);
  out.field("infinities", s.infinities);
  out.field("norm", s.norm);
  out.field("mean", s.mean);
  out.field("std", s.std);
  out.field("min", s.min);
  out.field("max", s.max);
  out.object("bins", [&](Writer& bins) {
    bins.field("lowest", s.bins.lowest);
    bins.field("negative", s.bins.negative);
    bins.field("positive", s.bins.positive);
  });
}

/// What is not finite was written as null.
double number(const Json& record, const char* name) {
  const Json& value = record.at(name);
  return value.is_null() ? nan : value.get<double>();
}

template <class T>
void take(const Json& record, const char* name, T& value) {
  if constexpr (std::is_same_v<T, double>) {
    value = number(record, name);
  } else {
    record.at(name).get_to(value);
  }
}

Spread spread_from(const Json& record) {
  Spread s;
  take(record, "elements", s.elements);
  take(record, "zeros", s.zeros);
  take(record, "nans", s.nans);
  take(record, "infinities", s.infinities);
  take(record, "norm", s.norm);
  take(record, "mean", s.mean);
  take(record, "std", s.std);
  take(record, "min", s.min);
  take(record, "max", s.max);
  const Json& bins = record.at("bins");
  take(bins, "lowest", s.bins.lowest);
  take(bins, "negative", s.bins.negative);
  take(bins, "positive", s.bins.positive);
  if (s.bins.negative.size() != s.bins.positive.size())
    throw Error(ErrorKind::format, "instruments", "the lists of a histogram differ in length");
  return s;
}

template <class T, class Read>
std::vector<T> list_from(const Json& record, const char* name, const Read& read) {
  std::vector<T> items;
  if (!record.contains(name)) return items;
  for (const Json& item : record.at(name)) items.push_back(read(item));
  return items;
}

ActivationRecord activation_from(const Json& item) {
  ActivationRecord a;
  take(item, "name", a.name);
  take(item, "function", a.function);
  take(item, "units", a.units);
  take(item, "dead", a.dead);
  take(item, "saturated", a.saturated);
  a.spread = spread_from(item);
  return a;
}

StepRecord step_from(const Json& line) {
  StepRecord r;
  take(line, "step", r.step);
  take(line, "epoch", r.epoch);
  take(line, "lr", r.lr);
  take(line, "loss", r.loss);
  r.failed = line.value("failed", false);
  r.gradients = list_from<GradientRecord>(line, "gradients", [](const Json& item) {
    return GradientRecord{item.at("name").get<std::string>(), spread_from(item)};
  });
  r.updates = list_from<UpdateRecord>(line, "updates", [](const Json& item) {
    return UpdateRecord{item.at("name").get<std::string>(), spread_from(item), number(item, "weight_norm")};
  });
  r.activations = list_from<ActivationRecord>(line, "activations", activation_from);
  if (line.contains("losses")) r.losses = spread_from(line.at("losses"));
  if (line.contains("noise")) {
    const Json& noise = line.at("noise");
    r.noise = NoiseRecord{noise.at("small").get<std::int64_t>(), noise.at("big").get<std::int64_t>(),
                          number(noise, "signal"), number(noise, "noise")};
  }
  return r;
}

Calibration calibration_from(const Json& record) {
  return {number(record, "error"), list_from<metrics::CalibrationBin>(record, "bins", [](const Json& item) {
            return metrics::CalibrationBin{number(item, "low"), number(item, "high"),
                                           item.at("examples").get<std::int64_t>(), number(item, "confidence"),
                                           number(item, "accuracy")};
          })};
}

EpochRecord epoch_from(const Json& line) {
  EpochRecord r;
  take(line, "epoch", r.epoch);
  take(line, "step", r.step);
  const Json& losses = line.at("batch_loss");
  r.batch_loss = {losses.at("batches").get<std::int64_t>(), number(losses, "mean"), number(losses, "std"),
                  number(losses, "min"), number(losses, "max")};
  if (line.contains("generalisation")) {
    const Json& g = line.at("generalisation");
    r.generalisation = Generalisation{g.at("examples").get<std::int64_t>(), number(g, "train_loss"),
                                      number(g, "val_loss"), number(g, "train_score"), number(g, "val_score")};
  }
  if (line.contains("calibration")) r.calibration = calibration_from(line.at("calibration"));
  if (line.contains("sharpness")) {
    const Json& s = line.at("sharpness");
    r.sharpness = SharpnessRecord{number(s, "eigenvalue"), s.at("iterations").get<std::int64_t>(),
                                  s.at("converged").get<bool>(), s.at("examples").get<std::int64_t>()};
  }
  return r;
}

void read_line(const std::string& text, Instruments& found) {
  try {
    const Json line = Json::parse(text);
    const std::string kind = line.at("kind").get<std::string>();
    if (kind == "step") {
      found.steps.push_back(step_from(line));
    } else if (kind == "epoch") {
      found.epochs.push_back(epoch_from(line));
    } else {
      throw Error(ErrorKind::format, "instruments", fmt::format("the kind \"{}\" is not known", kind));
    }
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::format, "instruments", "not a line of instruments.jsonl").note(error.what());
  }
}

}  // namespace

const std::vector<std::string_view>& instrument_names() {
  static const std::vector<std::string_view> names = {"gradients", "activations",    "updates",     "losses",
                                                      "noise",     "generalisation", "calibration", "sharpness"};
  return names;
}

double noise_scale(const std::vector<StepRecord>& steps, std::size_t last) {
  double signal = 0, noise = 0;
  std::size_t taken = 0;
  for (auto it = steps.rbegin(); it != steps.rend() && (last == 0 || taken < last); ++it) {
    if (!it->noise || !std::isfinite(it->noise->signal) || !std::isfinite(it->noise->noise)) continue;
    signal += it->noise->signal;
    noise += it->noise->noise;
    ++taken;
  }
  return signal > 0 ? noise / signal : nan;
}

std::string to_json(const StepRecord& r) {
  Writer out;
  out.field("kind", "step");
  out.field("step", r.step);
  out.field("epoch", r.epoch);
  out.field("lr", r.lr);
  out.field("loss", r.loss);
  if (r.failed) out.field("failed", true);
  if (!r.gradients.empty()) {
    out.list("gradients", r.gradients, [](Writer& item, const GradientRecord& g) {
      item.field("name", g.name);
      put(item, g.spread);
    });
  }
  if (!r.updates.empty()) {
    out.list("updates", r.updates, [](Writer& item, const UpdateRecord& u) {
      item.field("name", u.name);
      item.field("ratio", u.ratio());
      item.field("weight_norm", u.weight_norm);
      put(item, u.spread);
    });
  }
  if (!r.activations.empty()) {
    out.list("activations", r.activations, [](Writer& item, const ActivationRecord& a) {
      item.field("name", a.name);
      item.field("function", a.function);
      item.field("units", a.units);
      item.field("dead", a.dead);
      item.field("saturated", a.saturated);
      put(item, a.spread);
    });
  }
  if (r.losses) out.object("losses", [&](Writer& item) { put(item, *r.losses); });
  if (r.noise) {
    out.object("noise", [&](Writer& item) {
      item.field("small", r.noise->small);
      item.field("big", r.noise->big);
      item.field("signal", r.noise->signal);
      item.field("noise", r.noise->noise);
    });
  }
  return out.take();
}

std::string to_json(const EpochRecord& r) {
  Writer out;
  out.field("kind", "epoch");
  out.field("epoch", r.epoch);
  out.field("step", r.step);
  out.object("batch_loss", [&](Writer& item) {
    item.field("batches", r.batch_loss.batches);
    item.field("mean", r.batch_loss.mean);
    item.field("std", r.batch_loss.std);
    item.field("min", r.batch_loss.min);
    item.field("max", r.batch_loss.max);
  });
  if (const auto& g = r.generalisation) {
    out.object("generalisation", [&](Writer& item) {
      item.field("examples", g->examples);
      item.field("train_loss", g->train_loss);
      item.field("val_loss", g->val_loss);
      item.field("train_score", g->train_score);
      item.field("val_score", g->val_score);
    });
  }
  if (const auto& c = r.calibration) {
    out.object("calibration", [&](Writer& item) {
      item.field("error", c->error);
      item.list("bins", c->bins, [](Writer& bin, const metrics::CalibrationBin& b) {
        bin.field("low", b.low);
        bin.field("high", b.high);
        bin.field("examples", b.examples);
        bin.field("confidence", b.confidence);
        bin.field("accuracy", b.accuracy);
      });
    });
  }
  if (const auto& s = r.sharpness) {
    out.object("sharpness", [&](Writer& item) {
      item.field("eigenvalue", s->eigenvalue);
      item.field("iterations", s->iterations);
      item.field("converged", s->converged);
      item.field("examples", s->examples);
    });
  }
  return out.take();
}

LinePlace place_of(std::string_view line) {
  try {
    const Json json = Json::parse(line);
    return {json.at("kind") == "epoch", json.at("step").get<std::int64_t>(), json.at("epoch").get<std::int64_t>()};
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::format, "instruments", "not a line of instruments.jsonl").note(error.what());
  }
}

Instruments read_instruments(const std::string& path) {
  Instruments found;
  if (!std::filesystem::exists(path)) return found;
  const std::string text = io::read_file(path);
  std::size_t start = 0, number = 1;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', start), ++number) {
    try {
      read_line(text.substr(start, end - start), found);
    } catch (Error& error) {
      error.context(fmt::format("{}:{}", path, number));
      throw;
    }
    start = end + 1;
  }
  return found;
}

}  // namespace gradus::train
