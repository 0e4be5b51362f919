// What is wrong with a training run, why, and what to try.
//
//   const doctor::Diagnosis diagnosis = doctor::diagnose("runs/first");
//   for (const doctor::Finding& finding : diagnosis.findings) print(finding.rule, finding.evidence);
//
// It examines what the run recorded, its data, and its last checkpoint; the run itself needs to record nothing for it.
#pragma once

#include <string>

#include "gradus/insight/doctor/evidence.h"
#include "gradus/insight/doctor/rules.h"

namespace gradus::insight::doctor {

struct Diagnosis {
  std::string run;
  Evidence evidence;
  Findings findings;  ///< the most severe first

  /// No finding is worse than a note.
  bool healthy() const;
};

/// Error(usage) for a folder that is no run, and as gather().
Diagnosis diagnose(const std::string& run);

/// For people; what the doctor is worth by its own suite stands at the end.
std::string text_of(const Diagnosis& diagnosis);
/// One JSON object, with everything of the text.
std::string json_of(const Diagnosis& diagnosis);

}  // namespace gradus::insight::doctor
