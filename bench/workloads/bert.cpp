#include "gradus/models/bert.h"

#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/eval.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/view.h"
#include "gradus/optim/adamw.h"

namespace gradus::bench {
namespace {

constexpr std::int64_t vocabulary = 8192, context = 128, layers = 4, width = 256, sequences = 16;

/// The weights of query, key and value are rows of one weight in the peer, and numbered as there: two numbers for each norm
/// and each linear layer. Gains are 1 and biases 0 already.
void init_bert(models::BertForSequenceClassification& model) {
  models::Bert& bert = model.bert;
  bert.embeddings.word_embeddings.weight = initial_weight(0, {vocabulary, width}, true);
  bert.embeddings.position_embeddings.weight = initial_weight(1, {context, width}, true);
  int number = 4;
  for (models::BertLayer& layer : bert.encoder.layer) {
    models::BertSelfAttention& self = layer.attention.self;
    const Tensor all = initial_weight(number + 2, {3 * width, width});
    self.query.weight = slice(all, 0, 0, width);
    self.key.weight = slice(all, 0, width, 2 * width);
    self.value.weight = slice(all, 0, 2 * width, 3 * width);
    layer.attention.output.dense.weight = initial_weight(number + 4, {width, width});
    layer.intermediate.dense.weight = initial_weight(number + 8, {4 * width, width});
    layer.output.dense.weight = initial_weight(number + 10, {width, 4 * width});
    number += 12;
  }
  bert.pooler.dense.weight = initial_weight(number, {width, width});
  model.classifier.weight = initial_weight(number + 2, {2, width});
  model.classifier.bias = zeros({2});
  eval(model);
}

std::unique_ptr<Task> make_bert() {
  using Model = models::BertForSequenceClassification;
  Model model({.vocab_size = vocabulary,
               .hidden_size = width,
               .num_hidden_layers = layers,
               .num_attention_heads = 4,
               .intermediate_size = 4 * width,
               .max_position_embeddings = context,
               .type_vocab_size = 0,
               .gelu = GeluApproximation::tanh,
               .hidden_dropout_prob = 0,
               .attention_probs_dropout_prob = 0,
               .layer_norm_eps = 1e-5,
               .num_labels = 2});
  init_bert(model);
  std::vector<data::Batch> batches;
  for (std::uint64_t i = 0; i < 8; ++i) {
    batches.push_back({zipf_tokens(300 + i, vocabulary, {sequences, context}), integers(350 + i, 2, {sequences})});
  }
  return std::make_unique<Training<Model>>(
      std::move(model), cycle(std::move(batches)),
      [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); },
      [](Model& m) {
        return std::make_unique<optim::AdamW>(
            m, optim::AdamWOptions{.lr = 1e-4, .betas = {0.9, 0.95}, .weight_decay = 0.1});
      });
}

}  // namespace

Workload bert() {
  Work work;
  for (std::int64_t i = 0; i < layers; ++i) {
    const Work block = transformer_block_work(sequences * context, static_cast<double>(context), width);
    work.insert(work.end(), block.begin(), block.end());
  }
  const Work head = dense_work(sequences, {width, width, 2}, false);
  work.insert(work.end(), head.begin(), head.end());
  return {.name = "bert",
          .unit = "samples",
          .per_step = sequences,
          .warmup = 3,
          .steps = 15,
          .work = work,
          .parameter_bytes = 40,
          .make = make_bert};
}

}  // namespace gradus::bench
