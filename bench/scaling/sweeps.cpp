#include "bench/scaling/sweeps.h"

#include "bench/numbers.h"
#include "bench/training.h"
#include "gradus/models/gpt.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/sgd.h"
#include "gradus/transform/grad.h"

namespace gradus::bench {
namespace {

constexpr std::int64_t vocabulary = 512;

struct MlpShape {
  std::int64_t batch = 128, width = 512, depth = 2;
};

std::unique_ptr<Task> make_mlp(const MlpShape& shape) {
  models::Mlp model({.hidden = std::vector<std::int64_t>(static_cast<std::size_t>(shape.depth), shape.width)});
  init_parameters(model);
  const data::Batch batch{uniform_tensor(1, {shape.batch, 784}), integers(2, 10, {shape.batch})};
  eval(batch.inputs, batch.labels);
  return std::make_unique<Training<models::Mlp>>(
      std::move(model), cycle({batch}),
      [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); },
      [](models::Mlp& m) { return std::make_unique<optim::SGD>(m, optim::SGDOptions{.lr = 0.01, .momentum = 0.9}); });
}

struct GptShape {
  std::int64_t batch = 4, length = 128, width = 256, depth = 2;
};

models::Gpt gpt_of(const GptShape& shape) {
  models::Gpt model({.vocab_size = vocabulary,
                     .block_size = shape.length,
                     .n_layer = shape.depth,
                     .n_head = shape.width / 64,
                     .n_embd = shape.width});
  init_parameters(model, {"wte.weight", "wpe.weight"});
  return model;
}

data::Batch tokens_of(const GptShape& shape) {
  const Tensor tokens = zipf_tokens(3, vocabulary, {shape.batch, shape.length + 1});
  const Tensor inputs = slice(tokens, 1, 0, shape.length), labels = slice(tokens, 1, 1, shape.length + 1);
  eval(inputs, labels);
  return {inputs, labels};
}

Tensor gpt_loss(const Tensor& logits, const Tensor& labels) {
  return cross_entropy(flatten(logits, 0, 1), flatten(labels, 0, 1));
}

std::unique_ptr<Task> make_gpt(const GptShape& shape) {
  return std::make_unique<Training<models::Gpt>>(
      gpt_of(shape), cycle({tokens_of(shape)}), gpt_loss,
      [](models::Gpt& m) { return std::make_unique<optim::AdamW>(m, optim::AdamWOptions{.lr = 1e-4}); });
}

}  // namespace

std::unique_ptr<Task> usual_mlp() { return make_mlp({}); }
std::unique_ptr<Task> usual_gpt() { return make_gpt({}); }

std::vector<Sweep> sweeps() {
  return {
      {"mlp",
       "batch",
       {8, 16, 32, 64, 128, 256, 512, 1024},
       "1",
       [](std::int64_t x) { return make_mlp({.batch = x}); }},
      {"mlp",
       "width",
       {64, 128, 256, 512, 1024, 2048},
       "1 to 2",
       [](std::int64_t x) { return make_mlp({.width = x}); }},
      {"mlp", "depth", {1, 2, 4, 8, 16}, "1", [](std::int64_t x) { return make_mlp({.depth = x}); }},
      {"gpt", "batch", {1, 2, 4, 8, 16}, "1", [](std::int64_t x) { return make_gpt({.batch = x}); }},
      {"gpt", "width", {64, 128, 256, 512, 1024}, "1 to 2", [](std::int64_t x) { return make_gpt({.width = x}); }},
      {"gpt", "depth", {1, 2, 4, 8}, "1", [](std::int64_t x) { return make_gpt({.depth = x}); }},
      {"gpt",
       "sequence length",
       {32, 64, 128, 256, 512, 1024},
       "1 to 2",
       [](std::int64_t x) { return make_gpt({.length = x}); }},
  };
}

Recorder::Recorder(std::int64_t layers) : model_(gpt_of({.depth = layers})), batch_(tokens_of({.depth = layers})) {}

Tensors Recorder::record() {
  Tensors weights;
  for (const nn::Parameter* parameter : nn::parameters(model_)) weights.push_back(parameter->tensor());
  Tensors step{gpt_loss(model_(batch_.inputs), batch_.labels)};
  const Tensors gradients = grad(step[0], weights);
  for (std::size_t i = 0; i < weights.size(); ++i) step.push_back(weights[i] - gradients[i] * 0.01F);
  return step;
}

}  // namespace gradus::bench
