#include "tests/support/paths.h"

namespace gradus::testing {

std::string source_path(const std::string& relative) { return GRADUS_SOURCE_DIR "/" + relative; }
const char* command_path() { return GRADUS_COMMAND; }

}  // namespace gradus::testing
