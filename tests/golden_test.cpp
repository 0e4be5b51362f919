// Parity with PyTorch, from the files that tools/golden/core.py writes: layers, losses, models, 20 optimizer steps, schedules.
#include <memory>

#include "golden.h"
#include "gradus/models/lenet5.h"

namespace gradus {
namespace {

using namespace testing;

/// A convolution layer whose parameters are the inputs.
std::function<Tensor(const Tensors&)> convolution(nn::Conv2dOptions options) {
  return [options](const Tensors& in) {
    nn::Conv2dOptions with_bias = options;
    with_bias.bias = in.size() == 3;
    const Shape& weight = in[1].shape();
    nn::Conv2d layer(weight[1] * options.groups, weight[0], {weight[2], weight[3]}, with_bias);
    layer.weight = in[1];
    if (with_bias.bias) layer.bias = in[2];
    return layer(in[0]);
  };
}

std::function<Tensor(const Tensors&)> unary(Tensor (*function)(const TensorArg&)) {
  return [function](const Tensors& in) { return function(in[0]); };
}

TEST(Golden, Linear) {
  const GoldenFile file = golden("layers");
  const auto layer = [](const Tensors& in) {
    nn::Linear fc(7, 4, {.bias = in.size() == 3});
    fc.weight = in[1];
    if (in.size() == 3) fc.bias = in[2];
    return fc(in[0]);
  };
  check(file, {"linear", {"input", "weight", "bias"}, layer});
  check(file, {"linear_no_bias", {"input", "weight"}, layer});
  check(file, {"linear_3d", {"input", "weight", "bias"}, layer});
}

TEST(Golden, Conv2d) {
  const GoldenFile file = golden("layers");
  const std::vector<std::string> all{"input", "weight", "bias"};
  check(file, {"conv2d", all, convolution({})});
  check(file, {"conv2d_stride", all, convolution({.stride = {2, 1}, .padding = {1, 2}})});
  check(file, {"conv2d_dilation", all, convolution({.padding = 2, .dilation = 2})});
  check(file, {"conv2d_groups", all, convolution({.padding = 1, .groups = 2})});
  check(file, {"conv2d_no_bias", {"input", "weight"}, convolution({.stride = 2})});
  check(file, {"conv2d_pointwise", all, convolution({})});
}

TEST(Golden, Pooling) {
  const GoldenFile file = golden("layers");
  const auto pool = [](auto layer) { return [layer](const Tensors& in) { return layer(in[0]); }; };
  check(file, {"max_pool2d", {"input"}, pool(nn::MaxPool2d{2})});
  check(file, {"max_pool2d_padding", {"input"}, pool(nn::MaxPool2d{3, 2, 1})});
  check(file, {"avg_pool2d", {"input"}, pool(nn::AvgPool2d{2})});
  check(file, {"avg_pool2d_padding", {"input"}, pool(nn::AvgPool2d{3, 2, 1})});
  check(file, {"avg_pool2d_no_pad", {"input"}, pool(nn::AvgPool2d{3, 2, 1, false})});
}

TEST(Golden, Activations) {
  const GoldenFile file = golden("layers");
  check(file, {"relu", {"input"}, unary(relu)});
  check(file, {"tanh", {"input"}, unary(tanh)});
  check(file, {"sigmoid", {"input"}, unary(sigmoid)});
  check(file, {"softmax", {"input"}, [](const Tensors& in) { return softmax(in[0]); }});
  check(file, {"softmax_axis1", {"input"}, [](const Tensors& in) { return softmax(in[0], 1); }});
  check(file, {"log_softmax", {"input"}, [](const Tensors& in) { return log_softmax(in[0]); }});
  check(file, {"log_softmax_axis1", {"input"}, [](const Tensors& in) { return log_softmax(in[0], 1); }});
}

TEST(Golden, CrossEntropy) {
  const GoldenFile file = golden("losses");
  const auto with = [](CrossEntropyOptions options) {
    return [options](const Tensors& in) { return cross_entropy(in[0], in[1], options); };
  };
  const std::vector<std::string> both{"input", "labels"};
  check(file, {"cross_entropy", both, with({})});
  check(file, {"cross_entropy_sum", both, with({.reduction = Reduction::sum})});
  check(file, {"cross_entropy_none", both, with({.reduction = Reduction::none})});
  check(file, {"cross_entropy_smoothing", both, with({.label_smoothing = 0.1})});
  check(file, {"cross_entropy_ignored", both, with({})});
  check(file, {"cross_entropy_ignored_smoothing", both, with({.label_smoothing = 0.2, .ignore_index = 2})});
  check(file, {"cross_entropy_images", both, with({.label_smoothing = 0.1})});
}

TEST(Golden, MseLoss) {
  const GoldenFile file = golden("losses");
  check(file, {"mse_loss", {"input", "target"}, [](const Tensors& in) { return mse_loss(in[0], in[1]); }});
  check(file, {"mse_loss_sum", {"input", "target"}, [](const Tensors& in) {
                 return mse_loss(in[0], in[1], {.reduction = Reduction::sum});
               }});
}

/// The numbers of pattern() in tools/golden/core.py.
Tensor pattern(const Shape& shape, std::uint64_t salt, double scale) {
  std::vector<float> values;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(shape.numel()); ++i) {
    const std::uint64_t word = ((i + 1) * 2654435761u + salt * 40503u) % (std::uint64_t{1} << 32);
    values.push_back(static_cast<float>((static_cast<double>(word) / 4294967296.0 * 2 - 1) * scale));
  }
  return from_span(values, shape);
}

TEST(Golden, LeNet5) {
  const GoldenFile file = golden("models");
  models::LeNet5 model;
  std::uint64_t salt = 0;
  nn::visit(model, [&](const std::string&, auto& field) {
    const Shape shape = field.tensor().shape();
    const double fan_in = shape.rank() > 1 ? static_cast<double>(shape.numel(1, shape.rank())) : 25;
    field = pattern(shape, salt++, 1.7 / std::sqrt(fan_in));
  });
  const Tensor logits = model(pattern({4, 1, 28, 28}, 99, 1));
  const std::int64_t labels[] = {3, 0, 9, 5};
  const Tensor loss = cross_entropy(logits, from_span(labels));
  const models::LeNet5 g = gradients(loss, model);
  expect_close(logits, file.at("lenet5.logits"), "logits");
  expect_close(loss, file.at("lenet5.loss"), "loss");
  int compared = 0;
  nn::visit(g, [&](const std::string& path, const auto& field) {
    const std::vector<double> all = field.tensor().template to_vector<double>();
    std::vector<double> sample;
    double squares = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      squares += all[i] * all[i];
      if (i % 41 == 0) sample.push_back(all[i]);
    }
    EXPECT_LE(relative_error(sample, file.at("lenet5.sample." + path).to_vector<double>()), golden_tolerance) << path;
    EXPECT_NEAR(std::sqrt(squares) / file.at("lenet5.norm." + path).item<double>(), 1, golden_tolerance) << path;
    ++compared;
  });
  EXPECT_EQ(compared, 10);
}

