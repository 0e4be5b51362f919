#include "gradus/nn/parameter.h"

#include "gradus/graph/node.h"

namespace gradus::nn {

Parameter::Parameter(Tensor value) : value_(std::move(value)) { mark(); }

Parameter& Parameter::operator=(Tensor value) {
  value_ = std::move(value);
  held_ = false;
  mark();
  return *this;
}

const Tensor& Parameter::tensor() const {
  mark();  // a value that was assigned unevaluated may have become a leaf since
  return value_;
}

void Parameter::set_trainable(bool trainable) {
  trainable_ = trainable;
  mark();
}

const std::string& Parameter::name() const {
  static const std::string unnamed;
  return name_ ? *name_ : unnamed;
}

void Parameter::set_name(std::string_view path) const {
  // A walk over a part of the model sees the end of the path only: the longer name is the better one.
  if (name_ && name_->size() > path.size() && name_->ends_with(path)) {
    const char before = (*name_)[name_->size() - path.size() - 1];
    if (before == '.') return mark();
  }
  if (!name_ || *name_ != path) name_ = intern(path);
  mark();
}

void Parameter::mark() const {
  if (held_ || !value_.defined() || !value_.evaluated()) return;
  const auto is_marked = [&] {
    const Node& node = *value_.node();
    return node.is_parameter == trainable_ && !node.from_parameter && (!name_ || node.label == name_);
  };
  if (is_marked()) return;
  // A leaf that another parameter has claimed is left to it: the elements are shared, the leaf is not.
  const bool renamed = name_ && value_.node()->label && value_.node()->label != name_;
  if ((value_.node()->is_parameter && (renamed || !trainable_)) || value_.node()->specs.size() > 1) {
    value_ = leaf(value_.spec(), value_.buffer());
  }
  Node& node = *value_.node();
  if (name_) node.label = name_;
  node.is_parameter = trainable_;
  node.from_parameter = false;
}

}  // namespace gradus::nn
