// Where the tests find the project's files. Only paths.cpp is compiled with them, so that equal sources in two checkouts are
// equal to a compiler cache.
#pragma once

#include <string>

namespace gradus::testing {

/// The checkout: source_path("recipes").
std::string source_path(const std::string& relative);
/// The built `gradus`.
const char* command_path();

}  // namespace gradus::testing
