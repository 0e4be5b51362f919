#include "gradus/nn/layers/embedding.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/observe.h"

namespace gradus::nn {
namespace {

/// A table of N(0, 1) whose padding row is 0.
Tensor table(const char* layer, std::int64_t rows, std::int64_t width, std::optional<std::int64_t> padding,
             SourceLocation where) {
  if (rows < 1 || width < 1) {
    throw Error(ErrorKind::value, layer, fmt::format("sizes must be positive, not {} x {}", rows, width)).at(where);
  }
  const Tensor values = init::normal({rows, width});
  if (!padding) return values;
  if (*padding < -rows || *padding >= rows) {
    throw Error(ErrorKind::value, layer, fmt::format("padding_idx is {}, but there are {} rows", *padding, rows))
        .at(where);
  }
  const auto drawn = values.data<float>();
  std::vector<float> elements(drawn.begin(), drawn.end());
  std::fill_n(elements.begin() + (*padding < 0 ? *padding + rows : *padding) * width, width, 0.f);
  return leaf<float>(values.shape(), elements);
}

}  // namespace

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, EmbeddingOptions table_options,
                     SourceLocation where)
    : weight(table("nn::Embedding", num_embeddings, embedding_dim, table_options.padding_idx, where)),
      options(table_options) {}

Tensor Embedding::operator()(const TensorArg& indices) const {
  return observed(*this, indices, embedding(weight, indices, options, indices.where()));
}

EmbeddingBag::EmbeddingBag(std::int64_t num_embeddings, std::int64_t embedding_dim,
                           EmbeddingBagLayerOptions bag_options, SourceLocation where)
    : weight(table("nn::EmbeddingBag", num_embeddings, embedding_dim, bag_options.padding_idx, where)),
      options(bag_options) {}

Tensor EmbeddingBag::operator()(const TensorArg& indices) const { return (*this)(indices, Tensor()); }

Tensor EmbeddingBag::operator()(const TensorArg& indices, const Tensor& offsets,
                                const Tensor& per_sample_weights) const {
  const EmbeddingBagOptions bag{options.mode, options.padding_idx, per_sample_weights};
  const Tensor rows = offsets.defined() ? embedding_bag(weight, indices, offsets, bag, indices.where())
                                        : embedding_bag(weight, indices, bag, indices.where());
  return observed(*this, indices, rows);
}

Bilinear::Bilinear(std::int64_t in1, std::int64_t in2, std::int64_t out, BilinearOptions options,
                   SourceLocation where) {
  if (in1 < 1 || in2 < 1 || out < 1) {
    throw Error(ErrorKind::value, "nn::Bilinear",
                fmt::format("sizes must be positive, not {}, {} -> {}", in1, in2, out))
        .at(where);
  }
  const double bound = 1 / std::sqrt(static_cast<double>(in1));
  weight = init::uniform({out, in1, in2}, -bound, bound);
  if (options.bias) bias = init::uniform({out}, -bound, bound);
}

Tensor Bilinear::operator()(const TensorArg& x1, const TensorArg& x2) const {
  return observed(*this, x1, bilinear(x1, x2, weight, bias));
}

Tensor CosineSimilarity::operator()(const TensorArg& a, const TensorArg& b) const {
  return observed(*this, a, cosine_similarity(a, b, {axis, eps}));
}

Tensor PairwiseDistance::operator()(const TensorArg& a, const TensorArg& b) const {
  return observed(*this, a, pairwise_distance(a, b, {p, eps, keepdim}));
}

}  // namespace gradus::nn
