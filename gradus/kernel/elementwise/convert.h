// Conversion of one element between any two types, as the operation `cast` defines it.
#pragma once

#include <concepts>
#include <limits>
#include <type_traits>

#include "gradus/base/dtype.h"

namespace gradus::kernel {

template <class To, class From>
To convert(From x) {
  if constexpr (std::same_as<To, From>) {
    return x;
  } else if constexpr (std::same_as<From, BFloat16>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (std::same_as<To, BFloat16>) {
    return BFloat16(static_cast<float>(x));
  } else if constexpr (std::same_as<To, bool>) {
    return x != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    constexpr From above = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * 2;  // exact, unlike max() itself
    if (x != x) return 0;
    if (x >= above) return std::numeric_limits<To>::max();
    if (x <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

}  // namespace gradus::kernel
