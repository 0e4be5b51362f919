// Numbers that every contender of the bench computes alike: data and initial weights come from a counter, not from a
// framework's generator, so that all of them train the same thing and their losses can be compared.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "gradus/graph/tensor.h"
#include "gradus/nn/fields.h"

namespace gradus::bench {

/// `count` numbers in [-1, 1): the top 24 bits of SplitMix64 (Steele, Lea and Flood, 2014) at the counters 1, 2, ..., started
/// at seed * 0xD1342543DE82EF95. Each is exact in f32.
std::vector<double> uniform(std::uint64_t seed, std::int64_t count);

/// The same as an f32 tensor.
Tensor uniform_tensor(std::uint64_t seed, const Shape& shape);
/// Integers of [0, high), i64.
Tensor integers(std::uint64_t seed, std::int64_t high, const Shape& shape);
/// Tokens of [0, vocabulary), i64, whose probability falls about as 1/rank.
Tensor zipf_tokens(std::uint64_t seed, std::int64_t vocabulary, const Shape& shape);
/// 0..count-1, sorted by uniform(seed, count): the order of the rows of an epoch.
std::vector<std::int64_t> shuffled(std::uint64_t seed, std::int64_t count);

/// The weight that is parameter number `number` of its model: see init_parameters.
Tensor initial_weight(int number, const Shape& shape, bool embedding = false);
/// Parameter number i is uniform(1000 + i) times 1/sqrt(inputs of one output), times 0.035 where its path is in `embeddings`;
/// gains are 1, biases 0.
void init_parameters(const std::vector<nn::FieldRef>& fields, std::initializer_list<std::string_view> embeddings);

template <class Model>
void init_parameters(Model& model, std::initializer_list<std::string_view> embeddings = {}) {
  init_parameters(nn::all_fields(model), embeddings);
}

}  // namespace gradus::bench
