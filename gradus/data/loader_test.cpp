#include "gradus/data/loader.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Rows = std::vector<std::int64_t>;

/// `count` examples; example i is {i % 256, i / 256}, its label i.
Dataset numbered(std::int64_t count) {
  std::vector<std::uint8_t> values;
  Rows labels;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::uint8_t>(i % 256));
    values.push_back(static_cast<std::uint8_t>(i / 256));
    labels.push_back(i);
  }
  return Dataset("numbered", leaf<std::uint8_t>({count, 2}, std::span<const std::uint8_t>(values)),
                 leaf<std::int64_t>({count}, std::span<const std::int64_t>(labels)), {.scaling = {.scale = 1 / 255.0}});
}

/// All that a pass gives: the rows of each batch, and the bytes of its inputs.
struct Record {
  std::vector<Rows> rows;
  std::vector<std::vector<float>> inputs;
  friend bool operator==(const Record&, const Record&) = default;
};

Record record_of(const Loader& loader) {
  Record record;
  for (auto [inputs, labels] : loader) {
    const auto rows = labels.data<std::int64_t>();
    const auto elements = inputs.data<float>();
    record.rows.emplace_back(rows.begin(), rows.end());
    record.inputs.emplace_back(elements.begin(), elements.end());
  }
  return record;
}

/// A source whose batches are their row numbers, as labels.
Batch rows_as_batch(std::span<const std::int64_t> rows) {
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::vector<float> zeros(rows.size());
  return {leaf<float>({count}, std::span<const float>(zeros)), leaf<std::int64_t>({count}, rows)};
}

TEST(Loader, ReadsInOrder) {
  const Record record = record_of(loader(numbered(5), {.batch_size = 2}));
  EXPECT_THAT(record.rows, ElementsAre(Rows{0, 1}, Rows{2, 3}, Rows{4}));
  EXPECT_EQ(record.inputs[1], (std::vector<float>{2 / 255.f, 0, 3 / 255.f, 0}));
}

TEST(Loader, DropsASmallLastBatch) {
  const Loader batches = loader(numbered(5), {.batch_size = 2, .drop_last = true});
  EXPECT_EQ(batches.size(), 2);
  EXPECT_THAT(record_of(batches).rows, ElementsAre(Rows{0, 1}, Rows{2, 3}));
}

TEST(Loader, ShufflesBySeedAndEpoch) {
  const Dataset set = numbered(100);
  const auto order = [&](std::uint64_t seed, std::int64_t epoch) {
    Rows all;
    for (const Rows& rows :
         record_of(loader(set, {.batch_size = 7, .shuffle = true, .seed = seed, .epoch = epoch})).rows) {
      all.insert(all.end(), rows.begin(), rows.end());
    }
    return all;
  };
  const Rows first = order(1, 0);
  EXPECT_EQ(first, order(1, 0));
  EXPECT_NE(first, order(1, 1));
  EXPECT_NE(first, order(2, 0));
  Rows sorted = first;
  std::sort(sorted.begin(), sorted.end());
  Rows expected(100);
  std::iota(expected.begin(), expected.end(), std::int64_t{0});
  EXPECT_EQ(sorted, expected);
  EXPECT_NE(first, expected);
}

TEST(Loader, GivesTheSameBatchesForAnyNumberOfWorkers) {
  const Dataset set = numbered(1003);
  const auto with = [&](int workers, int prefetch) {
    return record_of(loader(
        set, {.batch_size = 10, .shuffle = true, .seed = 3, .epoch = 2, .workers = workers, .prefetch = prefetch}));
  };
  const Record alone = with(0, 2);
  EXPECT_EQ(alone.rows.size(), 101u);
  for (const int workers : {1, 4, 200}) {
    for (const int prefetch : {1, 2, 50}) EXPECT_EQ(with(workers, prefetch), alone) << workers << " workers";
  }
}

TEST(Loader, GoesOnInTheMiddleOfAnEpoch) {
  const Dataset set = numbered(50);
  const LoaderOptions whole{.batch_size = 4, .shuffle = true, .seed = 9, .epoch = 3};
  std::vector<Rows> expected = record_of(loader(set, whole)).rows;
  expected.erase(expected.begin(), expected.begin() + 5);
  for (const int workers : {0, 3}) {
    LoaderOptions rest = whole;
    rest.workers = workers;
    rest.skip_batches = 5;
    EXPECT_EQ(loader(set, rest).size(), 8);
    EXPECT_EQ(record_of(loader(set, rest)).rows, expected);
    rest.skip_batches = 13;
    EXPECT_TRUE(record_of(loader(set, rest)).rows.empty());
  }
}

TEST(Loader, StartsAnewWithEachLoop) {
  const Loader batches = loader(numbered(20), {.batch_size = 3, .shuffle = true, .workers = 2});
  const Record first = record_of(batches);
  EXPECT_EQ(first, record_of(batches));
}

TEST(Loader, OutlivesNothingItNeeds) {
  std::size_t count = 0;
  for (auto [inputs, labels] : loader(numbered(10), {.batch_size = 3, .workers = 2}))
    count += labels.data<std::int64_t>().size();
  EXPECT_EQ(count, 10u);
}

