#include "gradus/nn/gradients.h"

#include "gradus/base/error.h"
#include "gradus/transform/grad.h"

namespace gradus::nn::detail {

void set_gradients(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> gradients,
                   SourceLocation where) {
  GRADUS_ASSERT(parameters.size() == gradients.size());
  Tensors wrt;
  for (const FieldRef& field : parameters) {
    const bool wanted = field.parameter && field.parameter->trainable();
    wrt.push_back(wanted ? field.tensor() : Tensor());
  }
  const Tensors result = grad(loss, wrt, where);
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (gradients[i].parameter) {
      gradients[i].parameter->hold(result[i]);
    } else {
      *gradients[i].buffer = Buffer();
    }
  }
}

}  // namespace gradus::nn::detail
