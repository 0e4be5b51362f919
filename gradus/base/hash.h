// Hashing of structural keys.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace gradus {

/// Mixes `value` into `seed` (the finaliser of SplitMix64).
constexpr std::uint64_t hash_combine(std::uint64_t seed, std::uint64_t value) {
  std::uint64_t z = seed + 0x9e3779b97f4a7c15u + value;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// The same for keys that are compared in full when their hashes agree: weaker, and a third of the time.
constexpr std::uint64_t hash_fold(std::uint64_t seed, std::uint64_t value) {
  const std::uint64_t z = (seed ^ value) * 0x9e3779b97f4a7c15u;
  return z ^ (z >> 32);
}

/// FNV-1a over bytes.
constexpr std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0xcbf29ce484222325u) {
  for (const char c : bytes) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return seed;
}

}  // namespace gradus
