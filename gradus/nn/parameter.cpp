#include "gradus/nn/parameter.h"

#include "gradus/graph/node.h"

namespace gradus::nn {
namespace {

const std::string& text_of(Label name) {
  static const std::string unnamed;
  return name ? *name : unnamed;
}

/// A walk over a part of the model sees the end of the path only: the longer name is the better one.
Label better_name(Label known, std::string_view path) {
  if (known && known->size() > path.size() && known->ends_with(path)) {
    const char before = (*known)[known->size() - path.size() - 1];
    if (before == '.') return known;
  }
  return known && *known == path ? known : intern(path);
}

}  // namespace

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

const std::string& Parameter::name() const { return text_of(name_); }

void Parameter::set_name(std::string_view path) const {
  name_ = better_name(name_, path);
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

const Tensor& Buffer::tensor() const {
  mark();
  return value_;
}

const std::string& Buffer::name() const { return text_of(name_); }

void Buffer::set_name(std::string_view path) const {
  name_ = better_name(name_, path);
  mark();
}

void Buffer::mark() const {
  if (!value_.defined() || !value_.evaluated()) return;
  const auto differs = [&] {
    const Node& node = *value_.node();
    return node.from_parameter || node.is_parameter || (name_ && node.label != name_);
  };
  if (!differs()) return;
  // A leaf that belongs to somebody else is left to them: the elements are shared, the leaf is not.
  const Node& node = *value_.node();
  if (node.is_parameter || (name_ && node.label) || node.specs.size() > 1)
    value_ = leaf(value_.spec(), value_.buffer());
  if (name_) value_.node()->label = name_;
  value_.node()->from_parameter = false;
}

}  // namespace gradus::nn
