#include "gradus/ops/index.h"

#include <gtest/gtest.h>

#include "gradus/base/parallel.h"
#include "gradus/kernel/conformance_test.h"

namespace gradus::kernel::testing {
namespace {

std::vector<double> elements(const Array& array) {
  std::vector<double> list;
  for (std::int64_t i = 0; i < array.spec.shape.numel(); ++i) list.push_back(array.at(i));
  return list;
}

Array indexes(const Shape& shape, const std::vector<std::int64_t>& values) { return Array(shape, values); }

/// The status of the reference kernel.
Status status_of(const Op& op, const std::vector<Array>& inputs) {
  const std::vector<TensorSpec> specs = specs_of(inputs);
  const Specs out = op.infer(specs);
  std::string reason;
  const auto kernel = reference_of(op).make({op, specs, out}, reason);
  EXPECT_TRUE(kernel->can_fail());
  const Array output(out[0]);
  std::vector<const std::byte*> sources;
  for (const Array& input : inputs) sources.push_back(input.buffer->data());
  std::byte* target = output.buffer->data();
  return kernel->run({sources, {&target, 1}, nullptr});
}

double dot(const Array& a, const Array& b) {
  EXPECT_EQ(a.spec, b.spec);
  double sum = 0;
  for (std::int64_t i = 0; i < a.spec.shape.numel(); ++i) sum += a.at(i) * b.at(i);
  return sum;
}

const Array x34({3, 4}, std::vector<float>{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23});

TEST(IndexKernels, GatherByHand) {
  EXPECT_EQ(elements(run_reference(Gather{1}, {x34, indexes({3, 2}, {3, 0, 1, 1, 2, 0})})[0]),
            (std::vector<double>{3, 0, 11, 11, 22, 20}));
  // Fewer columns than x: the others are left out, as in PyTorch.
  EXPECT_EQ(elements(run_reference(Gather{0}, {x34, indexes({2, 3}, {2, 0, 1, 0, 0, 0})})[0]),
            (std::vector<double>{20, 1, 12, 0, 1, 2}));
  const Array narrow({1, 1}, std::vector<std::int32_t>{2});
  EXPECT_EQ(elements(run_reference(Gather{1}, {x34, narrow})[0]), (std::vector<double>{2}));
}

TEST(IndexKernels, ScatterAddByHand) {
  const Array base({2, 3}, std::vector<float>{1, 1, 1, 1, 1, 1});
  const Array source({2, 2}, std::vector<float>{10, 20, 30, 40});
  EXPECT_EQ(elements(run_reference(ScatterAdd{1}, {base, indexes({2, 2}, {2, 2, 0, 1}), source})[0]),
            (std::vector<double>{1, 1, 31, 31, 41, 1}));
  EXPECT_EQ(elements(run_reference(ScatterAdd{0}, {base, indexes({2, 2}, {1, 0, 1, 0}), source})[0]),
            (std::vector<double>{1, 61, 1, 41, 1, 1}));
}

TEST(IndexKernels, TakeByHand) {
  EXPECT_EQ(elements(run_reference(Take{0}, {x34, indexes({3}, {2, 0, 2})})[0]),
            (std::vector<double>{20, 21, 22, 23, 0, 1, 2, 3, 20, 21, 22, 23}));
  const Array y = run_reference(Take{1}, {x34, indexes({1, 2}, {3, 1})})[0];
  EXPECT_EQ(y.spec.shape, (Shape{3, 1, 2}));
  EXPECT_EQ(elements(y), (std::vector<double>{3, 1, 13, 11, 23, 21}));
}

TEST(IndexKernels, TakeAddByHand) {
  const Array base({2, 2}, std::vector<float>{0, 0, 5, 5});
  const Array source({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(elements(run_reference(TakeAdd{0}, {base, indexes({3}, {0, 1, 0}), source})[0]),
            (std::vector<double>{6, 8, 8, 9}));
}

TEST(IndexKernels, OneHotByHand) {
  const Array y = run_reference(OneHot{3}, {indexes({2}, {2, 0})})[0];
  EXPECT_EQ(y.spec, (TensorSpec{DType::i64, {2, 3}}));
  EXPECT_EQ(elements(y), (std::vector<double>{0, 0, 1, 1, 0, 0}));
}

TEST(IndexKernels, AdditionsAreTheAdjointsOfPicks) {
  Choices choices(7);
  for (int i = 0; i < 100; ++i) {
    const Shape shape{choices.pick({1, 3, 8}), choices.pick({1, 5, 40}), choices.pick({1, 2, 65})};
    const int axis = static_cast<int>(choices.pick({0, 1, 2}));
    const Array x = random_array({DType::f64, shape}, static_cast<std::uint64_t>(i));
    const Array zeros(shape, std::vector<double>(static_cast<std::size_t>(shape.numel())));
    Shape picked = shape;
    picked.set(axis, choices.pick({1, 4, 9}));
    picked.set((axis + 1) % 3, std::min<std::int64_t>(shape[(axis + 1) % 3], 2));
    std::vector<std::int64_t> element_indexes, slice_indexes;
    for (std::int64_t p = 0; p < picked.numel(); ++p)
      element_indexes.push_back(choices.pick({0, shape[axis] / 2, shape[axis] - 1}));
    for (int p = 0; p < 6; ++p) slice_indexes.push_back(choices.pick({0, shape[axis] / 3, shape[axis] - 1}));
    const auto check_pair = [&](const Op& pick, const Op& add, const Array& index) {
      const Array y = run_reference(pick, {x, index})[0];
      const Array g = random_array(y.spec, 99);
      EXPECT_NEAR(dot(y, g), dot(x, run_reference(add, {zeros, index, g})[0]), 1e-9) << pick.str() << shape.str();
    };
    check_pair(Gather{axis}, ScatterAdd{axis}, indexes(picked, element_indexes));
    check_pair(Take{axis}, TakeAdd{axis}, indexes({2, 3}, slice_indexes));
  }
}

TEST(IndexKernels, AdditionsHaveTheSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  const Array base = random_array({DType::f32, {50, 300}}, 1), source = random_array({DType::f32, {2000, 300}}, 2);
  std::vector<std::int64_t> rows(2000);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i * i % 50);
  set_num_threads(1);
  const auto one = elements(run_reference(TakeAdd{0}, {base, indexes({2000}, rows), source})[0]);
  set_num_threads(5);
  EXPECT_EQ(elements(run_reference(TakeAdd{0}, {base, indexes({2000}, rows), source})[0]), one);
  set_num_threads(before);
}

TEST(IndexKernels, TheFirstIndexOutOfRangeIsReported) {
  std::vector<std::int64_t> labels(100000, 1);
  labels[70001] = -4;
  labels[99999] = 3;
  const Status status = status_of(OneHot{3}, {indexes({100000}, labels)});
  EXPECT_FALSE(status.ok);
  EXPECT_EQ(status.position, 70001);
  EXPECT_EQ(status.value, -4);
  EXPECT_EQ(status.limit, 3);
  EXPECT_EQ(status.input, 0);
  const Status gathered = status_of(Gather{1}, {x34, indexes({3, 1}, {0, 4, 0})});
  EXPECT_FALSE(gathered.ok);
  EXPECT_EQ(gathered.position, 1);
  EXPECT_EQ(gathered.limit, 4);
  EXPECT_EQ(gathered.input, 1);
  EXPECT_FALSE(status_of(Take{0}, {x34, indexes({1}, {3})}).ok);
  EXPECT_FALSE(status_of(TakeAdd{0}, {x34, indexes({1}, {-1}), Array({1, 4}, std::vector<float>(4))}).ok);
  EXPECT_FALSE(status_of(ScatterAdd{0}, {x34, indexes({1, 1}, {3}), Array({1, 1}, std::vector<float>(1))}).ok);
  EXPECT_TRUE(status_of(Take{0}, {x34, Array(TensorSpec{DType::i64, {0}})}).ok);
}

}  // namespace
}  // namespace gradus::kernel::testing
