#include "gradus/train/report/report.h"
#include "gradus/train/report/inside.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "gradus/data/png.h"
#include "gradus/data/png_bytes.h"
#include "gradus/ops/ops.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/inside.h"
#include "gradus/train/report/numbers.h"
#include "gradus/train/report/svg_plot.h"
#include "tests/support/browser.h"
#include "tests/support/files.h"

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

TEST(Figure, NumbersStandBesideThePicture) {
  const PlotSeries a{.name = "a<b", .x = {1, 2}, .y = {0.5, NAN}, .low = {0.25, NAN}, .high = {0.75, NAN}};
  const PlotSeries b{.name = "b", .x = {2, 3}, .y = {7, 8}};
  const std::string wide = figure_html({.title = "t", .x_label = "x", .series = {a, b}}, "<i>c</i>");
  EXPECT_THAT(wide, HasSubstr("<i>c</i><details>"));
  EXPECT_THAT(wide, HasSubstr("\"name\":\"a\\u003cb\""));  // nothing in the data ends the script
  EXPECT_THAT(wide, HasSubstr("\"y\":[0.5,null]"));
  EXPECT_THAT(wide, HasSubstr("<th scope=\"row\" class=\"n\">1</th><td class=\"n\">0.5 [0.25, 0.75]</td><td></td>"));
  EXPECT_THAT(
      wide,
      HasSubstr("<th scope=\"row\" class=\"n\">2</th><td class=\"n\">none [none, none]</td><td class=\"n\">7</td>"));
  EXPECT_THAT(wide, HasSubstr("class=\"interval s0\""));
  const PlotSeries path{.name = "path", .x = {1, 0, 1}, .y = {1, 2, 3}};
  EXPECT_THAT(figure_html({.title = "t", .x_label = "x", .series = {path}}),
              HasSubstr("<th scope=\"row\">path</th><td class=\"n\">0</td><td class=\"n\">2</td>"));
}

TEST(SvgPlot, LogarithmicAxes) {
  EXPECT_THAT(log_ticks(1, 1000, 6), ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT(log_ticks(2, 18, 6), ElementsAre(2, 3, 5, 7, 10));
  EXPECT_THAT(log_ticks(4, 8, 3), ElementsAre(4, 6, 8));
  EXPECT_THAT(log_ticks(0.9, 30, 6), ElementsAre(1, 2, 5, 10, 20));
  EXPECT_EQ(log_ticks(1e-12, 1, 6).size(), 7u);
  const PlotSeries line{.name = "", .x = {1, 10, 100}, .y = {0, 1, 100}};
  const std::string text = svg({.title = "", .x_label = "", .series = {line}, .log_x = true, .log_y = true});
  EXPECT_THAT(text, HasSubstr("d=\"M251.0"));  // 0 has no place; 10 is in the middle of 56 and 446
  EXPECT_THAT(text, Not(HasSubstr("inf")));
  const PlotSeries small{.name = "", .x = {1, 2}, .y = {1e-9, 1}};
  EXPECT_THAT(svg({.title = "", .x_label = "", .series = {small}, .log_y = true}),
              HasSubstr("10<tspan dy=\"-4\" font-size=\"9\">-8</tspan>"));
}

/// What a run with train.record leaves.
Instruments recorded() {
  Instruments seen;
  for (const std::int64_t number : {1, 11}) {
    StepRecord& step = seen.steps.emplace_back();
    step.step = number;
    for (int i = 0; i < 20; ++i) {
      Spread spread;
      spread.norm = i;  // the logarithm of the first does not exist
      spread.nans = 2;
      step.gradients.push_back({fmt::format("<{}>.weight", i), spread});
      step.gradients.push_back({fmt::format("{}.bias", i), spread});
    }
    step.noise = NoiseRecord{.small = 1, .big = 2, .signal = 2, .noise = 50};
  }
  seen.steps[0].updates = {{"w", {}, 2}};  // the other step failed
  EpochRecord& epoch = seen.epochs.emplace_back();
  epoch.epoch = 1;
  epoch.sharpness = SharpnessRecord{.eigenvalue = 3, .iterations = 4, .converged = true, .examples = 8};
  return seen;
}

/// A report with everything that it can hold.
std::string whole_report() {
  const std::vector<std::int64_t> labels = {0, 1, 2, 0, 1, 2};
  const std::vector<std::uint8_t> pixels(6 * 16, 90);
  const data::Dataset set("images", leaf<std::uint8_t>({6, 1, 4, 4}, std::span<const std::uint8_t>(pixels)),
                          leaf<std::int64_t>({6}, std::span<const std::int64_t>(labels)));
  metrics::Classification figures({.classes = 3});
  figures.update(
      tensor({{0.8, 0.1, 0.1}, {0.2, 0.7, 0.1}, {0.1, 0.2, 0.7}, {0.4, 0.5, 0.1}, {0.3, 0.4, 0.3}, {0.6, 0.3, 0.1}}),
      set.labels());
  Recipe recipe;
  ReportInput input{.title = "a-run-with-a-name-that-has-no-place-to-break-it-on-a-phone",
                    .recipe = recipe,
                    .history = {},
                    .best_epoch = 3,
                    .parameters = 61706};
  for (std::int64_t epoch = 1; epoch <= 12; ++epoch) {
    EpochMetrics row{.epoch = epoch, .step = 10 * epoch};
    row.train_loss = 2.3 / static_cast<double>(epoch * epoch);
    row.val_loss = epoch == 5 ? NAN : 2.4 / static_cast<double>(epoch);
    row.train_accuracy = 1 - 0.9 / static_cast<double>(epoch);
    row.val_accuracy = 1 - 0.91 / static_cast<double>(epoch);
    row.lr = 0.1 / static_cast<double>(epoch);
    input.history.push_back(row);
  }
  input.instruments = recorded();
  return report_html(input, set, {figures, {{3, 1, 0, 0.5, 0.4}, {5, 0, 2, 0.6, 0.1}}});
}

/// Pixels of just this colour.
std::int64_t pixels_of(const std::string& png, const std::array<std::uint8_t, 3>& colour) {
  const testing::TemporaryFolder folder;
  testing::write_bytes(folder / "shot.png", png);
  const Tensor picture = data::read_png(folder / "shot.png", {.channels = 3});
  const auto values = picture.data<std::uint8_t>();
  const std::size_t plane = values.size() / 3;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < plane; ++i)
    count += values[i] == colour[0] && values[plane + i] == colour[1] && values[2 * plane + i] == colour[2];
  return count;
}

