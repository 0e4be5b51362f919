// What a chapter of the book is: a text, the claims that it makes, and the experiments that decide about them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/insight/claims.h"
#include "gradus/train/report/svg_plot.h"
#include "gradus/train/selftest/selftest.h"

namespace gradus::book {

/// How much time an explanation may take: seeds and lengths of experiments.
enum class Effort { quick, standard, full };

/// One line of arithmetic: a function (often none) of a sum of products, and what Gradus found for it.
struct Working {
  std::string name;      ///< of the result: "h1"
  std::string function;  ///< "tanh", or empty
  std::vector<std::vector<double>> terms;
  double value = 0;
};
struct Workings {
  std::string part;  ///< "forwards"
  std::vector<Working> lines;
};

/// A picture and what it shows, in words for those who do not see it.
struct Figure {
  std::string id, caption;
  train::LinePlot plot;
  std::vector<std::vector<Workings>> behind =
      {};  ///< for each point of the only line, if any: arithmetic to follow by hand
};

/// What experiments leave for the text: figures, and numbers that stand in it as {{name}}.
struct Notebook {
  std::vector<Figure> figures;
  std::map<std::string, std::string> values;
};

class Setting;

/// What a chapter claims of a reader's own network, or why it cannot be asked of it.
struct OwnClaim {
  insight::Claim claim;  ///< it may refer to the Setting
  std::string refusal;   ///< not empty: the claim has an id and a sentence only
};

/// The text is CommonMark. A line of its own brings in what was measured:
///
///   @figure ID      a figure of the notebook
///   @claim ID       a claim with its verdict
///   @claims         the table of all claims
///   @oracles        the table of the exact results
///
/// and {{name}} anywhere is a value of the notebook.
struct Chapter {
  std::string summary;  ///< one line for the list
  std::function<std::vector<insight::Claim>(Effort)> claims;
  std::function<void(Notebook&, Effort)> measure;  ///< equal efforts give equal notebooks, bit for bit
  std::vector<std::string_view> oracles;           ///< names of train::oracles() that belong to the chapter
  /// What cannot be measured here or takes more time than the effort allows: the ID of a claim or figure, and a sentence on why, which
  /// stands in its place. Claims of these IDs are not run, and `measure` makes no such figures.
  std::function<std::map<std::string, std::string>(Effort)> left_out = {};
  /// The claims that can be made of a network and data of the reader's own; none where they cannot. See own/setting.h.
  std::function<std::vector<OwnClaim>(const Setting&)> own = {};
  int quick_seconds = 0, standard_seconds = 0, full_seconds = 0;  ///< measured on one core
};

/// Seeds of an effort: 5, 8 or 20.
std::vector<std::uint64_t> seeds_of(Effort effort);

}  // namespace gradus::book
