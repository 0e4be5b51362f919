#include "gradus/nn/gradients.h"

#include <string>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/view.h"
#include "gradus/transform/grad.h"
#include "gradus/transform/redirect.h"
#include "gradus/transform/vmap.h"

namespace gradus::nn::detail {

namespace {

/// The trainable parameters among `fields`; undefined tensors for all others.
Tensors trainable(std::span<const FieldRef> fields) {
  Tensors wrt;
  for (const FieldRef& field : fields) {
    const bool wanted = field.parameter && field.parameter->trainable();
    wrt.push_back(wanted ? field.tensor() : Tensor());
  }
  return wrt;
}

/// Puts `values` into a model.
void hold(std::span<const FieldRef> fields, const Tensors& values) {
  GRADUS_ASSERT(fields.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (fields[i].parameter) {
      fields[i].parameter->hold(values[i]);
    } else {
      *fields[i].buffer = Buffer();
    }
  }
}

}  // namespace

void set_gradients(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> gradients,
                   SourceLocation where) {
  hold(gradients, grad(loss, trainable(parameters), where));
}

void set_products(const Tensor& loss, std::span<const FieldRef> parameters, std::span<const FieldRef> vectors,
                  std::span<const FieldRef> products, SourceLocation where) {
  if (vectors.size() != parameters.size()) {
    throw Error(ErrorKind::shape, "hessian_vector_product", "the vector's model has other fields than the model")
        .at(where)
        .field("model", std::to_string(parameters.size()) + " parameters and buffers")
        .field("vector", std::to_string(vectors.size()));
  }
  const Tensors wrt = trainable(parameters);
  Tensors directions;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const bool given = wrt[i].defined() && vectors[i].parameter && vectors[i].parameter->defined();
    directions.push_back(given ? vectors[i].tensor() : Tensor());
    if (given && directions[i].spec() != wrt[i].spec()) {
      throw Error(ErrorKind::shape, "hessian_vector_product", "the vector does not fit the model")
          .at(where)
          .operand("parameter", wrt[i].spec(), parameters[i].path)
          .operand("vector", directions[i].spec());
    }
  }
  hold(products, hessian_vector_product(loss, wrt, directions, where));
}

Example::Example(const TensorArg& inputs, const TensorArg& targets, SourceLocation where) {
  for (const TensorArg* argument : {&inputs, &targets}) {
    const Tensor x = gradus::detail::operand(*argument, "per_sample_gradients");
    if (x.rank() == 0) {
      throw Error(ErrorKind::shape, "per_sample_gradients")
          .at(where)
          .operand(argument == &inputs ? "inputs" : "targets", x.spec(), "expected the examples along axis 0");
    }
    TensorSpec spec = x.spec();
    if (!all.empty() && all[0].shape()[0] != spec.shape[0]) {
      throw Error(ErrorKind::shape, "per_sample_gradients", "the numbers of examples differ")
          .at(where)
          .operand("inputs", inputs.tensor().spec())
          .operand("targets", spec);
    }
    spec.shape.set(0, 1);
    one.push_back(placeholder(spec, where));
    all.push_back(unsqueeze(TensorArg(x, where), 1));
  }
}

void Example::set_gradients(const Tensor& loss, std::span<const FieldRef> parameters,
                            std::span<const FieldRef> gradients, SourceLocation where) const {
  Tensors each = grad(loss, trainable(parameters), where);
  Tensors defined;
  for (const Tensor& gradient : each) {
    if (gradient.defined()) defined.push_back(gradient);
  }
  Tensors batched = vmap(defined, one, all, where);
  std::size_t next = 0;
  for (Tensor& gradient : each) {
    if (gradient.defined()) gradient = batched[next++];
  }
  hold(gradients, each);
}

}  // namespace gradus::nn::detail
