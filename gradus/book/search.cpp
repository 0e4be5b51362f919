// Which chapter and section answer a question.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <set>

#include "gradus/book/book.h"

namespace gradus::book {
namespace {

/// Words that say nothing about the topic: of the language, and of how all requests are put.
const std::set<std::string_view> stop_words = {
    "a",     "about",   "all",    "also",    "an",      "and",       "any",          "are",      "as",        "at",
    "be",    "because", "but",    "by",      "can",     "could",     "deep",         "describe", "different", "discuss",
    "do",    "does",    "each",   "example", "explain", "for",       "from",         "give",     "has",       "have",
    "how",   "i",       "if",     "in",      "into",    "is",        "it",           "learning", "make",      "me",
    "model", "more",    "most",   "my",      "not",     "of",        "on",           "one",      "or",        "provide",
    "role",  "say",     "should", "so",      "some",    "such",      "tell",         "than",     "that",      "the",
    "their", "them",    "then",   "there",   "these",   "they",      "this",         "to",       "use",       "used",
    "using", "was",     "we",     "what",    "when",    "where",     "which",        "why",      "will",      "with",
    "work",  "would",   "you",    "your",    "concept", "technique", "significance", "its",      "between",   "process",
    "task"};

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

struct Part {
  const Entry* entry;
  std::string section;
  std::map<std::string, double> weights;  // of words; of length 1 all together
};

using Weights = std::map<std::string, double>;

Weights weighted(std::string_view text, const std::map<std::string, double>& rarity) {
  Weights weights;
  for (const std::string& word : words_of(text)) weights[word] += 1;
  double squares = 0;
  for (auto& [word, weight] : weights) {
    const auto found = rarity.find(word);
    // A word that the book does not have counts against the question as the rarest word would.
    weight = (1 + std::log(weight)) * (found == rarity.end() ? rarity.at("") : found->second);
    squares += weight * weight;
  }
  for (auto& [word, weight] : weights) weight /= std::sqrt(squares);
  return weights;
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
  std::vector<Part> parts;
  std::map<std::string, double> rarity;  // of words; "": of a word that does not occur
};

Index make_index() {
  std::vector<std::pair<Part, std::string>> texts;
  for (const Entry& entry : entries()) {
    texts.push_back({{&entry, "", {}}, std::string(entry.title) + " " + std::string(entry.request)});
    for (auto& [heading, body] : sections_of(text_of(entry)))
      if (answers(heading))
        texts.push_back({{&entry, heading, {}}, std::string(entry.title) + " " + heading + " " + body});
  }
  Index index;
  for (const auto& [part, text] : texts) {
    const std::vector<std::string> words = words_of(text);
    for (const std::string& word : std::set<std::string>(words.begin(), words.end())) index.rarity[word] += 1;
  }
  const double count = static_cast<double>(texts.size());
  for (auto& [word, documents] : index.rarity) documents = std::log((count + 1) / (documents + 0.5));
  index.rarity[""] = std::log((count + 1) / 0.5);
  for (auto& [part, text] : texts) {
    part.weights = weighted(text, index.rarity);
    index.parts.push_back(std::move(part));
  }
  return index;
}

}  // namespace

Answer find_answer(std::string_view question) {
  constexpr double threshold = 0.12;
  static const Index index = make_index();
  const Weights asked = weighted(question, index.rarity);
  Answer best;
  for (const Part& part : index.parts) {
    double score = 0;
    for (const auto& [word, weight] : asked)
      if (const auto found = part.weights.find(word); found != part.weights.end()) score += weight * found->second;
    if (score > best.score) best = {part.entry, part.section, score};
  }
  return best.score < threshold ? Answer{} : best;
}

}  // namespace gradus::book
