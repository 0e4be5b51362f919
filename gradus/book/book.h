// The twenty chapters: which there are, which are written, and which one answers a question.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/book/chapter.h"

namespace gradus::book {

/// A chapter's place in the book, written or not.
struct Entry {
  int number = 0;
  std::string_view slug;     ///< "gradient-descent"
  std::string_view title;    ///< "Gradient descent"
  std::string_view request;  ///< the question that it answers
  std::string_view terms;    ///< what else people call its subjects when they ask
};
/// All twenty, in order.
const std::vector<Entry>& entries();

/// The experiments and the text of a chapter; nothing when it is not written yet.
std::optional<Chapter> find_chapter(const Entry& entry);
/// CommonMark; see Chapter. Empty when it is not written yet.
std::string_view text_of(const Entry& entry);

/// What answers a question.
struct Answer {
  const Entry* entry = nullptr;  ///< none: the book does not cover it
  std::string section;           ///< heading of the section that fits best; empty: the chapter as a whole
  double score = 0;              ///< the share of the question that what was found speaks of, 0 to 1
};
/// Looks a question up by its words, over titles, requests, terms and sections (the weights of BM25: Robertson and Zaragoza, "The
/// probabilistic relevance framework", 2009). Misspelt words, words cut short and words in two parts are read as the book's.
Answer find_answer(std::string_view question);

/// The entry with this slug or number ("5"), or, for several words, the one that answers them. Throws Error(usage) with the nearest
/// slug, or says that the book does not cover the question.
const Entry& entry_for(const std::string& what);

}  // namespace gradus::book
