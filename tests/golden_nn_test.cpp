// Parity with PyTorch for the layers and losses of nn, from the files that tools/golden/nn.py writes: outputs, gradients,
// names and shapes of the state, running statistics over steps, training and evaluation mode.
#include <algorithm>
#include <set>

#include "golden.h"

namespace gradus {
namespace {

using namespace testing;

/// Compares one layer, which is called on all inputs of the case, with what PyTorch recorded.
template <class Layer, class Call>
void check_layer(const GoldenFile& file, const std::string& name, Layer layer, bool training, const Call& call) {
  SCOPED_TRACE(name);
  NamedTensors state;
  std::set<std::string> names;
  for (const auto& [key, tensor] : below(file, name + ".state.")) {
    state.emplace_back(key, tensor);
    names.insert(key);
  }
  std::set<std::string> ours;
  for (const auto& [key, tensor] : nn::state_dict(layer)) ours.insert(key);
  EXPECT_EQ(ours, names);
  nn::load_state_dict(layer, state);
  nn::train(layer, training);
  Tensors inputs, wrt;
  std::vector<std::string> keys;
  for (int i = 0; file.contains(name + ".input" + std::to_string(i)); ++i) {
    keys.push_back("input" + std::to_string(i));
    inputs.push_back(file.at(name + "." + keys.back()));
    wrt.push_back(is_floating(inputs.back().dtype()) ? inputs.back() : Tensor());
  }
  nn::visit(layer, [&](const std::string& path, auto& field) {
    if constexpr (std::same_as<std::remove_cvref_t<decltype(field)>, nn::Parameter>) {
      keys.push_back(path);
      wrt.push_back(field.tensor());
    }
  });
  const Tensor y = call(layer, inputs);
  const Tensors gradients = grad(sum(y * file.at(name + ".cotangent")), wrt);
  expect_close(y, file.at(name + ".y"), "output");
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    if (wrt[i].defined()) expect_close(gradients[i], file.at(name + ".grad." + keys[i]), "gradient of " + keys[i]);
  }
  for (const auto& [key, tensor] : nn::state_dict(layer)) {
    const std::string after = name + ".after." + key;
    expect_close(tensor, file.at(file.contains(after) ? after : name + ".state." + key), key);
  }
}

template <class Layer>
void check_layer(const GoldenFile& file, const std::string& name, Layer layer, bool training = true) {
  check_layer(file, name, std::move(layer), training, [](Layer& l, const Tensors& in) {
    if constexpr (std::invocable<Layer&, const TensorArg&, const TensorArg&>) {
      if (in.size() == 2) return l(in[0], in[1]);
    }
    if constexpr (std::invocable<Layer&, const TensorArg&>) return l(in[0]);
    return Tensor();
  });
}

TEST(GoldenNn, NormsWithState) {
  const GoldenFile file = golden("nn_layers");
  for (const bool training : {true, false}) {
    const std::string mode = training ? "_train" : "_eval";
    check_layer(file, "batch_norm1d" + mode, nn::BatchNorm1d(3), training);
    check_layer(file, "batch_norm1d_length" + mode, nn::BatchNorm1d(3, {.eps = 1e-3, .momentum = 0.3}), training);
    check_layer(file, "batch_norm2d" + mode, nn::BatchNorm2d(3), training);
    check_layer(file, "batch_norm2d_cumulative" + mode, nn::BatchNorm2d(2, {.momentum = std::nullopt}), training);
    check_layer(file, "batch_norm2d_untracked" + mode, nn::BatchNorm2d(2, {.track_running_stats = false}), training);
    check_layer(file, "batch_norm3d" + mode, nn::BatchNorm3d(2, {.affine = false}), training);
    check_layer(file, "instance_norm1d" + mode, nn::InstanceNorm1d(3), training);
    check_layer(file, "instance_norm2d" + mode, nn::InstanceNorm2d(3, {.affine = true, .track_running_stats = true}),
                training);
    check_layer(file, "instance_norm3d" + mode, nn::InstanceNorm3d(2, {.affine = true}), training);
  }
}

TEST(GoldenNn, NormsWithoutState) {
  const GoldenFile file = golden("nn_layers");
  check_layer(file, "layer_norm", nn::LayerNorm(7));
  check_layer(file, "layer_norm_2d", nn::LayerNorm({4, 5}, {.eps = 1e-3}));
  check_layer(file, "layer_norm_no_bias", nn::LayerNorm(7, {.bias = false}));
  check_layer(file, "layer_norm_plain", nn::LayerNorm(7, {.elementwise_affine = false}));
  check_layer(file, "group_norm", nn::GroupNorm(2, 6));
  check_layer(file, "group_norm_plain", nn::GroupNorm(3, 6, {.affine = false}));
  check_layer(file, "rms_norm", nn::RMSNorm(7));
  check_layer(file, "rms_norm_eps", nn::RMSNorm({3, 4}, {.eps = 1e-2}));
  check_layer(file, "local_response_norm", nn::LocalResponseNorm{3, 0.2, 0.6, 2.0});
  check_layer(file, "local_response_norm_even", nn::LocalResponseNorm{4});
}

TEST(GoldenNn, TablesAndDistances) {
  const GoldenFile file = golden("nn_layers");
  check_layer(file, "bilinear", nn::Bilinear(4, 3, 5));
  check_layer(file, "bilinear_no_bias", nn::Bilinear(4, 3, 2, {.bias = false}));
  check_layer(file, "embedding", nn::Embedding(7, 3, {.padding_idx = 2}));
  check_layer(file, "cosine_similarity", nn::CosineSimilarity{});
  check_layer(file, "pairwise_distance", nn::PairwiseDistance{});
  check_layer(file, "pairwise_distance_p3", nn::PairwiseDistance{3, 1e-3, true});
}

TEST(GoldenNn, ConvolutionsAndPools) {
  const GoldenFile file = golden("nn_layers");
  check_layer(file, "conv1d", nn::Conv1d(4, 6, 3, {.stride = 2, .padding = 1, .groups = 2}));
  check_layer(file, "conv1d_same", nn::Conv1d(2, 3, 4, {.padding = "same", .dilation = 2}));
  check_layer(file, "conv3d", nn::Conv3d(2, 3, {2, 3, 2}, {.padding = {1, 0, 1}, .bias = false}));
  check_layer(file, "conv_transpose1d",
              nn::ConvTranspose1d(4, 6, 3, {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2}));
  check_layer(file, "conv_transpose2d", nn::ConvTranspose2d(3, 2, {3, 2}, {.stride = 2, .dilation = {2, 1}}));
  check_layer(file, "conv_transpose3d", nn::ConvTranspose3d(2, 2, 2, {.bias = false}));
  check_layer(file, "max_pool1d", nn::MaxPool1d{.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true});
  check_layer(file, "max_pool3d", nn::MaxPool3d{2});
  check_layer(file, "avg_pool1d", nn::AvgPool1d{3, 2, 1, false});
  check_layer(file, "avg_pool3d", nn::AvgPool3d{.kernel = 2, .divisor_override = 3});
  check_layer(file, "adaptive_avg_pool2d", nn::AdaptiveAvgPool2d{{3, 2}});
  check_layer(file, "adaptive_max_pool2d", nn::AdaptiveMaxPool2d{{2, 3}});
  check_layer(file, "lp_pool2d", nn::LpPool2d{2, 2});
}

TEST(GoldenNn, TablesAndBags) {
  const GoldenFile file = golden("nn_images");
  check_layer(file, "prelu", nn::PReLU());
  check_layer(file, "prelu_channels", nn::PReLU(3));
  for (const auto& [name, mode] : {std::pair{"sum", BagMode::sum}, {"mean", BagMode::mean}, {"max", BagMode::max}}) {
    const std::string bag = std::string("embedding_bag_") + name;
    check_layer(file, bag, nn::EmbeddingBag(5, 3, {.mode = mode}));
    check_layer(file, bag + "_padding", nn::EmbeddingBag(5, 3, {.mode = mode, .padding_idx = 1}), true,
                [](auto& layer, const Tensors& in) { return layer(in[0], in[1]); });
  }
  check_layer(file, "embedding_bag_weights", nn::EmbeddingBag(5, 3, {.mode = BagMode::sum}), true,
              [](auto& bag, const Tensors& in) { return bag(in[0], Tensor(), in[1]); });
  check_layer(file, "embedding_bag_offsets_weights", nn::EmbeddingBag(5, 3, {.mode = BagMode::sum}), true,
              [](auto& bag, const Tensors& in) { return bag(in[0], in[1], in[2]); });
  check_layer(file, "embedding_max_norm_2", nn::Embedding(5, 3, {.max_norm = 1.2}));
  check_layer(file, "embedding_max_norm_1", nn::Embedding(5, 3, {.max_norm = 1.2, .norm_type = 1}));
}

TEST(GoldenNn, ImagesRearranged) {
  const GoldenFile file = golden("nn_images");
  check_layer(file, "pixel_shuffle", nn::PixelShuffle{2});
  check_layer(file, "pixel_unshuffle", nn::PixelUnshuffle{2});
  check_layer(file, "upsample_nearest", nn::Upsample{.scale_factor = {2}});
  check_layer(file, "upsample_size", nn::Upsample{{7}});
  check_layer(file, "upsample_bilinear", nn::Upsample{.scale_factor = {2, 1.5}, .mode = Interpolation::bilinear});
  check_layer(file, "upsample_bilinear_corners",
              nn::Upsample{.scale_factor = {2}, .mode = Interpolation::bilinear, .align_corners = true});
  check_layer(file, "upsample_bicubic", nn::Upsample{.scale_factor = {2}, .mode = Interpolation::bicubic});
  check_layer(file, "global_avg_pool", nn::GlobalAvgPool{});
  check_layer(file, "max_unpool1d", nn::MaxUnpool1d{2});
  check_layer(file, "max_unpool2d", nn::MaxUnpool2d{2});
  check_layer(file, "max_unpool3d", nn::MaxUnpool3d{2});
}

TEST(GoldenNn, Paddings) {
  const GoldenFile file = golden("nn_images");
  const auto check_pads = [&]<int Dims>(const std::string& axes, const nn::Sides<Dims>& sides) {
    check_layer(file, "constant_pad" + axes, nn::ConstantPad<Dims>{sides, 0.5});
    check_layer(file, "zero_pad" + axes, nn::ZeroPad<Dims>{sides});
    check_layer(file, "replication_pad" + axes, nn::ReplicationPad<Dims>{sides});
    check_layer(file, "circular_pad" + axes, nn::CircularPad<Dims>{sides});
    check_layer(file, "reflection_pad" + axes, nn::ReflectionPad<Dims>{sides});
  };
  check_pads("1d", nn::Sides<1>{1, 2});
  check_pads("2d", nn::Sides<2>{1, 2, 3, 4});
  check_pads("3d", nn::Sides<3>{1, 0, 0, 2, 1, 1});
}

/// A loss of a case: inputs in the order of `inputs`, and the reduction.
struct LossCase {
  const char* name;
  std::vector<std::string> inputs;
  std::function<Tensor(const Tensors&, Reduction)> function;
};

void check_loss(const GoldenFile& file, const LossCase& c) {
  for (const auto& [suffix, reduction] :
       {std::pair{"mean", Reduction::mean}, {"sum", Reduction::sum}, {"none", Reduction::none}}) {
    const std::string prefix = std::string(c.name) + "_" + suffix + ".";
    SCOPED_TRACE(prefix);
    Tensors inputs, wrt;
    for (const std::string& name : c.inputs) {
      inputs.push_back(file.at(prefix + name));
      wrt.push_back(file.contains(prefix + "grad." + name) ? inputs.back() : Tensor());
    }
    const Tensor y = c.function(inputs, reduction);
    const Tensors gradients = grad(sum(y * file.at(prefix + "cotangent")), wrt);
    expect_close(y, file.at(prefix + "y"), "loss");
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      if (wrt[i].defined())
        expect_close(gradients[i], file.at(prefix + "grad." + c.inputs[i]), "gradient of " + c.inputs[i]);
    }
  }
}