TEST(Loader, BringsAnExceptionToItsBatch) {
  for (const int workers : {0, 1, 4}) {
    const auto fetch = [](std::span<const std::int64_t> rows) {
      if (rows[0] == 12) throw std::runtime_error("row 12 is unreadable");
      return rows_as_batch(rows);
    };
    std::size_t batches = 0;
    try {
      for (const Batch& batch : loader(100, fetch, {.batch_size = 4, .workers = workers})) {
        EXPECT_EQ(batch.labels.data<std::int64_t>()[0], static_cast<std::int64_t>(batches) * 4);
        ++batches;
      }
      ADD_FAILURE() << "the exception was lost";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "row 12 is unreadable");
    }
    EXPECT_EQ(batches, 3u) << workers << " workers";
  }
}

TEST(Loader, EndsAfterAnException) {
  const auto fetch = [](std::span<const std::int64_t> rows) {
    if (rows[0] == 1) throw std::runtime_error("broken");
    return rows_as_batch(rows);
  };
  for (const int workers : {0, 2}) {
    const Loader batches = loader(5, fetch, {.workers = workers});
    auto it = batches.begin();
    EXPECT_THROW(++it, std::runtime_error);
    EXPECT_TRUE(it == batches.end());
  }
}

TEST(Loader, StopsItsWorkersWhenTheLoopIsLeft) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> fetched{0};
    const auto fetch = [&](std::span<const std::int64_t> rows) {
      ++fetched;
      return rows_as_batch(rows);
    };
    int taken = 0;
    for ([[maybe_unused]] const Batch& batch : loader(1000, fetch, {.workers = 3, .prefetch = 2})) {
      if (++taken == round) break;
    }
    const int after = fetched;  // the workers are gone: nobody counts any more
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_EQ(fetched, after);
    EXPECT_LE(after, taken + 6);
  }
}

TEST(Loader, PreparesNoMoreThanItWasTold) {
  std::atomic<int> fetched{0};
  const auto fetch = [&](std::span<const std::int64_t> rows) {
    ++fetched;
    return rows_as_batch(rows);
  };
  const Loader batches = loader(1000, fetch, {.workers = 2, .prefetch = 3});
  int taken = 0;
  for ([[maybe_unused]] const Batch& batch : batches) {
    ++taken;
    EXPECT_LE(fetched, taken + 6);
    if (taken == 50) break;
  }
  EXPECT_GE(fetched, 50);
}

TEST(Loader, WorksAhead) {
  std::atomic<int> fetched{0};
  const auto fetch = [&](std::span<const std::int64_t> rows) {
    ++fetched;
    return rows_as_batch(rows);
  };
  const Loader batches = loader(10, fetch, {.workers = 1, .prefetch = 3});
  const auto it = batches.begin();
  for (int waited = 0; fetched < 4 && waited < 10000; ++waited)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(fetched, 4);  // one taken, three ahead
}

TEST(Loader, RefusesUnusableOptions) {
  const Dataset set = numbered(10);
  const auto refusal = [&](const LoaderOptions& options) {
    return message_of(ErrorKind::value, [&] { loader(set, options); });
  };
  EXPECT_THAT(refusal({.batch_size = 0}), HasSubstr("batch_size is 0"));
  EXPECT_THAT(refusal({.batch_size = -3}), HasSubstr("numbered"));
  EXPECT_THAT(refusal({.workers = -1}), HasSubstr("workers is -1"));
  EXPECT_THAT(refusal({.workers = 5000}), HasSubstr("0 (no threads) to 1024"));
  EXPECT_THAT(refusal({.prefetch = 0}), HasSubstr("prefetch is 0"));
  EXPECT_THAT(refusal({.epoch = -1}), HasSubstr("epoch is -1"));
  EXPECT_THAT(refusal({.batch_size = 3, .skip_batches = 5}), HasSubstr("0 to 4"));
  EXPECT_THAT(refusal({.skip_batches = -1}), HasSubstr("loader_test.cpp"));
  message_of(ErrorKind::value, [] { loader(numbered(0)); });
}

TEST(Loader, TellsABatchThatIsLargerThanTheData) {
  const Dataset set = numbered(10);
  const std::string message = message_of(ErrorKind::value, [&] { loader(set, {.batch_size = 11, .drop_last = true}); });
  EXPECT_THAT(message, HasSubstr("larger than the data set"));
  EXPECT_THAT(message, HasSubstr("at most 10"));
  EXPECT_THAT(record_of(loader(set, {.batch_size = 1 << 30})).rows.size(), 1u);
  EXPECT_NO_THROW(check_batch_size(set, 10));
  EXPECT_EQ(message_of(ErrorKind::value, [&] { check_batch_size(set, 11); }).substr(0, 46),
            "value error in loader (numbered), called at lo");
  message_of(ErrorKind::value, [&] { check_batch_size(set, 0); });
}

}  // namespace
}  // namespace gradus::data
