// Opens pages in a real browser (Chromium without a window), for tests.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace gradus::testing {

/// Whether the machine has Chromium; tests of pages skip without.
bool has_browser();

/// How a page is looked at.
struct Look {
  int width = 900;                     ///< of the window, in CSS pixels
  bool dark = false;                   ///< prefers-color-scheme: dark
  bool print = false;                  ///< with the rules for paper
  bool scripts = true;                 ///< whether the page's own scripts run
  std::chrono::seconds patience{120};  ///< after which a browser that does not answer is killed
};

/// What a browser saw.
struct Sight {
  std::vector<std::string>
      faults;                   ///< what page_check.js found, and what the browser's console said; none: all is well
  int charts = 0, marks = 0;    ///< figures, and lines and marks in them
  int claims = 0, answers = 0;  ///< claims with a verdict; charts that answered pointer, keys and buttons
  std::string screenshot = {};  ///< a PNG
};

/// Looks at a page. That a browser had to be killed is a fault. Nothing is left behind.
Sight look_at(const std::string& page, const Look& look = {});

}  // namespace gradus::testing
