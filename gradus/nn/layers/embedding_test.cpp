// Tables whose rows are folded bag by bag.
#include "gradus/nn/layers/embedding.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

TEST(EmbeddingBag, FoldsTheRowsOfEachBag) {
  using Floats = std::vector<float>;
  const Tensor rows = reshape(tensor({1.f, 2.f, 3.f, 4.f, 50.f, 60.f}), {3, 2});
  nn::EmbeddingBag means(3, 2), sums(3, 2, {.mode = BagMode::sum, .padding_idx = 2});
  EXPECT_EQ(slice(sums.weight.tensor(), 0, 2, 3).to_vector<float>(), (Floats{0, 0}));
  means.weight = rows;
  sums.weight = rows;
  const Tensor bags = cast(reshape(tensor({0.f, 1.f, 1.f, 2.f}), {2, 2}), DType::i64);
  EXPECT_EQ(means(bags).to_vector<float>(), (Floats{2, 3, 26.5, 32}));
  EXPECT_EQ(sums(bags).to_vector<float>(), (Floats{4, 6, 3, 4}));
  const Tensor offsets = cast(tensor({0.f, 3.f}), DType::i64);
  EXPECT_EQ(sums(reshape(bags, {4}), offsets).to_vector<float>(), (Floats{7, 10, 0, 0}));
  EXPECT_THROW(nn::EmbeddingBag(0, 2), Error);
}

}  // namespace
}  // namespace gradus
