// Outside of namespace gradus on purpose: operators on parameters are found without a using-directive.
#include <gtest/gtest.h>

#include "gradus/nn/eval.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/parameter.h"
#include "gradus/ops/factory.h"

TEST(ParameterOperators, AreFoundByTheirOperands) {
  const gradus::nn::Parameter weight(gradus::tensor({1.f, 2.f}));
  const gradus::nn::Buffer shift(gradus::tensor({3.f, 4.f}));
  const gradus::Tensor y = -(weight * 2.f + shift) / weight - shift;
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{-8, -8}));
}

struct Pair {
  gradus::nn::Parameter first{gradus::tensor({1.f}) * 2.f}, second;
};

TEST(Eval, TakesModelsAndTensorsTogether) {
  const Pair pair;
  const gradus::Tensor loss = pair.first * 3.f;
  gradus::eval(pair, loss);
  EXPECT_TRUE(pair.first.tensor().evaluated());
  EXPECT_TRUE(loss.evaluated());
}
