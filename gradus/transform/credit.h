// Whose work a recorded node is.
#pragma once

#include <string_view>

#include "gradus/graph/node.h"

namespace gradus::transform {

/// Gives what a rule recorded to the operation that the rule was called for: its module and the user's line. Walks from
/// `result` down to leaves and to nodes that a walk, `credit` or `claim` has seen before. `called` names the work in
/// messages and may be empty; it must outlive the nodes.
void credit(const Tensor& result, const Node& source, std::string_view called);

/// Says that `tensor`, an argument of rules, is the user's own.
void claim(const Tensor& tensor);

/// "gradient of log", interned.
std::string_view gradient_name(std::string_view op);

}  // namespace gradus::transform
