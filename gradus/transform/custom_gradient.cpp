#include "gradus/transform/custom_gradient.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/graph/node.h"
#include "gradus/ops/batch.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/redirect.h"
#include "gradus/transform/vmap.h"

namespace gradus::detail {
namespace {

/// The gradient of a batched function of a user: the gradient for one example, batched.
struct BatchedRule {
  GradientRule one;
  std::uint64_t batched = 0;  ///< bit i: input i has the batch
  std::int64_t size = 0;
  std::int64_t outputs = 1;

  std::string_view name() const { return one.op.name(); }
  OpFamily family() const { return OpFamily::opaque; }
  Specs infer(std::span<const TensorSpec>) const { return {}; }
  Tensors vjp(const VjpArgs& args) const;
  Tensors batch(const BatchArgs& args) const { return custom_batch(Op(*this), outputs, args); }
  friend bool operator==(const BatchedRule&, const BatchedRule&) = default;
};

Tensors BatchedRule::vjp(const VjpArgs& args) const {
  Tensors examples, all;
  const auto stand_in = [&](const Tensor& x) {
    if (!x.defined()) return x;
    examples.push_back(placeholder({x.dtype(), example_shape(x)}));
    all.push_back(x);
    return examples.back();
  };
  Tensors inputs, results, cotangents;
  for (std::size_t i = 0; i < args.inputs.size(); ++i) {
    const bool shared = i < 64 && (batched >> i & 1) == 0;
    inputs.push_back(shared ? args.inputs[i] : stand_in(args.inputs[i]));
  }
  for (const Tensor& output : args.outputs) results.push_back(stand_in(output));
  for (const Tensor& cotangent : args.cotangents) cotangents.push_back(stand_in(cotangent));
  const Tensors flows = one.op.vjp({inputs, results, cotangents, args.wanted});
  Tensors result(flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (!flows[i].defined()) continue;
    result[i] = vmap(std::span(&flows[i], 1), examples, all)[0];
    if (i < 64 && (batched >> i & 1) == 0) result[i] = sum(result[i], 0);  // every example adds to what they share
  }
  return result;
}

}  // namespace

Tensors custom_vjp(std::string_view name, std::int64_t outputs, const VjpArgs& args,
                   Tensors (*rule)(const void*, const VjpArgs&), const void* self) {
  const auto count = static_cast<std::size_t>(outputs);
  VjpArgs own = args;
  own.inputs = args.inputs.subspan(count);
  own.wanted = count < 64 ? args.wanted >> count : ~std::uint64_t{0};
  if (args.inputs.size() > 64) own.wanted = ~std::uint64_t{0};
  Tensors flows = rule(self, own);
  if (flows.size() != own.inputs.size()) {
    throw Error(ErrorKind::usage, std::string(name),
                fmt::format("its vjp returned {} tensors for {} inputs", flows.size(), own.inputs.size()))
        .hint("return one tensor per input; an undefined one where no gradient flows");
  }
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (!flows[i].defined() || flows[i].spec() == own.inputs[i].spec()) continue;
    throw Error(flows[i].dtype() == own.inputs[i].dtype() ? ErrorKind::shape : ErrorKind::dtype, std::string(name),
                "its vjp returned a tensor that does not fit its input")
        .operand(fmt::format("input {}", i), own.inputs[i].spec())
        .operand("gradient", flows[i].spec(), "expected the input's type and shape");
  }
  flows.insert(flows.begin(), count, Tensor());
  return flows;
}

Tensors custom_batch(const Op& rule, std::int64_t outputs, const BatchArgs& args) {
  Tensors inputs(args.inputs.begin(), args.inputs.end());
  const auto count = static_cast<std::size_t>(outputs);
  std::uint64_t batched = args.batched;
  for (std::size_t i = 0; i < count; ++i) {
    inputs[i] = batched_input(args, i);
    if (i < 64) batched |= std::uint64_t{1} << i;
  }
  return record_all(Redirect{GradientRule(Op(BatchedRule{GradientRule(rule), batched, args.size, outputs})), outputs},
                    inputs, {});
}

Tensors redirect(Op rule, Tensors outputs, const Tensors& inputs, std::string_view name, SourceLocation where) {
  if (outputs.empty()) throw Error(ErrorKind::usage, std::string(name), "its forward returned no tensors").at(where);
  for (const Tensor& output : outputs) {
    if (!output.defined()) {
      throw Error(ErrorKind::state, std::string(name), "its forward returned an undefined tensor").at(where);
    }
  }
  const auto count = static_cast<std::int64_t>(outputs.size());
  outputs.insert(outputs.end(), inputs.begin(), inputs.end());
  Tensors results = record_all(Redirect{GradientRule(std::move(rule)), count}, outputs, where);
  results[0].node()->called = *intern(name);
  return results;
}

}  // namespace gradus::detail
