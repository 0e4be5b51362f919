// Inference in int8, from the graph down to the kernels.
#include "gradus/transform/lowering/quantize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/precision.h"
#include "gradus/kernel/conformance_test.h"
#include "gradus/nn/fields.h"
#include "gradus/nn/linear.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/quantized/quantized.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/sgd.h"

namespace gradus {
namespace {

struct Net {
  static constexpr int field_count = 2;
  nn::Linear first{100, 48}, second{48, 20};
  Tensor operator()(const Tensor& x) const { return second(relu(first(x))); }
};

/// Everything in double, by the definition.
std::vector<double> oracle(const std::vector<double>& x, const std::vector<double>& w, std::size_t inner) {
  const auto rounded = [&](const std::vector<double>& m) {
    std::vector<double> q = m;
    for (std::size_t r = 0; r < m.size() / inner; ++r) {
      double largest = 0;
      for (std::size_t i = 0; i < inner; ++i) largest = std::max(largest, std::abs(m[r * inner + i]));
      for (std::size_t i = 0; i < inner; ++i)
        q[r * inner + i] = largest > 0 ? std::nearbyint(m[r * inner + i] * 127 / largest) * largest / 127 : 0;
    }
    return q;
  };
  const std::vector<double> a = rounded(x), b = rounded(w);
  std::vector<double> y;
  for (std::size_t r = 0; r < a.size() / inner; ++r) {
    for (std::size_t c = 0; c < b.size() / inner; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < inner; ++i) sum += a[r * inner + i] * b[c * inner + i];
      y.push_back(sum);
    }
  }
  return y;
}

std::vector<double> in_int8(const Tensor& x) {
  const precision::Scope scope(precision::int8, {.always = true});
  return x.to_vector<double>();
}

TEST(Int8, LinearIsWhatItsDefinitionSays) {
  manual_seed(1);
  const nn::Linear layer(100, 48, {.bias = false});
  for (const std::int64_t rows : {1, 3, 70}) {
    const Tensor x = normal({rows, 100});
    const std::vector<double> found = in_int8(layer(x)),
                              expected = oracle(x.to_vector<double>(), layer.weight.tensor().to_vector<double>(), 100),
                              exact = layer(x).to_vector<double>();
    ASSERT_EQ(found.size(), expected.size());
    double off = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 2e-2) << i;  // numbers in the middle of two integers may go either way
      off = std::max(off, std::abs(found[i] - exact[i]));
    }
    EXPECT_GT(off, 0) << "nothing was rounded";
    EXPECT_LT(off, 0.05);
  }
}

TEST(Int8, WholeModelsKeepTheirShapesAndAnswers) {
  manual_seed(2);
  const Net net;
  const Tensor x = normal({2, 5, 100});
  const Tensor answer = net(x), again = net(x);
  const std::vector<double> narrow = in_int8(answer), exact = again.to_vector<double>();
  EXPECT_EQ(answer.shape(), (Shape{2, 5, 20}));
  for (std::size_t i = 0; i < exact.size(); ++i) EXPECT_NEAR(narrow[i], exact[i], 0.05);
}

TEST(Int8, WeightsThatChangeAreQuantisedAnew) {
  manual_seed(3);
  Net net;
  nn::parameters(net);  // names them: only what is a parameter is kept in bf16
  const Tensor x = normal({16, 100});
  const auto in_bf16 = [&] {
    const precision::Scope scope(precision::bf16, {.always = true});
    return net(x).to_vector<double>();
  };
  const std::vector<double> other = in_bf16(), first = in_int8(net(x));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in_int8(net(x)), first);  // from the second time on, weights are kept
  for (int i = 0; i < 3; ++i) EXPECT_EQ(in_bf16(), other);        // the same weights in another type
  EXPECT_EQ(in_int8(net(x)), first);
  optim::SGD optimizer(net, {.lr = 0.5});
  optimizer.minimize(sum(square(net(x))));
  EXPECT_NE(in_int8(net(x)), first);
}

