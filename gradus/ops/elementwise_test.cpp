#include "gradus/ops/elementwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/region.h"
#include "gradus/ops/view.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

template <class F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::usage, "nothing");
}

Tensor f64(std::vector<double> values) { return from_span(values); }

bool is_differentiable(ElementwiseCode code) {
  const ElementwiseTypes types = info(code).types;
  return types == ElementwiseTypes::floating || types == ElementwiseTypes::numeric;
}

/// One row on vectors of f64.
Tensor apply(ElementwiseCode code, const Tensors& operands) {
  return record_all(Elementwise{code}, operands, {}).front();
}

/// What operand `which` contributes to the sum of all elements of f(operands), by central differences.
template <class F>
std::vector<double> numeric_gradient(F f, Tensors operands, std::size_t which) {
  const std::vector<double> at = operands[which].to_vector<double>();
  const auto value = [&](double h) {
    std::vector<double> moved = at;
    for (double& x : moved) x += h;
    operands[which] = f64(moved);
    return f(operands).template to_vector<double>();
  };
  constexpr double h = 1e-5;
  const std::vector<double> up = value(h), down = value(-h);
  std::vector<double> slope;
  for (std::size_t i = 0; i < at.size(); ++i) slope.push_back((up[i] - down[i]) / (2 * h));
  return slope;
}

/// Compares grad() of f with central differences at every element where these exist.
template <class F>
int check_gradient(std::string_view name, F f, const Tensors& operands) {
  int compared = 0;
  const Tensors analytic = grad(sum(f(operands)), operands);
  for (std::size_t which = 0; which < operands.size(); ++which) {
    const std::vector<double> numeric = numeric_gradient(f, operands, which);
    const std::vector<double> exact =
        analytic[which].defined() ? analytic[which].to_vector<double>() : std::vector<double>(numeric.size(), 0);
    for (std::size_t i = 0; i < numeric.size(); ++i) {
      if (!std::isfinite(numeric[i])) continue;
      EXPECT_NEAR(exact[i], numeric[i], 1e-7 * std::max(1.0, std::fabs(numeric[i])))
          << name << " operand " << which << " at " << i;
      ++compared;
    }
  }
  return compared;
}

Tensors operands_of(ElementwiseCode code) {
  if (code == ElementwiseCode::acosh) return {f64({1.31, 1.83, 1.9, 2.7, 4.1})};
  if (code == ElementwiseCode::polygamma) return {f64({0, 1, 2, 3, 1, 2}), f64({0.57, 1.31, -0.77, 2.3, 1.21, -0.61})};
  Tensors all{f64({0.31, 0.83, 1.9, 2.7, -0.43, -1.7, 0.12}), f64({0.57, 1.31, -0.77, 2.3, 1.21, -0.61, 0.9}),
              f64({1.1, 0.7, 0.9, 3.1, 0.2, -2.3, 0.5})};
  all.resize(static_cast<std::size_t>(info(code).arity));
  return all;
}

TEST(Elementwise, EveryRowIsDocumented) {
  for (const ElementwiseCode code : elementwise_codes()) {
    const ElementwiseInfo& row = info(code);
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_FALSE(row.name.empty());
    for (int i = 0; i < row.arity; ++i) EXPECT_FALSE(row.arguments[static_cast<std::size_t>(i)].empty()) << row.name;
  }
  EXPECT_EQ(info(ElementwiseCode::maximum).name, "maximum");
  EXPECT_EQ(info(ElementwiseCode::where).arity, 3);
  EXPECT_EQ(Op(Elementwise{ElementwiseCode::relu}).str(), "relu");
  EXPECT_NE(Op(Elementwise{ElementwiseCode::relu}), Op(Elementwise{ElementwiseCode::tanh}));
}

TEST(Elementwise, EveryRowsGradientIsItsDerivative) {
  for (const ElementwiseCode code : elementwise_codes()) {
    if (!is_differentiable(code)) continue;
    const auto f = [&](const Tensors& operands) { return apply(code, operands); };
    EXPECT_GT(check_gradient(info(code).name, f, operands_of(code)), 3);
  }
}

TEST(Elementwise, EveryRowsSecondGradientIsItsSecondDerivative) {
  for (const ElementwiseCode code : elementwise_codes()) {
    if (!is_differentiable(code)) continue;
    const Tensors operands = operands_of(code);
    for (std::size_t which = 0; which < operands.size(); ++which) {
      const auto first = [&](const Tensors& at) {
        const Tensor slope = grad(sum(apply(code, at)), at)[which];
        return slope.defined() ? slope : at[which] * 0.0;
      };
      check_gradient(info(code).name, first, operands);
    }
  }
}

