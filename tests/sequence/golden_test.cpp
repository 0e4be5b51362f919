// Parity with PyTorch for attention, recurrent layers and the models made of them, from the files that
// tools/golden/sequence.py writes. All numbers there are f64; f32 and f64 are compared with them.
#include "tests/golden.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/models/bert.h"
#include "gradus/models/gpt.h"

namespace gradus {
namespace {

using namespace testing;

double bound(DType dtype) { return dtype == DType::f32 ? 1e-5 : 1e-10; }

/// The tensors `names` of a case, the floating ones in `dtype`.
Tensors inputs_of(const GoldenFile& file, const std::string& name, const std::vector<std::string>& names, DType dtype) {
  Tensors inputs;
  for (const std::string& input : names) {
    const Tensor& x = file.at(name + "." + input);
    inputs.push_back(is_floating(x.dtype()) ? cast(x, dtype) : x);
    eval(inputs.back());
  }
  return inputs;
}

/// Compares outputs, and the gradients of sum(output * cotangent) for the tensors `wrt` called `names`.
void compare(const GoldenFile& file, const std::string& name, const Tensors& outputs,
             const std::vector<std::string>& names, const Tensors& wrt, DType dtype) {
  Tensor total;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor part = sum(outputs[i] * cast(file.at(name + ".cotangent" + std::to_string(i)), dtype));
    total = total.defined() ? total + part : part;
  }
  const Tensors gradients = grad(total, wrt);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].dtype(), dtype);
    expect_close(outputs[i], file.at(name + ".y" + std::to_string(i)), "output", bound(dtype));
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string key = name + ".grad." + names[i];
    if (file.contains(key)) expect_close(gradients[i], file.at(key), "gradient of " + names[i], bound(dtype));
  }
}

void check_function(const GoldenFile& file, const std::string& name, const std::vector<std::string>& names,
                    const std::function<Tensor(const Tensors&)>& call) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    SCOPED_TRACE(name + " " + std::string(name_of(dtype)));
    const Tensors inputs = inputs_of(file, name, names, dtype);
    compare(file, name, {call(inputs)}, names, inputs, dtype);
  }
}

/// Loads PyTorch's state dict unchanged, calls `call(layer, inputs)` and compares, in f32 and in f64.
template <class Layer, class Call>
void check_layer(const GoldenFile& file, const std::string& name, Layer layer, const std::vector<std::string>& names,
                 const Call& call) {
  for (const DType dtype : {DType::f32, DType::f64}) {
    SCOPED_TRACE(name + " " + std::string(name_of(dtype)));
    const NamedTensors state = below(file, name + ".state.");
    if (dtype == DType::f64) {
      nn::visit(layer, [&](const std::string& path, auto& field) { field = file.at(name + ".state." + path); });
    } else {
      nn::load_state_dict(layer, state);
      eval(layer);
    }
    const Tensors inputs = inputs_of(file, name, names, dtype);
    std::vector<std::string> keys;
    Tensors wrt;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!is_floating(inputs[i].dtype())) continue;
      keys.push_back(names[i]);
      wrt.push_back(inputs[i]);
    }
    nn::visit(layer, [&](const std::string& path, auto& field) {
      keys.push_back(path);
      wrt.push_back(field.tensor());
    });
    compare(file, name, call(layer, inputs), keys, wrt, dtype);
  }
}

TEST(GoldenSequence, ScaledDotProductAttention) {
  const GoldenFile file = golden("attention");
  const auto check = [&](const char* name, const ScaledDotProductAttentionOptions& options) {
    check_function(file, name, {"query", "key", "value"},
                   [&](const Tensors& x) { return scaled_dot_product_attention(x[0], x[1], x[2], options); });
  };
  check("sdpa", {});
  check("sdpa_causal", {.is_causal = true});
  check("sdpa_causal_wide", {.is_causal = true});
  check("sdpa_causal_tall", {.is_causal = true});
  check("sdpa_scale", {.scale = 0.3});
  check("sdpa_gqa", {.enable_gqa = true});
  check("sdpa_bool_mask", {.attn_mask = file.at("bool_mask")});
  check_function(file, "sdpa_float_mask", {"query", "key", "value", "mask"},
                 [&](const Tensors& x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.attn_mask = x[3]}); });
}

TEST(GoldenSequence, MultiheadAttention) {
  const GoldenFile file = golden("attention");
  const auto check = [&](const char* name, const nn::MultiheadAttention& layer, const nn::AttentionMasks& masks) {
    std::vector<std::string> names = {"query"};
    if (file.contains(std::string(name) + ".key")) names = {"query", "key", "value"};
    check_layer(file, name, layer, names, [&](const nn::MultiheadAttention& attention, const Tensors& x) {
      return Tensors{attention(x[0], x[x.size() > 1 ? 1 : 0], x[x.size() > 1 ? 2 : 0], masks)};
    });
  };
  const Tensor causal = logical_not(tril(ones({5, 5}, DType::boolean)));
  check("mha_self", {6, 2, {.batch_first = true}}, {});
  check("mha_causal", {6, 2, {.batch_first = true}}, {.is_causal = true});
  check("mha_causal", {6, 2, {.batch_first = true}}, {.attn_mask = causal});
  check("mha_padding", {6, 3, {.batch_first = true}}, {.key_padding_mask = file.at("padding"), .attn_mask = causal});
  check("mha_padding", {6, 3, {.batch_first = true}}, {.key_padding_mask = file.at("padding"), .is_causal = true});
  check("mha_length_first", {6, 2, {.bias = false}}, {});
  check("mha_cross", {6, 2, {.batch_first = true}}, {.attn_mask = file.at("each_head")});
  check("mha_kdim", {4, 2, {.kdim = 3, .vdim = 5}}, {});
  const auto check_weights = [&](const char* name, const nn::MultiheadAttention& layer, const nn::AttentionMasks& masks,
                                 bool average) {
    check_layer(file, name, layer, {"query"}, [&](const nn::MultiheadAttention& attention, const Tensors& x) {
      const nn::AttentionWithWeights y = attention.with_weights(x[0], x[0], x[0], masks, average);
      return Tensors{y.output, y.weights};
    });
  };
  check_weights("mha_unbatched", {4, 2}, {}, true);
  check_weights("mha_weights", {6, 2, {.batch_first = true}}, {.key_padding_mask = file.at("padding")}, false);
}

