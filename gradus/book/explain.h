// Runs what a chapter says, and shows it: in the terminal, as a page, as JSON.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gradus/book/book.h"

namespace gradus::book {

/// A chapter with all that was measured for it.
struct Explanation {
  const Entry* entry = nullptr;
  Chapter chapter;
  Effort effort = Effort::standard;
  std::vector<insight::ClaimResult> claims;
  std::vector<train::OracleResult> oracles;
  Notebook notebook;
  std::map<std::string, std::string> left_out = {};  ///< see Chapter::left_out
  insight::Provenance provenance;
};

/// Told what is being measured now: "claim 3 of 7: ..., seed 2 of 5".
using Progress = std::function<void(const std::string&)>;

/// Processor and threads.
std::string this_machine();

/// Throws Error(usage) for a chapter that is not written yet, and says what it will answer.
void require_written(const Entry& entry);
/// Measures everything. Throws as require_written().
Explanation explain(const Entry& entry, Effort effort, const Progress& progress = {});

/// The text in pieces, in order: what is CommonMark, with its {{values}} filled in, and what a line with @ brings in.
struct Piece {
  enum class Kind { text, figure, claim, claims, oracles, left_out } kind = Kind::text;
  std::string content;  ///< CommonMark, the ID, or why it was left out
};
/// Throws Error(value) for a value, figure or claim that does not exist, or a figure that the text never shows.
std::vector<Piece> pieces_of(const Explanation& explanation, std::string_view text);

/// "+0.328 [0.160, 0.496]"
std::string effect_text(const insight::ClaimResult& result);
/// One sentence: what the verdict rests on.
std::string reason_of(const insight::ClaimResult& result);

/// For a terminal of `width` columns; with `colour`, escape sequences for bold and for verdicts.
std::string terminal_text(const Explanation& explanation, int width, bool colour);
/// A plot in braille characters with axes: about `width` x `height` characters.
std::string terminal_chart(const train::LinePlot& plot, int width, int height);
/// A page that needs nothing else: it may not even use the network. In a book, with links to the chapters around it.
std::string page(const Explanation& explanation, bool in_book = false);
/// The page that leads to the others: all twenty chapters, with the verdicts of those that were measured.
std::string index_page(const std::vector<Explanation>& explanations);
/// One object, on one line.
std::string json_text(const Explanation& explanation);

}  // namespace gradus::book