using In = const Tensors&;

TEST(GoldenNn, ClassificationLosses) {
  const GoldenFile file = golden("nn_losses");
  const Tensor weight = file.at("class_weight");
  const std::vector<std::string> labels{"input", "labels"}, target{"input", "target"};
  const LossCase cases[] = {
      {"cross_entropy_weight", labels,
       [&](In x, Reduction r) { return cross_entropy(x[0], x[1], {.reduction = r, .weight = weight}); }},
      {"cross_entropy_weight_smoothing", labels,
       [&](In x, Reduction r) {
         return cross_entropy(x[0], x[1], {.label_smoothing = 0.2, .reduction = r, .weight = weight});
       }},
      {"cross_entropy_probabilities", target,
       [&](In x, Reduction r) {
         return cross_entropy(x[0], x[1], {.label_smoothing = 0.1, .reduction = r, .weight = weight});
       }},
      {"cross_entropy_probabilities_images", target,
       [](In x, Reduction r) { return cross_entropy(x[0], x[1], {.reduction = r}); }},
      {"nll_loss", labels, [&](In x, Reduction r) { return nll_loss(x[0], x[1], {.reduction = r, .weight = weight}); }},
      {"kl_div", target, [](In x, Reduction r) { return kl_div(x[0], x[1], {.reduction = r}); }},
      {"kl_div_log_target", target,
       [](In x, Reduction r) { return kl_div(x[0], x[1], {.reduction = r, .log_target = true}); }},
      {"multi_margin_loss", labels, [](In x, Reduction r) { return multi_margin_loss(x[0], x[1], {.reduction = r}); }},
      {"multi_margin_loss_weight", labels,
       [&](In x, Reduction r) {
         return multi_margin_loss(x[0], x[1], {.p = 2, .margin = 0.7, .reduction = r, .weight = weight});
       }},
      {"multilabel_margin_loss", labels,
       [](In x, Reduction r) { return multilabel_margin_loss(x[0], x[1], {.reduction = r}); }},
      {"focal", target, [](In x, Reduction r) { return sigmoid_focal_loss(x[0], x[1], {.reduction = r}); }},
      {"focal_gamma", target,
       [](In x, Reduction r) { return sigmoid_focal_loss(x[0], x[1], {.alpha = 0.6, .gamma = 0.5, .reduction = r}); }},
  };
  for (const LossCase& c : cases) check_loss(file, c);
  check(file, {"kl_div_batch_mean", target, [](In x) { return kl_div(x[0], x[1], {.batch_mean = true}); }});
}