TEST(Elementwise, GradientsAtKinksAndTiesArePyTorchs) {
  const auto slope = [](Tensor (*f)(const TensorArg&), double x) {
    const Tensor at = f64({x});
    return grad(sum(f(at)), {at})[0].item<double>();
  };
  EXPECT_EQ(slope(relu, 0), 0);
  EXPECT_EQ(slope(relu, nan_value), 1);
  EXPECT_EQ(slope(abs, 0), 0);
  EXPECT_EQ(slope(sqrt, 0), infinity);
  EXPECT_EQ(slope(rsqrt, 0), -infinity);
  EXPECT_EQ(slope(sigmoid, -1000), 0);
  EXPECT_EQ(slope(tanh, 1000), 0);
  const Tensor a = f64({1, 2, 3}), b = f64({1, 3, 2});
  const Tensors larger = grad(sum(maximum(a, b)), {a, b}), smaller = grad(sum(minimum(a, b)), {a, b});
  EXPECT_THAT(larger[0].to_vector<double>(), ElementsAre(0.5, 0, 1));
  EXPECT_THAT(larger[1].to_vector<double>(), ElementsAre(0.5, 1, 0));
  EXPECT_THAT(smaller[0].to_vector<double>(), ElementsAre(0.5, 1, 0));
  EXPECT_THAT(smaller[1].to_vector<double>(), ElementsAre(0.5, 0, 1));
}

TEST(Elementwise, PowersOfZeroHaveFiniteGradients) {
  const Tensor base = f64({0, 0, 0, 2, -3}), exponent = f64({0, 1, 2, 0, 2});
  const Tensors slopes = grad(sum(pow(base, exponent)), {base, exponent});
  EXPECT_THAT(slopes[0].to_vector<double>(), ElementsAre(0, 1, 0, 0, -6));
  const std::vector<double> by_exponent = slopes[1].to_vector<double>();
  EXPECT_EQ(by_exponent[0], 0);
  EXPECT_EQ(by_exponent[1], 0);
  EXPECT_EQ(by_exponent[2], 0);
  EXPECT_DOUBLE_EQ(by_exponent[3], std::log(2.0));
  EXPECT_TRUE(std::isnan(by_exponent[4]));
}

TEST(Elementwise, OperatorsOfTensorsAndNumbers) {
  const Tensor x = tensor({1.f, 2.f, 4.f});
  EXPECT_THAT((x + x).to_vector<float>(), ElementsAre(2, 4, 8));
  EXPECT_THAT((x - 1).to_vector<float>(), ElementsAre(0, 1, 3));
  EXPECT_THAT((1 - x).to_vector<float>(), ElementsAre(0, -1, -3));
  EXPECT_THAT((2.0 * x).to_vector<float>(), ElementsAre(2, 4, 8));
  EXPECT_THAT((1.f / x).to_vector<float>(), ElementsAre(1, 0.5f, 0.25f));
  EXPECT_THAT((-x).to_vector<float>(), ElementsAre(-1, -2, -4));
  EXPECT_THAT(where(greater(x, 1.5f), x, 0).to_vector<float>(), ElementsAre(0, 2, 4));
  EXPECT_THAT(logical_and(greater(x, 1), less(x, 3)).to_vector<float>(), ElementsAre(0, 1, 0));
  EXPECT_THAT(logical_not(x).to_vector<float>(), ElementsAre(0, 0, 0));
  EXPECT_THAT(isfinite(x / 0).to_vector<float>(), ElementsAre(0, 0, 0));
}

TEST(Elementwise, NumbersTakeTheTypeTheyMeet) {
  const auto zero = [](DType dtype) { return leaf(TensorSpec{dtype, Shape{1}}, Buffer::allocate(8)); };
  for (const DType d : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8}) EXPECT_EQ((zero(d) + 1).dtype(), d);
  for (const DType d : {DType::f32, DType::f64}) EXPECT_EQ((zero(d) * 0.1).dtype(), d);
  for (const DType d : {DType::i32, DType::i64, DType::u8, DType::boolean})
    EXPECT_EQ((zero(d) * 0.1).dtype(), DType::f32);
  EXPECT_EQ((zero(DType::boolean) + 1).dtype(), DType::i64);
  EXPECT_EQ((zero(DType::f64) * 0.1f).dtype(), DType::f64);
  const Op broadcast = (zero(DType::f32) * 2.f).node()->inputs[1].node()->op;
  EXPECT_TRUE(broadcast.as<BroadcastTo>()) << "a number is a leaf, not an attribute";
}

