#include "gradus/insight/doctor/suite/suite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/version.h"
#include "gradus/insight/doctor/doctor.h"
#include "gradus/insight/doctor/suite/files.h"
#include "gradus/insight/doctor/temporary_folder.h"
#include "gradus/train/evaluate.h"

namespace gradus::insight::doctor {
namespace {

using Json = nlohmann::ordered_json;

template <class Predicate>
Rate rate_of(const std::vector<CaseResult>& cases, bool faulty, Predicate counts) {
  Rate rate;
  for (const CaseResult& one : cases) {
    if (one.fault.empty() == faulty) continue;
    ++rate.runs;
    rate.count += counts(one) ? 1 : 0;
  }
  return rate;
}

std::string text_of(const Rate& rate) {
  const Interval interval = rate.interval();
  return fmt::format("{:.3f} ({} of {}; 95 % interval {:.2f} to {:.2f})", rate.value(), rate.count, rate.runs,
                     interval.low, interval.high);
}

Json json_of(const Rate& rate) {
  const Interval interval = rate.interval();
  return {{"rate", rate.value()},
          {"count", rate.count},
          {"runs", rate.runs},
          {"interval_95", {interval.low, interval.high}}};
}

SuiteResult read_result(std::string_view text) {
  const Json json = Json::parse(text);
  SuiteResult result{.part = json.at("part") == "held-out" ? Part::held_out : Part::development,
                     .seed = json.at("seed").get<std::uint64_t>(),
                     .cases = {}};
  for (const Json& one : json.at("cases")) {
    result.cases.push_back({one.at("name").get<std::string>(), one.at("fault").get<std::string>(),
                            one.at("rank").get<std::int64_t>(), one.at("findings").get<std::vector<std::string>>()});
  }
  return result;
}

}  // namespace

const SuiteResult& measured_suite() {
  static const SuiteResult result = [] {
    const std::span<const unsigned char> bytes = detail::measured_suite();
    return read_result({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }();
  return result;
}

std::string measured_text() {
  const SuiteResult& r = measured_suite();
  return fmt::format(
      "how far to trust this: on runs with known faults that it was not developed on, the doctor finds the\n"
      "fault in {},\nand finds fault with healthy runs in {} (gradus doctor --suite)\n",
      text_of(r.sensitivity()), text_of(r.false_alarms()));
}

Interval Rate::interval() const {
  const train::Interval wilson = train::confidence_interval(count, runs);
  return {wilson.low, wilson.high};
}

Rate SuiteResult::sensitivity() const {
  return rate_of(cases, true, [](const CaseResult& one) { return one.rank > 0; });
}
Rate SuiteResult::ranked_first() const {
  return rate_of(cases, true, [](const CaseResult& one) { return one.rank == 1; });
}
Rate SuiteResult::false_alarms() const {
  return rate_of(cases, false, [](const CaseResult& one) { return one.alarm(); });
}

CaseResult examine_case(const Case& one, std::uint64_t seed) {
  const detail::TemporaryFolder folder;
  const Diagnosis diagnosis = diagnose(train_case(one, seed, folder.path()));
  CaseResult result{.name = one.name, .fault = one.fault};
  for (const Finding& finding : diagnosis.findings) {
    if (finding.severity == Severity::note) continue;
    result.findings.push_back(finding.rule);
    if (finding.rule == one.fault) result.rank = static_cast<std::int64_t>(result.findings.size());
  }
  return result;
}

SuiteResult run_suite(Part part, std::uint64_t seed, const SuiteProgress& progress) {
  SuiteResult result{.part = part, .seed = seed, .cases = {}};
  const std::vector<Case> all = cases(part);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (progress) progress(i, all.size(), all[i].name);
    result.cases.push_back(examine_case(all[i], seed * 1000 + i));
  }
  return result;
}

std::string text_of(const SuiteResult& result) {
  std::string text = fmt::format("The doctor's {} suite, seed {}\n\n{:<26}{:>6}{:>7}{:>7}\n", name_of(result.part),
                                 result.seed, "fault", "runs", "found", "first");
  std::vector<std::string> faults;
  for (const CaseResult& one : result.cases) {
    if (one.fault.empty() || std::find(faults.begin(), faults.end(), one.fault) != faults.end()) continue;
    faults.push_back(one.fault);
    std::int64_t runs = 0, found = 0, first = 0;
    for (const CaseResult& other : result.cases) {
      if (other.fault != one.fault) continue;
      ++runs;
      found += other.rank > 0 ? 1 : 0;
      first += other.rank == 1 ? 1 : 0;
    }
    text += fmt::format("{:<26}{:>6}{:>7}{:>7}\n", one.fault, runs, found, first);
  }
  text += fmt::format("\nsensitivity   {}\nranked first  {}\nfalse alarms  {}\n", text_of(result.sensitivity()),
                      text_of(result.ranked_first()), text_of(result.false_alarms()));
  std::string wrong;
  for (const CaseResult& one : result.cases) {
    if (one.fault.empty() ? !one.alarm() : one.rank > 0) continue;
    wrong += fmt::format("  {:<45} {}\n", one.name,
                         one.findings.empty() ? "nothing found" : fmt::format("{}", fmt::join(one.findings, ", ")));
  }
  return wrong.empty() ? text : text + "\nwhere it was wrong:\n" + wrong;
}

std::string json_of(const SuiteResult& result) {
  Json json = {{"part", name_of(result.part)},
               {"seed", result.seed},
               {"version", version},
               {"sensitivity", json_of(result.sensitivity())},
               {"ranked_first", json_of(result.ranked_first())},
               {"false_alarms", json_of(result.false_alarms())},
               {"cases", Json::array()}};
  for (const CaseResult& one : result.cases)
    json["cases"].push_back({{"name", one.name}, {"fault", one.fault}, {"rank", one.rank}, {"findings", one.findings}});
  return json.dump();
}

}  // namespace gradus::insight::doctor
