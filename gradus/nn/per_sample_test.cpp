// Derivatives of whole models: per-sample gradients and products with the Hessian.
#include <gtest/gtest.h>

#include "gradus/nn/conv.h"
#include "gradus/nn/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/layers/embedding.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

/// Gradients of each example against a loop over batches of one.
template <class Model, class Loss>
void expect_loop(const Model& model, const Tensor& inputs, const Tensor& targets, const Loss& loss, const char* what) {
  const Model each = per_sample_gradients(loss, model, inputs, targets);
  eval(each);
  const auto all = nn::all_fields(each);
  for (std::int64_t i = 0; i < inputs.size(0); ++i) {
    Model copy = model;
    const Model one = gradients(loss(copy, slice(inputs, 0, i, i + 1), slice(targets, 0, i, i + 1)), model);
    eval(one);
    const auto fields = nn::all_fields(one);
    ASSERT_EQ(fields.size(), all.size());
    for (std::size_t k = 0; k < fields.size(); ++k) {
      if (!fields[k].parameter) continue;
      ASSERT_EQ(fields[k].parameter->defined(), all[k].parameter->defined()) << what << " " << fields[k].path;
      if (!fields[k].parameter->defined()) continue;
      const std::vector<double> expected = numbers(fields[k].tensor()), batch = numbers(all[k].tensor());
      ASSERT_EQ(batch.size(), expected.size() * static_cast<std::size_t>(inputs.size(0)));
      for (std::size_t j = 0; j < expected.size(); ++j) {
        ASSERT_NEAR(batch[static_cast<std::size_t>(i) * expected.size() + j], expected[j],
                    2e-5 * (1 + std::abs(expected[j])))
            << what << ", " << fields[k].path << ", example " << i;
      }
    }
  }
}

TEST(PerSampleGradients, EqualALoop) {
  manual_seed(3);
  const auto squared = [](auto& model, const Tensor& x, const Tensor& y) { return mean(square(model(x) - y)); };
  const auto classes = [](auto& model, const Tensor& x, const Tensor& y) { return cross_entropy(model(x), y); };
  const Tensor rows = normal({5, 6}, {}, Key{1}), labels = tensor({0, 2, 1, 2, 0});
  expect_loop(nn::Linear(6, 3), rows, normal({5, 3}, {}, Key{2}), squared, "Linear");
  expect_loop(nn::Sequential(nn::Linear(6, 4), relu, nn::Linear(4, 3)), rows, labels, classes, "Sequential");
  const Tensor images = normal({5, 2, 6, 5}, {}, Key{4});
  expect_loop(nn::Conv2d(2, 4, 3), images, normal({5, 1, 1, 1}, {}, Key{5}), squared, "Conv2d");
  expect_loop(nn::Conv2d(2, 4, 2, {.stride = 2, .padding = 1, .groups = 2}), images, normal({5, 1, 1, 1}, {}, Key{5}),
              squared, "Conv2d with groups");
}

/// One layer; the loss is the mean square of what it gives, less the target.
template <class Layer>
void expect_layer(const char* name, Layer layer, const Tensor& inputs) {
  nn::eval_mode(layer);  // examples do not see each other
  const auto loss = [](auto& model, const Tensor& x, const Tensor& y) { return mean(square(sin(model(x)) - y)); };
  Shape targets{inputs.size(0)};
  for (int axis = 1; axis < layer(slice(inputs, 0, 0, 1)).rank(); ++axis) targets.push_back(1);
  expect_loop(layer, inputs, normal(targets, {}, Key{2}), loss, name);
}

