// How well the doctor does: every run of a part of the suite, trained, examined, and compared with what was wrong with it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gradus/insight/doctor/suite/cases.h"
#include "gradus/insight/statistics.h"

namespace gradus::insight::doctor {

/// What the doctor said of one run.
struct CaseResult {
  std::string name, fault;                 ///< as in Case
  std::int64_t rank = 0;                   ///< place of the fault among the findings, from 1; 0: not among them
  std::vector<std::string> findings = {};  ///< rules of severity warning and above, in their order

  bool alarm() const { return !findings.empty(); }
};

/// A share of runs with Wilson's 95 % interval.
struct Rate {
  std::int64_t count = 0, runs = 0;
  double value() const { return runs > 0 ? static_cast<double>(count) / static_cast<double>(runs) : 0; }
  Interval interval() const;
};

struct SuiteResult {
  Part part = Part::held_out;
  std::uint64_t seed = 0;
  std::vector<CaseResult> cases;

  Rate sensitivity() const;   ///< faulty runs whose fault is among the findings
  Rate ranked_first() const;  ///< and is the first of them
  Rate false_alarms() const;  ///< healthy runs with any finding of severity warning or above
};

/// Called before each run: its number, how many there are, its name.
using SuiteProgress = std::function<void(std::size_t, std::size_t, const std::string&)>;

/// Trains and examines one case in a folder of its own that is gone afterwards.
CaseResult examine_case(const Case& one, std::uint64_t seed);

/// Case number i has the seed `seed` * 1000 + i.
SuiteResult run_suite(Part part, std::uint64_t seed, const SuiteProgress& progress = {});

/// What scripts/doctor_suite.sh measured last on the held-out part, and the doctor says of itself.
const SuiteResult& measured_suite();
/// Two lines of it, for people.
std::string measured_text();

/// A table by fault, the rates, and the runs where the doctor was wrong.
std::string text_of(const SuiteResult& result);
std::string json_of(const SuiteResult& result);

}  // namespace gradus::insight::doctor
