// Wrong uses of elementwise operations, activations, reductions, scans, factories and random numbers.
#include <cmath>

#include "gradus/gradus.h"
#include "wrong_uses.h"

namespace gradus {
namespace {

using testing::WrongUse;

constexpr SourceLocation here{"a.cpp", 7};

TensorArg at(const Tensor& x) { return {x, here}; }
const Tensor x23 = ones({2, 3});
const Tensor counts = tensor({1, 2, 3});

TEST(WrongUses, Elementwise) {
  testing::check_wrong_uses({
      {"shapes of add",
       [] {
         add(at(x23), ones({2, 4}));
       },
       R"(shape error in add
  a  f32 [2, 3]   axis 1 is 3
  b  f32 [2, 4]   axis 1 is 4, expected 3 or 1
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 []
  hint: axes are matched from the last one; sizes must be equal, or one of them 1)"},
      {"shapes of clamp", [] { clamp(at(x23), ones({4}), 1); }, R"(shape error in clamp
  x     f32 [2, 3]   axis 1 is 3
  low   f32 [4]      axis 0 is 4, expected 3 or 1
  high  f32 []
  operand 0 comes from broadcast_to of f32 []
  operand 1 comes from broadcast_to of f32 []
  hint: axes are matched from the last one; sizes must be equal, or one of them 1)"},
      {"undefined operand", [] { mul(at(x23), Tensor()); }, R"(state error in mul: b is an undefined tensor)"},
      {"undefined argument", [] { erf(at(Tensor())); }, R"(state error in erf: x is an undefined tensor)"},
      {"bool arithmetic", [] { mul(at(greater(x23, 0)), greater(x23, 0)); }, R"(dtype error in mul: not defined for bool
  a  bool [2, 3]
  b  bool [2, 3]
  operand 0 comes from greater of f32 [2, 3]
  operand 1 comes from greater of f32 [2, 3]
  hint: use logical_and, logical_or or logical_not, or cast(x, DType::i32))"},
      {"floor of bool", [] { floor(at(greater(x23, 0))); }, R"(dtype error in floor: not defined for bool
  x  bool [2, 3]
  operand 0 comes from greater of f32 [2, 3]
  hint: use logical_and, logical_or or logical_not, or cast(x, DType::i32))"},
      {"number out of range", [] { remainder(at(cast(counts, DType::u8)), 300); },
       R"(value error in remainder: the number 300 does not fit u8
  hint: cast the tensor to a wider type)"},
      {"mask of masked_fill", [] { masked_fill(at(x23), x23, 0.5); }, R"(dtype error in masked_fill
  x      f32 [2, 3]
  mask   f32 [2, 3]   expected bool
  value  f32 [])"},
      {"value of masked_fill", [] { masked_fill(at(counts), greater(counts, 1), 0.5); }, R"(dtype error in masked_fill
  x      i64 [3]
  mask   bool [3]
  value  f32 []   does not fit x)"},
      {"shapes of where", [] { where(at(greater(ones({5}), 0)), x23, 0); }, R"(shape error in where
  condition  bool [5]     axis 0 is 5
  a          f32 [2, 3]   axis 1 is 3, expected 5 or 1
  b          f32 []
  operand 0 comes from greater of f32 [5]
  operand 1 comes from broadcast_to of f32 []
  hint: axes are matched from the last one; sizes must be equal, or one of them 1)"},
      {"undefined nan_to_num", [] { nan_to_num(at(Tensor())); },
       R"(state error in nan_to_num: an operand is an undefined tensor)"},
      {"shapes of lerp", [] { lerp(at(x23), ones({7}), 0.5); }, R"(shape error in lerp
  a       f32 [2, 3]   axis 1 is 3
  b       f32 [7]      axis 0 is 7, expected 3 or 1
  weight  f32 []
  hint: axes are matched from the last one; sizes must be equal, or one of them 1)"},
  });
}

TEST(WrongUses, Activations) {
  testing::check_wrong_uses({
      {"channels of prelu", [] { prelu(at(x23), ones({4})); }, R"(shape error in prelu
  input   f32 [2, 3]   axis 1 is 3
  weight  f32 [4]      expected [3] or [1])"},
      {"rank of prelu's weight",
       [] {
         prelu(at(x23), ones({3, 1}));
       },
       R"(shape error in prelu
  input   f32 [2, 3]   axis 1 is 3
  weight  f32 [3, 1]   expected [3] or [1])"},
      {"bounds of rrelu", [] { rrelu(at(x23), {.lower = 0.5, .upper = 0.1}); },
       R"(value error in rrelu: lower 0.5 is above upper 0.1)"},
      {"alpha of celu", [] { celu(at(x23), 0); }, R"(value error in celu: alpha is 0)"},
      {"beta of softplus", [] { softplus(at(x23), {.beta = 0}); }, R"(value error in softplus: beta is 0)"},
      {"bounds of hardtanh", [] { hardtanh(at(x23), 1, -1); },
       R"(value error in hardtanh: min_val 1 is above max_val -1)"},
      {"lambd of softshrink", [] { softshrink(at(x23), -0.1); }, R"(value error in softshrink: lambd -0.1 is below 0)"},
      {"undefined gelu", [] { gelu(at(Tensor())); }, R"(state error in gelu: an operand is an undefined tensor)"},
      {"odd halves of glu", [] { glu(at(x23)); }, R"(shape error in glu: axis 1 is 3, which has no halves
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"axis of swiglu", [] { swiglu(at(x23), 2); },
       R"(axis error in swiglu: axis 2 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"pieces of maxout", [] { maxout(at(x23), 2); },
       R"(shape error in maxout: axis 1 is 3, which is not a multiple of 2 pieces
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"no pieces of maxout", [] { maxout(at(x23), 0); },
       R"(shape error in maxout: axis 1 is 3, which is not a multiple of 0 pieces
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"axis of sparsemax", [] { sparsemax(at(x23), -3); },
       R"(axis error in sparsemax: axis -3 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"integers in sparsemax", [] { sparsemax(at(counts)); }, R"(dtype error in sparsemax
  input  i64 [3]   expected a floating type
  hint: convert it: cast(x, DType::f32))"},
      {"scalar in softmin", [] { softmin(at(tensor(1.f))); },
       R"(axis error in softmin: axis -1 of a scalar, which has none
  input  f32 [])"},
  });
}

TEST(WrongUses, ReductionsAndScans) {
  testing::check_wrong_uses({
      {"axis of var", [] { var(at(x23), 2); },
       R"(axis error in var: axis 2 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"axis twice in stddev",
       [] {
         stddev(at(x23), {0, -2});
       },
       R"(axis error in stddev: axis -2 is given twice for a tensor with rank 2
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"p of norm", [] { norm(at(x23), std::nan("")); }, R"(value error in norm: p is NaN)"},
      {"undefined logsumexp", [] { logsumexp(at(Tensor())); },
       R"(state error in logsumexp: an operand is an undefined tensor)"},
      {"axis of count_nonzero", [] { count_nonzero(at(x23), -3); },
       R"(axis error in count_nonzero: axis -3 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"nothing for amax",
       [] {
         amax(at(ones({2, 0})), 1);
       },
       R"(shape error in max: there is nothing to choose from
  input  f32 [2, 0]   axis 1 is empty
  operand 0 comes from broadcast_to of f32 [])"},
      {"axis of cumsum", [] { cumsum(at(x23), 2); },
       R"(axis error in cumsum: axis 2 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"scalar in cumprod", [] { cumprod(at(tensor(1.f)), 0); },
       R"(axis error in cumprod: axis 0 of a scalar, which has none
  input  f32 [])"},
      {"axis of logcumsumexp", [] { logcumsumexp(at(x23), -4); },
       R"(axis error in logcumsumexp: axis -4 of a tensor with rank 2; it must be in [-2, 1]
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
  });
}

TEST(WrongUses, FactoriesAndRandomNumbers) {
  testing::check_wrong_uses({
      {"range of randint", [] { randint(3, 3, {2}, Key{0}, here); },
       R"(value error in randint: the range [3, 3) must have 1 to 2^53 integers)"},
      {"integers in rand_like", [] { rand_like(at(counts)); }, R"(dtype error in rand_like: expected a floating type
  input  i64 [3]
  hint: convert it: cast(x, DType::f32))"},
      {"width of truncated_normal", [] { truncated_normal({2}, {.stddev = 0}, Key{0}, here); },
       R"(value error in truncated_normal: mean 0 and standard deviation 0)"},
      {"range of truncated_normal", [] { truncated_normal({2}, {.low = 1, .high = 1}, Key{0}, here); },
       R"(value error in truncated_normal: the range [1, 1] is empty)"},
      {"rate of exponential", [] { exponential({2}, {.rate = -1}, Key{0}, here); },
       R"(value error in exponential: rate -1)"},
      {"type of gumbel", [] { gumbel({2}, DType::i32, Key{0}, here); },
       R"(dtype error in random_uniform: i32 random numbers
  hint: draw f32 or f64 and convert with cast())"},
      {"probability of bernoulli", [] { bernoulli({2}, 1.5, Key{0}, here); },
       R"(value error in bernoulli: the probability 1.5 is not in [0, 1])"},
      {"integers in bernoulli", [] { bernoulli(at(counts)); }, R"(dtype error in bernoulli: expected a floating type
  input  i64 [3]
  hint: convert it: cast(x, DType::f32))"},
      {"no classes",
       [] {
         categorical(at(ones({2, 0})));
       },
       R"(shape error in categorical: there are no classes along the last axis
  input  f32 [2, 0]
  input comes from broadcast_to of f32 [])"},
      {"samples of categorical", [] { categorical(at(x23), {.num_samples = 0}); },
       R"(value error in categorical: 0 samples)"},
      {"too many samples", [] { multinomial(at(x23), 4); },
       R"(value error in categorical: 4 samples of 3 classes without replacement)"},
      {"temperature", [] { gumbel_softmax(at(x23), {.tau = 0}); },
       R"(value error in gumbel_softmax: the temperature 0 is not above 0)"},
      {"probability of dropout", [] { dropout(at(x23), -0.5); },
       R"(value error in dropout: the probability -0.5 is not in [0, 1])"},
      {"integers in dropout", [] { dropout(at(counts)); }, R"(dtype error in dropout: expected a floating type
  input  i64 [3]
  hint: convert it: cast(x, DType::f32))"},
      {"points of linspace", [] { linspace(0, 1, -1, DType::f32, here); }, R"(value error in linspace: -1 steps)"},
      {"end of linspace", [] { linspace(0, 1 / 0.0, 3, DType::f32, here); },
       R"(value error in linspace: from 0 to inf, which is not finite)"},
      {"axes of meshgrid", [] { meshgrid({x23}, here); }, R"(shape error in meshgrid: a vector has rank 2
  input  f32 [2, 3]
  input comes from broadcast_to of f32 [])"},
      {"rows of eye", [] { eye(-1, DType::f32, here); }, R"(value error in eye: -1 rows)"},
  });
}

}  // namespace
}  // namespace gradus
