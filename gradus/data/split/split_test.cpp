#include "gradus/data/split/split.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "gradus/base/random.h"
#include "gradus/data/split/sampler.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Rows all_rows(std::int64_t count) {
  Rows rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

void expect_partition(const std::vector<Rows>& parts, std::int64_t count) {
  Rows rows;
  for (const Rows& part : parts) {
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    rows.insert(rows.end(), part.begin(), part.end());
  }
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(rows, all_rows(count));
}

/// Labels with class c about (c + 1) times as often as class 0.
Rows uneven_labels(std::int64_t count, std::int64_t classes, std::uint64_t seed) {
  Rows labels;
  for (const std::int64_t i : random_permutation(count, Key{seed}))
    labels.push_back(static_cast<std::int64_t>(std::sqrt(static_cast<double>(i % (classes * classes)))));
  return labels;
}

std::map<std::int64_t, std::int64_t> counts_of(const Rows& rows, const Rows& values) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t row : rows) ++counts[values[static_cast<std::size_t>(row)]];
  return counts;
}

TEST(Split, SharesOutExactly) {
  EXPECT_THAT(part_sizes(10, std::vector<double>{0.7, 0.3}), ElementsAre(7, 3));
  EXPECT_THAT(part_sizes(100, std::vector<double>{0.7, 0.15, 0.15}), ElementsAre(70, 15, 15));
  EXPECT_THAT(part_sizes(11, std::vector<double>{0.5, 0.25, 0.25}), ElementsAre(5, 3, 3));
  EXPECT_THAT(part_sizes(5, std::vector<double>{0.5, 0.5}), ElementsAre(3, 2));
  EXPECT_THAT(part_sizes(3, std::vector<double>(3, 1 / 3.0)), ElementsAre(1, 1, 1));
  const auto parts = random_split(101, {0.6, 0.2, 0.2}, 7);
  expect_partition(parts, 101);
  EXPECT_EQ(parts, random_split(101, {0.6, 0.2, 0.2}, 7));
  EXPECT_NE(parts, random_split(101, {0.6, 0.2, 0.2}, 8));
}

TEST(Split, StratifiesExactly) {
  const std::vector<double> fractions = {0.63, 0.27, 0.1};
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::int64_t count = 80 + static_cast<std::int64_t>(seed) * 7,
                       classes = 2 + static_cast<std::int64_t>(seed % 4);
    const Rows labels = uneven_labels(count, classes, seed);
    const auto parts = stratified_split(labels, fractions, seed);
    expect_partition(parts, count);
    const auto sizes = part_sizes(count, fractions);
    const auto whole = counts_of(all_rows(count), labels);
    for (std::size_t part = 0; part < parts.size(); ++part) {
      EXPECT_EQ(static_cast<std::int64_t>(parts[part].size()), sizes[part]) << "seed " << seed;
      auto mine = counts_of(parts[part], labels);
      for (const auto& [label, n] : whole) {
        EXPECT_LE(std::abs(static_cast<double>(mine[label]) - fractions[part] * static_cast<double>(n)), 1 + 1e-9);
      }
    }
  }
}

TEST(Split, KeepsGroupsTogether) {
  Rows groups;
  for (std::int64_t i = 0; i < 500; ++i) groups.push_back(i * i % 61);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto parts = grouped_split(groups, {0.7, 0.2, 0.1}, seed);
    expect_partition(parts, 500);
    check_groups(parts, groups);
    EXPECT_NEAR(static_cast<double>(parts[0].size()), 350, 20);
    EXPECT_NEAR(static_cast<double>(parts[2].size()), 50, 20);
  }
  EXPECT_NE(grouped_split(groups, {0.5, 0.5}, 1), grouped_split(groups, {0.5, 0.5}, 2));
  const Rows one_large = {0, 0, 0, 0, 0, 0, 0, 0, 1, 2};
  for (const Rows& part : grouped_split(one_large, {0.4, 0.3, 0.3}, 3)) EXPECT_FALSE(part.empty());
  const std::vector<Rows> leaking = {{0, 1}, {2, 3}};
  const std::string message = message_of(ErrorKind::value, [&] { check_groups(leaking, Rows{5, 6, 6, 7}); });
  EXPECT_THAT(message, HasSubstr("group 6 stands in two parts"));
  EXPECT_THAT(message_of(ErrorKind::value, [] { check_disjoint({{0, 1}, {1}}, 2); }), HasSubstr("row 1"));
  EXPECT_THAT(message_of(ErrorKind::value, [] { check_disjoint({{0, 0}}, 2); }), HasSubstr("twice"));
}