nn::Sequential mlp(const GoldenFile& file) {
  nn::Sequential model{nn::Linear(8, 16), nn::Tanh(), nn::Linear(16, 3)};
  nn::load_state_dict(model, below(file, "initial."));
  return model;
}

TEST(Golden, MlpGradients) {
  const GoldenFile file = golden("optimizers");
  nn::Sequential model = mlp(file);
  const auto [loss, g] =
      value_and_grad([&](nn::Sequential& m) { return cross_entropy(m(file.at("inputs")), file.at("labels")); }, model);
  EXPECT_NEAR(loss.item<double>(), file.at("sgd.losses").to_vector<double>()[0], golden_tolerance);
  int compared = 0;
  for (const auto& [path, gradient] : nn::state_dict(g)) {
    expect_close(gradient, file.at("gradient." + path), path);
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(nn::Sequential&)>;

template <class T, class Options>
MakeOptimizer maker(Options options) {
  return [options](nn::Sequential& model) { return std::make_unique<T>(model, options); };
}

const std::map<std::string, MakeOptimizer> optimizers{
    {"sgd", maker<optim::SGD>(optim::SGDOptions{.lr = 0.1})},
    {"sgd_momentum", maker<optim::SGD>(optim::SGDOptions{.lr = 0.05, .momentum = 0.9})},
    {"sgd_nesterov", maker<optim::SGD>(optim::SGDOptions{.lr = 0.05, .momentum = 0.9, .nesterov = true})},
    {"sgd_weight_decay", maker<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.5, .weight_decay = 0.05})},
    {"sgd_dampening", maker<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.8, .dampening = 0.3})},
    {"adamw", maker<optim::AdamW>(optim::AdamWOptions{})},
    {"adamw_weight_decay", maker<optim::AdamW>(optim::AdamWOptions{.lr = 0.01, .weight_decay = 0.2})},
    {"adamw_betas",
     maker<optim::AdamW>(optim::AdamWOptions{.lr = 0.01, .betas = {0.8, 0.95}, .eps = 1e-6, .weight_decay = 0})},
};

