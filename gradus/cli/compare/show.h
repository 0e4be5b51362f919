// What a comparison found, for the terminal, as JSON and as a page.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gradus/cli/commands.h"
#include "gradus/cli/compare/prepare.h"
#include "gradus/insight/compare/advice.h"

namespace gradus::cli {

struct ComparedTable {
  const CompareCommand& command;
  PreparedTable prepared;
  insight::Comparison comparison;
  insight::Advice advice;
  std::vector<insight::CurvePoint> curve;  ///< may be empty
  /// Holm's correction over all differences from the best, in the order of the standings; the best has 1.
  std::vector<double> corrected_p;
};

/// "12.3 ms", "1.5 s"
std::string seconds_text(double seconds);
/// "1968 B", "86 kB"
std::string bytes_text(std::int64_t bytes);

/// "german-credit: 1,000 rows, 20 columns, predicting class (bad 300, good 700)"
std::string headline(const ComparedTable& found);
/// "10 splits (5 folds, 2 times): 800 rows to train on, 200 to test"
std::string protocol_line(const ComparedTable& found);
std::string text_of_comparison(const ComparedTable& found);
nlohmann::ordered_json json_of_comparison(const ComparedTable& found);
/// A page that needs nothing else.
std::string page_of_comparison(const ComparedTable& found);

}  // namespace gradus::cli
