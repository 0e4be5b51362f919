// Line plots as SVG, to stand in a page. Colours come from the page: its CSS gives .axis, .grid, .label and .s0, .s1, ...
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gradus::train {

struct PlotSeries {
  std::string name;
  std::vector<double> x, y;                 ///< of equal length; points that are not finite interrupt the line
  bool points = false;                      ///< marks every point; else some, where several lines have to be told apart
  bool dashed = false;                      ///< a reference, not a measurement
  std::vector<double> low = {}, high = {};  ///< an interval around each y, drawn as a bar; or empty
};

struct LinePlot {
  std::string title, x_label;
  std::vector<PlotSeries> series;
  std::optional<std::pair<double, double>> x_range = {}, y_range = {};  ///< else: all that is finite
  bool whole_x = false;                                                 ///< ticks at whole numbers only
  bool log_x = false, log_y = false;  ///< logarithmic axes, on which only positive numbers are drawn
  int width = 460, height = 300;
};

/// The plot with axes, round tick values and a legend. Without a finite point the axes stand alone.
std::string svg(const LinePlot& plot);

/// At most about `count` round numbers (1, 2 or 5 times a power of ten) that cover [low, high] from the inside.
std::vector<double> round_ticks(double low, double high, int count);
/// The same for a logarithmic axis: powers of ten, and where those are few some of their multiples. `low` is positive.
std::vector<double> log_ticks(double low, double high, int count);

/// `text` with the characters that mean something in HTML and SVG written as entities.
std::string escaped(const std::string& text);

}  // namespace gradus::train
