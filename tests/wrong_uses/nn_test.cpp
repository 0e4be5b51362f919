// Wrong uses of layers, losses, initialisers and models, and what their messages say.
#include "wrong_uses.h"

#include "gradus/gradus.h"
#include "gradus/nn/lsuv.h"

namespace gradus {
namespace {

using testing::check_wrong_uses;
using testing::WrongUse;

Tensor labels(std::initializer_list<std::int64_t> classes) { return from_span(std::vector<std::int64_t>(classes)); }

TEST(WrongUsesNn, LinearAndConvolution) {
  const std::vector<WrongUse> table = {
      {"linear_sizes", [&] { nn::Linear(0, 3); },
       "value error in nn::Linear: sizes must be positive\n"
       "  in_features   0\n"
       "  out_features  3"},
      {"linear_input",
       [&] {
         nn::Linear(3, 4)(zeros({5, 2}));
       },
       "shape error in linear (3 -> 4)\n"
       "  input   f32 [5, 2]   axis 1 is 2, expected 3\n"
       "  weight  f32 [4, 3]\n"
       "  input comes from broadcast_to of f32 []"},
      {"linear_number", [&] { nn::Linear(3, 4)(2.0); }, "usage error in linear: input is a number, expected a tensor"},
      {"conv_channels", [&] { nn::Conv2d(0, 4, 3); },
       "value error in nn::Conv2d: channels must be positive, not 0 -> 4"},
      {"conv_groups", [&] { nn::Conv2d(3, 4, 3, {.groups = 2}); },
       "value error in nn::Conv2d: 2 groups do not divide the channels 3 -> 4"},
      {"conv_stride", [&] { nn::Conv1d(3, 4, 3, {.stride = 0}); },
       "value error in nn::Conv1d: the stride must be positive, not 0"},
      {"conv_padding",
       [&] {
         nn::Conv2d(3, 4, 3, {.padding = {0, -1}});
       },
       "value error in nn::Conv2d: the padding must not be negative: 0 x -1"},
      {"conv_rank",
       [&] {
         nn::Conv2d(3, 4, 3)(zeros({3, 8, 8}));
       },
       "shape error in conv2d (3 -> 4, 3 x 3)\n"
       "  input   f32 [3, 8, 8]   expected 4 axes: (n, c, h, w)\n"
       "  weight  f32 [4, 3, 3, 3]\n"
       "  operand 0 comes from broadcast_to of f32 []\n"
       "  hint: unsqueeze(input, 0) makes a batch of one image"},
      {"conv_input_channels",
       [&] {
         nn::Conv2d(3, 4, 3)(zeros({2, 4, 8, 8}));
       },
       "shape error in conv2d (3 -> 4, 3 x 3)\n"
       "  input   f32 [2, 4, 8, 8]   axis 1 is 4, expected 3\n"
       "  weight  f32 [4, 3, 3, 3]\n"
       "  operand 0 comes from broadcast_to of f32 []"},
      {"transposed_output_padding", [&] { nn::ConvTranspose2d(3, 4, 3, {.output_padding = -1}); },
       "value error in nn::ConvTranspose2d: the output_padding must not be negative: -1 x -1"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, BatchNorm) {
  const std::vector<WrongUse> table = {
      {"batch_norm_features", [&] { nn::BatchNorm2d(0); },
       "value error in nn::BatchNorm2d: num_features must be positive, not 0"},
      {"batch_norm_single_value",
       [&] {
         nn::BatchNorm1d(3)(zeros({1, 3}));
       },
       "shape error in nn::BatchNorm1d: training needs more than one value per channel\n"
       "  input  f32 [1, 3]   1 per channel\n"
       "  hint: use larger batches, drop the last incomplete one, or nn::eval_mode(model) for single examples"},
      {"batch_norm_rank",
       [&] {
         nn::BatchNorm2d(3)(zeros({3, 8, 8}));
       },
       "shape error in nn::BatchNorm2d\n"
       "  input  f32 [3, 8, 8]   expected (n, c, h, w) with c = 3\n"
       "  hint: add the axis of examples: unsqueeze(x, 0)"},
      {"batch_norm_channels",
       [&] {
         nn::BatchNorm2d(3)(zeros({2, 4, 8, 8}));
       },
       "shape error in nn::BatchNorm2d\n"
       "  input  f32 [2, 4, 8, 8]   axis 1 is 4, expected 3"},
      {"batch_norm_integers",
       [&] {
         nn::BatchNorm1d(3)(zeros({2, 3}, DType::i64));
       },
       "dtype error in nn::BatchNorm1d\n"
       "  input  i64 [2, 3]   expected a floating type\n"
       "  hint: convert it: cast(x, DType::f32)"},
      {"instance_norm_rank",
       [&] {
         nn::InstanceNorm1d(3)(zeros({2, 3}));
       },
       "shape error in nn::InstanceNorm1d\n"
       "  input  f32 [2, 3]   expected (n, c, l) with c = 3\n"
       "  hint: add the axis of examples: unsqueeze(x, 0)"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, OtherNorms) {
  const std::vector<WrongUse> table = {
      {"layer_norm_shape",
       [&] {
         nn::LayerNorm(7)(zeros({2, 8}));
       },
       "shape error in layer_norm\n"
       "  input  f32 [2, 8]   its last axes must be [7]"},
      {"layer_norm_empty", [&] { nn::LayerNorm(0); },
       "value error in nn::LayerNorm: normalized_shape must not be empty: [0]"},
      {"group_norm_groups", [&] { nn::GroupNorm(4, 6); },
       "value error in nn::GroupNorm: 4 groups do not divide 6 channels"},
      {"group_norm_channels",
       [&] {
         nn::GroupNorm(2, 6)(zeros({2, 4, 3}));
       },
       "shape error in nn::GroupNorm\n"
       "  input  f32 [2, 4, 3]   expected (n, 6, ...)"},
      {"rms_norm_shape",
       [&] {
         nn::RMSNorm({3, 4})(zeros({4, 3}));
       },
       "shape error in rms_norm\n"
       "  input  f32 [4, 3]   its last axes must be [3, 4]"},
      {"local_response_size",
       [&] {
         nn::LocalResponseNorm{0}(zeros({2, 3, 4, 4}));
       },
       "value error in local_response_norm: size is 0, must be at least 1"},
      {"norm_weight",
       [&] {
         layer_norm(zeros({2, 3}), {3}, zeros({4}));
       },
       "shape error in layer_norm\n"
       "  input   f32 [2, 3]\n"
       "  weight  f32 [4]   expected [3]"},
      {"norm_undefined", [&] { layer_norm(Tensor(), {3}); },
       "usage error in layer_norm: input is undefined, expected a tensor"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, DropoutAndEmbedding) {
  const std::vector<WrongUse> table = {
      {"dropout_rate",
       [&] {
         nn::Dropout{1.5}(zeros({2, 3}));
       },
       "value error in dropout: the probability 1.5 is not in [0, 1]"},
      {"dropout_rank",
       [&] {
         nn::Dropout2d{0.5}(zeros({2, 3}));
       },
       "shape error in nn::Dropout2d\n"
       "  input  f32 [2, 3]   expected 4 axes: (n, channels, ...)"},
      {"dropout_integers",
       [&] {
         nn::Dropout{0.5}(zeros({2, 3}, DType::i64));
       },
       "dtype error in dropout: expected a floating type\n"
       "  input  i64 [2, 3]\n"
       "  input comes from broadcast_to of i64 []\n"
       "  hint: convert it: cast(x, DType::f32)"},
      {"embedding_sizes", [&] { nn::Embedding(0, 3); },
       "value error in nn::Embedding: sizes must be positive, not 0 x 3"},
      {"embedding_padding", [&] { nn::Embedding(5, 3, {.padding_idx = 5}); },
       "value error in nn::Embedding: padding_idx is 5, but there are 5 rows"},
      {"embedding_index",
       [&] {
         nn::Embedding(5, 3)(labels({0, 5}));
       },
       "index error in take\n"
       "  index  i64 [2]   element [1] is 5, expected 0 to 4"},
      {"embedding_floating", [&] { nn::Embedding(5, 3)(zeros({2})); },
       "dtype error in embedding\n"
       "  index  f32 [2]   expected integers"},
      {"bilinear_input",
       [&] {
         nn::Bilinear(3, 4, 2)(zeros({2, 3}), zeros({2, 5}));
       },
       "shape error in bilinear\n"
       "  input1  f32 [2, 3]      expected (.., in1)\n"
       "  input2  f32 [2, 5]      expected (.., in2)\n"
       "  weight  f32 [2, 3, 4]   (out, in1, in2)"},
      {"sequential_number", [&] { nn::Sequential{nn::ReLU()}(1.0); },
       "usage error in nn::Sequential: the input is a number"},
      {"max_pool_kernel",
       [&] {
         nn::MaxPool2d{9}(zeros({1, 1, 4, 4}));
       },
       "shape error in max_pool2d: the kernel is larger than the padded input\n"
       "  input   f32 [1, 1, 4, 4]   axis 2 is 4, 4 with padding\n"
       "  kernel  9 x 9\n"
       "  operand 0 comes from broadcast_to of f32 []"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, RegressionLosses) {
  const std::vector<WrongUse> table = {
      {"mse_broadcast",
       [&] {
         mse_loss(zeros({5, 1}), zeros({5}));
       },
       "shape error in mse_loss: the shapes must be equal\n"
       "  input   f32 [5, 1]\n"
       "  target  f32 [5]\n"
       "  hint: reshape one of them to the shape of the other"},
      {"l1_integers", [&] { l1_loss(zeros({5}), zeros({5}, DType::i64)); },
       "dtype error in l1_loss: both must be floating\n"
       "  input   f32 [5]\n"
       "  target  i64 [5]\n"
       "  hint: convert them: cast(x, DType::f32)"},
      {"huber_delta", [&] { huber_loss(zeros({5}), zeros({5}), {.delta = 0}); },
       "value error in huber_loss: delta is 0, must be positive"},
      {"smooth_l1_beta", [&] { smooth_l1_loss(zeros({5}), zeros({5}), {.beta = -1}); },
       "value error in smooth_l1_loss: beta is -1, must be >= 0"},
      {"cross_entropy_label",
       [&] {
         cross_entropy(zeros({2, 3}), labels({0, 3}));
       },
       "index error in cross_entropy: row 1 has label 3, but there are 3 classes\n"
       "  logits  f32 [2, 3]   labels go from 0 to 2\n"
       "  labels  i64 [2]      element 1 is 3\n"
       "  hint: are the labels counted from 1?"},
      {"cross_entropy_smoothing",
       [&] {
         cross_entropy(zeros({2, 3}), labels({0, 1}), {.label_smoothing = 2});
       },
       "value error in cross_entropy: label_smoothing is 2, must be in [0, 1]"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, ClassificationLosses) {
  const std::vector<WrongUse> table = {
      {"cross_entropy_weight",
       [&] {
         cross_entropy(zeros({2, 3}), labels({0, 1}), {.weight = zeros({2})});
       },
       "shape error in cross_entropy\n"
       "  logits  f32 [2, 3]   3 classes\n"
       "  weight  f32 [2]      expected floating [3]"},
      {"cross_entropy_floating",
       [&] {
         cross_entropy(zeros({2, 3}), zeros({2}));
       },
       "dtype error in cross_entropy\n"
       "  logits  f32 [2, 3]\n"
       "  labels  f32 [2]   expected integers\n"
       "  hint: labels are class numbers, or probabilities of the shape of the logits"},
      {"nll_rank", [&] { nll_loss(zeros({3}), labels({0})); },
       "shape error in nll_loss\n"
       "  log_probabilities  f32 [3]   expected 2 or more axes: (n, classes, ...)\n"
       "  labels             i64 [1]"},
      {"kl_div_shapes",
       [&] {
         kl_div(zeros({2, 3}), zeros({2, 4}));
       },
       "shape error in kl_div: the shapes must be equal\n"
       "  input   f32 [2, 3]\n"
       "  target  f32 [2, 4]"},
      {"bce_probability",
       [&] {
         binary_cross_entropy(from_span(std::vector<float>{0.5f, 1.5f}), zeros({2}));
       },
       "value error in binary_cross_entropy: element 1 of the input is 1.5\n"
       "  input  f32 [2]   expected probabilities in [0, 1]\n"
       "  hint: binary_cross_entropy_with_logits takes the numbers before the sigmoid"},
      {"bce_shapes",
       [&] {
         binary_cross_entropy_with_logits(zeros({4, 1}), zeros({4}));
       },
       "shape error in binary_cross_entropy_with_logits: the shapes must be equal\n"
       "  input   f32 [4, 1]\n"
       "  target  f32 [4]\n"
       "  hint: reshape one of them to the shape of the other"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, DistributionLosses) {
  const std::vector<WrongUse> table = {
      {"bce_pos_weight",
       [&] {
         binary_cross_entropy_with_logits(zeros({4, 3}), zeros({4, 3}), {.pos_weight = zeros({2})});
       },
       "shape error in binary_cross_entropy_with_logits\n"
       "  input       f32 [4, 3]\n"
       "  pos_weight  f32 [2]   does not broadcast to the input"},
      {"gaussian_variance",
       [&] {
         gaussian_nll_loss(zeros({2}), zeros({2}), from_span(std::vector<float>{1, -1}));
       },
       "value error in gaussian_nll_loss: a variance is -1\n"
       "  var  f32 [2]\n"
       "  hint: let the network give log(var), and take exp() of it"},
      {"gaussian_shape",
       [&] {
         gaussian_nll_loss(zeros({2, 3}), zeros({2, 3}), ones({3}));
       },
       "shape error in gaussian_nll_loss\n"
       "  input  f32 [2, 3]\n"
       "  var    f32 [3]   expected [2, 3], [2] or [2, 1]"},
      {"margin_p",
       [&] {
         multi_margin_loss(zeros({2, 3}), labels({0, 1}), {.p = 3});
       },
       "value error in multi_margin_loss: p is 3, must be 1 or 2"},
      {"multilabel_labels",
       [&] {
         multilabel_margin_loss(zeros({2, 3}), zeros({2, 3}));
       },
       "dtype error in multilabel_margin_loss\n"
       "  input   f32 [2, 3]\n"
       "  labels  f32 [2, 3]   expected integers [2, 3]"},
      {"triplet_shapes",
       [&] {
         triplet_margin_loss(zeros({2, 3}), zeros({2, 3}), zeros({2, 4}));
       },
       "shape error in triplet_margin_loss: the shapes must be equal\n"
       "  anchor    f32 [2, 3]\n"
       "  positive  f32 [2, 3]\n"
       "  negative  f32 [2, 4]"},
      {"triplet_margin",
       [&] {
         triplet_margin_loss(zeros({2, 3}), zeros({2, 3}), zeros({2, 3}), {.margin = 0});
       },
       "value error in triplet_margin_loss: margin is 0, must be positive"},
  };
  check_wrong_uses(table);
}

TEST(WrongUsesNn, MarginLosses) {
  const std::vector<WrongUse> table = {
      {"cosine_target",
       [&] {
         cosine_embedding_loss(zeros({2, 3}), zeros({2, 3}), zeros({3}));
       },
       "shape error in cosine_embedding_loss\n"
       "  input1  f32 [2, 3]\n"
       "  target  f32 [3]   expected [2]"},
      {"focal_gamma", [&] { sigmoid_focal_loss(zeros({2}), zeros({2}), {.gamma = -1}); },
       "value error in sigmoid_focal_loss: gamma is -1, must be >= 0"},
      {"undefined_target", [&] { mse_loss(zeros({2}), Tensor()); },
       "usage error in mse_loss: target is undefined, expected a tensor"},
      {"number_target", [&] { mse_loss(zeros({2}), 1.0); },
       "usage error in mse_loss: target is a number, expected a tensor"},
      {"accuracy_shape",
       [&] {
         accuracy(zeros({4, 3}), labels({0, 1, 2}));
       },
       "shape error in accuracy\n"
       "  logits  f32 [4, 3]\n"
       "  labels  i64 [3]   expected [4]"},
  };
  check_wrong_uses(table);
}

struct Model {
  nn::Linear first{3, 4};
  nn::BatchNorm1d norm{4};
  nn::Linear second{4, 2};
  Tensor operator()(const Tensor& x) { return second(norm(first(x))); }
};

TEST(WrongUsesNn, ModelsAndInitialisers) {
  Model model;
  const std::vector<WrongUse> table = {
      {"freeze_pattern", [&] { nn::freeze(model, "frist.*"); },
       "value error in freeze: no parameter matches \"frist.*\"\n"
       "  hint: names look like first.weight; * stands for any characters"},
      {"parameters_pattern", [&] { nn::parameters(model, "third.*"); },
       "value error in nn::parameters: no parameter matches \"third.*\"\n"
       "  hint: names look like first.weight; * stands for any characters"},
      {"hook_pattern", [&] { nn::Hook(model, "secnd", [](const nn::LayerCall&) { return Tensor(); }); },
       "value error in nn::Hook: no layer matches \"secnd\"\n"
       "  hint: the nearest name is second"},
      {"capture_name", [&] { nn::Capture(model, "*")["first"]; },
       "value error in nn::Capture: no output of \"first\" was captured\n"
       "  hint: no layer that matches was called yet"},
      {"load_missing",
       [&] {
         nn::load_state_dict(model, {{"first.weight", zeros({4, 3})}});
       },
       "state error in load_state_dict: 8 missing, 0 unexpected, 0 of another shape or type, 0 repeated; the model has "
       "9 tensors; nothing was loaded\n"
       "  missing  first.bias  f32 [4]\n"
       "  missing  norm.weight  f32 [4]\n"
       "  missing  norm.bias  f32 [4]\n"
       "  missing  norm.running_mean  f32 [4]\n"
       "  missing  norm.running_var  f32 [4]\n"
       "  missing  norm.num_batches_tracked  i64 []\n"
       "  missing  second.weight  f32 [2, 4]\n"
       "  missing  second.bias  f32 [2]\n"
       "  hint: {.strict = false} loads what fits"},
      {"orthogonal_vector", [&] { nn::init::orthogonal({3}); },
       "shape error in init::orthogonal: a weight has at least 2 axes\n"
       "  weight  [3]"},
      {"dirac_groups",
       [&] {
         nn::init::dirac({4, 4, 3}, 3);
       },
       "value error in init::dirac: 3 groups do not divide the output channels 4\n"
       "  weight  [4, 4, 3]"},
      {"sparse_share",
       [&] {
         nn::init::sparse({4, 4}, 1.5);
       },
       "value error in init::sparse: sparsity is 1.5, must be in [0, 1]\n"
       "  weight  [4, 4]"},
      {"trunc_normal_bounds", [&] { nn::init::trunc_normal({4}, {.low = 2, .high = 1}); },
       "value error in init::trunc_normal: needs low < high and stddev > 0, not 2, 1 and 1\n"
       "  weight  [4]"},
      {"fans_vector", [&] { nn::init::kaiming_uniform({5}); },
       "shape error in init::fans: a weight has at least 2 axes: (out, in, ...)\n"
       "  weight  [5]\n"
       "  hint: use uniform() or normal() for vectors"},
  };
  check_wrong_uses(table);
}

}  // namespace
}  // namespace gradus