TEST(GoldenNn, BinaryLosses) {
  const GoldenFile file = golden("nn_losses");
  const Tensor weight = file.at("class_weight"), pos_weight = file.at("pos_weight");
  const std::vector<std::string> target{"input", "target"};
  const LossCase cases[] = {
      {"binary_cross_entropy", target,
       [](In x, Reduction r) { return binary_cross_entropy(x[0], x[1], {.reduction = r}); }},
      {"binary_cross_entropy_weight", target,
       [&](In x, Reduction r) { return binary_cross_entropy(x[0], x[1], {.reduction = r, .weight = weight}); }},
      {"binary_cross_entropy_with_logits", target,
       [](In x, Reduction r) { return binary_cross_entropy_with_logits(x[0], x[1], {.reduction = r}); }},
      {"binary_cross_entropy_with_logits_weights", target,
       [&](In x, Reduction r) {
         return binary_cross_entropy_with_logits(x[0], x[1],
                                                 {.reduction = r, .weight = weight, .pos_weight = pos_weight});
       }},
      {"soft_margin_loss", target, [](In x, Reduction r) { return soft_margin_loss(x[0], x[1], {.reduction = r}); }},
      {"multilabel_soft_margin_loss", target,
       [&](In x, Reduction r) { return multilabel_soft_margin_loss(x[0], x[1], {.reduction = r, .weight = weight}); }},
      {"hinge_embedding_loss", target,
       [](In x, Reduction r) { return hinge_embedding_loss(x[0], x[1], {.margin = 0.7, .reduction = r}); }},
  };
  for (const LossCase& c : cases) check_loss(file, c);
}

