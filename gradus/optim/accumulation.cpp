#include "gradus/optim/accumulation.h"

#include <fmt/format.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/init.h"
#include "gradus/ops/elementwise.h"

namespace gradus::optim::detail {
namespace {

constexpr const char* name = "optim::GradientAccumulator";

}  // namespace

void add_gradients(std::span<const nn::FieldRef> sum, std::span<const nn::FieldRef> gradients, SourceLocation where) {
  if (sum.size() != gradients.size()) {
    throw Error(ErrorKind::state, name,
                fmt::format("gradients of {} fields are added to those of {}", gradients.size(), sum.size()))
        .at(where)
        .hint("all gradients must come from the same model");
  }
  Tensors values;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    const Tensor old = sum[i].parameter ? sum[i].tensor() : Tensor();
    const Tensor added = gradients[i].parameter ? gradients[i].tensor() : Tensor();
    if (old.defined() && added.defined() && old.spec() != added.spec()) {
      throw Error(ErrorKind::state, name, fmt::format("the gradients of {} differ in shape or type", sum[i].path))
          .at(where)
          .operand("sum", old.spec())
          .operand("gradient", added.spec())
          .hint("all gradients must come from the same model");
    }
    values.push_back(!added.defined() ? old : old.defined() ? old + added : added);
  }
  eval(values, where);
  for (std::size_t i = 0; i < sum.size(); ++i) {
    if (sum[i].parameter) sum[i].parameter->hold(values[i]);
  }
}

void divide_gradients(std::span<const nn::FieldRef> sum, std::int64_t count) {
  for (const nn::FieldRef& field : sum) {
    if (!field.parameter || !field.parameter->defined()) continue;
    const Tensor total = field.tensor();
    field.parameter->hold(total * nn::init::constant({}, 1 / static_cast<double>(count), total.dtype()));
  }
}

void refuse_empty(SourceLocation where) {
  throw Error(ErrorKind::state, name, "nothing was added").at(where).hint("add(gradients(loss, model)) comes first");
}

}  // namespace gradus::optim::detail