class GoldenOptimizer : public ::testing::TestWithParam<std::string> {
 protected:
  Tensor loss(nn::Sequential& model) const { return cross_entropy(model(file_.at("inputs")), file_.at("labels")); }
  void expect_parameters(const nn::Sequential& model, int step) const {
    for (const auto& [path, parameter] : nn::state_dict(model)) {
      const std::string name = GetParam() + ".step" + std::to_string(step) + "." + path;
      expect_close(parameter, file_.at(name), name);
    }
  }

  GoldenFile file_ = golden("optimizers");
};

TEST_P(GoldenOptimizer, TwentySteps) {
  nn::Sequential model = mlp(file_);
  const auto optimizer = optimizers.at(GetParam())(model);
  std::vector<double> losses;
  for (int step = 1; step <= 20; ++step) {
    const Tensor value = loss(model);
    optimizer->minimize(value);
    losses.push_back(value.item<double>());
    if (step == 1 || step == 10 || step == 20) expect_parameters(model, step);
  }
  EXPECT_LE(relative_error(losses, file_.at(GetParam() + ".losses").to_vector<double>()), golden_tolerance);
}

// The state that PyTorch saved after step 10 has the names and shapes of ours, and continues to PyTorch's step 20.
TEST_P(GoldenOptimizer, ContinuesFromPyTorchState) {
  nn::Sequential model = mlp(file_);
  const auto optimizer = optimizers.at(GetParam())(model);
  nn::load_state_dict(model, below(file_, GetParam() + ".step10."));
  optimizer->set_lr(123);  // overwritten by the state
  optimizer->load_state_dict(below(file_, GetParam() + ".state10."));
  for (int step = 11; step <= 20; ++step) optimizer->minimize(loss(model));
  expect_parameters(model, 20);
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : optimizers) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenOptimizer, ::testing::ValuesIn(optimizer_names()),
                         [](const auto& instance) { return instance.param; });

TEST(Golden, CosineSchedule) {
  const std::vector<double> expected = golden("schedules").at("cosine").to_vector<double>();
  const optim::CosineSchedule schedule{.base = 0.1, .total = 50, .min = 1e-3};
  std::vector<double> actual;
  for (std::int64_t step = 0; step <= 50; ++step) actual.push_back(schedule.lr(step));
  EXPECT_LE(relative_error(actual, expected), 1e-12);
}

}  // namespace
}  // namespace gradus
