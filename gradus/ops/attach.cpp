#include "gradus/ops/attach.h"

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus {

Specs Attach::infer(std::span<const TensorSpec> inputs) const {
  GRADUS_ASSERT(!inputs.empty());
  return {inputs[0]};
}

Tensors Attach::vjp(const VjpArgs& args) const {
  Tensors flows(args.inputs.size());
  flows[0] = args.cotangents[0];
  return flows;
}

Tensors Attach::batch(const BatchArgs& args) const {
  Tensors inputs(args.inputs.begin(), args.inputs.end());
  if (!args.is_batched(0)) {
    Shape shape = inputs[0].shape();
    shape.insert(0, args.size);
    inputs[0] = broadcast_to(inputs[0], shape);
  }
  return record_all(*this, inputs, {});
}

Tensor attach(const TensorArg& x, std::span<const Tensor> others) {
  Tensors inputs{detail::operand(x, "attach")};
  for (const Tensor& other : others) inputs.push_back(stop_gradient(TensorArg(other, x.where())));
  return record_all(Attach{}, inputs, x.where()).front();
}

}  // namespace gradus