TEST(PerSampleGradients, EqualALoopForEveryLayer) {
  manual_seed(4);
  const Tensor rows = normal({4, 6}, {}, Key{1}), lines = normal({4, 2, 7}, {}, Key{2});
  const Tensor images = normal({4, 4, 6, 5}, {}, Key{3}), volumes = normal({4, 2, 4, 4, 3}, {}, Key{4});
  expect_layer("Conv1d", nn::Conv1d(2, 3, 3, {.padding = 1}), lines);
  expect_layer("Conv3d", nn::Conv3d(2, 3, 2), volumes);
  expect_layer("ConvTranspose1d", nn::ConvTranspose1d(2, 3, 3), lines);
  expect_layer("ConvTranspose2d", nn::ConvTranspose2d(4, 6, 3, {.stride = 2, .groups = 2}), images);
  expect_layer("BatchNorm1d", nn::BatchNorm1d(6), rows);
  expect_layer("BatchNorm2d", nn::BatchNorm2d(4), images);
  expect_layer("InstanceNorm2d", nn::InstanceNorm2d(4, {.affine = true}), images);
  expect_layer("LayerNorm", nn::LayerNorm(6), rows);
  expect_layer("LayerNorm over two axes", nn::LayerNorm(Shape{6, 5}), images);
  expect_layer("RMSNorm", nn::RMSNorm(6), rows);
  expect_layer("GroupNorm", nn::GroupNorm(2, 4), images);
  expect_layer("Embedding", nn::Embedding(5, 3), tensor({{0, 4}, {2, 2}, {1, 0}, {3, 3}}));
  expect_layer("Embedding with padding", nn::Embedding(5, 3, {.padding_idx = 2}),
               tensor({{0, 4}, {2, 2}, {1, 2}, {3, 3}}));
}

struct LeNet {
  nn::Conv2d conv{1, 3, 3, {.padding = 1}};
  nn::Linear head{27, 4};

  Tensor operator()(const Tensor& x) const { return head(flatten(max_pool2d(relu(conv(x)), 2), 1)); }
};

Tensor loss_of(LeNet& model, const Tensor& x, const Tensor& y) { return cross_entropy(model(x), y); }

TEST(PerSampleGradients, AverageToTheGradientOfTheBatch) {
  manual_seed(5);
  LeNet model;
  const Tensor images = normal({6, 1, 6, 6}, {}, Key{7}), labels = tensor({0, 1, 2, 3, 1, 0});
  expect_loop(model, images, labels, loss_of, "LeNet");
  LeNet each = per_sample_gradients(loss_of, model, images, labels);
  EXPECT_EQ(each.conv.weight.shape(), (Shape{6, 3, 1, 3, 3}));
  LeNet batch = gradients(loss_of(model, images, labels), model);
  const std::vector<double> a = numbers(mean(each.conv.weight, 0)), b = numbers(batch.conv.weight);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
}

TEST(PerSampleGradients, LeaveFrozenParametersOut) {
  LeNet model;
  nn::freeze(model, "conv.*");
  const LeNet each = per_sample_gradients(loss_of, model, normal({2, 1, 6, 6}), tensor({0, 1}));
  EXPECT_FALSE(each.conv.weight.defined());
  EXPECT_EQ(each.head.bias.shape(), (Shape{2, 4}));
}

TEST(HessianVectorProduct, OfAModelMatchesDifferencesOfGradients) {
  manual_seed(6);
  nn::Linear model(3, 2);
  const Tensor x = normal({7, 3}, {}, Key{1}), y = tensor({0, 1, 1, 0, 1, 0, 0});
  const auto loss = [&](const nn::Linear& m) { return cross_entropy(m(x), y); };
  nn::Linear direction = model;
  direction.weight.hold(normal({2, 3}, {}, Key{8}));
  direction.bias.hold(Tensor());  // zero
  eval(direction.weight);
  const nn::Linear product = hessian_vector_product(loss(model), model, direction);
  const auto moved_gradient = [&](float step) {
    nn::Linear moved = model;
    moved.weight = model.weight + direction.weight * step;
    eval(moved);
    return numbers(gradients(loss(moved), moved).bias);
  };
  const std::vector<double> high = moved_gradient(1e-2f), low = moved_gradient(-1e-2f), exact = numbers(product.bias);
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(exact[i], (high[i] - low[i]) / 2e-2, 1e-4);
}

}  // namespace
}  // namespace gradus
