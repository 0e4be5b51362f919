// Every row of the table: the SIMD loops of each target and the reference against the standard library.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>

#include "gradus/base/buffer.h"
#include "gradus/kernel/elementwise/convert.h"
#include "gradus/kernel/elementwise/simd.h"
#include "gradus/kernel/elementwise/special.h"
#include "gradus/kernel/elementwise/tile_functions.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/elementwise.h"

namespace gradus::kernel {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

Maker maker(std::string_view op, std::string_view implementation) {
  for (const Implementation& i : elementwise_kernels()) {
    if (i.op == op && i.implementation == implementation) return i.make;
  }
  return nullptr;
}

/// Runs one operation on columns of numbers and gives its result as numbers.
std::vector<long double> run(const Op& op, std::string_view implementation, DType dtype,
                             const std::vector<std::vector<double>>& columns) {
  const auto count = columns.empty() ? std::int64_t{1} : static_cast<std::int64_t>(columns[0].size());
  const auto* elementwise = op.as<Elementwise>();
  const bool selects = elementwise && info(elementwise->code).types == ElementwiseTypes::selection;
  std::vector<TensorSpec> specs;
  std::vector<Ref<Buffer>> buffers;
  std::vector<const std::byte*> inputs;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    specs.push_back({selects && i == 0 ? DType::boolean : dtype, Shape{count}});
    buffers.push_back(Buffer::allocate(specs.back().bytes() + 1));
    inputs.push_back(buffers.back()->data());
    visit_dtype(specs.back().dtype, [&](auto zero) {
      auto* to = reinterpret_cast<decltype(zero)*>(buffers.back()->data());
      for (const double x : columns[i]) *to++ = convert<decltype(zero)>(x);
    });
  }
  const TensorSpec out = op.infer(specs)[0];
  const Ref<Buffer> result = Buffer::allocate(out.bytes() + 1);
  std::byte* output = result->data();
  std::string reason;
  const auto kernel = maker(op.name(), implementation)({op, specs, std::span(&out, 1)}, reason);
  EXPECT_TRUE(kernel) << op.name() << ": " << reason;
  const Ref<Buffer> scratch = Buffer::allocate(kernel->scratch_bytes() + 1);
  EXPECT_TRUE(kernel->run({inputs, std::span(&output, 1), scratch->data()}).ok);
  std::vector<long double> numbers;
  visit_dtype(out.dtype, [&](auto zero) {
    const auto* from = reinterpret_cast<const decltype(zero)*>(output);
    for (std::int64_t i = 0; i < out.shape.numel(); ++i) {
      if constexpr (std::is_integral_v<decltype(zero)>) {
        numbers.push_back(static_cast<long double>(from[i]));
      } else {
        numbers.push_back(convert<double>(from[i]));
      }
    }
  });
  return numbers;
}

using Real = long double;
using Oracle = std::function<Real(Real, Real, Real)>;

