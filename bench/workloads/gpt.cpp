#include "gradus/models/gpt.h"

#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/optim/adamw.h"

namespace gradus::bench {
namespace {

constexpr std::int64_t vocabulary = 8192, context = 256, layers = 6, width = 384, sequences = 8;

models::Gpt initial_gpt() {
  models::Gpt model({.vocab_size = vocabulary, .block_size = context, .n_layer = layers, .n_head = 6, .n_embd = width});
  init_parameters(model, {"wte.weight", "wpe.weight"});
  return model;
}

/// Rows of context + 1 tokens: each is followed by the next.
data::Batch batch(std::uint64_t seed) {
  const Tensor tokens = zipf_tokens(seed, vocabulary, {sequences, context + 1});
  const Tensor inputs = slice(tokens, 1, 0, context), labels = slice(tokens, 1, 1, context + 1);
  eval(inputs, labels);
  return {inputs, labels};
}

std::unique_ptr<Task> make_gpt() {
  std::vector<data::Batch> batches;
  for (std::uint64_t i = 0; i < 4; ++i) batches.push_back(batch(200 + i));
  return std::make_unique<Training<models::Gpt>>(
      initial_gpt(), cycle(std::move(batches)),
      [](const Tensor& logits, const Tensor& labels) {
        return cross_entropy(flatten(logits, 0, 1), flatten(labels, 0, 1));
      },
      [](models::Gpt& m) {
        return std::make_unique<optim::AdamW>(
            m, optim::AdamWOptions{.lr = 1e-3, .betas = {0.9, 0.95}, .weight_decay = 0.1});
      });
}

/// Greedy decoding of one whole context after the other.
class GptDecode : public Task {
 public:
  double step() override {
    if (cache_.length == context) {
      cache_ = model_.new_cache(1);
      token_ = first_token();
    }
    token_ = argmax(model_.decode(token_, cache_), -1);
    eval(token_);
    return NAN;
  }
  std::int64_t parameters() const override { return nn::num_parameters(model_); }
  double output_sum() const override { return token_.item<double>(); }

 private:
  static Tensor first_token() { return full({1, 1}, 1, DType::i64); }

  models::Gpt model_ = initial_gpt();
  models::GptCache cache_ = model_.new_cache(1);
  Tensor token_ = first_token();
};

Work gpt_work(std::int64_t tokens) {
  Work work;
  for (std::int64_t i = 0; i < layers; ++i) {
    const Work block = transformer_block_work(tokens, (static_cast<double>(context) + 1) / 2, width);
    work.insert(work.end(), block.begin(), block.end());
  }
  work.push_back({static_cast<double>(tokens * width * vocabulary), true});
  return work;
}

}  // namespace

Workload gpt_decode() {
  return {.name = "gpt_decode",
          .unit = "tokens",
          .per_step = 1,
          .training = false,
          .warmup = 256,
          .steps = 512,
          .work = gpt_work(1),
          .parameter_bytes = 4,
          .make = [] { return std::make_unique<GptDecode>(); }};
}

Workload gpt() {
  return {.name = "gpt",
          .unit = "tokens",
          .per_step = sequences * context,
          .warmup = 2,
          .steps = 6,
          .work = gpt_work(sequences * context),
          .parameter_bytes = 40,
          .make = make_gpt};
}

}  // namespace gradus::bench
