// What a model's fields are made of: parameters, which are trained, buffers, which are not, and the switch between
// training and evaluation.
#pragma once

#include <string>
#include <utility>

#include "gradus/graph/tensor.h"
#include "gradus/ops/elementwise.h"

namespace gradus::nn {

// So that `weight * 2.f` finds them where nobody says `using namespace gradus`.
using gradus::operator+;
using gradus::operator-;
using gradus::operator*;
using gradus::operator/;

/// A trained tensor of a model. Converts to Tensor, so that it can be passed to any operation.
///
///   nn::Parameter weight = nn::init::normal({64, 784}, 0, 0.02);
///   weight.set_trainable(false);          // frozen: it gets no gradient, and optimizers leave it alone
///
/// An undefined parameter is absent: a layer without bias has one, and every walk over a model passes it by.
class Parameter {
 public:
  Parameter() = default;
  Parameter(Tensor value);  // NOLINT: implicit by design
  /// Replaces the value; name and trainability stay.
  Parameter& operator=(Tensor value);

  operator const Tensor&() const { return tensor(); }  // NOLINT: implicit by design
  const Tensor& tensor() const;
  bool defined() const { return value_.defined(); }
  const Shape& shape() const { return value_.shape(); }
  DType dtype() const { return value_.dtype(); }
  std::int64_t numel() const { return value_.numel(); }

  bool trainable() const { return trainable_; }
  void set_trainable(bool trainable);

  /// Its path in the model, "encoder.fc1.weight"; "" until a walk over the model (an optimizer, state_dict) found it.
  const std::string& name() const;
  /// For the walk; not part of the value.
  void set_name(std::string_view path) const;

  /// For structs of gradients: holds `value` as it is. It does not become a parameter of the graph.
  void hold(Tensor value) {
    value_ = std::move(value);
    held_ = true;
  }

 private:
  /// Tells the leaf whose parameter it is: messages, profiles and gradients read it there.
  void mark() const;

  mutable Tensor value_;
  mutable const std::string* name_ = nullptr;  // interned
  bool trainable_ = true;
  bool held_ = false;
};

/// State of a model that is saved but not trained: running statistics, tables. Converts to Tensor. For gradients it is a
/// constant. A layer that changes its state assigns the recorded new value and hands it to `attach` (ops/attach.h), so
/// that whoever evaluates the layer's answer evaluates the state with it:
///
///   running_mean = running_mean * 0.9f + batch_mean * 0.1f;
///   return attach(y, Tensors{running_mean});
class Buffer {
 public:
  Buffer() = default;
  Buffer(Tensor value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  /// Replaces the value; the name stays.
  Buffer& operator=(Tensor value) {
    value_ = std::move(value);
    return *this;
  }

  operator const Tensor&() const { return tensor(); }  // NOLINT: implicit by design
  const Tensor& tensor() const;
  bool defined() const { return value_.defined(); }
  const Shape& shape() const { return value_.shape(); }

  /// Its path in the model; "" until a walk over the model found it.
  const std::string& name() const;
  /// For the walk; not part of the value.
  void set_name(std::string_view path) const;

 private:
  /// The value may be new, and computed from parameters: from here on it is a leaf that has a name, and a constant.
  void mark() const;

  mutable Tensor value_;
  mutable const std::string* name_ = nullptr;  // interned
};

/// Whether a layer trains (dropout drops, batch normalisation uses the batch's statistics) or evaluates. The walk over a
/// model finds it: nn::train(model) and nn::eval_mode(model) set all of them (nn/mode.h). A new layer trains.
class TrainingFlag {
 public:
  TrainingFlag(bool on = true) : on_(on) {}  // NOLINT: implicit by design
  // Not trivial, so that no struct with such a field counts as a mere setting.
  TrainingFlag(const TrainingFlag& other) : on_(other.on_) {}
  TrainingFlag& operator=(const TrainingFlag& other) {
    on_ = other.on_;
    return *this;
  }
  operator bool() const { return on_; }  // NOLINT: implicit by design

 private:
  bool on_;
};

}  // namespace gradus::nn
