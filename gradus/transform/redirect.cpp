#include "gradus/transform/redirect.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/batch.h"

namespace gradus {

Specs Redirect::infer(std::span<const TensorSpec> inputs) const {
  GRADUS_ASSERT(outputs >= 1 && static_cast<std::size_t>(outputs) <= inputs.size());
  return Specs(inputs.first(static_cast<std::size_t>(outputs)));
}

std::string Redirect::str() const { return fmt::format("{{{}, outputs={}}}", rule.op.str(), outputs); }

Tensors Barrier::vjp(const VjpArgs& args) const {
  Tensors flows(args.inputs.size());
  flows[0] = args.cotangents[0];
  return flows;
}

Tensors Barrier::batch(const BatchArgs& args) const {
  Tensors inputs(args.inputs.begin(), args.inputs.end());
  inputs[0] = detail::batched_input(args, 0);
  return record_all(*this, inputs, {});
}

}  // namespace gradus
