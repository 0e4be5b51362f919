#include "gradus/book/chapter.h"

namespace gradus::book {

std::vector<std::uint64_t> seeds_of(Effort effort) {
  const std::uint64_t count = effort == Effort::quick ? 5 : effort == Effort::standard ? 8 : 20;
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t seed = 1; seed <= count; ++seed) seeds.push_back(seed);
  return seeds;
}

}  // namespace gradus::book
