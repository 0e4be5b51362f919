// The bytes of the files beside this one, as cmake/GradusEmbed.cmake puts them into the library.
#pragma once

#include <span>

namespace gradus::data::detail {

std::span<const unsigned char> embedded_digits();
std::span<const unsigned char> embedded_breast_cancer();
std::span<const unsigned char> embedded_german_credit();

}  // namespace gradus::data::detail
