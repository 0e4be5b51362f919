#include "gradus/ops/sorting/sort.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/engine/eval.h"
#include "gradus/engine/unique.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

using Integers = std::vector<std::int64_t>;
using Floats = std::vector<float>;

Integers integers(const Tensor& x) { return x.to_vector<std::int64_t>(); }

TEST(Sort, IsStableAndPutsNanLast) {
  const Tensor x = tensor({2.f, NAN, 1.f, 2.f, -1.f});
  EXPECT_EQ(integers(argsort(x)), (Integers{4, 2, 0, 3, 1}));
  EXPECT_EQ(integers(argsort(x, 0, {.descending = true})), (Integers{1, 0, 3, 2, 4}));
  EXPECT_EQ(integers(sort(tensor({{3, 1}, {2, 5}}), 0).values), (Integers{2, 1, 3, 5}));
  EXPECT_EQ(integers(sort(tensor({true, false, true})).values), (Integers{0, 1, 1}));
  EXPECT_EQ(sort(zeros({2, 0})).values.shape(), (Shape{2, 0}));
  EXPECT_EQ(sort(cast(x, DType::bf16)).values.dtype(), DType::bf16);
}

TEST(Sort, TopkKthvalueAndMedian) {
  const Tensor x = tensor({{3.f, 1.f, 2.f, 5.f}, {0.f, 9.f, 9.f, 4.f}});
  const auto [values, indices] = topk(x, 2);
  EXPECT_EQ(values.to_vector<float>(), (Floats{5, 3, 9, 9}));
  EXPECT_EQ(integers(indices), (Integers{3, 0, 1, 2}));
  EXPECT_EQ(topk(x, 1, {.axis = 0, .largest = false}).values.shape(), (Shape{1, 4}));
  EXPECT_EQ(kthvalue(x, 3, 1, {.keepdim = true}).values.shape(), (Shape{2, 1}));
  EXPECT_EQ(kthvalue(x, 3, 1).values.to_vector<float>(), (Floats{3, 9}));
  EXPECT_EQ(median(x, 1).values.to_vector<float>(), (Floats{2, 4}));  // the lower one
  EXPECT_EQ(median(x).item<float>(), 3);
  EXPECT_TRUE(std::isnan(median(tensor({1.f, NAN, 2.f})).item<float>()));
  const Tensor slope = grad(median(x), {x})[0];
  EXPECT_EQ(slope.to_vector<float>(), (Floats{1, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(Sort, PlacesInSortedSequences) {
  const Tensor bounds = tensor({1, 3, 3, 7});
  EXPECT_EQ(integers(bucketize(tensor({{0, 1}, {3, 9}}), bounds)), (Integers{0, 0, 1, 4}));
  EXPECT_EQ(integers(bucketize(tensor({{0, 1}, {3, 9}}), bounds, {.right = true})), (Integers{0, 1, 3, 4}));
  EXPECT_EQ(searchsorted(bounds, 5).item<std::int64_t>(), 3);
  EXPECT_EQ(integers(searchsorted(tensor({{1.f, 2.f}, {10.f, 20.f}}), tensor({{2.f, 9.f, 1.f}, {2.f, 15.f, 20.f}}))),
            (Integers{1, 2, 0, 0, 1, 1}));
}

TEST(Sort, Histogram) {
  const Tensor x = tensor({0.f, 1.f, 1.9f, 2.f, 4.f, 5.f, -1.f, NAN});
  EXPECT_EQ(histc(x, 4, {.min = 0, .max = 4}).to_vector<float>(), (Floats{1, 2, 1, 1}));
  EXPECT_EQ(histc(tensor({1.f, 2.f, 3.f}), 2).to_vector<float>(), (Floats{1, 2}));
  EXPECT_EQ(histc(tensor({5.f, 5.f}), 3).to_vector<float>(), (Floats{0, 2, 0}));
}

TEST(Unique, ValuesInverseAndCounts) {
  const Unique u = unique(tensor({{3, 1}, {3, 2}}));
  EXPECT_EQ(integers(u.values), (Integers{1, 2, 3}));
  EXPECT_EQ(u.inverse.shape(), (Shape{2, 2}));
  EXPECT_EQ(integers(u.inverse), (Integers{2, 0, 2, 1}));
  EXPECT_EQ(integers(u.counts), (Integers{1, 1, 2}));
  EXPECT_EQ(unique(tensor({NAN, 1.f, NAN})).values.shape(), (Shape{3}));
  EXPECT_EQ(unique(zeros({0})).counts.shape(), (Shape{0}));
  EXPECT_EQ(unique(tensor({true, false, true})).values.dtype(), DType::boolean);
}

TEST(Unique, Bincount) {
  EXPECT_EQ(integers(bincount(tensor({1, 3, 1}))), (Integers{0, 2, 0, 1}));
  EXPECT_EQ(integers(bincount(tensor({1}), 4)), (Integers{0, 1, 0, 0}));
  EXPECT_EQ(bincount(zeros({0}, DType::i64)).shape(), (Shape{0}));
}

TEST(Scatter, TheLastOfSeveralWins) {
  const Tensor x = zeros({3}), index = tensor({1, 1, 2}), source = tensor({5.f, 6.f, 7.f});
  const Tensor y = scatter(x, 0, index, source);
  const Tensor slope = grad(sum(y * tensor({1.f, 10.f, 100.f})), {source})[0];
  EXPECT_EQ(y.to_vector<float>(), (Floats{0, 6, 7}));
  EXPECT_EQ(slope.to_vector<float>(), (Floats{0, 10, 100}));
  EXPECT_EQ(scatter(ones({3}), 0, tensor({0}), -2).to_vector<float>(), (Floats{-2, 1, 1}));
}

TEST(Embedding, PaddingHasNoGradient) {
  const Tensor weight = ones({4, 2}), tokens = tensor({1, 3, 1});
  EXPECT_EQ(grad(sum(embedding(weight, tokens, {.padding_idx = 1})), {weight})[0].to_vector<float>(),
            (Floats{0, 0, 0, 0, 0, 0, 1, 1}));
  EXPECT_EQ(grad(sum(embedding(weight, tokens, {.padding_idx = -1})), {weight})[0].to_vector<float>(),
            (Floats{0, 0, 2, 2, 0, 0, 0, 0}));
  const EmbeddingBagOptions only_padding{.mode = BagMode::max, .padding_idx = 1};
  EXPECT_EQ(embedding_bag(weight, tensor({{1, 1}, {3, 1}}), only_padding).to_vector<float>(), (Floats{0, 0, 1, 1}));
}

TEST(Selection, CloseAndQuantiles) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(allclose(tensor({1.f, inf}), tensor({1.000001f, inf})));
  EXPECT_FALSE(allclose(tensor({1.f}), tensor({1.1f})));
  EXPECT_TRUE(allclose(tensor({1.f}), 1.1, {.rtol = 0.1}));
  EXPECT_FALSE(allclose(tensor({1.f, -inf}), tensor({1.f, inf})));
  EXPECT_FALSE(allclose(tensor({NAN}), tensor({NAN})));
  EXPECT_TRUE(allclose(tensor({NAN}), tensor({NAN}), {.equal_nan = true}));
  EXPECT_EQ(quantile(tensor({4.f, 1.f, 2.f, 3.f}), 0.5).item<float>(), 2.5);
  EXPECT_EQ(quantile(tensor({4.f, 1.f, 2.f}), 1).item<float>(), 4);
  EXPECT_TRUE(std::isnan(quantile(tensor({4.f, NAN, 2.f}), 0).item<float>()));
  EXPECT_THROW(quantile(tensor({1.f}), 1.5), Error);
  EXPECT_THROW(quantile(tensor({1}), 0.5), Error);
  EXPECT_THROW(rot90(ones({2, 2}), 1, 0, -2), Error);
  EXPECT_THROW(diff(ones({2}), 0, -1), Error);
  EXPECT_EQ(diff(ones({2}), 0, 5).shape(), (Shape{0}));
  EXPECT_THROW(channel_shuffle(ones({1, 5, 2}), 2), Error);
  EXPECT_THROW(unflatten(ones({6}), 0, {4, -1}), Error);
  EXPECT_THROW(cross(ones({2}), ones({2})), Error);
  EXPECT_THROW(index_copy(ones({3, 2}), 0, tensor({1}), ones({2, 2})), Error);
}

TEST(Selection, ByMask) {
  const Tensor x = tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}});
  const Tensor chosen = masked_select(x * 2, greater(x, 2));
  EXPECT_EQ(chosen.shape(), (Shape{4}));
  EXPECT_EQ(chosen.to_vector<float>(), (Floats{6, 8, 10, 12}));
  EXPECT_EQ(grad(sum(square(masked_select(x, tensor({true, false, true})))), {x})[0].to_vector<float>(),
            (Floats{2, 0, 6, 8, 0, 12}));
  EXPECT_EQ(masked_select(tensor({7, 8}), tensor({{true}, {false}})).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{7, 8}));
  EXPECT_EQ(masked_select(x, less(x, 0)).shape(), (Shape{0}));
  EXPECT_THROW(masked_select(x, tensor({1, 0, 1})), Error);
  EXPECT_THROW(masked_select(x, tensor({true, false})), Error);
  EXPECT_EQ(nonzero(tensor({{0.f, 2.f}, {std::numeric_limits<float>::quiet_NaN(), 0.f}})).to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{0, 1, 1, 0}));
  EXPECT_EQ(nonzero(zeros({2, 3, 4})).shape(), (Shape{0, 3}));
}

}  // namespace
}  // namespace gradus
