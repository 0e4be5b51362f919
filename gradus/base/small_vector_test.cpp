#include "gradus/base/small_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace gradus {
namespace {

using Strings = SmallVector<std::string, 2>;

Strings counted(int count) {
  Strings strings;
  for (int i = 0; i < count; ++i) strings.push_back("a string that is too long for the small one " + std::to_string(i));
  return strings;
}

TEST(SmallVector, GrowsBeyondItsInlineStorage) {
  const Strings strings = counted(100);
  ASSERT_EQ(strings.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_TRUE(strings[i].ends_with(" " + std::to_string(i)));
}

TEST(SmallVector, CopiesAndMoves) {
  for (const int count : {0, 1, 2, 3, 9}) {
    const Strings original = counted(count);
    Strings copy = original;
    EXPECT_EQ(copy, original);
    Strings moved = std::move(copy);
    EXPECT_EQ(moved, original);
    EXPECT_TRUE(copy.empty());  // NOLINT: the state after a move is part of the promise
    for (const int other : {0, 2, 5}) {
      Strings target = counted(other);
      target = original;
      EXPECT_EQ(target, original);
      target = counted(other);
      target = std::move(moved);
      EXPECT_EQ(target, original);
      moved = std::move(target);
    }
  }
}

TEST(SmallVector, AssignsToItself) {
  Strings strings = counted(3);
  Strings& same = strings;
  strings = same;
  EXPECT_EQ(strings, counted(3));
}

TEST(SmallVector, PushesItsOwnElement) {
  Strings strings = counted(2);
  for (int i = 0; i < 10; ++i) strings.push_back(strings.front());
  EXPECT_EQ(strings.back(), strings.front());
  EXPECT_EQ(strings.size(), 12u);
}

TEST(SmallVector, ResizesBothWays) {
  SmallVector<int, 3> numbers{1, 2, 3, 4};
  numbers.resize(6);
  EXPECT_EQ(numbers, (SmallVector<int, 3>{1, 2, 3, 4, 0, 0}));
  numbers.resize(1);
  EXPECT_EQ(numbers, (SmallVector<int, 3>{1}));
  numbers.clear();
  EXPECT_TRUE(numbers.empty());
  EXPECT_EQ((SmallVector<int, 3>(4, 7)), (SmallVector<int, 3>{7, 7, 7, 7}));
}

TEST(SmallVector, DestroysEveryElementOnce) {
  const auto witness = std::make_shared<int>(0);
  {
    SmallVector<std::shared_ptr<int>, 2> holders;
    for (int i = 0; i < 7; ++i) holders.push_back(witness);
    EXPECT_EQ(witness.use_count(), 8);
    SmallVector<std::shared_ptr<int>, 2> others = holders;
    others.pop_back();
    holders = std::move(others);
    EXPECT_EQ(witness.use_count(), 7);
  }
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(SmallVector, HoldsTypesThatOnlyMove) {
  SmallVector<std::unique_ptr<int>, 1> owners;
  for (int i = 0; i < 5; ++i) owners.emplace_back(std::make_unique<int>(i));
  const SmallVector<std::unique_ptr<int>, 1> moved = std::move(owners);
  EXPECT_EQ(*moved[4], 4);
}

}  // namespace
}  // namespace gradus
