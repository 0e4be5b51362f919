// Derivatives against torch.func in f64 (tools/golden/derivatives.py).
#include "golden.h"

namespace gradus::testing {
namespace {

constexpr double tight = 1e-12;

TEST(GoldenDerivatives, OfAPerceptron) {
  GoldenFile file = golden("derivatives");
  const auto at = [&](const char* name) { return file.at(std::string("mlp.") + name); };
  const Tensor w1 = at("w1"), b1 = at("b1"), w2 = at("w2"), x = at("x"), labels = at("labels");
  const auto logits = [&](const Tensor& in) { return matmul(tanh(linear(in, w1, b1)), transpose(w2, 0, 1)); };
  const auto loss = [&] { return cross_entropy(logits(x), labels); };
  const Tensor wrt[] = {w1, w2};
  expect_close(hessian(loss(), w1), at("hessian"), "hessian", tight);
  expect_close(hessian(loss(), wrt)[0][1], at("mixed"), "mixed second derivatives", tight);
  for (const JacobianMode mode : {JacobianMode::reverse, JacobianMode::forward}) {
    expect_close(jacobian(logits(x), w1, {.mode = mode}), at("jacobian"), "jacobian", tight);
  }
  expect_close(jvp({logits(x)}, {w1, b1, w2}, {at("t1"), at("tb"), at("t2")})[0], at("jvp"), "jvp", tight);
  const Tensors products = hessian_vector_product(loss(), {w1, b1, w2}, {at("t1"), at("tb"), at("t2")});
  const char* names[] = {"h1", "hb", "h2"};
  for (std::size_t i = 0; i < 3; ++i) expect_close(products[i], at(names[i]), names[i], tight);
  const auto one = [&](const Tensor& row, const Tensor& label) {
    return grad(cross_entropy(logits(unsqueeze(row, 0)), unsqueeze(label, 0)), {w1})[0];
  };
  expect_close(vmap(one)(x, labels), at("each"), "one gradient per example", tight);
}

TEST(GoldenDerivatives, OfAConvolution) {
  GoldenFile file = golden("derivatives");
  const auto at = [&](const char* name) { return file.at(std::string("conv.") + name); };
  const Tensor images = at("images"), weight = at("weight"), direction = at("direction");
  const auto conv = [&](const Tensor& x) {
    return conv2d(x, weight, Tensor(), {.stride = {2, 1}, .padding = {1, 0}, .groups = 2});
  };
  const auto energy = [&](const Tensor& image) { return sum(square(max_pool2d(sin(conv(unsqueeze(image, 0))), 2))); };
  const auto gradient = [&](const Tensor& image) { return grad(energy(image), {weight})[0]; };
  expect_close(jvp({conv(images)}, {weight}, {direction})[0], at("jvp"), "jvp", tight);
  expect_close(vmap(gradient)(images), at("each"), "one gradient per example", tight);
  expect_close(hessian_vector_product(sum(vmap(energy)(images)), {weight}, {direction})[0], at("product"),
               "Hessian product", tight);
}

}  // namespace
}  // namespace gradus::testing
