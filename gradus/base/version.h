// The version of Gradus; that of the project in CMakeLists.txt.
#pragma once

namespace gradus {

inline constexpr const char* version = "0.1.0";

}  // namespace gradus