/// What each row means, in the words of the standard library. A row that is not here is compared with the reference.
const std::map<std::string_view, Oracle>& oracles() {
  static const std::map<std::string_view, Oracle> all{
      {"add", [](Real a, Real b, Real) { return a + b; }},
      {"sub", [](Real a, Real b, Real) { return a - b; }},
      {"mul", [](Real a, Real b, Real) { return a * b; }},
      {"div", [](Real a, Real b, Real) { return a / b; }},
      {"neg", [](Real x, Real, Real) { return -x; }},
      {"pow", [](Real a, Real b, Real) { return std::pow(a, b); }},
      {"maximum", [](Real a, Real b, Real) { return std::isnan(a) || std::isnan(b) ? a + b : std::fmax(a, b); }},
      {"minimum", [](Real a, Real b, Real) { return std::isnan(a) || std::isnan(b) ? a + b : std::fmin(a, b); }},
      {"abs", [](Real x, Real, Real) { return std::fabs(x); }},
      {"sign", [](Real x, Real, Real) { return static_cast<Real>((x > 0) - (x < 0)); }},
      {"square", [](Real x, Real, Real) { return x * x; }},
      {"floor", [](Real x, Real, Real) { return std::floor(x); }},
      {"sqrt", [](Real x, Real, Real) { return std::sqrt(x); }},
      {"rsqrt", [](Real x, Real, Real) { return 1 / std::sqrt(x); }},
      {"exp", [](Real x, Real, Real) { return std::exp(x); }},
      {"expm1", [](Real x, Real, Real) { return std::expm1(x); }},
      {"log", [](Real x, Real, Real) { return std::log(x); }},
      {"log1p", [](Real x, Real, Real) { return std::log1p(x); }},
      {"relu", [](Real x, Real, Real) { return x <= 0 ? 0 : x; }},
      {"sigmoid", [](Real x, Real, Real) { return 1 / (1 + std::exp(-x)); }},
      {"tanh", [](Real x, Real, Real) { return std::tanh(x); }},
      {"sin", [](Real x, Real, Real) { return std::sin(x); }},
      {"cos", [](Real x, Real, Real) { return std::cos(x); }},
      {"exp2", [](Real x, Real, Real) { return std::exp2(x); }},
      {"log2", [](Real x, Real, Real) { return std::log2(x); }},
      {"log10", [](Real x, Real, Real) { return std::log10(x); }},
      {"tan", [](Real x, Real, Real) { return std::tan(x); }},
      {"asin", [](Real x, Real, Real) { return std::asin(x); }},
      {"acos", [](Real x, Real, Real) { return std::acos(x); }},
      {"atan", [](Real x, Real, Real) { return std::atan(x); }},
      {"sinh", [](Real x, Real, Real) { return std::sinh(x); }},
      {"cosh", [](Real x, Real, Real) { return std::cosh(x); }},
      {"asinh", [](Real x, Real, Real) { return std::asinh(x); }},
      {"acosh", [](Real x, Real, Real) { return std::acosh(x); }},
      {"atanh", [](Real x, Real, Real) { return std::atanh(x); }},
      {"erf", [](Real x, Real, Real) { return std::erf(x); }},
      {"erfc", [](Real x, Real, Real) { return std::erfc(x); }},
      {"ceil", [](Real x, Real, Real) { return std::ceil(x); }},
      {"trunc", [](Real x, Real, Real) { return std::trunc(x); }},
      {"atan2", [](Real a, Real b, Real) { return std::atan2(a, b); }},
      {"hypot", [](Real a, Real b, Real) { return std::hypot(a, b); }},
      {"fmod", [](Real a, Real b, Real) { return std::fmod(a, b); }},
      {"copysign", [](Real a, Real b, Real) { return std::copysign(a, b); }},
      {"reciprocal", [](Real x, Real, Real) { return 1 / x; }},
      {"round", [](Real x, Real, Real) { return std::nearbyint(x); }},
      {"equal", [](Real a, Real b, Real) { return a == b; }},
      {"not_equal", [](Real a, Real b, Real) { return a != b; }},
      {"less", [](Real a, Real b, Real) { return a < b; }},
      {"less_equal", [](Real a, Real b, Real) { return a <= b; }},
      {"greater", [](Real a, Real b, Real) { return a > b; }},
      {"greater_equal", [](Real a, Real b, Real) { return a >= b; }},
      {"isfinite", [](Real x, Real, Real) { return std::isfinite(x); }},
      {"where", [](Real c, Real a, Real b) { return c != 0 ? a : b; }},
  };
  return all;
}

/// Zeros, ends of the range, values next to the kinks and poles, and a sweep.
std::vector<double> adversarial(DType dtype) {
  const bool single = dtype == DType::f32;
  const double tiny = single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  const double huge = single ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const double epsilon = single ? std::numeric_limits<float>::epsilon() : std::numeric_limits<double>::epsilon();
  std::vector<double> values{0,
                             tiny,
                             tiny / 8,
                             huge,
                             huge / 2,
                             infinity,
                             1,
                             1 + epsilon,
                             1 - epsilon,
                             epsilon,
                             0.5,
                             2,
                             3,
                             1e-3,
                             1e-10,
                             0.34657,
                             0.3466,
                             0.69314718,
                             3.14159265358979,
                             1.5707963267948966,
                             18.7,
                             18.72,
                             44.0,
                             87.3,
                             88.72,
                             88.73,
                             103.9,
                             104.1,
                             708.3,
                             709.78,
                             709.79,
                             745.1,
                             746,
                             1000,
                             38999,
                             39001,
                             1e6,
                             1e30};
  for (double x = 0.01; x < 120; x *= 1.07) values.push_back(x);
  for (double x = 0.013; x < 40; x += 0.171) values.push_back(x);
  const std::size_t half = values.size();
  for (std::size_t i = 0; i < half; ++i) values.push_back(-values[i]);
  values.push_back(nan_value);
  for (double& x : values) {
    if (single) x = static_cast<float>(x);
  }
  return values;
}

