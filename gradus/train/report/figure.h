// A plot in a page: a picture that needs no script, the numbers behind it, and the script that makes the picture answer.
#pragma once

#include <string>

#include "gradus/train/report/svg_plot.h"

namespace gradus::train {

/// The plot as a part of a page: its SVG, and its numbers as a table that opens. Where the page has page_script(), that draws the
/// picture anew at the width that there is: values under the pointer or the arrow keys, lines to switch on and off, and
/// logarithmic axes to choose.
/// `caption` is HTML, and stands between both.
std::string figure_html(const LinePlot& plot, const std::string& caption = {});

/// What the last lines of a page have to hold, once; empty in a build without D3.
std::string page_script();
/// "D3: d3-array 3.2.0, ..."; empty in a build without it.
std::string chart_library();
/// A sentence on whose work draws the charts; empty likewise.
std::string page_credit();
/// In the head of a page: nothing may be fetched, from anywhere.
std::string page_policy();

}  // namespace gradus::train
