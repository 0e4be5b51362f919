#include "gradus/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "gradus/base/error.h"

namespace gradus {
namespace {

/// Restores the number of threads.
class ParallelFor : public ::testing::Test {
 protected:
  void TearDown() override { set_num_threads(before_); }

 private:
  int before_ = num_threads();
};

std::vector<std::pair<std::int64_t, std::int64_t>> ranges_of(std::int64_t count, std::int64_t grain) {
  std::mutex mutex;
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    ranges.emplace_back(begin, end);
  });
  return ranges;
}

TEST_F(ParallelFor, CoversEveryIndexOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_EQ(num_threads(), threads);
    for (const std::int64_t count : {1, 2, 7, 100, 1001}) {
      for (const std::int64_t grain : {1, 3, 64, 5000}) {
        std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
        parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
        });
        for (const auto& visit : visits) ASSERT_EQ(visit, 1);
      }
    }
  }
}

TEST_F(ParallelFor, KeepsToGrainAndThreads) {
  set_num_threads(4);
  EXPECT_EQ(ranges_of(100, 100).size(), 1u);
  EXPECT_EQ(ranges_of(100, 60).size(), 2u);
  EXPECT_EQ(ranges_of(1000, 1).size(), 4u);
  EXPECT_TRUE(ranges_of(0, 1).empty());
  EXPECT_TRUE(ranges_of(-5, 1).empty());
  EXPECT_EQ(ranges_of(10, 0).size(), 4u);  // a grain below 1 is 1
}

TEST_F(ParallelFor, NestedCallsRunSerially) {
  set_num_threads(4);
  std::atomic<int> inner_ranges{0}, outer_ranges{0};
  parallel_for(4, 1, [&](std::int64_t, std::int64_t) {
    ++outer_ranges;
    parallel_for(1000, 1, [&](std::int64_t, std::int64_t) { ++inner_ranges; });
  });
  EXPECT_EQ(outer_ranges, 4);
  EXPECT_EQ(inner_ranges, 4);
}

TEST_F(ParallelFor, RefusesAbsurdNumbersOfThreads) {
  const int before = num_threads();
  for (const int threads : {0, -3, 1025}) {
    try {
      set_num_threads(threads);
      FAIL() << threads;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::value);
      EXPECT_EQ(error.fields()[0].second, std::to_string(threads));
    }
  }
  EXPECT_EQ(num_threads(), before);
}

}  // namespace
}  // namespace gradus