TEST(GoldenNn, RegressionAndMarginLosses) {
  const GoldenFile file = golden("nn_losses");
  const std::vector<std::string> target{"input", "target"}, var{"input", "target", "var"},
      pair{"input1", "input2", "target"}, triplet{"anchor", "positive", "negative"};
  const LossCase cases[] = {
      {"l1_loss", target, [](In x, Reduction r) { return l1_loss(x[0], x[1], {.reduction = r}); }},
      {"huber_loss", target, [](In x, Reduction r) { return huber_loss(x[0], x[1], {.delta = 0.8, .reduction = r}); }},
      {"smooth_l1_loss", target,
       [](In x, Reduction r) { return smooth_l1_loss(x[0], x[1], {.beta = 0.7, .reduction = r}); }},
      {"poisson_nll_loss", target, [](In x, Reduction r) { return poisson_nll_loss(x[0], x[1], {.reduction = r}); }},
      {"poisson_nll_loss_full", target,
       [](In x, Reduction r) {
         return poisson_nll_loss(x[0], x[1], {.log_input = false, .full = true, .reduction = r});
       }},
      {"gaussian_nll_loss", var,
       [](In x, Reduction r) { return gaussian_nll_loss(x[0], x[1], x[2], {.reduction = r}); }},
      {"gaussian_nll_loss_full", var,
       [](In x, Reduction r) {
         return gaussian_nll_loss(x[0], x[1], x[2], {.full = true, .eps = 0.3, .reduction = r});
       }},
      {"margin_ranking_loss", pair,
       [](In x, Reduction r) { return margin_ranking_loss(x[0], x[1], x[2], {.margin = 0.4, .reduction = r}); }},
      {"cosine_embedding_loss", pair,
       [](In x, Reduction r) { return cosine_embedding_loss(x[0], x[1], x[2], {.margin = 0.1, .reduction = r}); }},
      {"triplet_margin_loss", triplet,
       [](In x, Reduction r) { return triplet_margin_loss(x[0], x[1], x[2], {.reduction = r}); }},
      {"triplet_margin_loss_swap", triplet,
       [](In x, Reduction r) {
         return triplet_margin_loss(x[0], x[1], x[2], {.margin = 2, .p = 3, .swap = true, .reduction = r});
       }},
  };
  for (const LossCase& c : cases) check_loss(file, c);
}

