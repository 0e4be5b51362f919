#include "gradus/book/deep_learning/language.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradus/base/random.h"
#include "gradus/book/book.h"
#include "gradus/classic/descent.h"
#include "gradus/classic/ngram.h"
#include "gradus/engine/eval.h"
#include "gradus/insight/statistics.h"
#include "gradus/nn/layers/embedding.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"

namespace gradus::book {
namespace {

constexpr std::int64_t alphabet = 27, seen = 8, tested = 4000;

struct LetterNet {
  nn::Embedding letters{alphabet, 16};
  nn::Linear hidden{16 * seen, 128}, out{128, alphabet};
  static constexpr int field_count = 3;

  /// f32 [B, 8], numbers of letters -> [B, 27]
  Tensor operator()(const Tensor& before) const {
    return out(relu(hidden(flatten(letters(cast(before, DType::i64)), 1))));
  }
};

std::int64_t number_of(char letter) { return letter == ' ' ? 0 : letter - 'a' + 1; }

/// Each letter with the eight before it; before the text are spaces.
data::Dataset windows_of(const std::string& text) {
  const std::int64_t count = static_cast<std::int64_t>(text.size());
  std::vector<float> before;
  std::vector<std::int64_t> next;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t j = i - seen; j < i; ++j)
      before.push_back(j < 0 ? 0 : static_cast<float>(number_of(text[static_cast<std::size_t>(j)])));
    next.push_back(number_of(text[static_cast<std::size_t>(i)]));
  }
  return {"letters",
          leaf<float>({count, seen}, std::span<const float>(before)),
          leaf<std::int64_t>({count}, std::span<const std::int64_t>(next)),
          {.num_classes = alphabet}};
}

}  // namespace

const std::string& book_letters() {
  static const std::string all = [] {
    std::string text = " ";
    for (const Entry& entry : entries()) {
      for (const char each : text_of(entry)) {
        const char small = each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
        if (small >= 'a' && small <= 'z') {
          text += small;
        } else if (text.back() != ' ') {
          text += ' ';
        }
      }
    }
    return text;
  }();
  return all;
}

Letters letters_of(std::uint64_t seed, std::int64_t count) {
  const std::string& all = book_letters();
  const std::size_t start =
      static_cast<std::size_t>(random_permutation(static_cast<std::int64_t>(all.size()), Key{seed}.fold(51))[0]);
  const std::string round = all.substr(start) + all.substr(0, start);
  const std::size_t length = std::min(static_cast<std::size_t>(count), round.size() - tested);
  return {round.substr(round.size() - length), round.substr(0, tested)};
}

double bits_of_counts(std::uint64_t seed, std::int64_t count) {
  const Letters letters = letters_of(seed, count);
  return classic::NGram(letters.train, {.history = 4}).bits_per_byte(letters.test);
}

double bits_of_network(std::uint64_t seed, std::int64_t count) {
  const Letters letters = letters_of(seed, count);
  const classic::detail::Stream stream(seed);
  LetterNet net;
  optim::AdamW optimizer(net, {.lr = 3e-3});
  classic::detail::descend(
      optimizer, [&](const Tensor& x) { return net(x); }, windows_of(letters.train),
      {.epochs = 4, .batch_size = 64, .lr = 3e-3}, seed);
  const data::Dataset test = windows_of(letters.test);
  return cross_entropy(net(test.examples()), test.labels()).item<double>() / std::numbers::ln2;
}

void language_figure(Notebook& notebook, Effort effort) {
  const std::uint64_t seeds = effort == Effort::quick ? 2 : effort == Effort::standard ? 3 : 8;
  std::vector<std::int64_t> counts = {2500, 5000, 10000, 20000};
  if (effort != Effort::quick) counts.push_back(40000);
  if (effort == Effort::full) counts.push_back(static_cast<std::int64_t>(book_letters().size()) - tested);
  train::LinePlot plot{
      .title = "Bits for each letter, the text of this book", .x_label = "letters to learn from", .series = {}};
  plot.log_x = true;
  for (const bool network : {true, false}) {
    train::PlotSeries line;
    line.name = network ? "network, eight letters" : "counts, four letters";
    line.points = true;
    for (const std::int64_t count : counts) {
      std::vector<double> bits;
      for (std::uint64_t seed = 1; seed <= seeds; ++seed)
        bits.push_back(network ? bits_of_network(seed, count) : bits_of_counts(seed, count));
      const insight::PairedTest found = insight::paired_t_test(bits);
      line.x.push_back(static_cast<double>(count));
      line.y.push_back(found.mean);
      if (seeds > 2) {  // of two numbers an interval says little but that they are two
        line.low.push_back(found.interval.low);
        line.high.push_back(found.interval.high);
      }
    }
    plot.series.push_back(line);
  }
  notebook.figures.push_back({"letters",
                              "How many bits the next letter of this book costs a reader who has seen so many others: "
                              "27 letters without any knowledge cost 4.75 bits each. Lower is better.",
                              plot});
}

}  // namespace gradus::book
