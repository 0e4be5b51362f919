#include "gradus/nn/sequential.h"

#include "gradus/base/error.h"
#include "gradus/nn/observe.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"

namespace gradus::nn {

Tensor ReLU::operator()(const TensorArg& x) const { return observed(*this, x, relu(x)); }
Tensor Tanh::operator()(const TensorArg& x) const { return observed(*this, x, tanh(x)); }
Tensor Sigmoid::operator()(const TensorArg& x) const { return observed(*this, x, sigmoid(x)); }
Tensor Identity::operator()(const TensorArg& x) const { return observed(*this, x, x.tensor()); }
Tensor Flatten::operator()(const TensorArg& x) const { return observed(*this, x, flatten(x, start_axis, end_axis)); }
Sequential::Sequential(const Sequential& other) {
  slots_.reserve(other.slots_.size());
  for (const auto& slot : other.slots_) slots_.push_back(slot->clone());
}

Sequential& Sequential::operator=(const Sequential& other) {
  if (this != &other) *this = Sequential(other);
  return *this;
}

Tensor Sequential::operator()(const TensorArg& x) {
  if (x.is_number()) throw Error(ErrorKind::usage, "nn::Sequential", "the input is a number").at(x.where());
  Tensor value = x.tensor();
  for (const auto& slot : slots_) value = slot->call(TensorArg(value, x.where()));
  return observed(*this, x, value);
}

void Sequential::visit_fields(FieldWalk& walk) {
  for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i]->visit(walk, std::to_string(i));
}

}  // namespace gradus::nn
