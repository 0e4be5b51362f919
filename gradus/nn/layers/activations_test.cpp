// Activations as layers: each is its function, with PyTorch's defaults.
#include "gradus/nn/layers/activations.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/sequential.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

TEST(ActivationLayers, AreTheirFunctions) {
  const Tensor x = reshape(linspace(-4, 4, 18), {3, 6});
  const struct {
    const char* name;
    Tensor layer, function;
  } cases[] = {
      {"LeakyReLU", nn::LeakyReLU{}(x), leaky_relu(x, 0.01)},
      {"LeakyReLU 0.2", nn::LeakyReLU{0.2}(x), leaky_relu(x, 0.2)},
      {"ELU", nn::ELU{}(x), elu(x, 1)},
      {"ELU 0.5", nn::ELU{0.5}(x), elu(x, 0.5)},
      {"CELU", nn::CELU{2}(x), celu(x, 2)},
      {"SELU", nn::SELU{}(x), selu(x)},
      {"GELU", nn::GELU{}(x), gelu(x)},
      {"GELU tanh", nn::GELU{GeluApproximation::tanh}(x), gelu(x, {GeluApproximation::tanh})},
      {"SiLU", nn::SiLU{}(x), silu(x)},
      {"Mish", nn::Mish{}(x), mish(x)},
      {"Softplus", nn::Softplus{}(x), softplus(x, {1, 20})},
      {"Softplus 2", nn::Softplus{2, 3}(x), softplus(x, {2, 3})},
      {"Softsign", nn::Softsign{}(x), softsign(x)},
      {"Hardtanh", nn::Hardtanh{}(x), hardtanh(x, -1, 1)},
      {"Hardtanh 2", nn::Hardtanh{-2, 3}(x), hardtanh(x, -2, 3)},
      {"ReLU6", nn::ReLU6{}(x * 3), relu6(x * 3)},
      {"Hardsigmoid", nn::Hardsigmoid{}(x), hardsigmoid(x)},
      {"Hardswish", nn::Hardswish{}(x), hardswish(x)},
      {"LogSigmoid", nn::LogSigmoid{}(x), log_sigmoid(x)},
      {"Tanhshrink", nn::Tanhshrink{}(x), tanhshrink(x)},
      {"Softshrink", nn::Softshrink{}(x), softshrink(x, 0.5)},
      {"Hardshrink", nn::Hardshrink{0.7}(x), hardshrink(x, 0.7)},
      {"Threshold", nn::Threshold{1, -3}(x), threshold(x, 1, -3)},
      {"GLU", nn::GLU{}(x), glu(x, 1)},
      {"Softmax", nn::Softmax{}(x), softmax(x, 1)},
      {"Softmax 0", nn::Softmax{0}(x), softmax(x, 0)},
      {"LogSoftmax", nn::LogSoftmax{0}(x), log_softmax(x, 0)},
      {"Softmin", nn::Softmin{}(x), softmax(-x, 1)},
      {"PReLU", nn::PReLU()(x), leaky_relu(x, 0.25)},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.layer.shape(), c.function.shape()) << c.name;
    EXPECT_EQ(c.layer.to_vector<float>(), c.function.to_vector<float>()) << c.name;
  }
}

TEST(ActivationLayers, StandInSequencesAndKnowTheirMode) {
  const nn::Sequential net{nn::GELU{}, nn::PReLU(3, 0.5), nn::RReLU{}};
  const NamedTensors state = nn::state_dict(net);
  ASSERT_EQ(state.size(), 1u);
  EXPECT_EQ(state[0].first, "1.weight");
  EXPECT_EQ(state[0].second.to_vector<float>(), (std::vector<float>{0.5, 0.5, 0.5}));
  struct Model {
    nn::RReLU random;
  } model;
  nn::eval_mode(model);
  EXPECT_FLOAT_EQ(model.random(full({1}, -1.f)).item<float>(), static_cast<float>(-(1.0 / 8 + 1.0 / 3) / 2));
  EXPECT_THROW(nn::PReLU(0), Error);
  EXPECT_THROW(nn::PReLU(2)(ones({2, 3})), Error);
}

}  // namespace
}  // namespace gradus