/// All pairs of values for two operands (a condition besides for three), each value alone for one.
std::vector<std::vector<double>> columns_for(int arity, DType dtype) {
  const std::vector<double> values = adversarial(dtype);
  if (arity == 1) return {values};
  std::vector<double> a, b, condition;
  for (std::size_t i = 0; i < values.size(); i += 3) {
    for (std::size_t j = 0; j < values.size(); j += 2) {
      a.push_back(values[i]);
      b.push_back(j % 5 == 0 ? values[i] : values[j]);
      condition.push_back((i + j) % 3 == 0);
    }
  }
  return arity == 2 ? std::vector{a, b} : std::vector{condition, a, b};
}

/// Rounds the exact value to the type, so that overflow and underflow are those of the type.
Real rounded(Real x, DType dtype) {
  if (dtype == DType::f32) return static_cast<float>(x);
  return dtype == DType::f64 ? static_cast<double>(x) : x;
}

bool agree(Real actual, Real exact, DType dtype, double relative, double absolute) {
  const Real expected = rounded(exact, dtype);
  if (std::isnan(expected) || std::isnan(actual)) return std::isnan(expected) && std::isnan(actual);
  if (std::isinf(expected) || std::isinf(actual)) {
    // Within the tolerance of the largest number both are right.
    const Real largest = dtype == DType::f32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
    return actual == expected || std::fabs(actual + exact) > 2 * largest * (1 - relative);
  }
  return std::fabs(actual - expected) <= relative * std::fabs(expected) + absolute;
}

void check_row(ElementwiseCode code, DType dtype, std::string_view implementation) {
  const ElementwiseInfo& row = info(code);
  const auto columns = columns_for(row.arity, dtype);
  const Op op = Elementwise{code};
  const std::vector<Real> actual = run(op, implementation, dtype, columns);
  const auto oracle = oracles().find(row.name);
  const std::vector<Real> plain =
      oracle == oracles().end() ? run(op, "reference", dtype, columns) : std::vector<Real>();
  const bool single = dtype == DType::f32;
  int wrong = 0;
  for (std::size_t i = 0; i < actual.size() && wrong < 5; ++i) {
    const auto operand = [&](std::size_t k) { return k < columns.size() ? static_cast<Real>(columns[k][i]) : 0; };
    const Real expected = plain.empty() ? oracle->second(operand(0), operand(1), operand(2)) : plain[i];
    const DType out = op.infer(std::vector<TensorSpec>(columns.size(), {dtype, Shape{}}))[0].dtype;
    const double relative = single ? 1e-6 : 1e-14, smallest = single ? 2e-38 : 3e-308;
    // A negative maximum and the logarithm beside it may cancel.
    const bool cancels = code == ElementwiseCode::logaddexp && std::fabs(expected) < 1;
    if (agree(actual[i], expected, out, relative, cancels ? relative : smallest)) continue;
    ++wrong;
    ADD_FAILURE() << row.name << " " << name_of(dtype) << " " << implementation << " of " << operand(0) << ", "
                  << operand(1) << ", " << operand(2) << ": " << actual[i] << ", expected " << rounded(expected, out);
  }
}

bool takes_floats(ElementwiseTypes types) {
  return types != ElementwiseTypes::logical && types != ElementwiseTypes::selection;
}

