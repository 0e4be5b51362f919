#include "gradus/train/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gradus/data/png_bytes.h"
#include "gradus/ops/ops.h"
#include "gradus/train/report/svg_plot.h"

namespace gradus::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SvgPlot, TicksAreRound) {
  EXPECT_THAT(round_ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(round_ticks(-1, 1, 4), ElementsAre(-1, -0.5, 0, 0.5, 1));
  EXPECT_THAT(round_ticks(1, 8, 8), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_TRUE(round_ticks(1, 1, 5).empty());
  EXPECT_TRUE(round_ticks(0, INFINITY, 5).empty());
}

TEST(SvgPlot, LinesBreakWhereNothingIsFinite) {
  PlotSeries series;
  series.name = "a < b";
  series.x = {1, 2, 3, 4};
  series.y = {0, 1, NAN, 1};
  const std::string text = svg({.title = "t & u", .x_label = "epoch", .series = {series}});
  EXPECT_THAT(text, HasSubstr("a &lt; b"));
  EXPECT_THAT(text, HasSubstr("t &amp; u"));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  const std::size_t path = text.rfind("d=\"M");
  const std::string line = text.substr(path, text.find('"', path + 3) - path);
  EXPECT_EQ(std::count(line.begin(), line.end(), 'M'), 2);
  EXPECT_THAT(svg({.title = "", .x_label = "", .series = {}}), HasSubstr("</svg>"));
}

TEST(Report, PicturesStandInThePage) {
  const std::vector<std::int64_t> labels = {0, 1};
  const std::vector<std::uint8_t> pixels = {1, 2, 3, 4};
  const Tensor images = leaf<std::uint8_t>({2, 1, 1, 2}, std::span<const std::uint8_t>(pixels));
  const data::Dataset set("images", images, leaf<std::int64_t>({2}, std::span<const std::int64_t>(labels)));
  EXPECT_EQ(picture_of(set, 1).substr(1, 3), "PNG");
  const std::vector<std::uint8_t> dark = {0, 16}, bright = {0, 255};
  const data::Dataset small("small", leaf<std::uint8_t>({1, 1, 1, 2}, std::span<const std::uint8_t>(dark)),
                            leaf<std::int64_t>({1}, std::span<const std::int64_t>(labels).first(1)),
                            {.class_names = {}, .num_classes = 0, .scaling = {.scale = 1 / 16.0}});
  EXPECT_EQ(picture_of(small, 0),
            data::png_bytes(leaf<std::uint8_t>({1, 1, 2}, std::span<const std::uint8_t>(bright))));
  metrics::Classification figures({.classes = 2});
  figures.update(tensor({{0.25, 0.75}, {0.25, 0.75}}), set.labels());
  Recipe recipe;
  const ReportInput input{
      .title = "run", .recipe = recipe, .history = {{.epoch = 1}}, .best_epoch = 1, .parameters = 6};
  EXPECT_THAT(report_html(input, set, {figures, {{0, 0, 1, 0.75, 0.25}}}),
              HasSubstr("src=\"data:image/png;base64,iVBORw0KGgo"));
}

TEST(Report, EscapesNamesAndNeedsNoPictures) {
  const std::vector<std::int64_t> labels = {0, 1, 1};
  const data::Dataset set("table", tensor({{1.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}}),
                          leaf<std::int64_t>({3}, std::span<const std::int64_t>(labels)),
                          {.class_names = {"<no>", "yes & more"}, .num_classes = 0, .scaling = {}});
  metrics::Classification figures({.classes = 2});
  figures.update(tensor({{0.75, 0.25}, {0.5, 0.5}, {0.9, 0.1}}), set.labels());
  EXPECT_EQ(picture_of(set, 0), "");
  Recipe recipe;
  recipe.model.name = "mlp";
  const ReportInput input{
      .title = "a<b", .recipe = recipe, .history = {{.epoch = 1, .step = 3}}, .best_epoch = 1, .parameters = 6};
  const std::string page = report_html(input, set, {figures, {{2, 1, 0, 0.9, 0.1}, {1, 1, 0, 0.5, 0.5}}});
  EXPECT_THAT(page, HasSubstr("&lt;no&gt; 90.0 %"));
  EXPECT_THAT(page, HasSubstr("<b>33.33 %</b>"));
  EXPECT_THAT(page, HasSubstr("a&lt;b"));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("<no>")));
}

}  // namespace
}  // namespace gradus::train