// The tables of promote() in base/dtype.h, as torch.result_type prints them: rows and columns f32 f64 bf16 i32 i64 u8 bool;
// numbers are 1.5, 2 and true.
TEST(Elementwise, TypesAndNumbersMeetAsInPyTorch) {
  constexpr int torch_tensors[dtype_count][dtype_count] = {
      {0, 1, 0, 0, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1}, {0, 1, 2, 2, 2, 2, 2}, {0, 1, 2, 3, 4, 3, 3},
      {0, 1, 2, 4, 4, 4, 4}, {0, 1, 2, 3, 4, 5, 5}, {0, 1, 2, 3, 4, 5, 6}};
  constexpr int torch_numbers[dtype_count][3] = {{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {0, 3, 3},
                                                 {0, 4, 4}, {0, 5, 5}, {0, 4, 6}};
  const auto zero = [](int d) { return leaf(TensorSpec{static_cast<DType>(d), Shape{1}}, Buffer::allocate(8)); };
  const Tensor yes = tensor({true});
  for (int a = 0; a < dtype_count; ++a) {
    for (int b = 0; b < dtype_count; ++b) {
      const auto expected = static_cast<DType>(torch_tensors[a][b]);
      EXPECT_EQ(promote(static_cast<DType>(a), static_cast<DType>(b)), expected) << a << " " << b;
      EXPECT_EQ(where(yes, zero(a), zero(b)).dtype(), expected) << a << " " << b;
      if (expected != DType::boolean) {
        EXPECT_EQ((zero(a) * zero(b)).dtype(), expected) << a << " " << b;
      }
    }
    const TensorArg numbers[] = {1.5, 2, true};
    for (int n = 0; n < 3; ++n) {
      const auto expected = static_cast<DType>(torch_numbers[a][n]);
      EXPECT_EQ(where(yes, zero(a), numbers[n]).dtype(), expected) << a << " with number " << n;
      EXPECT_EQ(where(yes, numbers[n], zero(a)).dtype(), expected) << a << " with number " << n;
    }
  }
}

TEST(Elementwise, EveryOperationRoundsToBf16) {
  const Tensor x = cast(tensor({1.f, 3.f}), DType::bf16);
  const Tensor third = x / 3;  // 0.333984375 is the bf16 next to 1/3
  EXPECT_EQ(third.dtype(), DType::bf16);
  EXPECT_THAT(cast(third, DType::f32).to_vector<float>(), ElementsAre(0.333984375f, 1));
  EXPECT_THAT(cast(third * 3 - x, DType::f32).to_vector<float>(), ElementsAre(0, 0));  // 1.00195 is rounded to 1
  EXPECT_EQ(less(x, 2).dtype(), DType::boolean);
  const Tensor total = sum(cast(tensor({256.f, 1.f, 1.f}), DType::bf16));  // 256 + 1 in bf16 would stay 256
  EXPECT_EQ(total.dtype(), DType::bf16);
  EXPECT_EQ(cast(total, DType::f32).item<float>(), 258);
  EXPECT_EQ(cast(mean(x), DType::f32).item<float>(), 2);
  const Tensor slope = grad(sum(square(x)), {x})[0];
  EXPECT_EQ(slope.dtype(), DType::bf16);
  EXPECT_THAT(cast(slope, DType::f32).to_vector<float>(), ElementsAre(2, 6));
}

TEST(Elementwise, TypesMeetInTheWiderOne) {
  const auto zero = [](DType dtype) { return leaf(TensorSpec{dtype, Shape{1}}, Buffer::allocate(8)); };
  const DType all[] = {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean};
  for (const DType a : all) {
    for (const DType b : all) {
      if (promote(a, b) != DType::boolean) {
        EXPECT_EQ((zero(a) + zero(b)).dtype(), promote(a, b)) << name_of(a) << " " << name_of(b);
      }
      const DType quotient = is_floating(promote(a, b)) ? promote(a, b) : DType::f32;
      EXPECT_EQ((zero(a) / zero(b)).dtype(), quotient);
      EXPECT_EQ(less(zero(a), zero(b)).dtype(), DType::boolean);
      EXPECT_EQ(where(zero(DType::boolean), zero(a), zero(b)).dtype(), promote(a, b));
    }
    EXPECT_EQ(exp(zero(a)).dtype(), is_floating(a) ? a : DType::f32);
    EXPECT_EQ(logical_not(zero(a)).dtype(), DType::boolean);
    EXPECT_EQ(isfinite(zero(a)).dtype(), DType::boolean);
  }
  EXPECT_THAT((tensor({7, 8}) / tensor({2, 2})).to_vector<float>(), ElementsAre(3.5f, 4));
}

TEST(Elementwise, Broadcasts) {
  const Tensor column = tensor({{1.f}, {2.f}}), row = tensor({10.f, 20.f, 30.f});
  const Tensor both = column + row;
  EXPECT_EQ(both.shape(), (Shape{2, 3}));
  EXPECT_THAT(both.to_vector<float>(), ElementsAre(11, 21, 31, 12, 22, 32));
  EXPECT_EQ((tensor({1.f}) + zeros({0})).shape(), Shape{0});
  const Tensor product = column * row;
  const Tensors slopes = grad(sum(product), {column, row});
  EXPECT_EQ(slopes[0].shape(), (Shape{2, 1}));
  EXPECT_THAT(slopes[0].to_vector<float>(), ElementsAre(60, 60));
  EXPECT_THAT(slopes[1].to_vector<float>(), ElementsAre(3, 3, 3));
}

TEST(Elementwise, CastsAndConstants) {
  const Tensor x = tensor({1.5f, -2.5f});
  EXPECT_EQ(cast(x, DType::f32), x);
  EXPECT_THAT(cast(x, DType::i32).to_vector<int>(), ElementsAre(1, -2));
  const Tensor slope = grad(sum(square(cast(x, DType::f64))), {x})[0];
  EXPECT_EQ(slope.dtype(), DType::f32);
  EXPECT_THAT(slope.to_vector<float>(), ElementsAre(3, -5));
  EXPECT_FALSE(grad(sum(cast(cast(x, DType::i32), DType::f32)), {x})[0].defined());
  EXPECT_EQ(constant(0.5, DType::f64).item<double>(), 0.5);
  EXPECT_EQ(constant(0.5, DType::f32).node()->op, Op(Constant{DType::f32, 0.5}));
  EXPECT_TRUE(std::signbit(constant(-0.0, DType::f32).item<float>()));
  EXPECT_TRUE(constant(nan_value, DType::f32).evaluated()) << "NaN is no attribute: it differs from itself";
}

TEST(Elementwise, StopGradientIsAConstant) {
  const Tensor x = tensor({3.f});
  const Tensor slope = grad(sum(x * stop_gradient(x)), {x})[0];
  EXPECT_EQ(slope.item<float>(), 3);
  EXPECT_FALSE(grad(sum(stop_gradient(x)), {x})[0].defined());
}

TEST(Elementwise, ShapeErrorsMarkTheAxisInBothOperands) {
  const Error error = error_of([] { return zeros({32, 10}) + zeros({32, 12}); });
  EXPECT_EQ(error.kind(), ErrorKind::shape);
  const std::string text = error.what();
  EXPECT_THAT(text, HasSubstr("shape error in add, called at elementwise_test.cpp:"));
  EXPECT_THAT(text, HasSubstr("\n  a  f32 [32, 10]   axis 1 is 10\n"));
  EXPECT_THAT(text, HasSubstr("\n  b  f32 [32, 12]   axis 1 is 12, expected 10 or 1\n"));
  EXPECT_THAT(text, HasSubstr("\n  hint: axes are matched from the last one; sizes must be equal, or one of them 1"));
}

TEST(Elementwise, ShapeErrorsKnowTheMissingAxis) {
  const Error error = error_of([] { return sum(zeros({32, 10}), 1) * zeros({32, 10}); });
  EXPECT_THAT(std::string(error.what()), HasSubstr("\n  a  f32 [32]       axis 0 is 32\n"));
  EXPECT_THAT(std::string(error.what()), HasSubstr("\n  b  f32 [32, 10]   axis 1 is 10, expected 32 or 1\n"));
  EXPECT_THAT(std::string(error.what()), HasSubstr("comes from sum of f32 [32, 10]"));
  EXPECT_THAT(std::string(error.what()),
              HasSubstr("hint: axes are matched from the last one; unsqueeze(a, -1) would fit"));
}

TEST(Elementwise, TypeErrors) {
  const Tensor flags = less(zeros({2}), 1.f);
  const Error arithmetic = error_of([&] { return flags + flags; });
  EXPECT_EQ(arithmetic.kind(), ErrorKind::dtype);
  EXPECT_THAT(std::string(arithmetic.what()), HasSubstr("dtype error in add, called at elementwise_test.cpp:"));
  EXPECT_THAT(std::string(arithmetic.what()), HasSubstr("not defined for bool"));
  EXPECT_THAT(std::string(arithmetic.what()), HasSubstr("hint: use logical_and"));
  EXPECT_EQ(error_of([] { return cast(zeros({2}), DType::u8) + 300; }).kind(), ErrorKind::value);
  EXPECT_EQ(error_of([] { return zeros({2}) + Tensor(); }).kind(), ErrorKind::state);
}

TEST(Region, IsIdentifiedByItsFields) {
  Region region;
  region.space = Shape{2};
  region.inputs = {{DType::f32, {1}, 0}};
  region.instructions = {{ElementwiseCode::relu, DType::f32, DType::f32, {0, -1, -1}, 0}};
  region.outputs = {1};
  region.specs = {{DType::f32, Shape{2}}};
  Region other = region;
  EXPECT_EQ(Op(region), Op(other));
  other.inputs[0].offset = 1;
  EXPECT_NE(Op(region), Op(other));
  other = region;
  other.instructions[0].immediate = 1;
  EXPECT_NE(Op(region), Op(other));
}

}  // namespace
}  // namespace gradus
