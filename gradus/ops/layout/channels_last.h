// Convolutions over images whose channels lie side by side: what the layout pass (transform/layout.h) makes of convolutions.
#pragma once

#include <cstdint>
#include <string_view>

#include "gradus/base/dtype.h"
#include "gradus/graph/op.h"
#include "gradus/ops/conv.h"
#include "gradus/ops/view.h"

namespace gradus {

/// (n, c, h, w) -> (n, h, w, c), and back.
inline constexpr Permute to_channels_last{{0, 2, 3, 1}, 4};
inline constexpr Permute to_channels_first{{0, 3, 1, 2}, 4};

/// The shape behind such a permutation.
Shape permuted(const Shape& shape, const Permute& order);

/// Conv2d, Conv2dInputGradient or Conv2dWeightGradient with images (n, h, w, c) among operands and results. Weights lie as
/// they always do. An image that is computed may be rounded to bf16 on its way to memory.
struct ConvChannelsLast {
  enum class Pass : std::uint8_t { forward, input_gradient, weight_gradient };

  Pass pass = Pass::forward;
  Conv2d conv = {};
  Shape shape = {};           ///< of the gradients' result in the order of Conv2d: (n, c, h, w), or of the weights
  DType result = DType::f32;  ///< of an image: f32 or bf16

  /// "conv2d_channels_last", "conv2d_input_gradient_channels_last" or "conv2d_weight_gradient_channels_last".
  std::string_view name() const;
  OpFamily family() const { return OpFamily::contraction; }
  Specs infer(std::span<const TensorSpec> inputs) const;
  /// Exists only below the gradient: asking for one is a defect.
  Tensors vjp(const VjpArgs& args) const;
  friend bool operator==(const ConvChannelsLast&, const ConvChannelsLast&) = default;

  /// The operation that this is, and the specs of its operands, with channels in front.
  Op channels_first() const;
  SmallVector<TensorSpec, 2> operands_first(std::span<const TensorSpec> inputs) const;
};

}  // namespace gradus
