// Comparisons as text for a terminal and as tables for docs/performance.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "bench/runner/summary.h"

namespace gradus::bench {

/// One line for each contender of each comparison, then what failed or disagrees.
std::string to_text(const std::vector<Comparison>& comparisons);

/// The machine, its limits, one table for each type and number of threads, and the geometric mean of the ratios.
std::string to_markdown(const nlohmann::ordered_json& measurement, const std::vector<Comparison>& comparisons);

/// The document with everything between its lines "<!-- NAME: begin -->" and "<!-- NAME: end -->" replaced. Throws
/// Error(format) without them.
std::string with_figures(const std::string& document, const std::string& figures, const std::string& name = "figures");

}  // namespace gradus::bench
