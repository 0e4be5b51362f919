#include "gradus/cli/inside.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace gradus::cli {
namespace {

using train::EpochRecord;
using train::StepRecord;

std::string number(double value, int digits = 3) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, digits) : "-";
}
std::string share(double value) { return std::isfinite(value) ? fmt::format("{:.1f} %", 100 * value) : "-"; }

std::string odd(const train::Spread& spread) {
  const std::int64_t count = spread.nans + spread.infinities;
  return count > 0 ? fmt::format("  {} not finite", count) : "";
}

std::string parameters(const StepRecord& step) {
  std::vector<std::string> names;
  for (const auto& g : step.gradients) names.push_back(g.name);
  if (names.empty()) {
    for (const auto& u : step.updates) names.push_back(u.name);
  }
  if (names.empty()) return "";
  std::string out = fmt::format("{:<28} {:>12} {:>14}\n", "parameter", "gradient", "update/weight");
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += fmt::format("{:<28} {:>12} {:>14}{}\n", names[i],
                       i < step.gradients.size() ? number(step.gradients[i].spread.norm) : "-",
                       i < step.updates.size() ? number(step.updates[i].ratio()) : "-",
                       i < step.gradients.size() ? odd(step.gradients[i].spread) : "");
  }
  return out + "\n";
}

std::string activations(const StepRecord& step) {
  if (step.activations.empty()) return "";
  std::string out = fmt::format("{:<28} {:>12} {:>8} {:>10} {:>10} {:>10}\n", "activation", "function", "dead",
                                "saturated", "mean", "std");
  for (const train::ActivationRecord& a : step.activations) {
    out += fmt::format("{:<28} {:>12} {:>8} {:>10} {:>10} {:>10}{}\n", a.name, a.function, share(a.dead),
                       share(a.saturated), number(a.spread.mean), number(a.spread.std), odd(a.spread));
  }
  return out + "\n";
}

std::string of_epoch(const EpochRecord& epoch) {
  std::string out =
      fmt::format("epoch {}: loss of its batches {} +- {}, {} to {}", epoch.epoch, number(epoch.batch_loss.mean),
                  number(epoch.batch_loss.std), number(epoch.batch_loss.min), number(epoch.batch_loss.max));
  if (epoch.generalisation) out += fmt::format("; generalisation gap {}", number(epoch.generalisation->gap()));
  if (epoch.calibration) out += fmt::format("; calibration error {}", number(epoch.calibration->error));
  if (epoch.sharpness) out += fmt::format("; sharpness {}", number(epoch.sharpness->eigenvalue));
  return out + "\n";
}

}  // namespace

std::string inside_text(const train::Instruments& seen) {
  std::string out;
  if (!seen.steps.empty()) {
    const StepRecord& last = seen.steps.back();
    out += fmt::format("\nstep {}{}, the last of {} that were looked at: loss {}\n\n", last.step,
                       last.failed ? ", which failed" : "", seen.steps.size(), number(last.loss, 4));
    out += parameters(last) + activations(last);
    if (const double scale = train::noise_scale(seen.steps); std::isfinite(scale))
      out += fmt::format("gradient noise scale {} examples, over the whole run\n", number(scale));
  }
  if (!seen.epochs.empty()) out += of_epoch(seen.epochs.back());
  return out;
}

nlohmann::ordered_json inside_json(const train::Instruments& seen) {
  using Json = nlohmann::ordered_json;
  const double scale = train::noise_scale(seen.steps);
  Json json = {{"steps", seen.steps.size()}};
  json["noise_scale"] = std::isfinite(scale) ? Json(scale) : Json();
  if (!seen.steps.empty()) json["last_step"] = Json::parse(train::to_json(seen.steps.back()));
  json["epochs"] = Json::array();
  for (const EpochRecord& epoch : seen.epochs) json["epochs"].push_back(Json::parse(train::to_json(epoch)));
  return json;
}

}  // namespace gradus::cli