TEST(Split, NeverLooksIntoTheFuture) {
  const std::vector<double> times = {5, 1, 4, 2, 3, 3, 9, 8};
  const auto parts = time_split(times, {0.375, 0.375, 0.25});
  EXPECT_THAT(parts[0], ElementsAre(1, 3));  // 3 and 3 are one moment: they go to the later part
  EXPECT_THAT(parts[1], ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(parts[2], ElementsAre(6, 7));
  message_of(ErrorKind::value, [] { time_split(std::vector<double>{1, 1, 1}, {0.5, 0.5}); });
  message_of(ErrorKind::value, [] { time_split(std::vector<double>{1, NAN}, {0.5, 0.5}); });
}

TEST(KFold, HoldsOutEveryRowOnce) {
  const Rows labels = uneven_labels(103, 3, 4);
  Rows groups;
  for (std::int64_t i = 0; i < 103; ++i) groups.push_back(i % 13);
  const auto plain = k_fold(103, 5, 1), stratified = stratified_k_fold(labels, 5, 1),
             grouped = grouped_k_fold(groups, 5, 1);
  for (const auto& folds : {plain, stratified, grouped}) {
    ASSERT_EQ(folds.size(), 5u);
    std::vector<Rows> held_out;
    for (const Fold& fold : folds) {
      expect_partition({fold.train, fold.validation}, 103);
      held_out.push_back(fold.validation);
    }
    expect_partition(held_out, 103);
  }
  for (const auto& folds : {plain, stratified}) {
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(folds[i].validation.size(), i < 3 ? 21u : 20u);
  }
  for (const Fold& fold : grouped) check_groups({fold.train, fold.validation}, groups);
  for (std::int64_t label = 0; label < 3; ++label) {
    std::set<std::int64_t> counts;
    for (const Fold& fold : stratified) counts.insert(counts_of(fold.validation, labels)[label]);
    EXPECT_LE(*counts.rbegin() - *counts.begin(), 1);
  }
  const auto repeated = repeated_k_fold(103, 5, 3, 1);
  EXPECT_EQ(repeated.size(), 15u);
  EXPECT_NE(repeated[0].validation, repeated[5].validation);
  EXPECT_EQ(repeated_stratified_k_fold(labels, 4, 2, 9).size(), 8u);
  message_of(ErrorKind::value, [] { k_fold(3, 4, 0); });
  message_of(ErrorKind::value, [] { k_fold(3, 1, 0); });
}

TEST(Sampler, DrawsByWeight) {
  const std::vector<double> weights = {0, 1, 3, 0};
  const Sampler sampler = weighted_sampler(weights, 40000);
  const Rows rows = sampler.rows(Key{3});
  EXPECT_EQ(rows, sampler.rows(Key{3}));
  EXPECT_NE(rows, sampler.rows(Key{4}));
  const auto ones = std::count(rows.begin(), rows.end(), 1), threes = std::count(rows.begin(), rows.end(), 2);
  EXPECT_EQ(ones + threes, 40000);
  EXPECT_NEAR(static_cast<double>(ones), 10000, 5 * std::sqrt(40000 * 0.25 * 0.75));  // five standard deviations
  message_of(ErrorKind::value, [] { weighted_sampler(std::vector<double>{1, -1}, 3); });
  message_of(ErrorKind::value, [] { weighted_sampler(std::vector<double>{0, 0}, 3); });
  message_of(ErrorKind::value, [] { weighted_sampler(std::vector<double>{1}, 0); });
}

TEST(Sampler, BalancesClasses) {
  const Rows labels = {0, 0, 0, 0, 0, 0, 0, 1, 2, 2};
  const Rows rows = balanced_sampler(labels, 31).rows(Key{1});
  ASSERT_EQ(rows.size(), 31u);
  const auto counts = counts_of(rows, labels);
  for (const auto& [label, count] : counts) EXPECT_NEAR(static_cast<double>(count), 31 / 3.0, 1) << label;
  std::map<std::int64_t, int> seen;
  for (const std::int64_t row : rows) ++seen[row];
  EXPECT_EQ(seen.size(), 10u);  // within a class all rows take turns
}

TEST(Sampler, StratifiesEveryBatch) {
  Rows labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(i < 700 ? 0 : i < 950 ? 1 : 2);
  const Rows rows = stratified_sampler(labels).rows(Key{5});
  Rows sorted = rows;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, all_rows(1000));
  for (std::size_t first = 0; first < 1000; first += 40) {
    auto counts = counts_of(
        Rows(rows.begin() + static_cast<std::ptrdiff_t>(first), rows.begin() + static_cast<std::ptrdiff_t>(first) + 40),
        labels);
    EXPECT_NEAR(static_cast<double>(counts[0]), 28, 1.01);
    EXPECT_NEAR(static_cast<double>(counts[1]), 10, 1.01);
    EXPECT_NEAR(static_cast<double>(counts[2]), 2, 1.01);
  }
}

TEST(Sampler, BalancedGivesAClassInANewOrderEachTime) {
  const std::vector<std::int64_t> labels(50, 0);
  const Rows rows = balanced_sampler(labels, 100).rows(Key{7});
  const Rows first(rows.begin(), rows.begin() + 50), second(rows.begin() + 50, rows.end());
  EXPECT_NE(first, second);
  EXPECT_EQ(std::set<std::int64_t>(first.begin(), first.end()), std::set<std::int64_t>(second.begin(), second.end()));
}

}  // namespace
}  // namespace gradus::data
