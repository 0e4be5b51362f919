// Shampoo where its preconditioners are known: weights of any number of axes, long axes, rare roots.
#include "gradus/optim/matrix/shampoo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "gradus/base/error.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/nn/init.h"
#include "gradus/ops/linalg/einsum.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/ops.h"

namespace gradus::optim {
namespace {

struct One {
  nn::Parameter w;
};

Tensor gradient_of(const Shape& shape, std::uint64_t seed) {
  return nn::init::uniform(shape, -1, 1, Key{seed}, DType::f64);
}

void expect_near(const Tensor& actual, const Tensor& expected, double bound = 1e-12) {
  const std::vector<double> a = actual.to_vector<double>(), b = expected.to_vector<double>();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], bound) << i;
}

/// (h + epsilon I)^power.
Tensor power_of(const Tensor& h, double epsilon, double power) {
  const linalg::Eigen eigen = linalg::eigh(h + epsilon * eye(h.size(0), DType::f64));
  return einsum("ij,j,kj->ik", {eigen.vectors, pow(eigen.values, power), eigen.vectors});
}

TEST(Shampoo, MultipliesEveryAxisWithItsRoot) {
  const double epsilon = 0.01, lr = 0.5;
  One model{zeros({3, 4, 2}, DType::f64)};
  Shampoo optimizer(model, {.lr = lr, .epsilon = epsilon});
  Tensor expected = zeros({3, 4, 2}, DType::f64), a = zeros({3, 3}, DType::f64), b = zeros({4, 4}, DType::f64),
         c = zeros({2, 2}, DType::f64);
  for (std::uint64_t step = 1; step <= 3; ++step) {
    const Tensor g = gradient_of({3, 4, 2}, step);
    a = a + einsum("ijk,ljk->il", {g, g});
    b = b + einsum("ijk,ilk->jl", {g, g});
    c = c + einsum("ijk,ijl->kl", {g, g});
    const double power = -1.0 / 6;
    expected = expected - lr * einsum("ai,bj,ck,ijk->abc", {power_of(a, epsilon, power), power_of(b, epsilon, power),
                                                            power_of(c, epsilon, power), g});
    optimizer.step(Tensors{g});
    expect_near(model.w, expected);
  }
}

TEST(Shampoo, IsAdagradForNumbersAndLongVectors) {
  One number{tensor(0.0)}, vector{zeros({5}, DType::f64)};
  Shampoo of_number(number, {.lr = 1, .epsilon = 0.04}),
      of_vector(vector, {.lr = 1, .epsilon = 0.04, .max_matrix_size = 4});
  Tensor x = tensor(0.0), y = zeros({5}, DType::f64), sum_x = x, sum_y = y;
  for (std::uint64_t step = 1; step <= 3; ++step) {
    const Tensor g = gradient_of({}, step), h = gradient_of({5}, step);
    sum_x = sum_x + square(g);
    sum_y = sum_y + square(h);
    x = x - g / sqrt(sum_x + 0.04);
    y = y - h / sqrt(sum_y + 0.04);
    of_number.step(Tensors{g});
    of_vector.step(Tensors{h});
  }
  expect_near(number.w, x);
  expect_near(vector.w, y);
}

TEST(Shampoo, KeepsItsRootsBetweenTheirSteps) {
  One model{nn::init::uniform({4, 3}, -1, 1, Key{1})};
  Shampoo optimizer(model, {.lr = 0.01, .update_freq = 3});
  std::map<std::string, std::vector<double>> before;
  std::int64_t compiled = 0;
  for (int step = 1; step <= 10; ++step) {
    optimizer.minimize(mean(square(model.w - 0.5)));
    if (step == 5) compiled = engine::compile_count();  // one plan with roots, one without
    for (const auto& [name, tensor] : optimizer.state_dict()) {
      if (!name.starts_with("state.0.") || name.ends_with("step")) continue;
      const std::vector<double> values = tensor.to_vector<double>();
      const bool kept = name.find("inv_") != std::string::npos && step % 3 != 1;
      EXPECT_EQ(before[name] == values, kept) << name << " at step " << step;
      before[name] = values;
    }
  }
  EXPECT_EQ(engine::compile_count(), compiled);
  EXPECT_EQ(before.size(), 4u);
}

TEST(Shampoo, SaysWhenAGradientIsNotFinite) {
  One model{zeros({2, 2})};
  Shampoo optimizer(model);
  EXPECT_THROW(optimizer.step(Tensors{full({2, 2}, NAN)}), Error);
  EXPECT_EQ(model.w.tensor().to_vector<double>(), std::vector<double>(4));
  EXPECT_TRUE(optimizer.step(Tensors{ones({2, 2})}));
}

}  // namespace
}  // namespace gradus::optim
