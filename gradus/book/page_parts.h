// Parts that all pages of the book share, as HTML.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gradus/insight/claims.h"

namespace gradus::book {

/// Everything before the first part.
std::string page_top(const std::string& title);
/// Who measured it, on what, and the script of the charts.
std::string page_bottom(const insight::Provenance& provenance, std::size_t seeds);

/// Where a section stands in a chapter's page: "on-how-large-a-step-may-be".
std::string address_of(const std::string& heading);

/// A verdict, coloured.
std::string badge(insight::Verdict verdict);
/// A claim with its verdict, what it rests on, and the pairs behind it.
std::string claim_html(const insight::ClaimResult& result);
/// All of them in a table.
std::string claims_html(const std::vector<insight::ClaimResult>& results);

/// "0.4 × 0.5 − 0.3 × 0.2"
std::string sum_text(const std::vector<std::vector<double>>& terms);

}  // namespace gradus::book
