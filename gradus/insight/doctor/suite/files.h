// The bytes of measured.json, as cmake/GradusEmbed.cmake puts them into the library.
#pragma once

#include <span>

namespace gradus::insight::doctor::detail {

std::span<const unsigned char> measured_suite();

}  // namespace gradus::insight::doctor::detail
