#include "gradus/train/report/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/data/png_bytes.h"
#include "gradus/train/evaluate.h"
#include "gradus/train/report/figure.h"
#include "gradus/train/report/inside.h"
#include "gradus/train/report/parts.h"

namespace gradus::train {
namespace {

using metrics::ClassFigures;
using metrics::ConfusionMatrix;

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j) out += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string verdict(const ReportInput& input, const ConfusionMatrix& matrix, const metrics::Classification& figures) {
  const Interval interval = confidence_interval(matrix.correct(), matrix.examples());
  std::int64_t commonest = 0;
  for (std::int64_t c = 0; c < matrix.classes(); ++c) commonest = std::max(commonest, matrix.of_class(c).examples);
  std::string out = "<div class=\"tiles\">";
  out += tile(percent(matrix.accuracy()), fmt::format("test accuracy ({:.2f} to {:.2f} with 95 % confidence)",
                                                      100 * interval.low, 100 * interval.high));
  out += tile(percent(static_cast<double>(commonest) / static_cast<double>(matrix.examples())),
              "baseline: always the commonest class");
  out += tile(fmt::format("{:.4f}", figures.log_loss()), "test loss (cross entropy)");
  out += run_tiles(input);
  return out + "</div>\n";
}

std::string confusion(const data::Dataset& test, const ConfusionMatrix& matrix) {
  std::string out =
      "<h2>Confusion matrix</h2>\n<p class=\"soft\">Rows: what the examples are. Columns: what the model says. Shade: "
      "share "
      "of the row.</p>\n<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"confusion "
      "matrix\"><table class=\"heat\"><thead><tr><th></th>";
  for (std::int64_t c = 0; c < matrix.classes(); ++c)
    out += fmt::format("<th><span>{}</span></th>", escaped(class_name(test, c)));
  out += "</tr></thead><tbody>\n";
  for (std::int64_t label = 0; label < matrix.classes(); ++label) {
    out += fmt::format("<tr><th>{}</th>", escaped(class_name(test, label)));
    const double examples = static_cast<double>(std::max<std::int64_t>(1, matrix.of_class(label).examples));
    for (std::int64_t c = 0; c < matrix.classes(); ++c) {
      const std::int64_t count = matrix.count(label, c);
      const double share = static_cast<double>(count) / examples;
      out += fmt::format("<td class=\"{}{}{}\" style=\"background:rgba(var(--heat),{:.3f})\">{}</td>",
                         count == 0 ? "zero" : "", c == label ? " right" : "", share > 0.55 ? " strong" : "", share,
                         count);
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string class_table(const data::Dataset& test, const metrics::Classification& figures) {
  std::string out =
      "<h2>By class</h2>\n<div class=\"card scroll\"><table><tr><th>class</th><th class=\"n\">examples</th><th "
      "class=\"n\">precision</th><th class=\"n\">recall</th><th class=\"n\">F1</th><th></th><th class=\"n\">ROC "
      "AUC</th></tr>\n";
  const ConfusionMatrix& matrix = figures.confusion();
  for (std::int64_t c = 0; c < matrix.classes(); ++c) {
    const ClassFigures f = matrix.of_class(c);
    out += fmt::format(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{:.4f}</td><td class=\"n\">{:.4f}</td><td "
        "class=\"n\">{:.4f}</td><td><span class=\"bar\" style=\"width:{:.0f}px\"></span></td><td "
        "class=\"n\">{:.4f}</td></tr>\n",
        escaped(class_name(test, c)), f.examples, f.precision, f.recall, f.f1, 90 * f.f1, figures.roc_auc_of_class(c));
  }
  out += fmt::format(
      "<tr><th>mean of the classes</th><td class=\"n\">{}</td><td class=\"n\">{:.4f}</td><td "
      "class=\"n\">{:.4f}</td><td "
      "class=\"n\">{:.4f}</td><td></td><td class=\"n\">{:.4f}</td></tr></table></div>\n",
      matrix.examples(), matrix.precision(), matrix.recall(), matrix.f1(), figures.roc_auc());
  return out;
}

std::string calibration(const metrics::Classification& figures) {
  const PlotSeries ideal{.name = "ideal", .x = {0, 1}, .y = {0, 1}, .points = false, .dashed = true};
  PlotSeries measured{.name = "this model", .x = {}, .y = {}, .points = true};
  std::string rows;
  for (const metrics::CalibrationBin& bin : figures.calibration()) {
    if (bin.examples == 0) continue;
    measured.x.push_back(bin.confidence);
    measured.y.push_back(bin.accuracy);
    rows += fmt::format(
        "<tr><td>{:.2f} to {:.2f}</td><td class=\"n\">{}</td><td class=\"n\">{:.3f}</td><td "
        "class=\"n\">{:.3f}</td></tr>\n",
        bin.low, bin.high, bin.examples, bin.confidence, bin.accuracy);
  }
  std::string out = fmt::format(
      "<h2>Does it know what it knows?</h2>\n<p class=\"soft\">Expected calibration error {:.4f}, Brier score {:.4f}, "
      "Matthews correlation {:.4f}. Above the dashed line the model is too modest, below it too sure.</p>\n",
      figures.calibration_error(), figures.brier(), figures.confusion().mcc());
  out += "<div class=\"two\"><figure class=\"card\">" +
         figure_html({"Accuracy by confidence", "confidence", {measured, ideal}, {{0, 1}}, {{0, 1}}}) + "</figure>";
  return out +
         "<div class=\"card scroll\"><table><tr><th>confidence</th><th class=\"n\">examples</th><th "
         "class=\"n\">mean</th><th class=\"n\">right</th></tr>\n" +
         rows + "</table></div></div>\n";
}

std::string mistakes(const data::Dataset& test, const Examination& examination) {
  const ConfusionMatrix& matrix = examination.figures.confusion();
  const std::int64_t wrong = matrix.examples() - matrix.correct();
  std::string out = "<h2>The most confident mistakes</h2>\n";
  if (wrong == 0) return out + "<p class=\"soft\">None: every test example was classified rightly.</p>\n";
  out += fmt::format(
      "<p class=\"soft\">{} of {} wrong answers, the surest first. Some labels may be wrong themselves.</p>\n",
      examination.mistakes.size(), wrong);
  out += "<div class=\"mistakes\">\n";
  for (const Mistake& m : examination.mistakes) {
    const std::string picture = picture_of(test, m.row);
    out += "<figure>";
    if (!picture.empty())
      out += fmt::format("<img alt=\"test example {}\" src=\"data:image/png;base64,{}\">", m.row, base64(picture));
    out += fmt::format(
        "<figcaption><span class=\"wrong\">{} {:.1f} %</span><br><span class=\"truth\">{} {:.1f} %</span><br><span "
        "class=\"soft\">test example {}</span></figcaption></figure>\n",
        escaped(class_name(test, m.predicted)), 100 * m.probability, escaped(class_name(test, m.label)),
        100 * m.probability_of_label, m.row);
  }
  return out + "</div>\n<p class=\"soft\">First line: what the model says; second line: what the label says.</p>\n";
}

}  // namespace

std::string picture_of(const data::Dataset& dataset, std::int64_t row) {
  const Shape shape = dataset.example_shape();
  const bool image = shape.rank() == 2 || (shape.rank() == 3 && (shape[0] == 1 || shape[0] == 3));
  if (!image || shape.numel() == 0 || shape.numel() > 3 * 512 * 512) return "";
  const auto count = static_cast<std::size_t>(shape.numel()), start = static_cast<std::size_t>(row) * count;
  if (dataset.examples().dtype() == DType::u8) {
    // What the scaling makes 1 is white: the digits of 8x8 go up to 16.
    const double scale = dataset.options().scaling.scale, white = scale < 1 ? 255 * scale : 1;
    std::vector<std::uint8_t> pixels;
    for (const std::uint8_t x : dataset.examples().data<std::uint8_t>().subspan(start, count)) {
      pixels.push_back(static_cast<std::uint8_t>(std::min(255.0, x * white + 0.5)));
    }
    return data::png_bytes(leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(pixels)));
  }
  const auto values = dataset.examples().data<float>().subspan(start, count);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float range = *high > *low ? *high - *low : 1;
  std::vector<std::uint8_t> pixels;
  for (const float x : values) pixels.push_back(static_cast<std::uint8_t>((x - *low) / range * 255));
  return data::png_bytes(leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(pixels)));
}

std::string report_html(const ReportInput& input, const data::Dataset& test, const Examination& examination) {
  const metrics::Classification& figures = examination.figures;
  std::string out = page_head(input, test.size());
  out += verdict(input, figures.confusion(), figures);
  out += curves(input.history) + inside(input.instruments);
  if (figures.confusion().classes() <= 32) out += confusion(test, figures.confusion());
  out += class_table(test, figures);
  out += calibration(figures);
  out += mistakes(test, examination);
  out += origin(input);
  return out + page_end();
}

}  // namespace gradus::train
