#include <fmt/format.h>

#include "bench/measure.h"
#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"
#include "gradus/nn/layers/embedding.h"
#include "gradus/nn/layers/lstm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/view.h"
#include "gradus/optim/adam.h"

namespace gradus::bench {
namespace {

constexpr std::int64_t vocabulary = 96, hidden = 256, length = 128, sequences = 32;

struct CharLstm {
  nn::Embedding embed{vocabulary, hidden};
  nn::LSTM lstm{hidden, hidden, {.num_layers = 2, .batch_first = true}};
  nn::Linear head{hidden, vocabulary};

  Tensor operator()(const Tensor& tokens) { return head(lstm(embed(tokens)).output); }
};

/// A text that every Debian has: printable ASCII is 0..94, 95 is everything else.
std::vector<std::int64_t> characters() {
  std::vector<std::int64_t> ids;
  for (const char character : io::read_file("/usr/share/common-licenses/GPL-3")) {
    const int code = static_cast<unsigned char>(character) - 32;
    ids.push_back(code < 0 || code > 94 ? 95 : code);
  }
  return ids;
}

/// Windows of the text: each character is followed by the next.
data::Batch batch(const std::vector<std::int64_t>& text, std::uint64_t seed) {
  const Tensor starts = integers(seed, static_cast<std::int64_t>(text.size()) - length - 1, {sequences});
  std::vector<std::int64_t> inputs, labels;
  for (const std::int64_t start : starts.data<std::int64_t>()) {
    const auto begin = text.begin() + start;
    inputs.insert(inputs.end(), begin, begin + length);
    labels.insert(labels.end(), begin + 1, begin + length + 1);
  }
  return {leaf<std::int64_t>({sequences, length}, inputs), leaf<std::int64_t>({sequences, length}, labels)};
}

std::unique_ptr<Task> make_lstm() {
  const double begin = now();
  const std::vector<std::int64_t> text = characters();
  const double seconds = now() - begin;
  CharLstm model;
  init_parameters(model, {"embed.weight"});
  std::vector<data::Batch> batches;
  for (std::uint64_t i = 0; i < 64; ++i) batches.push_back(batch(text, 100 + i));
  auto task = std::make_unique<Training<CharLstm>>(
      std::move(model), cycle(std::move(batches)),
      [](const Tensor& logits, const Tensor& labels) {
        return cross_entropy(flatten(logits, 0, 1), flatten(labels, 0, 1));
      },
      [](CharLstm& m) { return std::make_unique<optim::Adam>(m, optim::AdamOptions{.lr = 2e-3}); });
  task->data_seconds = seconds;
  return task;
}

}  // namespace

Workload lstm() {
  const auto rows = static_cast<double>(sequences * length);
  const LayerWork layer = {rows * 4 * hidden * 2 * hidden, true};
  return {.name = "lstm",
          .unit = "tokens",
          .per_step = sequences * length,
          .warmup = 3,
          .steps = 20,
          .work = {layer, layer, {rows * hidden * vocabulary, true}},
          .parameter_bytes = 40,
          .make = make_lstm};
}

}  // namespace gradus::bench