TEST(GoldenNn, FiveStepsThroughBatchNorms) {
  const GoldenFile file = golden("nn_batch_norm");
  nn::Sequential model{nn::Linear(4, 6),
                       nn::BatchNorm1d(6),
                       nn::ReLU(),
                       nn::Linear(6, 5),
                       nn::BatchNorm1d(5, {.momentum = std::nullopt}),
                       nn::Linear(5, 3)};
  nn::load_state_dict(model, below(file, "initial."));
  optim::SGD optimizer(model, {.lr = 0.1, .momentum = 0.9});
  const auto row = [&](const char* name, std::int64_t step) {
    return squeeze(slice(file.at(name), 0, step, step + 1), 0);
  };
  std::vector<double> losses;
  for (std::int64_t step = 0; step < 5; ++step) {
    const Tensor loss = cross_entropy(model(row("inputs", step)), row("labels", step));
    optimizer.minimize(loss);
    losses.push_back(loss.item<double>());
  }
  EXPECT_LE(relative_error(losses, file.at("losses").to_vector<double>()), golden_tolerance);
  for (const auto& [path, tensor] : nn::state_dict(model)) expect_close(tensor, file.at("final." + path), path);
  nn::eval_mode(model);
  expect_close(model(row("inputs", 0)), file.at("eval"), "evaluation mode");
}

}  // namespace
}  // namespace gradus
