// A language model that counts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gradus/base/location.h"

namespace gradus::classic {

struct NGramOptions {
  std::int64_t history = 4;  ///< bytes that the next one depends on: a 5-gram; 0 to 16
};

/// The next byte of a text from the last few, with Witten and Bell's smoothing (1991): where a history h was seen n times with t
/// different successors, p(c | h) = (n(h c) + t p(c | h without its first byte)) / (n + t); below the empty history all bytes that
/// occur are equally likely, those of the training text and one more.
///
///   classic::NGram model(train, {.history = 4});
///   model.bits_per_byte(test)
class NGram {
 public:
  /// Throws Error(value) for an empty text or a history out of range.
  explicit NGram(std::string_view text, const NGramOptions& options = {},
                 SourceLocation where = SourceLocation::current());

  /// P(next | the end of `before`), in (0, 1). Over all bytes that occur in the training text, and one that does not, it sums up to 1.
  double probability(std::string_view before, char next) const;
  /// Mean of -log2 p over every `stride`-th byte of a text, each with all bytes before it. Throws Error(value) for an empty text
  /// or stride < 1.
  double bits_per_byte(std::string_view text, std::int64_t stride = 1,
                       SourceLocation where = SourceLocation::current()) const;
  /// Memory of the counts, about.
  std::int64_t bytes() const;

 private:
  struct Context {
    std::int64_t seen = 0, different = 0;
  };

  std::int64_t history_;
  std::int64_t alphabet_ = 0;
  std::unordered_map<std::string, Context> contexts_;
  std::unordered_map<std::string, std::int64_t> counts_;  ///< of a context and the byte behind it
};

}  // namespace gradus::classic
