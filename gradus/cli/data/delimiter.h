// The option --delimiter of the commands that read CSV files.
#pragma once

#include <string>

namespace gradus::cli {

/// One character, or "\t". Throws Error(usage).
char delimiter_of(const std::string& text);

}  // namespace gradus::cli
