// Chapter 1's experiment with letters: a model that counts against a network, on a text that everybody has who has this book.
#pragma once

#include <cstdint>
#include <string>

#include "gradus/book/chapter.h"

namespace gradus::book {

/// The chapters that are written, as 26 small letters and spaces: every run of other characters is one space. Some 80,000 letters.
const std::string& book_letters();

/// Letters to learn from, and 4,000 others.
struct Letters {
  std::string train, test;
};
/// The test is a run that starts anywhere, by seed; the training text is the `count` letters before it (the text goes round).
Letters letters_of(std::uint64_t seed, std::int64_t count);

/// Bits for each letter of the test: of classic::NGram with four letters of history ...
double bits_of_counts(std::uint64_t seed, std::int64_t count);
/// ... and of a network (Bengio and others, 2003) that sees the last eight letters as 16 learned numbers each, with one hidden layer of
/// 128 units, trained for four epochs. Equal seeds give equal bits.
double bits_of_network(std::uint64_t seed, std::int64_t count);

void language_figure(Notebook& notebook, Effort effort);

}  // namespace gradus::book
