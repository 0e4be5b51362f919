#include "gradus/base/random.h"

#include <cmath>
#include <mutex>
#include <numeric>

#include "gradus/base/hash.h"

namespace gradus {
namespace {

__extension__ using Wide = unsigned __int128;

struct DefaultStream {
  std::mutex mutex;
  std::uint64_t seed = 0;
  std::uint64_t drawn = 0;
};

DefaultStream& default_stream() {
  static DefaultStream* stream = new DefaultStream;  // leaked: usable while other statics are destroyed
  return *stream;
}

// 24 (53) random bits: every value is exact, and 1 is never reached.
float unit_f32(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
double unit_f64(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

/// Calls `value(block, lane)` for each position, computing every Philox block once. `lanes` values come from a block.
template <class T, class Value>
void fill(std::span<T> out, Key key, std::int64_t first, int lanes, const Value& value) {
  std::array<std::uint32_t, 4> block{};
  std::int64_t current = -1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t position = first + static_cast<std::int64_t>(i);
    if (position / lanes != current) {
      current = position / lanes;
      block = philox(key, static_cast<std::uint64_t>(current));
    }
    out[i] = value(block, static_cast<std::size_t>(position % lanes));
  }
}

double box_muller(double u1, double u2, bool sine) {
  const double radius = std::sqrt(-2.0 * std::log1p(-u1));  // u1 < 1, so the logarithm is finite
  const double angle = 6.283185307179586 * u2;
  return radius * (sine ? std::sin(angle) : std::cos(angle));
}

}  // namespace

Key Key::fold(std::uint64_t index) const { return {hash_combine(hash_combine(0x6772616475730000u, value), index)}; }

std::array<std::uint32_t, 4> philox(Key key, std::uint64_t counter) {
  std::array<std::uint32_t, 4> x{static_cast<std::uint32_t>(counter), static_cast<std::uint32_t>(counter >> 32), 0, 0};
  auto k0 = static_cast<std::uint32_t>(key.value), k1 = static_cast<std::uint32_t>(key.value >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53u} * x[0], b = std::uint64_t{0xCD9E8D57u} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return x;
}

void manual_seed(std::uint64_t seed) { set_random_state({seed, 0}); }

Key next_key() {
  DefaultStream& stream = default_stream();
  const std::lock_guard lock(stream.mutex);
  return Key{stream.seed}.fold(stream.drawn++);
}

std::array<std::uint64_t, 2> random_state() {
  DefaultStream& stream = default_stream();
  const std::lock_guard lock(stream.mutex);
  return {stream.seed, stream.drawn};
}

void set_random_state(std::array<std::uint64_t, 2> state) {
  DefaultStream& stream = default_stream();
  const std::lock_guard lock(stream.mutex);
  stream.seed = state[0];
  stream.drawn = state[1];
}

void fill_uniform(std::span<float> out, Key key, double low, double high, std::int64_t first) {
  const auto offset = static_cast<float>(low), width = static_cast<float>(high - low);
  fill(out, key, first, 4, [=](const auto& block, std::size_t lane) { return offset + width * unit_f32(block[lane]); });
}

void fill_uniform(std::span<double> out, Key key, double low, double high, std::int64_t first) {
  fill(out, key, first, 2, [=](const auto& block, std::size_t lane) {
    return low + (high - low) * unit_f64(block[2 * lane], block[2 * lane + 1]);
  });
}

void fill_normal(std::span<float> out, Key key, double mean, double stddev, std::int64_t first) {
  fill(out, key, first, 4, [=](const auto& block, std::size_t lane) {
    const std::size_t pair = lane / 2 * 2;
    const double u1 = block[pair] * 0x1p-32, u2 = block[pair + 1] * 0x1p-32;
    return static_cast<float>(mean + stddev * box_muller(u1, u2, lane % 2 != 0));
  });
}

void fill_normal(std::span<double> out, Key key, double mean, double stddev, std::int64_t first) {
  fill(out, key, first, 2, [=](const auto& block, std::size_t lane) {
    const double u1 = unit_f64(block[0], block[1]), u2 = unit_f64(block[2], block[3]);
    return mean + stddev * box_muller(u1, u2, lane != 0);
  });
}

std::vector<std::int64_t> random_permutation(std::int64_t n, Key key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = n - 1; i > 0; --i) {
    const auto block = philox(key, static_cast<std::uint64_t>(i));
    const std::uint64_t word = std::uint64_t{block[0]} << 32 | block[1];
    // The multiply-high reduction; its bias is below n / 2^64.
    const auto j = static_cast<std::size_t>((static_cast<Wide>(word) * static_cast<std::uint64_t>(i + 1)) >> 64);
    std::swap(order[static_cast<std::size_t>(i)], order[j]);
  }
  return order;
}

}  // namespace gradus
