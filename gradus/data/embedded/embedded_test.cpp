#include "gradus/data/embedded/embedded.h"

#include <gmock/gmock.h>

#include "gradus/data/statistics.h"

namespace gradus::data {
namespace {

using ::testing::ElementsAre;

TEST(Embedded, DigitsAreAsPublished) {
  const Dataset all = digits();
  EXPECT_EQ(all.examples().spec(), (TensorSpec{DType::u8, {1797, 1, 8, 8}}));
  EXPECT_THAT(class_counts(all), ElementsAre(178, 182, 177, 183, 181, 182, 181, 179, 174, 180));
  const ChannelStatistics s = channel_statistics(all)[0];
  EXPECT_EQ(s.min, 0);
  EXPECT_EQ(s.max, 1);
  EXPECT_NEAR(s.mean * 16, 4.884164579855314, 1e-6);  // numpy: load_digits().data.mean(), .std()
  EXPECT_NEAR(s.std * 16, 6.016787548672236, 1e-6);
  EXPECT_EQ(digits(Split::train).size(), 1438);
  EXPECT_EQ(digits(Split::test).size(), 359);
  for (const std::int64_t count : class_counts(digits(Split::test))) EXPECT_NEAR(static_cast<double>(count), 36, 1.5);
}

TEST(Embedded, BreastCancerIsAsPublished) {
  const Dataset all = breast_cancer();
  EXPECT_EQ(all.examples().spec(), (TensorSpec{DType::f32, {569, 30}}));
  EXPECT_THAT(all.class_names(), ElementsAre("benign", "malignant"));
  EXPECT_THAT(class_counts(all), ElementsAre(357, 212));
  const auto s = channel_statistics(all);
  EXPECT_NEAR(s[0].min, 6.981, 1e-5);  // the description's table: radius (mean), area (worst)
  EXPECT_NEAR(s[0].max, 28.11, 1e-5);
  EXPECT_NEAR(s[23].min, 185.2, 1e-4);
  EXPECT_NEAR(s[23].max, 4254, 1e-3);
  EXPECT_EQ(breast_cancer(Split::train).size(), 455);
  EXPECT_EQ(breast_cancer(Split::test).size(), 114);
  EXPECT_EQ(duplicates(all).size(), 0u);
}

TEST(Embedded, GermanCreditIsAsPublished) {
  const Table table = german_credit_table();
  EXPECT_EQ(table.rows(), 1000);
  ASSERT_EQ(table.columns.size(), 21u);
  std::int64_t numbers = 0, good = 0;
  for (const Column& column : table.columns) {
    EXPECT_EQ(column.missing_count(), 0) << column.name;
    numbers += column.type == ColumnType::i64;
  }
  for (std::int64_t row = 0; row < table.rows(); ++row) good += table.column("class").text(row) == "good";
  EXPECT_EQ(numbers, 7);
  EXPECT_EQ(good, 700);
  EXPECT_EQ(table.column("age").number(0), 67);  // the first row of the original: A11 6 A34 A43 1169 A65 A75 4 ... 67
  EXPECT_EQ(table.column("credit_amount").number(0), 1169);
}

TEST(Embedded, ScalingIsFittedAndApplied) {
  const Dataset train = breast_cancer(Split::train);
  const Scaling scaling = fit_scaling(train);
  ASSERT_EQ(scaling.mean.size(), 30u);
  for (const ChannelStatistics& s : channel_statistics(breast_cancer(Split::train, scaling.mean, scaling.std))) {
    EXPECT_NEAR(s.mean, 0, 1e-6);
    EXPECT_NEAR(s.std, 1, 1e-6);
  }
}

}  // namespace
}  // namespace gradus::data
