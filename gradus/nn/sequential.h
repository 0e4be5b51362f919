// Layers one after the other, and the layers without parameters that stand between those with.
//
//   nn::Sequential net{nn::Conv2d(1, 6, 5), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(864, 10)};
//   Tensor logits = net(images);            // state dict: 0.weight, 0.bias, 4.weight, 4.bias
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/nn/fields.h"
#include "gradus/nn/layers/pool.h"
#include "gradus/nn/observe.h"

namespace gradus::nn {

struct ReLU {
  Tensor operator()(const TensorArg& x) const;
};
struct Tanh {
  Tensor operator()(const TensorArg& x) const;
};
struct Sigmoid {
  Tensor operator()(const TensorArg& x) const;
};
struct Identity {
  Tensor operator()(const TensorArg& x) const;
};
/// Merges the axes start_axis..end_axis into one; by default all but the first.
struct Flatten {
  int start_axis = 1;
  int end_axis = -1;
  Tensor operator()(const TensorArg& x) const;
};
/// Anything that makes a tensor of a tensor: the layers of this library, structs of your own, functions.
template <class T>
concept Layer = std::copy_constructible<T> &&
    (std::is_invocable_r_v<Tensor, T&, const TensorArg&> || std::is_invocable_r_v<Tensor, T&, const Tensor&>);

/// A list of layers, applied in order. It owns them by value: copying it copies them. Every layer takes an index in the
/// state dict, those without parameters too, and nested ones keep both ("3.0.weight").
class Sequential {
 public:
  Sequential() = default;
  template <class First, class... Rest>
  requires(!(std::same_as<First, Sequential> && sizeof...(Rest) == 0)) && Layer<First> &&
      (Layer<Rest> && ...) Sequential(First first, Rest... rest) {  // NOLINT: a single layer is a list, too
    slots_.reserve(1 + sizeof...(Rest));
    add(std::move(first));
    (add(std::move(rest)), ...);
  }
  Sequential(const Sequential& other);
  Sequential(Sequential&&) noexcept = default;
  Sequential& operator=(const Sequential& other);
  Sequential& operator=(Sequential&&) noexcept = default;
  ~Sequential() = default;

  /// Appends a layer.
  template <Layer T>
  Sequential& add(T layer) {
    slots_.push_back(std::make_unique<SlotOf<T>>(std::move(layer)));
    return *this;
  }

  Tensor operator()(const TensorArg& x);

  std::size_t size() const { return slots_.size(); }
  /// Layer number `i` if it is a T, else nullptr.
  template <Layer T>
  T* get(std::size_t i) {
    if (i >= slots_.size() || slots_[i]->type() != &type_id<T>) return nullptr;
    return &static_cast<SlotOf<T>*>(slots_[i].get())->layer;
  }

  void visit_fields(FieldWalk& walk);

 private:
  template <class T>
  static inline const char type_id = 0;

  struct Slot {
    virtual ~Slot() = default;
    virtual std::unique_ptr<Slot> clone() const = 0;
    virtual Tensor call(const TensorArg& x) = 0;
    virtual void visit(FieldWalk& walk, std::string_view name) = 0;
    virtual const void* type() const = 0;
  };
  template <class T>
  struct SlotOf final : Slot {
    explicit SlotOf(T value) : layer(std::move(value)) {}
    std::unique_ptr<Slot> clone() const override { return std::make_unique<SlotOf>(layer); }
    Tensor call(const TensorArg& x) override {
      if constexpr (std::is_invocable_v<T&, const TensorArg&>) {
        return observed(layer, x, layer(x));
      } else {
        return observed(layer, x, layer(x.tensor()));
      }
    }
    void visit(FieldWalk& walk, std::string_view name) override { walk(name, layer); }
    const void* type() const override { return &type_id<T>; }
    T layer;
  };

  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace gradus::nn
