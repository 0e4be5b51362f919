// A model of any type behind one type: what recipes, the training loop and the command line work with.
#pragma once

#include <memory>
#include <utility>

#include "gradus/graph/tensor.h"
#include "gradus/nn/fields.h"

namespace gradus::models {

/// Holds a copy of a model that maps one tensor to one tensor. The field walk goes through it without a prefix, so its
/// parameters have the names that they have in the model itself. Copying it copies the model (handles, not elements).
///
///   AnyModel model = LeNet5();
///   Tensor logits = model(images);
///   nn::load_state_dict(model, io::load("lenet5.safetensors"));
class AnyModel {
 public:
  template <class Model>
  requires(!std::same_as<Model, AnyModel> && std::copy_constructible<Model>) AnyModel(Model model)
      : held_(std::make_unique<Held<Model>>(std::move(model))) {}  // NOLINT: implicit by design
  AnyModel(const AnyModel& other) : held_(other.held_->copy()) {}
  AnyModel(AnyModel&&) noexcept = default;
  AnyModel& operator=(AnyModel other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }

  Tensor operator()(const Tensor& input) { return held_->forward(input); }
  void visit_fields(nn::FieldWalk& walk) { held_->walk(walk); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual std::unique_ptr<Base> copy() const = 0;
    virtual Tensor forward(const Tensor& input) = 0;
    virtual void walk(nn::FieldWalk& walk) = 0;
  };
  template <class Model>
  struct Held final : Base {
    explicit Held(Model value) : model(std::move(value)) {}
    std::unique_ptr<Base> copy() const override { return std::make_unique<Held>(model); }
    Tensor forward(const Tensor& input) override { return model(input); }
    void walk(nn::FieldWalk& walk) override { walk("", model); }
    Model model;
  };

  std::unique_ptr<Base> held_;
};

}  // namespace gradus::models
