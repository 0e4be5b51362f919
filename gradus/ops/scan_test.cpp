#include "gradus/ops/scan.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/random.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/softmax.h"
#include "gradus/ops/view.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

using Numbers = std::vector<double>;

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Scan, RunningSumsAndProducts) {
  const Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  EXPECT_EQ(cumsum(x, 1).to_vector<double>(), (Numbers{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(cumsum(x, 0).to_vector<double>(), (Numbers{1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(cumsum(x, -1, {.reverse = true}).to_vector<double>(), (Numbers{6, 5, 3, 15, 11, 6}));
  EXPECT_EQ(cumprod(x, 1).to_vector<double>(), (Numbers{1, 2, 6, 4, 20, 120}));
  EXPECT_EQ(cumprod(x, 1, {.reverse = true}).to_vector<double>(), (Numbers{6, 6, 3, 120, 30, 6}));
  EXPECT_EQ(cumsum(tensor({true, true, false}), 0).spec(), (TensorSpec{DType::i64, {3}}));
  EXPECT_EQ(cumprod(cast(x, DType::u8), 1).dtype(), DType::i64);
  EXPECT_EQ(cumsum(cast(x, DType::bf16), 1).dtype(), DType::bf16);
  EXPECT_EQ(cumsum(zeros({2, 0}), 1).shape(), (Shape{2, 0}));
  EXPECT_THROW(cumsum(tensor(1.f), 0), Error);
  EXPECT_THROW(cumprod(x, 2), Error);
}

TEST(Scan, ProductsWithZerosHaveExactGradients) {
  const Tensor x = tensor({2.0, 0.0, 3.0, 0.0});
  const Tensor g = grad(sum(cumprod(x, 0)), {x})[0];
  const Tensor second = grad(sum(g * tensor({0.0, 1.0, 0.0, 0.0})), {x})[0];
  eval(g, second);
  EXPECT_EQ(g.to_vector<double>(), (Numbers{1, 8, 0, 0}));  // 1 + x1 + ..., x0 (1 + x2 + x2 x3), 0, 0
  EXPECT_EQ(second.to_vector<double>(), (Numbers{4, 0, 2, 6}));
}

TEST(Scan, LogSumsDoNotOverflow) {
  const Numbers y = logcumsumexp(tensor({1000.0, 1000.0, -1000.0}), 0).to_vector<double>();
  EXPECT_EQ(y[0], 1000);
  EXPECT_NEAR(y[1], 1000 + std::log(2.0), 1e-12);
  EXPECT_EQ(y[2], y[1]);
  const Tensor x = tensor({0.5, -1.0, 2.0, 0.0, 1.0});
  const Numbers expected = log(cumsum(exp(x), 0)).to_vector<double>(), actual = logcumsumexp(x, 0).to_vector<double>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-14);
}

TEST(Reductions, TruthAndCounts) {
  const Tensor x = tensor({{0.0, 2.0}, {0.0, 0.0}});
  EXPECT_EQ(any(x, 1).to_vector<bool>(), (std::vector<bool>{true, false}));
  EXPECT_EQ(all(x, 0).to_vector<bool>(), (std::vector<bool>{false, false}));
  EXPECT_TRUE(all(x + 1).item<bool>());
  EXPECT_TRUE(all(zeros({0})).item<bool>());
  EXPECT_FALSE(any(zeros({0})).item<bool>());
  EXPECT_EQ(count_nonzero(x).item<std::int64_t>(), 1);
  const auto [least, most] = aminmax(x, 1);
  EXPECT_EQ(least.to_vector<double>(), (Numbers{0, 0}));
  EXPECT_EQ(most.to_vector<double>(), (Numbers{2, 0}));
}

TEST(Reductions, SpreadAndNorms) {
  const Tensor x = tensor({{1.0, 2.0, 3.0, 4.0}, {5.0, 5.0, 5.0, 5.0}});
  EXPECT_EQ(var(x, 1).to_vector<double>(), (Numbers{5.0 / 3, 0}));
  EXPECT_EQ(var(x, 1, {.correction = 0}).to_vector<double>(), (Numbers{1.25, 0}));
  EXPECT_TRUE(std::isnan(var(tensor({1.0})).item<double>()));
  EXPECT_EQ(var(x, 1, {.keepdim = true}).shape(), (Shape{2, 1}));
  for (const double slope : grad(sum(stddev(x, 1) * tensor({0.0, 1.0})), {x})[0].to_vector<double>())
    EXPECT_EQ(slope, 0);
  const Tensor v = tensor({3.0, 0.0, -4.0});
  EXPECT_EQ(norm(v).item<double>(), 5);
  EXPECT_EQ(norm(v, 0).item<double>(), 2);
  EXPECT_EQ(norm(v, 1).item<double>(), 7);
  EXPECT_EQ(norm(v, infinity).item<double>(), 4);
  EXPECT_EQ(norm(v, -infinity).item<double>(), 0);
  EXPECT_EQ(norm(v, -1).item<double>(), 0);
  EXPECT_NEAR(norm(v, 3).item<double>(), std::cbrt(27.0 + 64), 1e-14);
  EXPECT_EQ(norm(x, 2, {0, 1}, {.keepdim = true}).shape(), (Shape{1, 1}));
  const Tensor nothing = zeros({3}, DType::f64);
  for (const double p : {0.5, 1.0, 2.0, 3.0}) {
    for (const double slope : grad(norm(nothing, p), {nothing})[0].to_vector<double>()) EXPECT_EQ(slope, 0) << p;
  }
  EXPECT_THROW(norm(v, std::nan("")), Error);
}

TEST(Reductions, LogSumExpAndMissingNumbers) {
  EXPECT_EQ(logsumexp(tensor({1000.0, 1000.0})).item<double>(), 1000 + std::log(2.0));
  EXPECT_EQ(logsumexp(tensor({-infinity, -infinity})).item<double>(), -infinity);
  EXPECT_EQ(logsumexp(tensor({infinity, 0.0})).item<double>(), infinity);
  EXPECT_EQ(logsumexp(zeros({2, 0}), 1).to_vector<double>(), (Numbers{-infinity, -infinity}));
  const Tensor x = tensor({1.0, std::nan(""), 5.0});
  EXPECT_EQ(nansum(x).item<double>(), 6);
  EXPECT_EQ(nanmean(x).item<double>(), 3);
  EXPECT_EQ(grad(nanmean(x), {x})[0].to_vector<double>(), (Numbers{0.5, 0, 0.5}));
}

TEST(BatchRules, EqualALoopOverTheExamples) {
  const Tensor x = normal({4, 2, 3}, {.dtype = DType::f64}, Key{1}),
               shared = normal({2, 3}, {.dtype = DType::f64}, Key{2});
  const Op unary[] = {Elementwise{ElementwiseCode::tanh},
                      Cast{DType::f32},
                      StopGradient{},
                      Reduce{ReduceKind::max, 2, true},
                      ArgReduce{true, 1},
                      Softmax{0},
                      LogSoftmax{1},
                      Sparsemax{1},
                      CumSum{1, true}};
  const auto expect_rows = [&](const Tensor& batched, const std::function<Tensor(const Tensor&)>& f,
                               const std::string& what) {
    ASSERT_EQ(batched.size(0), 4) << what;
    for (std::int64_t i = 0; i < 4; ++i) {
      const Tensor one = f(squeeze(slice(x, 0, i, i + 1), 0));
      EXPECT_EQ(squeeze(slice(batched, 0, i, i + 1), 0).to_vector<double>(), one.to_vector<double>()) << what;
    }
  };
  for (const Op& op : unary) {
    ASSERT_TRUE(op.has_batch_rule()) << op.str();
    expect_rows(
        op.batch({std::span(&x, 1), 1, 4})[0], [&](const Tensor& one) { return record(op, {one}); }, op.str());
  }
  const Tensors mixed{x, shared};
  const Op sub_op = Elementwise{ElementwiseCode::sub};
  expect_rows(
      sub_op.batch({mixed, 1, 4})[0], [&](const Tensor& one) { return one - shared; }, "sub");
  const Tensor keys = tensor({5, 6});
  for (const Op& op : {Op(RandomUniform{Shape{3}}), Op(RandomNormal{Shape{3}}), Op(RandomPermutation{3})}) {
    const Tensor drawn = op.batch({std::span(&keys, 1), 1, 2})[0];
    const Tensor second = record(op, {key_leaf(Key{6})});
    EXPECT_EQ(reshape(slice(drawn, 0, 1, 2), Shape{3}).to_vector<double>(), second.to_vector<double>()) << op.str();
  }
}

TEST(Scan, RunningExtremesSayWhereTheyAre) {
  using Places = std::vector<std::int64_t>;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const RunningExtreme largest = cummax(tensor({2.f, 1.f, 2.f, 5.f, 3.f}), 0);
  EXPECT_EQ(largest.values.to_vector<double>(), (Numbers{2, 2, 2, 5, 5}));
  EXPECT_EQ(largest.indices.to_vector<std::int64_t>(), (Places{0, 0, 2, 3, 3}));  // of equal ones the latest
  const RunningExtreme smallest = cummin(tensor({{3, 1}, {2, 4}, {2, 0}}), 0);
  EXPECT_EQ(smallest.values.spec(), (TensorSpec{DType::i64, {3, 2}}));
  EXPECT_EQ(smallest.values.to_vector<std::int64_t>(), (Places{3, 1, 2, 1, 2, 0}));
  EXPECT_EQ(smallest.indices.to_vector<std::int64_t>(), (Places{0, 0, 1, 0, 2, 2}));
  EXPECT_EQ(cummax(tensor({1.f, nan, 7.f, nan}), 0).indices.to_vector<std::int64_t>(), (Places{0, 1, 1, 3}));
  EXPECT_EQ(cummin(zeros({2, 0}), 1).indices.shape(), (Shape{2, 0}));
  EXPECT_THROW(cummax(tensor({1.f}), 1), Error);
}

}  // namespace
}  // namespace gradus
