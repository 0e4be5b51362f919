// Identity of operations comes from their fields: perturbing any one field makes another operation.
#include <gtest/gtest.h>

#include <string>

#include "gradus/ops/attention/operation.h"
#include "gradus/ops/linalg/factorizations.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/recurrent/lstm.h"
#include "gradus/ops/region_reduce.h"
#include "gradus/transform/redirect.h"

namespace gradus {
namespace {

/// Calls `done()` once for every way to change one number inside `value`, restoring it afterwards.
template <class T, class Done>
void perturb(T& value, const Done& done) {
  if constexpr (std::same_as<T, Shape>) {
    const Shape kept = value;
    value.push_back(3);
    done();
    value = kept;
    if (value.rank() == 0) return;
    value.set(0, value[0] + 1);
    done();
    value = kept;
  } else if constexpr (std::same_as<T, bool>) {
    value = !value;
    done();
    value = !value;
  } else if constexpr (std::is_enum_v<T>) {
    const T kept = value;
    value = static_cast<T>(static_cast<int>(value) == 0 ? 1 : static_cast<int>(value) - 1);
    done();
    value = kept;
  } else if constexpr (std::is_arithmetic_v<T>) {
    const T kept = value;
    value = static_cast<T>(value + 1);
    done();
    value = kept;
  } else if constexpr (requires { value.push_back(value[0]); }) {
    for (auto& item : value) perturb(item, done);
    value.emplace_back();
    done();
    value.pop_back();
  } else if constexpr (requires { value.begin(); }) {
    for (auto& item : value) perturb(item, done);
  } else {
    fields::for_each(value, [&](std::string_view, auto& field) { perturb(field, done); });
  }
}

template <class T>
void check(T op) {
  const T original = op;
  const Op before(original);
  EXPECT_EQ(before, Op(op)) << before.str();
  EXPECT_EQ(before.hash(), Op(op).hash());
  int changes = 0;
  perturb(op, [&] {
    ++changes;
    EXPECT_FALSE(before == Op(op)) << before.str() << " equals a changed copy, change " << changes;
    EXPECT_NE(before.hash(), Op(op).hash()) << before.str() << ", change " << changes;
  });
  EXPECT_TRUE(op == original);
  EXPECT_TRUE(changes > 0 || std::is_empty_v<T>) << before.name();
}

TEST(Identity, EveryFieldCounts) {
  const Conv2d conv{{2, 1}, {1, 0}, {1, 2}, 3};
  const PoolWindows windows{{2, 3}, {2, 2}, {0, 1}, {1, 1}, true};
  check(Constant{DType::f64, 2.5});
  check(Cast{DType::f64});
  check(Elementwise{ElementwiseCode::relu});
  check(StopGradient{});
  check(Attach{});
  check(Reshape{Shape{2, 3}});
  check(Permute{{1, 0}, 2});
  check(Slice{1, 2, 5, 2});
  check(BroadcastTo{Shape{4, 2}});
  check(Pad{});
  check(Concat{1});
  check(Reduce{ReduceKind::max, 3, true});
  check(ArgReduce{});
  check(Softmax{1});
  check(LogSoftmax{1});
  check(Sparsemax{1});
  check(CumSum{1, true});
  check(Gather{1});
  check(ScatterAdd{1});
  check(Scatter{1});
  check(ScatterExtreme{1, true});
  check(ScatterProd{1});
  check(Take{1});
  check(TakeAdd{1});
  check(OneHot{4});
  check(Sort{true});
  check(SearchSorted{true});
  check(Flip{5});
  check(RandomUniform{Shape{3}, DType::f64});
  check(RandomNormal{Shape{3}, DType::f64});
  check(RandomPermutation{5});
  check(MatMul{true, false});
  check(linalg::Cholesky{});
  check(linalg::TriangularSolve{true, false, true});
  check(linalg::Solve{});
  check(Conv1d{{2}, {1}, {1}, 2});
  check(conv);
  check(Conv3d{});
  check(Conv2dInputGradient{conv, Shape{1, 2, 3, 4}});
  check(Conv2dWeightGradient{conv, Shape{1, 2, 3, 4}});
  check(ConvInputGradient<3>{{}, Shape{1, 2, 3}});
  check(ConvWeightGradient<1>{{}, Shape{1, 2, 3}});
  check(MaxPool2d{windows});
  check(MaxPool2dGradient{6, 7});
  check(MaxPool2dGather{});
  check(AvgPool2d{windows, true});
  check(AvgPool2dGradient{{windows, false}, 6, 7});
  check(Barrier{});
  check(Placeholder{DType::f32, Shape{2}});
  Region region;
  region.space = Shape{2, 3};
  region.inputs.push_back({DType::f32, {3, 1}, 0});
  region.instructions.push_back({ElementwiseCode::mul, DType::f32, DType::f32, {0, 0, -1}, 1.5});
  region.outputs = {1};
  region.specs = {{DType::f32, Shape{2, 3}}};
  check(region);
}

TEST(Identity, ReductionsOfARegionCount) {
  Region region;
  region.space = Shape{2};
  region.outputs = {0};
  region.specs = {{DType::f32, Shape{2}}};
  check(RegionReduce{region, 1, {ReduceKind::max, 3, true}});
}

TEST(Identity, EveryFieldOfSequencesCounts) {
  check(DynamicUpdateSlice{1});
  check(Attention{0.5, true, false});
  check(AttentionGradient{0.5, true, false});
  check(Lstm{});
  check(LstmGradient{});
}

TEST(Identity, ARedirectIsItsRule) {
  const Redirect of_softmax{GradientRule(Op(Softmax{1})), 1};
  EXPECT_EQ(Op(of_softmax), Op(Redirect{GradientRule(Op(Softmax{1})), 1}));
  for (const Redirect& other : {Redirect{GradientRule(Op(Softmax{0})), 1}, Redirect{GradientRule(Op(Softmax{1})), 2},
                                Redirect{GradientRule(Op(LogSoftmax{1})), 1}}) {
    EXPECT_FALSE(Op(of_softmax) == Op(other)) << Op(other).str();
    EXPECT_NE(Op(of_softmax).hash(), Op(other).hash()) << Op(other).str();
  }
}

TEST(Identity, DifferentOperationsWithEqualFieldsDiffer) {
  EXPECT_FALSE(Op(Softmax{1}) == Op(LogSoftmax{1}));
  EXPECT_FALSE(Op(Gather{0}) == Op(Take{0}));
  EXPECT_FALSE(Op(RandomUniform{Shape{3}, DType::f32}) == Op(RandomNormal{Shape{3}, DType::f32}));
}

}  // namespace
}  // namespace gradus
