// Files that the build puts into the library.
#pragma once

#include <span>

namespace gradus::train::detail {

/// charts.js behind the modules of D3 that it uses; empty where the build has no D3.
std::span<const unsigned char> charts_script();

}  // namespace gradus::train::detail
