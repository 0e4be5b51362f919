// The claims of a chapter, tried on a network and data of the reader's own.
#pragma once

#include <string>
#include <vector>

#include "gradus/book/explain.h"
#include "gradus/book/own/setting.h"

namespace gradus::book {

/// A claim that cannot be asked of this network.
struct Refusal {
  std::string id, sentence, reason;
};

struct OwnExplanation {
  const Entry* entry = nullptr;
  std::string on;       ///< what the reader calls it: a run, a recipe
  std::string setting;  ///< Setting::description()
  std::vector<insight::ClaimResult> claims;
  std::vector<Refusal> refused;
  insight::Provenance provenance;
};

/// Throws Error(usage) for a chapter that has nothing to ask of other networks, and names those that have.
void require_own_claims(const Entry& entry);
/// Runs all claims that can be asked, with the seeds, tests and correction of chapters. Throws as require_own_claims().
OwnExplanation explain_on(const Entry& entry, const Setting& setting, const std::string& on, Effort effort,
                          const Progress& progress = {});

/// For a terminal; with `colour`, escape sequences for verdicts.
std::string text_of(const OwnExplanation& explanation, bool colour);
/// A page that needs nothing else.
std::string page_of(const OwnExplanation& explanation);
/// One object, on one line.
std::string json_of(const OwnExplanation& explanation);

}  // namespace gradus::book