TEST(Int8, IsNotForTraining) {
  Net net;
  optim::SGD optimizer(net, {.lr = 0.5});
  const precision::Scope scope(precision::int8, {.always = true});
  try {
    optimizer.minimize(sum(square(net(ones({1, 100})))));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::state);
    EXPECT_NE(std::string(error.what()).find("int8 is for inference"), std::string::npos) << error.what();
  }
}

TEST(Int8, NumbersThatAreNoneStayNone) {
  const nn::Linear layer(64, 16, {.bias = false});
  const float inf = std::numeric_limits<float>::infinity(), tiny = std::numeric_limits<float>::denorm_min();
  std::vector<float> x(4 * 64, 1.0f);
  x[5] = inf;
  x[64 + 5] = std::numeric_limits<float>::quiet_NaN();
  std::fill_n(x.begin() + 128, 64, 0.0f);
  std::fill_n(x.begin() + 192, 64, tiny);
  const std::vector<double> y = in_int8(layer(leaf<float>({4, 64}, std::span<const float>(x))));
  for (std::size_t i = 0; i < 32; ++i) EXPECT_TRUE(std::isnan(y[i])) << i;
  for (std::size_t i = 32; i < 64; ++i) EXPECT_NEAR(y[i], 0, 1e-30) << i;
}

TEST(Int8, SmallAndComputedWeightsStayAsTheyAre) {
  manual_seed(4);
  const nn::Linear narrow(31, 16), few(32, 15);
  const Tensor x = normal({2, 31}), y = normal({2, 32});
  EXPECT_EQ(in_int8(narrow(x)), narrow(x).to_vector<double>());
  EXPECT_EQ(in_int8(few(y)), few(y).to_vector<double>());
  const nn::Linear layer(64, 64);
  const Tensor z = normal({2, 64});
  EXPECT_EQ(in_int8(linear(z, layer.weight.tensor() * 2)), linear(z, layer.weight.tensor() * 2).to_vector<double>());
}

// The sums of as many elements as are taken fit into 32 bits, and more are not taken: all of them are as large as can be.
/// A weight that was taken apart: two results of one operation, of which each is a weight.
TEST(Int8, ResultsOfOneOperationAreWeightsOfTheirOwn) {
  const Tensor weight = normal({64, 96}, {}, Key{1}), x = normal({4, 96}, {}, Key{2});
  const auto [u, s, vh] = linalg::svd(weight);
  eval(u, s, vh, x);
  const Tensor y = linear(linear(x, vh) * s, u), expected = linear(x, weight);
  const std::vector<double> got = in_int8(y), wanted = expected.to_vector<double>();
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1.5) << i;  // of numbers around 10
}

TEST(Int8, SumsDoNotOverflow) {
  for (const std::int64_t inner : {std::int64_t{1} << 16, std::int64_t{140000}}) {
    for (const double weight : {1.0, -1.0}) {
      const Tensor x = ones({1, inner}), w = full({16, inner}, weight);
      eval(x, w);
      for (const double y : in_int8(linear(x, w))) EXPECT_NEAR(y, weight * static_cast<double>(inner), 1);
    }
  }
}

TEST(Int8, ImplementationsAgreeBitForBit) {
  using kernel::testing::Array;
  for (const auto& [rows, inner, columns] : {std::tuple(1, 64, 16), std::tuple(4, 100, 17), std::tuple(9, 384, 40),
                                             std::tuple(130, 65, 33), std::tuple(3, 1, 1)}) {
    const Array w = kernel::testing::random_array({DType::f32, {columns, inner}}, 1);
    const std::vector<Array> q = kernel::testing::run_reference(QuantizeRows{}, {w});
    const Array x = kernel::testing::random_array({DType::f32, {rows, inner}}, 2);
    const int compared = kernel::testing::compare_all(QuantizedMatMul{columns}, {x, q[0]}, 0);
    EXPECT_EQ(compared, kernel::implementations("quantized_matmul")[0].implementation == "vnni" ? compared : 0);
  }
}

}  // namespace
}  // namespace gradus
