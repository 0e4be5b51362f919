// Which chapter and section answer a question.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gradus/book/book.h"

namespace gradus::book {
namespace {

/// Words that say nothing about the topic: of the language, and of how all requests are put.
const std::set<std::string_view> stop_words = {
    "a",      "about",   "all",     "also",      "an",           "and",   "any",      "are",       "as",      "at",
    "be",     "because", "but",     "by",        "can",          "could", "describe", "different", "discuss", "do",
    "does",   "each",    "example", "explain",   "for",          "from",  "give",     "has",       "have",    "how",
    "i",      "if",      "in",      "into",      "is",           "it",    "make",     "me",        "model",   "more",
    "most",   "my",      "not",     "of",        "on",           "one",   "or",       "provide",   "role",    "say",
    "should", "so",      "some",    "such",      "tell",         "than",  "that",     "the",       "their",   "them",
    "then",   "there",   "these",   "they",      "this",         "to",    "use",      "used",      "using",   "was",
    "we",     "what",    "when",    "where",     "which",        "why",   "will",     "with",      "work",    "would",
    "you",    "your",    "concept", "technique", "significance", "its",   "between",  "process",   "task",    "neural",
    "choose", "need"};

/// British and American spellings and plurals become one word.
std::string stem(std::string word) {
  const auto end = [&](std::string_view suffix) { return word.size() > suffix.size() + 2 && word.ends_with(suffix); };
  if (const std::size_t at = word.find("isation"); at != std::string::npos) word[at + 1] = 'z';
  if (end("ies")) return word.substr(0, word.size() - 3) + "y";
  if (end("ss") || end("us") || end("is")) return word;
  if (end("s")) word.pop_back();
  return word;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const unsigned char c = i < text.size() ? static_cast<unsigned char>(text[i]) : ' ';
    if (std::isalnum(c) != 0) {
      word += static_cast<char>(std::tolower(c));
    } else if (!word.empty()) {
      word = stem(std::move(word));
      if (!stop_words.contains(word) && word.size() > 1) words.push_back(word);
      word.clear();
    }
  }
  return words;
}

using Counts = std::map<std::string, double>;

struct Part {
  const Entry* entry;
  std::string section;
  Counts counts;  // of words; those of a heading count several times
  double length = 0;
};

void add(Part& part, std::string_view text, double times) {
  for (const std::string& word : words_of(text)) {
    part.counts[word] += times;
    part.length += times;
  }
}

/// The sections of a text: heading and body.
std::vector<std::pair<std::string, std::string>> sections_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> sections;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    if (line.starts_with("## ")) {
      sections.emplace_back(std::string(line.substr(3, line.find_last_not_of("\n") - 2)), "");
    }
    if (!sections.empty()) sections.back().second += line;
    text.remove_prefix(end);
  }
  return sections;
}

/// Whether a section explains something: the lists at the end of a chapter answer no question.
bool answers(std::string_view heading) {
  return heading != "Try it" && heading != "All claims of this chapter" && heading != "References";
}

struct Index {
  std::vector<Part> parts;     // a chapter as a whole: what it is about; then its sections
  Counts rarity;               // of words
  double unknown = 0;          // weight of a word that the book does not have
  double mean_length[2] = {};  // of sections; of chapters
};

Index make_index() {
  constexpr double heading_weight = 3;
  Index index;
  for (const Entry& entry : entries()) {
    const auto sections = sections_of(text_of(entry));
    Part whole{&entry, "", {}};
    add(whole, entry.title, heading_weight);
    add(whole, std::string(entry.request) + " " + std::string(entry.terms), 1);
    index.parts.push_back(std::move(whole));
    for (const auto& [heading, body] : sections) {
      if (!answers(heading)) continue;
      index.parts.push_back({&entry, heading, {}});
      add(index.parts.back(), std::string(entry.title) + " " + heading, heading_weight);
      add(index.parts.back(), body, 1);
    }
  }
  double counts[2] = {};
  for (const Part& part : index.parts) {
    for (const auto& [word, count] : part.counts) index.rarity[word] += 1;
    index.mean_length[part.section.empty()] += part.length;
    counts[part.section.empty()] += 1;
  }
  for (int i = 0; i < 2; ++i) index.mean_length[i] /= std::max(1.0, counts[i]);
  const double all = counts[0] + counts[1];
  for (auto& [word, parts] : index.rarity) parts = std::log(1 + (all - parts + 0.5) / (parts + 0.5));
  index.unknown = 0.75 * std::log(1 + (all + 0.5) / 0.5);
  return index;
}

/// Letters to insert, delete, replace or exchange with a neighbour (Damerau 1964), counted up to `limit`.
std::size_t edits(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

/// The word of the book that is meant by one that it does not have: what was cut short ("backprop"), or misspelt with the
/// first letter right. Empty when there is none.
std::string meant(const std::string& word, const Index& index) {
  if (word.size() < 5) return "";
  std::string best;
  std::size_t fewest = word.size() < 6 ? 0 : word.size() < 10 ? 1 : 2;
  double commonest = std::numeric_limits<double>::infinity();
  for (auto at = index.rarity.lower_bound(word.substr(0, 1)); at != index.rarity.end() && at->first[0] == word[0];
       ++at) {
    const auto& [known, rarity] = *at;
    const std::size_t distance = known.starts_with(word) ? 0 : edits(word, known, fewest);
    if (distance > fewest || (distance == fewest && rarity >= commonest)) continue;
    best = known, fewest = distance, commonest = rarity;
  }
  return best;
}

/// The words of a question as the book writes them: "over-fitting" is one word there.
std::vector<std::string> asked_words(std::string_view question, const Index& index) {
  std::vector<std::string> asked = words_of(question), words;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (i + 1 < asked.size() && index.rarity.contains(asked[i] + asked[i + 1])) {
      words.push_back(asked[i] + asked[i + 1]);
      ++i;
    } else if (index.rarity.contains(asked[i])) {
      words.push_back(asked[i]);
    } else {
      const std::string word = meant(asked[i], index);
      words.push_back(word.empty() ? asked[i] : word);
    }
  }
  return words;
}

/// The share of what was asked that a part speaks of, 0 to 1.
double score_of(const Part& part, const std::vector<std::string>& asked, const Index& index) {
  constexpr double saturation = 1.2, length_weight = 0.5;
  double score = 0, all = 0;
  const double relative = part.length / index.mean_length[part.section.empty()];
  for (const std::string& word : asked) {
    const auto rarity = index.rarity.find(word);
    all += rarity == index.rarity.end() ? index.unknown : rarity->second;
    const auto count = part.counts.find(word);
    if (count == part.counts.end()) continue;
    score +=
        rarity->second * count->second / (count->second + saturation * (1 - length_weight + length_weight * relative));
  }
  return all > 0 ? score / all : 0;
}

}  // namespace

Answer find_answer(std::string_view question) {
  constexpr double threshold = 0.33, section_weight = 0.7;
  static const Index index = make_index();
  const std::vector<std::string> asked = asked_words(question, index);
  Answer best;
  double whole = 0, best_section = 0;
  for (const Part& part : index.parts) {
    double score = score_of(part, asked, index);
    if (part.section.empty()) {
      whole = score;
      best_section = 0;
    } else if (score > best_section) {
      best_section = score;
      // As if chapter and section were two independent witnesses, of whom the section knows less about the whole.
      score = 1 - (1 - whole) * (1 - section_weight * score);
    }
    if (score > best.score) best = {part.entry, best_section < threshold ? "" : part.section, score};
  }
  return best.score < threshold ? Answer{} : best;
}

}  // namespace gradus::book
