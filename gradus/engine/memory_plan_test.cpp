// Who may compute in whose place.
#include "gradus/engine/memory_plan.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/graph/graph.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

Tensor counted(const Shape& shape) {
  std::vector<float> numbers(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 97);
  return leaf<float>(shape, std::span<const float>(numbers));
}

/// An index beyond three elements that nobody can check before it runs.
Tensor five() { return abs(tensor({std::int64_t{5}})); }

int donated(const engine::Plan& plan) {
  int count = 0;
  for (const engine::ResultBuffer& buffer : plan.result_buffers) count += buffer.donor >= 0;
  return count;
}

TEST(MemoryPlan, AResultTakesTheMemoryOfAnOperandThatEnds) {
  const Tensor x = counted({64, 64}), y = relu(matmul(x, x) + 1.f);
  const engine::Plan plan = engine::make_plan(capture(std::span(&y, 1)).graph);
  std::size_t scratch = 0;
  for (const engine::Step& step : plan.steps) scratch += (step.kernel->scratch_bytes() + 63) / 64 * 64;
  EXPECT_LE(plan.arena_bytes, scratch) << plan.print();
}

/// An element is written where another one that is read later lies.
TEST(MemoryPlan, AnOperandThatIsReadInTwoOrdersStays) {
  const Tensor x = counted({64, 64});
  const std::vector<float> in = x.to_vector<float>();
  const Tensor z = [&] {
    const Tensor y = matmul(x, eye(64));
    return y + transpose(y, 0, 1) * 100.f;
  }();
  const std::vector<float> out = z.to_vector<float>();
  for (std::size_t i = 0; i < 64; ++i)
    for (std::size_t j = 0; j < 64; ++j) ASSERT_EQ(out[i * 64 + j], in[i * 64 + j] + 100 * in[j * 64 + i]);
}

/// Half of the operand is read, in the order in which the result is written.
TEST(MemoryPlan, AnOperandDoesNotMoveIntoASmallerResult) {
  const Tensor x = counted({64, 64});
  const Tensor z = [&] {
    const Tensor y = matmul(x, eye(64));
    return slice(y, 0, 0, 32) * 2.f;
  }();
  const engine::Plan plan = engine::make_plan(capture(std::span(&z, 1)).graph);
  for (const engine::Step& step : plan.steps) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i)
      EXPECT_EQ(plan.storages[static_cast<std::size_t>(step.inputs[i])].bytes, step.input_specs[i].bytes());
    for (std::size_t o = 0; o < step.outputs.size(); ++o)
      EXPECT_EQ(plan.storages[static_cast<std::size_t>(step.outputs[o])].bytes, step.output_specs[o].bytes());
  }
  EXPECT_EQ(z.to_vector<float>(), (slice(x, 0, 0, 32) * 2.f).to_vector<float>());
}

TEST(MemoryPlan, ALeafWhoseViewIsAResultStays) {
  const auto [view, twice] = [] {
    const Tensor x = counted({6, 4});
    return std::pair(reshape(x, {4, 6}), x * 2.f);
  }();
  eval(view, twice);
  EXPECT_EQ(view.to_vector<float>(), counted({24}).to_vector<float>());
  EXPECT_EQ(twice.to_vector<float>()[23], 46);
}

TEST(MemoryPlan, ALeafWhoseMemoryAnotherTensorSharesStays) {
  const auto [view, twice] = [] {
    const Tensor x = counted({6, 4}), other_name = reshape(x, {4, 6});
    eval(other_name);
    EXPECT_EQ(other_name.buffer()->data(), x.buffer()->data());
    return std::pair(other_name, x * 2.f);
  }();
  eval(twice);
  EXPECT_EQ(view.to_vector<float>(), counted({24}).to_vector<float>());
  EXPECT_EQ(twice.to_vector<float>()[23], 46);
}

/// A file that is mapped, say.
TEST(MemoryPlan, BorrowedMemoryStays) {
  alignas(64) float numbers[] = {1, 2, 3};
  const Tensor twice =
      leaf(TensorSpec{DType::f32, {3}}, Buffer::adopt(reinterpret_cast<std::byte*>(numbers), sizeof numbers, [] {})) *
      2.f;
  EXPECT_EQ(twice.to_vector<float>(), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(numbers[0], 1);
}

/// Of two outputs the second one must not be written where the first one lies.
TEST(MemoryPlan, ALeafOfSeveralOutputsStays) {
  const auto [next, twice] = [] {
    const auto [values, order] = sort(counted({96}), 0, {.descending = true});
    eval(values, order);
    return std::pair(order + std::int64_t{1}, values * 2.f);
  }();
  eval(next, twice);
  EXPECT_EQ(next.to_vector<std::int64_t>()[0], 96);
  EXPECT_EQ(twice.to_vector<float>()[0], 190);
}

TEST(MemoryPlan, AFailedRunLeavesWhatItWouldHaveOverwritten) {
  const Tensor next = counted({6, 4}) * 2.f;
  const Tensor beyond = gather(exp(sin(tensor({1.f, 2.f, 3.f}))), 0, five());
  EXPECT_THROW(eval(next, beyond), Error);
  EXPECT_EQ(next.to_vector<float>()[5], 10);
}

TEST(MemoryPlan, AnIndexThatWasCheckedForMoreCanStillFail) {
  const Tensor index = five();
  const Tensor found = take(counted({6}), index);
  const Tensor next = exp(found) * 0.f + counted({1}) * 2.f + found;
  const Tensor last = counted({6, 4}) * sum(next);
  const Tensor beyond = take(exp(sin(tensor({1.f, 2.f, 3.f}))) * sum(last), index);
  EXPECT_THROW(eval(last, beyond), Error);
  EXPECT_EQ(last.to_vector<float>()[3], 15);
  const Tensors both{last, beyond};
  EXPECT_EQ(donated(engine::make_plan(capture(both).graph)), 0);
}

/// The first matrix is solved where its right side lies before the second one turns out to be singular.
TEST(MemoryPlan, WhatFailsHalfwayWritesNoLeaf) {
  const Tensor a = tensor({{{2.f, 0.f}, {0.f, 2.f}}, {{1.f, 0.f}, {1.f, 0.f}}});
  const Tensor x = linalg::solve_triangular(a, counted({2, 2, 3}), {.upper = false});
  EXPECT_THROW(eval(x), Error);
  EXPECT_EQ(x.node()->inputs[1].to_vector<float>(), counted({12}).to_vector<float>());
}

}  // namespace
}  // namespace gradus
