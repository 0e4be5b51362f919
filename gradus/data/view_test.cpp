#include "gradus/data/view.h"

#include <gmock/gmock.h>

#include <cmath>

#include "gradus/data/loader.h"
#include "gradus/data/statistics.h"
#include "tests/support/files.h"

namespace gradus::data {
namespace {

using gradus::testing::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Rows = std::vector<std::int64_t>;
using Pair = std::pair<std::int64_t, std::int64_t>;

Dataset rows_of(std::vector<float> values, Rows labels, DatasetOptions options = {}) {
  const auto count = static_cast<std::int64_t>(labels.size());
  return Dataset("rows",
                 leaf<float>({count, static_cast<std::int64_t>(values.size()) / count}, std::span<const float>(values)),
                 leaf<std::int64_t>({count}, std::span<const std::int64_t>(labels)), std::move(options));
}

std::vector<float> inputs_of(const View& view, const Rows& rows) {
  const Batch batch = view.fetch(rows);
  const auto data = batch.inputs.data<float>();
  return {data.begin(), data.end()};
}

TEST(View, ConcatenatesSubsetsMapsAndGenerates) {
  const View a = view(rows_of({1, 2, 3}, {0, 1, 0})), b = view(rows_of({10, 20}, {1, 0}));
  const View both = concat({a, b});
  EXPECT_EQ(both.size, 5);
  EXPECT_EQ(inputs_of(both, {4, 0, 1, 3, 2}), (std::vector<float>{20, 1, 2, 10, 3}));
  EXPECT_EQ(inputs_of(subset(both, {4, 4, 1}), {0, 2, 1}), (std::vector<float>{20, 2, 20}));
  const View numbered = mapped(both, [](Batch batch, std::span<const std::int64_t> rows) {
    batch.labels = leaf<std::int64_t>({static_cast<std::int64_t>(rows.size())}, rows);
    return batch;
  });
  EXPECT_EQ(numbered.fetch(Rows{3, 1}).labels.data<std::int64_t>()[0], 3);
  const View squares = generated(100, [](std::int64_t row) {
    const std::vector<float> square = {static_cast<float>(row * row)};
    return Example{leaf<float>({1}, std::span<const float>(square)), row % 2};
  });
  EXPECT_EQ(inputs_of(squares, {9, 3}), (std::vector<float>{81, 9}));
  const Dataset set = materialised("squares", squares);
  EXPECT_EQ(set.size(), 100);
  EXPECT_EQ(set.num_classes(), 2);
  double sum = 0;
  for (const auto& [inputs, labels] : loader(squares, {.batch_size = 7, .shuffle = true, .workers = 2})) {
    for (const float value : inputs.data<float>()) sum += static_cast<double>(value);
  }
  EXPECT_EQ(sum, 328350);
}

TEST(View, ConcatenatesDataSets) {
  const Dataset all = concat({rows_of({1, 2}, {0, 1}), rows_of({3}, {2})});
  EXPECT_EQ(all.size(), 3);
  EXPECT_EQ(all.num_classes(), 3);
  EXPECT_THAT(message_of(ErrorKind::shape,
                         [] {
                           concat({rows_of({1, 2}, {0, 1}), rows_of({3, 4}, {2})});
                         }),
              HasSubstr("f32 [1, 2]"));
  message_of(ErrorKind::value, [] { concat({rows_of({1}, {0}), rows_of({1}, {0}, {.scaling = {.scale = 2}})}); });
  message_of(ErrorKind::value, [] { concat(std::vector<View>{}); });
  message_of(ErrorKind::index, [] { subset(view(rows_of({1}, {0})), {1}); });
}

TEST(Loader, ResumesFromAStateForAnyNumberOfWorkers) {
  std::vector<float> values(1000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  const Dataset set = rows_of(values, Rows(1000, 0));
  const LoaderOptions begun = {.batch_size = 7, .shuffle = true, .seed = ~std::uint64_t{5}, .epoch = 3, .workers = 3};
  const auto record = [&](Loader::Iterator it) {
    std::vector<float> seen;
    for (; !(it == std::default_sentinel); ++it) {
      const auto data = it->inputs.data<float>();
      seen.insert(seen.end(), data.begin(), data.end());
    }
    return seen;
  };
  const std::vector<float> whole = record(loader(set, begun).begin());
  for (const std::int64_t stop : {1, 2, 71, 143}) {
    const Loader first = loader(set, begun);
    EXPECT_EQ(first.state().batch, 0);
    auto it = first.begin();
    for (std::int64_t i = 1; i < stop; ++i) ++it;
    const LoaderState state = loader_state(to_tensor(it.state()));
    EXPECT_EQ(state, it.state());
    EXPECT_EQ(state.batch, stop);
    for (const int workers : {0, 1, 4}) {
      LoaderOptions options = {.batch_size = 7, .shuffle = true, .workers = workers};
      const std::vector<float> rest = record(loader(set, resumed(options, state)).begin());
      const auto from = std::min<std::size_t>(1000, static_cast<std::size_t>(stop) * 7);
      EXPECT_EQ(rest, std::vector<float>(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.end())) << stop;
    }
  }
  const LoaderState state = loader(set, begun).state();
  EXPECT_THAT(message_of(ErrorKind::state, [&] { resumed({.batch_size = 8, .shuffle = true}, state); }),
              HasSubstr("batch_size is 8, and was 7"));
  message_of(ErrorKind::state, [&] {
    loader(rows_of({1, 2}, {0, 0}), resumed({.batch_size = 7, .shuffle = true}, state));
  });
  message_of(ErrorKind::shape, [] { loader_state(leaf<std::int64_t>({1}, std::vector<std::int64_t>{1})); });
}

TEST(Loader, TakesRowsFromASampler) {
  const Dataset set = rows_of({0, 1, 2, 3}, {0, 0, 0, 1});
  const Sampler sampler = balanced_sampler(set.labels().data<std::int64_t>(), 10);
  std::vector<std::int64_t> labels;
  std::int64_t batches = 0;
  for (const auto& batch : loader(set, {.batch_size = 4, .sampler = sampler})) {
    const auto data = batch.labels.data<std::int64_t>();
    labels.insert(labels.end(), data.begin(), data.end());
    ++batches;
  }
  EXPECT_EQ(batches, 3);
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 5);
  EXPECT_EQ(loader(set, {.batch_size = 4, .sampler = sampler}).size(), 3);
  message_of(ErrorKind::value, [&] { loader(set, {.shuffle = true, .sampler = sampler}); });
  const Sampler foreign = weighted_sampler(std::vector<double>(9, 1), 50);
  message_of(ErrorKind::index, [&] { loader(set, {.sampler = foreign}).begin(); });
}

TEST(Statistics, OfChannelsClassesAndCopies) {
  const Dataset set = rows_of({1, NAN, 5, 2, 7, 5, 3, 8, 5, 2, 7, 5}, {0, 1, 1, 2});
  const auto s = channel_statistics(set);
  EXPECT_DOUBLE_EQ(s[0].mean, 2);
  EXPECT_DOUBLE_EQ(s[0].std, std::sqrt(0.5));
  EXPECT_EQ(s[1].missing, 1);
  EXPECT_EQ(s[1].count, 3);
  EXPECT_EQ(s[1].max, 8);
  EXPECT_TRUE(s[2].constant());
  EXPECT_FALSE(s[0].constant());
  EXPECT_THAT(class_counts(set), ElementsAre(1, 2, 1));
  EXPECT_THAT(duplicates(set), ElementsAre(Pair{1, 3}));
  EXPECT_THAT(message_of(ErrorKind::value, [&] { fit_scaling(set); }), HasSubstr("channel 1"));
  const Scaling scaling = fit_scaling(rows_of({1, 5, 3, 5}, {0, 0}));
  EXPECT_THAT(scaling.mean, ElementsAre(2, 5));
  EXPECT_THAT(scaling.std, ElementsAre(1, 1));
}

TEST(View, ConcatenationTakesTheNamesOfTheFirstThatHasSome) {
  const Tensor images = leaf<float>({1, 1}, std::span<const float>(std::vector<float>{1}));
  const Tensor labels = leaf<std::int64_t>({1}, std::span<const std::int64_t>(std::vector<std::int64_t>{0}));
  const Dataset nameless("a", images, labels), named("b", images, labels, {.class_names = {"cat", "dog"}});
  EXPECT_EQ(concat({nameless, named, nameless}).class_names(), named.class_names());
}

}  // namespace
}  // namespace gradus::data
