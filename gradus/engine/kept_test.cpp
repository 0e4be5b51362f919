// Parameters that are cast to bf16 once for many runs: with the same bits as cast in every run.
#include "gradus/engine/kept.h"

#include <gtest/gtest.h>

#include "gradus/engine/eval.h"
#include "gradus/engine/precision.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

constexpr precision::ScopeOptions anywhere{.always = true};

Tensor parameter(const Shape& shape, std::uint64_t seed) {
  const Tensor x = normal(shape, {}, Key{seed});
  eval(x);
  x.node()->label = intern("layer.weight");
  return x;
}

TEST(Kept, LivesAsLongAsItsSourceAndItsElements) {
  Ref<Buffer> source = Buffer::allocate(64);
  const Ref<Buffer> narrow = Buffer::allocate(32);
  const TensorSpec narrow_spec{DType::bf16, {16}};
  engine::kept::keep(*source, narrow_spec, narrow);  // nobody asked
  EXPECT_FALSE(engine::kept::find(*source, narrow_spec).again);
  EXPECT_TRUE(engine::kept::find(*source, narrow_spec).again);
  engine::kept::keep(*source, narrow_spec, narrow);
  EXPECT_EQ(engine::kept::find(*source, narrow_spec).narrow, narrow);
  engine::kept::forget(*source);
  EXPECT_FALSE(engine::kept::find(*source, narrow_spec).narrow);
  engine::kept::keep(*source, narrow_spec, narrow);
  EXPECT_EQ(narrow->use_count(), 2u);
  source.reset();
  EXPECT_EQ(narrow->use_count(), 1u);
}

TEST(Kept, RunsAgreeBitForBit) {
  const precision::Scope scope(precision::bf16, anywhere);
  const Tensor weight = parameter({64, 48}, 1);
  const Tensor x = normal({32, 48}, {}, Key{2});
  eval(x);
  const std::vector<float> first = linear(x, weight).to_vector<float>();
  for (int run = 0; run < 3; ++run) EXPECT_EQ(linear(x, weight).to_vector<float>(), first);
  EXPECT_TRUE(engine::kept::find(*weight.buffer(), {DType::bf16, weight.shape()}).narrow);
}

// What is kept must not be the place where its last reader computes.
TEST(Kept, IsNotOverwrittenByItsReaders) {
  const Tensor weight = parameter({64, 48}, 1);
  const auto use = [&] {
    const Tensor y = exp(reshape(-reshape(cast(weight, DType::bf16), {48, 64}), {16, 192}));
    return y.to_vector<float>();  // of a statement of its own: no value on the way is held
  };
  const std::vector<float> first = use();
  for (int run = 0; run < 3; ++run) EXPECT_EQ(use(), first);
  EXPECT_TRUE(engine::kept::find(*weight.buffer(), {DType::bf16, weight.shape()}).narrow);
}

// Two names of one memory have other rows, and other scales of them.
TEST(Kept, OfAReshapedWeightIsItsOwn) {
  const precision::Scope scope(precision::int8, anywhere);
  const Tensor weight = parameter({64, 48}, 1), other = reshape(weight, {48, 64});
  const Tensor x = normal({4, 48}, {}, Key{2}), y = normal({4, 64}, {}, Key{3});
  eval(other, x, y);
  ASSERT_EQ(other.buffer()->data(), weight.buffer()->data());
  const std::vector<float> of_weight = linear(x, weight).to_vector<float>(),
                           of_other = linear(y, other).to_vector<float>();
  for (int run = 0; run < 3; ++run) {
    EXPECT_EQ(linear(x, weight).to_vector<float>(), of_weight);
    EXPECT_EQ(linear(x, weight).to_vector<float>(), of_weight);
    EXPECT_EQ(linear(y, other).to_vector<float>(), of_other);
    EXPECT_EQ(linear(y, other).to_vector<float>(), of_other);
  }
}

// The memory of a weight goes to its successor: what was kept of the old elements must go, too.
TEST(Kept, IsForgottenWhenTheMemoryIsGivenAway) {
  const precision::Scope scope(precision::bf16, anywhere);
  const Tensor x = normal({32, 48}, {}, Key{2});
  eval(x);
  Tensor weight = parameter({64, 48}, 1);
  const auto use = [&] { return linear(x, weight).to_vector<float>(); };
  const std::vector<float> first = use();
  EXPECT_EQ(use(), first);
  const std::byte* memory = weight.buffer()->data();
  weight = weight * 2.f;
  eval(weight);
  EXPECT_EQ(weight.buffer()->data(), memory);  // donated
  weight.node()->label = intern("layer.weight");
  const std::vector<float> twice = use();
  for (std::size_t i = 0; i < first.size(); ++i) ASSERT_EQ(twice[i], 2 * first[i]) << i;
}

}  // namespace
}  // namespace gradus