TEST(ElementwiseKernels, EveryRowOfEveryTargetMatchesTheStandardLibrary) {
  const std::vector<std::string> names = simd_targets();
  EXPECT_EQ(simd_target(), names.front());
  for (const std::int64_t target : {HWY_AVX3, HWY_AVX2, HWY_SSE4, HWY_NEON}) {
    if (std::find(names.begin(), names.end(), hwy::TargetName(target)) == names.end()) continue;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    for (const ElementwiseCode code : elementwise_codes()) {
      if (!takes_floats(info(code).types)) continue;
      check_row(code, DType::f32, "tiles");
      check_row(code, DType::f64, "tiles");
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(ElementwiseKernels, EveryRowOfTheReferenceMatchesTheStandardLibrary) {
  for (const ElementwiseCode code : elementwise_codes()) {
    if (!takes_floats(info(code).types)) continue;
    check_row(code, DType::f32, "reference");
    check_row(code, DType::f64, "reference");
  }
}

TEST(ElementwiseKernels, SelectionTakesWholeElements) {
  for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::i64, DType::u8, DType::boolean}) {
    const std::vector<double> condition{1, 0, 0, 1, 1, 0, 1}, a{1, 0, 1, 0, 1, 1, 0}, b{0, 0, 1, 1, 0, 0, 1};
    for (const std::string_view implementation : {"tiles", "reference"}) {
      EXPECT_EQ(run(Elementwise{ElementwiseCode::where}, implementation, dtype, {condition, a, b}),
                (std::vector<Real>{1, 0, 1, 0, 1, 0, 0}));
    }
  }
}

TEST(ElementwiseKernels, TruthTables) {
  const std::vector<double> a{0, 0, 1, 1}, b{0, 1, 0, 1};
  for (const std::string_view implementation : {"tiles", "reference"}) {
    const auto table = [&](ElementwiseCode code) {
      return run(Elementwise{code}, implementation, DType::boolean, {a, b});
    };
    EXPECT_EQ(table(ElementwiseCode::logical_and), (std::vector<Real>{0, 0, 0, 1}));
    EXPECT_EQ(table(ElementwiseCode::logical_or), (std::vector<Real>{0, 1, 1, 1}));
    EXPECT_EQ(table(ElementwiseCode::equal), (std::vector<Real>{1, 0, 0, 1}));
    EXPECT_EQ(table(ElementwiseCode::less), (std::vector<Real>{0, 1, 0, 0}));
    EXPECT_EQ(run(Elementwise{ElementwiseCode::logical_not}, implementation, DType::boolean, {a}),
              (std::vector<Real>{1, 1, 0, 0}));
  }
}

TEST(ElementwiseKernels, IntegersWrapAround) {
  for (const std::string_view implementation : {"tiles", "reference"}) {
    const auto binary = [&](ElementwiseCode code, DType dtype, double a, double b) {
      return run(Elementwise{code}, implementation, dtype, {{a}, {b}})[0];
    };
    const auto unary = [&](ElementwiseCode code, DType dtype, double x) {
      return run(Elementwise{code}, implementation, dtype, {{x}})[0];
    };
    EXPECT_EQ(binary(ElementwiseCode::add, DType::i32, 2147483647, 1), -2147483648.0L);
    EXPECT_EQ(binary(ElementwiseCode::sub, DType::u8, 3, 5), 254);
    EXPECT_EQ(binary(ElementwiseCode::mul, DType::i32, 65536, 65536), 0);
    EXPECT_EQ(binary(ElementwiseCode::maximum, DType::i64, -7, 5), 5);
    EXPECT_EQ(unary(ElementwiseCode::abs, DType::i32, -2147483648.0), -2147483648.0L);
    EXPECT_EQ(unary(ElementwiseCode::sign, DType::i64, -3), -1);
    EXPECT_EQ(unary(ElementwiseCode::sign, DType::u8, 200), 1);
    EXPECT_EQ(unary(ElementwiseCode::relu, DType::i32, -4), 0);
    EXPECT_EQ(unary(ElementwiseCode::floor, DType::i32, -4), -4);
    EXPECT_EQ(binary(ElementwiseCode::pow, DType::i64, -3, 5), -243);
    EXPECT_EQ(binary(ElementwiseCode::pow, DType::u8, 2, 9), 0);
    EXPECT_EQ(binary(ElementwiseCode::pow, DType::i32, 2, -1), 0);
    EXPECT_EQ(binary(ElementwiseCode::pow, DType::i32, -1, -3), -1);
    EXPECT_EQ(binary(ElementwiseCode::pow, DType::i32, 7, 0), 1);
  }
}

TEST(ElementwiseKernels, CastsTruncateSaturateAndRound) {
  const std::vector<double> values{0, -0.9, 1.5, 3e9, -3e9, 1e30, -1e30, infinity, nan_value, 300, 255};
  for (const std::string_view implementation : {"tiles", "reference"}) {
    const auto to = [&](DType dtype) { return run(Cast{dtype}, implementation, DType::f64, {values}); };
    EXPECT_EQ(to(DType::i32), (std::vector<Real>{0, 0, 1, 2147483647, -2147483648.0L, 2147483647, -2147483648.0L,
                                                 2147483647, 0, 300, 255}));
    EXPECT_EQ(to(DType::i64), (std::vector<Real>{0, 0, 1, 3e9L, -3e9L, 9223372036854775807.0L, -9223372036854775808.0L,
                                                 9223372036854775807.0L, 0, 300, 255}));
    EXPECT_EQ(to(DType::u8), (std::vector<Real>{0, 0, 1, 255, 0, 255, 0, 255, 0, 255, 255}));
    EXPECT_EQ(to(DType::boolean), (std::vector<Real>{0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(run(Cast{DType::bf16}, implementation, DType::f32, {{1, 1.00390625, 1.01171875, -2.5}}),
              (std::vector<Real>{1, 1, 1.015625, -2.5}));
    EXPECT_EQ(run(Cast{DType::f32}, implementation, DType::bf16, {{1, -2.5, 256}}), (std::vector<Real>{1, -2.5, 256}));
    EXPECT_EQ(run(Cast{DType::i32}, implementation, DType::boolean, {{0, 1}}), (std::vector<Real>{0, 1}));
    EXPECT_EQ(run(Cast{DType::u8}, implementation, DType::i32, {{-1, 256, 77}}), (std::vector<Real>{255, 0, 77}));
  }
}

TEST(ElementwiseKernels, ConstantsAndStopGradient) {
  for (const std::string_view implementation : {"tiles", "reference"}) {
    EXPECT_EQ(run(Constant{DType::f32, 2.5}, implementation, DType::f32, {}), (std::vector<Real>{2.5}));
    EXPECT_EQ(run(Constant{DType::i64, -3}, implementation, DType::i64, {}), (std::vector<Real>{-3}));
    EXPECT_EQ(run(StopGradient{}, implementation, DType::f32, {{1, 2, 3}}), (std::vector<Real>{1, 2, 3}));
  }
}

TEST(ElementwiseKernels, EmptyTensors) {
  for (const std::string_view implementation : {"tiles", "reference"}) {
    EXPECT_TRUE(run(Elementwise{ElementwiseCode::exp}, implementation, DType::f32, {{}}).empty());
  }
}

TEST(ElementwiseKernels, RefusesArithmeticOnStorageTypes) {
  const TensorSpec spec{DType::bf16, Shape{4}};
  std::string reason;
  for (const std::string_view implementation : {"tiles", "reference"}) {
    const Op op = Elementwise{ElementwiseCode::neg};
    EXPECT_EQ(maker("neg", implementation)({op, std::span(&spec, 1), std::span(&spec, 1)}, reason), nullptr);
    EXPECT_FALSE(reason.empty());
  }
}

// Every bit of the vector loops, and of what is left at their end, is that of the scalar conversion.
TEST(ElementwiseKernels, CastsOfBf16) {
  std::vector<float> wide;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const std::uint32_t bits = i * 858993u + (i % 7 == 0 ? 0x7f800000u : 0u);  // all exponents, NaN, infinities, ties
    wide.push_back(std::bit_cast<float>(i % 5 == 0 ? bits & 0xffff8000u : bits));
  }
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{33}, wide.size()}) {
    std::vector<BFloat16> narrow(count + 1, BFloat16(7));
    find_cast(DType::f32, DType::bf16)(narrow.data(), wide.data(), nullptr, nullptr, count);
    std::vector<float> back(count + 1, 7);
    find_cast(DType::bf16, DType::f32)(back.data(), narrow.data(), nullptr, nullptr, count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(narrow[i].bits, BFloat16(wide[i]).bits) << i;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(back[i]), std::uint32_t{narrow[i].bits} << 16) << i;
    }
    EXPECT_EQ(narrow[count], BFloat16(7));
    EXPECT_EQ(back[count], 7);
  }
}

/// Of 40 digits (mpmath 1.3).
TEST(Special, DigammaNearItsPoles) {
  EXPECT_NEAR(special::digamma(-1e-8), 99999999.422784316557, 1e-7);
  EXPECT_NEAR(special::digamma(-2.00000001), 100000001.53053140693, 1e-7);
  EXPECT_NEAR(special::digamma(-1e-45), 1e45, 1e31);
  EXPECT_NEAR(special::polygamma(1, -1e-8), 1.0000000000000001226e16, 16);
  EXPECT_NEAR(special::polygamma(1, -2.00000001), 10000000121549423.421, 16);
}

}  // namespace
}  // namespace gradus::kernel
