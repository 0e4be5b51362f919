// Regions with reductions at their end: the bits of a region and reductions that read it from memory.
#include <gtest/gtest.h>

#include <cstring>

#include "gradus/base/parallel.h"
#include "gradus/kernel/conformance_test.h"
#include "gradus/ops/region_reduce.h"

namespace gradus::kernel::testing {
namespace {

/// Of x (dense) and b (one element for each index of the last axis): x + b, (x + b) * x, max or sum of both.
RegionReduce make_op(const Shape& shape, const Reduce& reduce, std::int32_t dense) {
  RegionReduce op;
  op.region.space = shape;
  RegionInput x{DType::f32, {}, 0}, b{DType::f32, {}, 0};
  const auto strides = row_major_strides(shape);
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(shape.rank()); ++axis) x.strides[axis] = strides[axis];
  b.strides[static_cast<std::size_t>(shape.rank()) - 1] = 1;
  op.region.inputs = {x, b};
  op.region.instructions.push_back({ElementwiseCode::add, DType::f32, DType::f32, {0, 1, -1}, 0});
  op.region.instructions.push_back({ElementwiseCode::mul, DType::f32, DType::f32, {2, 0, -1}, 0});
  for (std::int32_t i = 0; i < dense; ++i) op.region.outputs.push_back(2 + i);
  for (const std::int32_t folded : {2, 3}) op.region.outputs.push_back(folded);
  op.region.specs.assign(op.region.outputs.size(), {DType::f32, shape});
  op.dense = dense;
  op.reduce = reduce;
  return op;
}

Implementation find(std::string_view op, std::string_view name) {
  for (const Implementation& i : implementations(op)) {
    if (i.implementation == name) return i;
  }
  ADD_FAILURE() << op << " has no " << name;
  return {};
}

void expect_same(const Array& a, const Array& b, const std::string& what) {
  ASSERT_EQ(a.spec, b.spec) << what;
  EXPECT_EQ(std::memcmp(a.buffer->data(), b.buffer->data(), a.spec.bytes()), 0) << what;
}

void check_case(const Shape& shape, const Reduce& reduce, std::int32_t dense) {
  const RegionReduce op = make_op(shape, reduce, dense);
  const std::vector<Array> inputs{random_array({DType::f32, shape}, 1),
                                  random_array({DType::f32, {shape[shape.rank() - 1]}}, 2)};
  const std::string what = op.region.space.str() + " " + reduce.str() + " " + std::to_string(dense);
  const std::vector<Array> fused = run(find("region_reduce", "tiles"), op, inputs);
  const std::vector<Array> parts = run(find("region", "tiles"), op.region, inputs);
  ASSERT_EQ(fused.size(), parts.size()) << what;
  for (std::size_t i = 0; i < fused.size(); ++i) {
    if (i < static_cast<std::size_t>(dense)) {
      expect_same(fused[i], parts[i], what);
    } else {
      expect_same(fused[i], run(find(reduce.name(), "tiles"), reduce, {parts[i]})[0], what);
    }
  }
  EXPECT_EQ(compare_all(op, inputs, 1e-4), 1) << what;
}

TEST(RegionReduceKernels, HaveTheBitsOfTheirParts) {
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const auto sums = [](std::uint32_t axes) { return Reduce{ReduceKind::sum, axes, false}; };
    check_case({1}, sums(1), 0);
    check_case({7, 5}, sums(1), 1);        // narrow columns
    check_case({300, 10}, sums(1), 2);     // rows of columns side by side, several blocks
    check_case({130, 700}, sums(1), 1);    // columns in segments, if there are three threads
    check_case({70, 5000}, sums(1), 1);    // in segments for one thread, too; the last is shorter
    check_case({40, 33}, sums(2), 0);      // whole rows
    check_case({3, 9000}, sums(2), 1);     // several blocks of a row
    check_case({6, 5, 200}, sums(5), 1);   // a channel of images
    check_case({4, 3, 5, 7}, sums(5), 2);  // kept and folded axes in turn
    check_case({2, 300, 6}, sums(2), 0);   // columns in groups
    check_case({70000}, sums(1), 1);       // everything, in chunks
    check_case({64, 257}, {ReduceKind::max, 2, true}, 1);
    check_case({64, 257}, {ReduceKind::min, 1, false}, 0);
  }
  set_num_threads(before);
}

}  // namespace
}  // namespace gradus::kernel::testing