TEST(GoldenSequence, Lstm) {
  const GoldenFile file = golden("recurrent");
  const auto check = [&](const char* name, const nn::LSTM& layer, const std::vector<std::string>& names) {
    check_layer(file, name, layer, names, [](const nn::LSTM& lstm, const Tensors& x) {
      const nn::LstmOutput y = x.size() == 1 ? lstm(x[0]) : lstm(x[0], {x[1], x[2]});
      return Tensors{y.output, y.state.h, y.state.c};
    });
  };
  check("lstm", {3, 4}, {"x"});
  check("lstm_state", {3, 4, {.bias = false, .batch_first = true}}, {"x", "h", "c"});
  check("lstm_layers", {3, 4, {.num_layers = 2, .batch_first = true}}, {"x", "h", "c"});
  check("lstm_bidirectional", {3, 2, {.num_layers = 2, .bidirectional = true}}, {"x", "h", "c"});
  check("lstm_unbatched", {3, 2, {.bidirectional = true}}, {"x"});
}

TEST(GoldenSequence, TransformerEncoderLayer) {
  const GoldenFile file = golden("sequence_models");
  const auto check = [&](const char* name, const nn::TransformerEncoderLayer& layer) {
    check_layer(file, name, layer, {"x"},
                [](const nn::TransformerEncoderLayer& encoder, const Tensors& x) { return Tensors{encoder(x[0])}; });
  };
  const auto exact_gelu = [](const TensorArg& x) { return gelu(x); };
  check("encoder", {4, 2, {.dim_feedforward = 6, .dropout = 0, .activation = exact_gelu, .batch_first = true}});
  check("encoder_norm_first", {4, 2, {.dim_feedforward = 6, .dropout = 0, .norm_first = true, .bias = false}});
}

TEST(GoldenSequence, Gpt) {
  const models::Gpt model({.vocab_size = 11, .block_size = 6, .n_layer = 2, .n_head = 2, .n_embd = 8});
  check_layer(golden("sequence_models"), "gpt", model, {"ids"},
              [](const models::Gpt& gpt, const Tensors& x) { return Tensors{gpt(x[0])}; });
}

TEST(Sequence, CachedLogitsAreTheFullOnes) {
  models::Gpt gpt({.vocab_size = 17, .block_size = 9, .n_layer = 2, .n_head = 2, .n_embd = 8});
  const Tensor tokens = randint(0, 17, {2, 9}, Key{5});
  const Tensor full = gpt(tokens);
  models::GptCache cache = gpt.new_cache(2);
  Tensors pieces{slice(tokens, 1, 0, 3)}, parts;
  for (std::int64_t i = 3; i < 9; ++i) pieces.push_back(slice(tokens, 1, i, i + 1));
  eval(pieces);
  const auto before = engine::compile_count();
  for (const Tensor& piece : pieces) {
    parts.push_back(gpt.decode(piece, cache));
    eval(parts.back());
  }
  EXPECT_LE(engine::compile_count(), before + 2);  // one plan for the prompt, one for every further position
  EXPECT_EQ(cache.length, 9);
  expect_close(concat(parts, 1), full, "logits", 1e-5);
}

TEST(Sequence, Gpt2FilesOfHuggingFaceLoad) {
  models::Gpt source({.vocab_size = 5, .block_size = 4, .n_layer = 1, .n_head = 1, .n_embd = 2});
  NamedTensors file{{"lm_head.weight", source.wte.weight}, {"transformer.h.0.attn.bias", ones({1, 1, 4, 4})}};
  for (const auto& [key, tensor] : nn::state_dict(source)) {
    const bool conv1d = key.starts_with("h.") && key.ends_with("weight") && tensor.rank() == 2;
    file.emplace_back("transformer." + key, conv1d ? transpose(tensor, 0, 1) : tensor);
  }
  models::Gpt loaded(source.settings);
  nn::load_state_dict(loaded, models::gpt2_state_dict(file));
  eval(loaded);
  const Tensor tokens = randint(0, 5, {2, 4}, Key{5});
  EXPECT_EQ(loaded(tokens).to_vector<float>(), source(tokens).to_vector<float>());
}

TEST(Sequence, PublishedNumbersOfParameters) {
  const models::Gpt baby({.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128, .bias = false});
  EXPECT_EQ(nn::num_parameters(baby), 804096);  // nanoGPT's character model for CPUs, positions included
}

TEST(GoldenSequence, Bert) {
  models::BertForSequenceClassification model({.vocab_size = 7,
                                               .hidden_size = 6,
                                               .num_hidden_layers = 2,
                                               .num_attention_heads = 2,
                                               .intermediate_size = 10,
                                               .max_position_embeddings = 5,
                                               .num_labels = 3});
  nn::eval_mode(model);
  check_layer(golden("sequence_models"), "bert", model, {"ids", "mask", "kinds"},
              [](const models::BertForSequenceClassification& bert, const Tensors& x) {
                return Tensors{bert(x[0], {.attention_mask = x[1], .token_type_ids = x[2]})};
              });
}

}  // namespace
}  // namespace gradus
