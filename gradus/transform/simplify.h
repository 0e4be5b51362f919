// Simplification: fewer vertices, the same values.
#pragma once

#include <span>
#include <string_view>

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// Removes what does not reach a result, merges equal vertices, and applies the rewrite rules below. Every rule keeps the
/// values bit for bit. Leaves keep their number and order, so that storage is bound as before.
Graph simplify(const Graph& graph);

/// Names of the rewrite rules, in the order in which they are tried.
std::span<const std::string_view> simplify_rules();
/// Switches one rule off or on, to find out which one a defect comes from. Throws Error(value) for an unknown name.
void set_rule_enabled(std::string_view rule, bool enabled);

}  // namespace gradus::transform
