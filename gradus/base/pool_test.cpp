#include "gradus/base/pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace gradus {
namespace {

/// Under the address sanitizer nothing is kept.
bool keeps() {
  void* block = pool::allocate(100);
  pool::release(block, 100);
  return pool::kept(100) > 0;
}

TEST(Pool, HandsOutWhatWasReleased) {
  if (!keeps()) GTEST_SKIP() << "under the address sanitizer the pool keeps nothing";
  void* block = pool::allocate(100);
  pool::release(block, 100);
  EXPECT_EQ(pool::allocate(65), block);  // of the same class
  void* other = pool::allocate(100);
  EXPECT_NE(other, block);
  pool::release(block, 65);
  pool::release(other, 100);
}

TEST(Pool, AlignsBlocksOfAllSizes) {
  for (const std::size_t bytes : {0, 1, 64, 65, 512, 513, 5000}) {
    void* block = pool::allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % pool::alignment, 0u);
    std::memset(block, 1, bytes);
    pool::release(block, bytes);
  }
}

/// In a thread of its own, with lists of its own.
template <class F>
void in_a_thread(const F& f) {
  std::thread(f).join();
}

TEST(Pool, KeepsNoMoreThanItsLimit) {
  in_a_thread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 30000; ++i) blocks.push_back(pool::allocate(500));
    for (void* block : blocks) pool::release(block, 500);
    EXPECT_LT(pool::kept(500), 20000u);  // 8 MB
  });
}

TEST(Pool, TakesBlocksOfOtherThreads) {
  std::vector<void*> blocks;
  in_a_thread([&] {
    for (int i = 0; i < 100; ++i) blocks.push_back(pool::allocate(300));
  });
  in_a_thread([&] {
    const bool kept = keeps();
    for (void* block : blocks) pool::release(block, 300);
    EXPECT_EQ(pool::kept(300), kept ? 100u : 0u);
  });
}

struct Late {
  void* block = nullptr;
  ~Late() { pool::release(block, 200); }
};

TEST(Pool, SurvivesObjectsThatOutliveTheirThreadsList) {
  in_a_thread([] {
    thread_local Late late;  // dies after the list, which the release below makes
    late.block = pool::allocate(200);
    void* block = pool::allocate(200);
    pool::release(block, 200);
  });
}

}  // namespace
}  // namespace gradus
