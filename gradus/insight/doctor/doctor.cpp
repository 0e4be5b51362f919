#include "gradus/insight/doctor/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradus/train/run_folder.h"

namespace gradus::insight::doctor {
namespace {

using Json = nlohmann::ordered_json;

/// Text in lines of at most 100 characters, those after the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out, line;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (!line.empty() && indent + line.size() + 1 + word.size() > 100) {
      out += line + "\n" + std::string(indent, ' ');
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    start = end + 1;
  }
  return out + line;
}

std::string head_of(const Diagnosis& d) {
  const Evidence& e = d.evidence;
  std::string text = fmt::format("{}: {} of {} epochs, {} training, {} validation and {} test examples\n", d.run,
                                 e.loop.epoch, e.recipe.train.epochs, e.data.training, e.data.validation, e.data.test);
  text += fmt::format("skill (0: the commonest answer, 1: perfect): training {:.3f}, validation {:.3f}",
                      e.training_skill, e.validation_skill);
  if (e.data.neighbour_skill == e.data.neighbour_skill)
    text += fmt::format("; ten nearest neighbours {:.3f}", e.data.neighbour_skill);
  return text + "\n\n";
}

}  // namespace

bool Diagnosis::healthy() const {
  return std::all_of(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::note; });
}

Diagnosis diagnose(const std::string& run) {
  Diagnosis diagnosis{run, gather(train::RunFolder::open(run)), {}};
  diagnosis.findings = apply_rules(diagnosis.evidence);
  return diagnosis;
}

std::string text_of(const Diagnosis& diagnosis) {
  std::string text = head_of(diagnosis);
  if (diagnosis.healthy()) text += fmt::format("healthy: none of {} rules found a fault\n", rules().size());
  std::size_t number = 0;
  for (const Finding& f : diagnosis.findings) {
    text += fmt::format("{}{}. {} ({})\n", number > 0 || diagnosis.healthy() ? "\n" : "", number + 1, f.rule,
                        name_of(f.severity));
    ++number;
    text += fmt::format("   seen     {}\n", wrapped(f.evidence, 12));
    text += fmt::format("   because  {}\n", wrapped(f.cause, 12));
    for (const Change& change : f.changes)
      text += fmt::format("   {}  {}\n", &change == &f.changes.front() ? "try    " : "  and  ", text_of(change));
    if (!f.advice.empty())
      text += fmt::format("   {}  {}\n", f.changes.empty() ? "do     " : "besides", wrapped(f.advice, 12));
  }
  return text;
}

std::string json_of(const Diagnosis& diagnosis) {
  const Evidence& e = diagnosis.evidence;
  Json json = {{"run", diagnosis.run},
               {"healthy", diagnosis.healthy()},
               {"epochs", e.loop.epoch},
               {"examples", {{"training", e.data.training}, {"validation", e.data.validation}, {"test", e.data.test}}},
               {"training_skill", e.training_skill},
               {"validation_skill", e.validation_skill},
               {"neighbour_skill", e.data.neighbour_skill},
               {"findings", Json::array()}};
  for (const Finding& f : diagnosis.findings) {
    Json numbers = Json::object(), changes = Json::array();
    for (const auto& [name, value] : f.numbers) numbers[name] = value;
    for (const Change& change : f.changes)
      changes.push_back({{"key", change.key}, {"value", change.value}, {"was", change.was}});
    json["findings"].push_back({{"rule", f.rule},
                                {"severity", name_of(f.severity)},
                                {"evidence", f.evidence},
                                {"numbers", std::move(numbers)},
                                {"cause", f.cause},
                                {"changes", std::move(changes)},
                                {"advice", f.advice}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gradus::insight::doctor
