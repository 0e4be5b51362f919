#include "gradus/classic/ngram.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "gradus/base/error.h"

namespace gradus::classic {

NGram::NGram(std::string_view text, const NGramOptions& options, SourceLocation where) : history_(options.history) {
  if (text.empty()) throw Error(ErrorKind::value, "NGram", "there is no text").at(where);
  if (options.history < 0 || options.history > 16)
    throw Error(ErrorKind::value, "NGram", fmt::format("history is {}, must be 0 to 16", options.history)).at(where);
  alphabet_ = static_cast<std::int64_t>(std::set<char>(text.begin(), text.end()).size()) + 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (std::size_t length = 0; length <= std::min(i, static_cast<std::size_t>(history_)); ++length) {
      const std::string_view grown = text.substr(i - length, length + 1);
      Context& context = contexts_[std::string(grown.substr(0, length))];
      context.seen += 1;
      context.different += ++counts_[std::string(grown)] == 1;
    }
  }
}

double NGram::probability(std::string_view before, char next) const {
  double p = 1 / static_cast<double>(alphabet_);
  std::string grown;
  for (std::size_t length = 0; length <= std::min(before.size(), static_cast<std::size_t>(history_)); ++length) {
    const std::string history(before.substr(before.size() - length));
    const auto context = contexts_.find(history);
    if (context == contexts_.end()) break;  // longer histories were not seen either
    grown = history + next;
    const auto count = counts_.find(grown);
    const double n = count == counts_.end() ? 0 : static_cast<double>(count->second);
    const double different = static_cast<double>(context->second.different);
    p = (n + different * p) / (static_cast<double>(context->second.seen) + different);
  }
  return p;
}

double NGram::bits_per_byte(std::string_view text, std::int64_t stride, SourceLocation where) const {
  if (text.empty() || stride < 1) {
    throw Error(ErrorKind::value, "bits_per_byte",
                text.empty() ? "there is no text" : fmt::format("stride is {}, must be 1 or more", stride))
        .at(where);
  }
  double bits = 0, count = 0;
  for (std::size_t i = 0; i < text.size(); i += static_cast<std::size_t>(stride)) {
    bits -= std::log2(probability(text.substr(0, i), text[i]));
    count += 1;
  }
  return bits / count;
}

std::int64_t NGram::bytes() const {
  std::size_t sum = 0;
  for (const auto& [text, count] : counts_) sum += text.size() + sizeof count;
  for (const auto& [text, context] : contexts_) sum += text.size() + sizeof context;
  return static_cast<std::int64_t>(sum);
}

}  // namespace gradus::classic
