// Counter-based random numbers: a value depends on (key, position) alone, never on who computed it before.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace gradus {

/// A random stream. Equal keys give equal numbers; derive independent ones with `fold`.
struct Key {
  std::uint64_t value = 0;

  /// The independent stream number `index` of this one.
  Key fold(std::uint64_t index) const;
  friend bool operator==(Key, Key) = default;
};

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): four words for one counter.
std::array<std::uint32_t, 4> philox(Key key, std::uint64_t counter);

/// Restarts the default stream, from which everything that takes no explicit key draws (initialisers, random ops).
void manual_seed(std::uint64_t seed);
/// The next key of the default stream.
Key next_key();
/// State of the default stream, to save and restore: {seed, keys drawn}.
std::array<std::uint64_t, 2> random_state();
void set_random_state(std::array<std::uint64_t, 2> state);

/// Fills with U[low, high): element i depends on (key, i) alone.
void fill_uniform(std::span<float> out, Key key, double low, double high, std::int64_t first = 0);
void fill_uniform(std::span<double> out, Key key, double low, double high, std::int64_t first = 0);
/// Fills with N(mean, stddev^2) by Box-Muller; the same guarantee.
void fill_normal(std::span<float> out, Key key, double mean, double stddev, std::int64_t first = 0);
void fill_normal(std::span<double> out, Key key, double mean, double stddev, std::int64_t first = 0);
/// A uniformly random permutation of 0..n-1 (Fisher-Yates).
std::vector<std::int64_t> random_permutation(std::int64_t n, Key key);

}  // namespace gradus
