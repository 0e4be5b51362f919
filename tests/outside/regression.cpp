// Fits y = 2 x0 - 3 x1 + 1 with one linear layer; the exit code says whether the weights were found.
#include <gradus/gradus.h>

#include <cmath>
#include <cstdio>
#include <vector>

using namespace gradus;

struct Line {
  nn::Linear linear{2, 1};

  Tensor operator()(const Tensor& x) { return linear(x); }
};

int main() {
  const Tensor x = tensor({{0.f, 0.f}, {1.f, 0.f}, {0.f, 1.f}, {1.f, 1.f}});
  const Tensor y = tensor({{1.f}, {3.f}, {-2.f}, {0.f}});
  Line model;
  optim::SGD optimizer(model, {.lr = 0.5});
  for (int step = 0; step < 400; ++step) optimizer.minimize(mse_loss(model(x), y));

  const Tensor weight = model.linear.weight, bias = model.linear.bias;
  std::vector<float> found = weight.to_vector<float>();
  found.push_back(bias.item<float>());
  std::printf("y = %.3f x0 + %.3f x1 + %.3f\n", found[0], found[1], found[2]);
  const bool right = std::abs(found[0] - 2) < 1e-2 && std::abs(found[1] + 3) < 1e-2 && std::abs(found[2] - 1) < 1e-2;
  return right ? 0 : 1;
}