TEST(Report, ABrowserShowsIt) {
  if (!testing::has_browser()) GTEST_SKIP() << "needs Debian's package chromium";
  const std::string page = whole_report();
  const struct {
    testing::Look look;
    std::array<std::uint8_t, 3> line;  // colour of the first line
  } rows[] = {{{.width = 360}, {0x25, 0x63, 0xa8}},
              {{.width = 1200, .dark = true}, {0x6f, 0xb0, 0xf5}},
              {{.width = 680, .print = true}, {0x25, 0x63, 0xa8}},
              {{.width = 900, .scripts = false}, {0x25, 0x63, 0xa8}}};
  for (const auto& row : rows) {
    const testing::Sight sight = testing::look_at(page, row.look);
    EXPECT_THAT(sight.faults, ::testing::IsEmpty()) << row.look.width;
    EXPECT_EQ(sight.charts, 7);
    EXPECT_EQ(sight.answers, row.look.scripts && !row.look.print && !chart_library().empty() ? 7 : 0);
    EXPECT_GT(pixels_of(sight.screenshot, row.line), 300) << row.look.width;
  }
}

TEST(Report, ABrowserShowsThatOfNumbers) {
  if (!testing::has_browser()) GTEST_SKIP() << "needs Debian's package chromium";
  const data::Dataset set("numbers", tensor({{1.f}, {2.f}, {3.f}, {4.f}}), tensor({1.f, 2.f, -3.f, 4.f}));
  Recipe recipe;
  ReportInput input{.title = "numbers", .recipe = recipe, .history = {}, .best_epoch = 1, .parameters = 2};
  for (std::int64_t epoch = 1; epoch <= 3; ++epoch) {
    EpochMetrics row{.epoch = epoch, .step = epoch};
    row.train_loss = row.val_loss = 1 / static_cast<double>(epoch);
    row.val_fit = row.test_fit = Fit{.r2 = 0.5, .mae = 0.4, .rmse = 0.7};
    input.history.push_back(row);
  }
  const testing::Sight sight = testing::look_at(report_of_numbers(input, set, {1.5, 1.5, -2, 3.75}), {.width = 360});
  EXPECT_THAT(sight.faults, ::testing::IsEmpty());
  EXPECT_EQ(sight.charts, 4);
  EXPECT_EQ(sight.answers, chart_library().empty() ? 0 : 4);
}

TEST(Report, ABrowserSeesWhatIsWrong) {
  if (!testing::has_browser()) GTEST_SKIP() << "needs Debian's package chromium";
  const std::string head =
      "<!DOCTYPE html><html lang=\"en\"><head><title>t</title>" + page_policy() + "</head><body><main><h1>t</h1>";
  const struct {
    const char *body, *fault;
  } rows[] = {{"<div style=\"width:500px\">wide</div>", "sticks out of the window"},
              {"<p style=\"color:#999\">pale</p>", "contrast 2.85 of text"},
              {"<table class=\"claims\"><tbody><tr><td>claim</td></tr></tbody></table>", "a claim without a verdict"},
              {"<script>no_such_function()</script>", "no_such_function is not defined"},
              {"<script>console.error('broken')</script>", "console: broken"},
              {"<img alt=\"far\" src=\"http://localhost:1/x.png\">", "policy: img-src"},
              {"<h3>too deep</h3>", "a heading skips a level"},
              {"<a href=\"#nowhere\">link</a>", "a link leads nowhere"}};
  std::string all = head;
  for (const auto& row : rows) all += row.body;
  const testing::Sight sight = testing::look_at(all + "</main></body></html>", {.width = 360});
  for (const auto& row : rows) EXPECT_THAT(sight.faults, ::testing::Contains(HasSubstr(row.fault)));
}

TEST(Report, ShowsWhatWasRecorded) {
  EXPECT_EQ(inside({}), "");
  const std::string part = inside(recorded());
  EXPECT_THAT(part, HasSubstr("2 steps were looked at; 160 numbers in them were not finite; gradient noise scale 25"));
  EXPECT_THAT(part, HasSubstr("&lt;0&gt;.weight"));
  EXPECT_THAT(part, HasSubstr("(6 of 20)"));
  EXPECT_THAT(part, HasSubstr("Sharpness"));
  EXPECT_THAT(part, Not(HasSubstr("bias")));
  EXPECT_THAT(part, Not(HasSubstr("inf")));
  EXPECT_THAT(part, Not(HasSubstr("Share of dead units")));
}

TEST(Report, ABrowserThatHangsIsKilled) {
  if (!testing::has_browser()) GTEST_SKIP() << "needs Debian's package chromium";
  const std::string page = "<html><head></head><body><script>while (true) {}</script></body></html>";
  EXPECT_THAT(testing::look_at(page, {.patience = std::chrono::seconds(5)}).faults,
              ElementsAre("the browser did not answer within 5 s, and was killed"));
}

}  // namespace
}  // namespace gradus::train
