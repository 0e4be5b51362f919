#include "bench/numbers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gradus::bench {
namespace {

std::uint64_t split_mix(std::uint64_t state) {
  state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9u;
  state = (state ^ state >> 27) * 0x94D049BB133111EBu;
  return state ^ state >> 31;
}

/// `make` of each number of [0, 1).
template <class Make>
Tensor tokens(std::uint64_t seed, const Shape& shape, Make make) {
  std::vector<std::int64_t> elements;
  elements.reserve(static_cast<std::size_t>(shape.numel()));
  for (const double u : uniform(seed, shape.numel())) elements.push_back(make((u + 1) / 2));
  return leaf<std::int64_t>(shape, elements);
}

Tensor scaled_uniform(std::uint64_t seed, const Shape& shape, float bound) {
  std::vector<float> elements;
  elements.reserve(static_cast<std::size_t>(shape.numel()));
  for (const double u : uniform(seed, shape.numel())) elements.push_back(static_cast<float>(u) * bound);
  return leaf<float>(shape, elements);
}

}  // namespace

std::vector<double> uniform(std::uint64_t seed, std::int64_t count) {
  std::vector<double> numbers(static_cast<std::size_t>(count));
  std::uint64_t state = seed * 0xD1342543DE82EF95u;
  for (double& number : numbers) {
    state += 0x9E3779B97F4A7C15u;
    number = static_cast<double>(split_mix(state) >> 40) / 8388608.0 - 1;
  }
  return numbers;
}

Tensor uniform_tensor(std::uint64_t seed, const Shape& shape) { return scaled_uniform(seed, shape, 1); }

Tensor integers(std::uint64_t seed, std::int64_t high, const Shape& shape) {
  return tokens(seed, shape, [&](double u) { return static_cast<std::int64_t>(u * static_cast<double>(high)); });
}

Tensor zipf_tokens(std::uint64_t seed, std::int64_t vocabulary, const Shape& shape) {
  return tokens(seed, shape, [&](double u) {
    const auto token = static_cast<std::int64_t>(std::pow(static_cast<double>(vocabulary), u)) - 1;
    return std::clamp<std::int64_t>(token, 0, vocabulary - 1);
  });
}

std::vector<std::int64_t> shuffled(std::uint64_t seed, std::int64_t count) {
  const std::vector<double> keys = uniform(seed, count);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return keys[static_cast<std::size_t>(a)] < keys[static_cast<std::size_t>(b)];
  });
  return rows;
}

Tensor initial_weight(int number, const Shape& shape, bool embedding) {
  const auto inputs = static_cast<double>(shape.numel() / shape[0]);
  const double bound = embedding ? 0.035 : 1 / std::sqrt(inputs);
  return scaled_uniform(1000 + static_cast<std::uint64_t>(number), shape, static_cast<float>(bound));
}

void init_parameters(const std::vector<nn::FieldRef>& fields, std::initializer_list<std::string_view> embeddings) {
  int number = 0;
  for (const nn::FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined()) continue;
    const Shape shape = field.tensor().shape();
    if (shape.rank() < 2) {
      const float value = field.path.ends_with("weight") ? 1.f : 0.f;
      field.assign(leaf<float>(shape, std::vector<float>(static_cast<std::size_t>(shape.numel()), value)));
    } else {
      const bool embedding = std::find(embeddings.begin(), embeddings.end(), field.path) != embeddings.end();
      field.assign(initial_weight(number, shape, embedding));
    }
    ++number;
  }
}

}  // namespace gradus::bench
