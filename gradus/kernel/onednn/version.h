// What is known of the oneDNN that runs.
#pragma once

#include <string>

namespace gradus::kernel {

/// Version of the oneDNN library that was loaded: "2.6.3".
std::string onednn_version();

}  // namespace gradus::kernel
