// The one walk over a model. A model is a plain struct; its fields are layers, parameters, buffers, containers of them, and
// settings. Everything that is done with a model (optimizing, saving, freezing, copying gradients) goes through here.
//
//   nn::visit(model, [](const std::string& path, auto& field) { print(path, field.tensor().spec()); });
//
// Walked: nested structs, std::vector, array, optional, map, unique_ptr, tuple, pair, and classes that walk themselves
// (`void visit_fields(nn::FieldWalk&)`, as nn::Sequential does). Paths are PyTorch's: "blocks.0.attention.weight".
// Left alone as settings: numbers, enums, strings, functions, plain tensors, what is trivially copyable, and containers of
// them.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradus/base/fields.h"
#include "gradus/nn/parameter.h"

namespace gradus::nn {

/// One parameter or buffer of a model (the other pointer is null) and its path.
struct FieldRef {
  std::string path;
  Parameter* parameter = nullptr;
  Buffer* buffer = nullptr;

  const Tensor& tensor() const { return parameter ? parameter->tensor() : buffer->tensor(); }
  void assign(Tensor value) const;
};

namespace detail {

template <class T>
inline constexpr bool is_function = std::is_function_v<std::remove_pointer_t<T>>;
template <class R, class... A>
inline constexpr bool is_function<std::function<R(A...)>> = true;

template <class T>
concept Range = requires(T& x) {
  typename T::value_type;
  std::begin(x) != std::end(x);
};
template <class T>
concept Keyed = Range<T> && requires {
  typename T::mapped_type;
};
/// std::optional and std::unique_ptr: something or nothing, owned.
template <class T>
concept Optional = requires(T& x) {
  *x;
  x.reset();
  { x.has_value() } -> std::same_as<bool>;
};
template <class T>
concept Owner = requires(T& x) {
  *x;
  x.get_deleter();
  x.release();
};
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};
template <class>
inline constexpr bool never = false;
template <class T>
inline constexpr bool is_reference = false;
template <class T>
inline constexpr bool is_reference<std::reference_wrapper<T>> = true;
template <class T>
constexpr bool owns_nothing();

template <class T>
constexpr std::string_view spelled_type() {
  return std::string_view(__PRETTY_FUNCTION__);
}
/// The name of a class without its namespaces: "Linear".
template <class T>
constexpr std::string_view short_type_name() {
  std::string_view text =
      spelled_type<T>();  // "... [with T = gradus::nn::Linear; ...]", "... [T = gradus::nn::Linear]"
  text.remove_prefix(text.find("T = ") + 4);
  text = text.substr(0, text.find_first_of(";]"));
  const std::size_t colon = text.substr(0, text.find('<')).rfind(':');
  return colon == text.npos ? text : text.substr(colon + 1);
}

}  // namespace detail

/// What kind of layer an object is; one per type, so that the address tells types apart.
struct LayerType {
  std::string_view name;
  /// As users write it: "Conv2d", "BatchNorm2d" for BatchNorm<2>.
  std::string str() const;
};
template <class T>
inline constexpr LayerType layer_type{detail::short_type_name<T>()};

/// One object of a model that may be a layer, and its path. The type tells it from its first field, which has its address.
struct LayerRef {
  std::string path;
  const void* address = nullptr;
  const LayerType* type = nullptr;
};

/// Fields of this type hold no parameters: what is trivially copyable owns nothing (but may point to a layer, which is
/// refused, because it would be forgotten). Specialise it for a class of your own
/// that is a setting but has constructors:
///   template <> inline constexpr bool gradus::nn::is_setting<Vocabulary> = true;
template <class T>
inline constexpr bool is_setting =
    detail::owns_nothing<T>() || std::is_empty_v<T> || std::is_convertible_v<T, std::string_view> ||
    detail::is_function<T> || std::same_as<T, Tensor>;

namespace detail {

template <class T>
constexpr bool owns_nothing() {
  if constexpr (!std::is_trivially_copyable_v<T> || std::is_pointer_v<T> || is_reference<T>) {
    return false;
  } else if constexpr (Range<T> || Optional<T>) {
    return is_setting<typename T::value_type>;
  } else {
    return true;
  }
}

}  // namespace detail

/// Collects parameters and buffers, the undefined ones too, and names the parameters on the way. A class with private
/// fields walks itself:
///   void visit_fields(nn::FieldWalk& walk) { walk("weight", weight_); walk("inner", inner_); }
class FieldWalk {
 public:
  /// Enters a field. With an empty name its fields appear without a further prefix.
  template <class T>
  void operator()(std::string_view name, T& object) {
    const std::size_t outer = enter(name);
    walk(object);
    path_.resize(outer);
  }

  std::vector<FieldRef> take() { return std::move(found_); }
  const std::vector<TrainingFlag*>& training_flags() const { return flags_; }
  /// From here on, remember the objects on the way, too.
  void collect_layers() { collects_layers_ = true; }
  std::vector<LayerRef> take_layers() { return std::move(layers_); }

 private:
  template <class T>
  void walk(T& object) {
    using Type = std::remove_const_t<T>;
    if constexpr (std::is_class_v<Type> && !std::same_as<Type, Tensor>) {
      if (collects_layers_) layers_.push_back({path_, &object, &layer_type<Type>});
    }
    if constexpr (std::same_as<Type, Parameter> || std::same_as<Type, Buffer>) {
      static_assert(!std::is_const_v<T>, "gradus: a Parameter or Buffer must not be const");
      found(object);
    } else if constexpr (std::same_as<Type, TrainingFlag>) {
      static_assert(!std::is_const_v<T>, "gradus: the training flag of a layer must not be const");
      flags_.push_back(&object);
    } else if constexpr (is_setting<Type>) {
    } else if constexpr (requires(FieldWalk & self) { object.visit_fields(self); }) {
      object.visit_fields(*this);
    } else if constexpr (detail::Keyed<Type>) {
      for (auto& [key, value] : object) (*this)(key_text(key), value);
    } else if constexpr (detail::Range<Type>) {
      if constexpr (!is_setting<typename Type::value_type>) {
        std::size_t i = 0;
        for (auto& item : object) (*this)(std::to_string(i++), item);
      }
    } else if constexpr (detail::Optional<Type> || detail::Owner<Type>) {
      if (object) walk(*object);
    } else if constexpr (detail::TupleLike<Type>) {
      std::apply(
          [&](auto&... items) {
            [[maybe_unused]] std::size_t i = 0;
            ((*this)(std::to_string(i++), items), ...);
          },
          as_tuple(object));
    } else if constexpr (fields::Walkable<Type>) {
      static_assert(
          fields::count<Type>() > 0,
          "gradus: cannot count the fields of this struct (a field without default constructor or initialiser?): "
          "add `static constexpr int field_count = <number of its fields>;` to it");
      fields::for_each(object, [&](std::string_view name, auto& field) { (*this)(name, field); });
    } else {
      static_assert(
          detail::never<Type>,
          "gradus: a field of the model is a class with constructors or bases, a pointer, or a type unknown to the "
          "walk (the compiler names it as T): add `static constexpr int field_count = <number of its fields>;` "
          "to it, give it `void visit_fields(nn::FieldWalk&)`, or specialise nn::is_setting for it. Layers "
          "are held by value or std::unique_ptr");
    }
  }

  static std::string key_text(std::string_view key) { return std::string(key); }
  template <std::integral Key>
  static std::string key_text(Key key) {
    return std::to_string(key);
  }
  template <class Pair>
  requires requires(Pair& x) {
    x.first;
    x.second;
  }
  static auto as_tuple(Pair& pair) { return std::tie(pair.first, pair.second); }
  template <class Tuple>
  static Tuple& as_tuple(Tuple& tuple) {
    return tuple;
  }

  /// Appends to the path and returns its length before.
  std::size_t enter(std::string_view name);
  void found(Parameter& parameter);
  void found(Buffer& buffer);

  std::string path_;
  std::vector<FieldRef> found_;
  std::vector<TrainingFlag*> flags_;
  std::vector<LayerRef> layers_;
  bool collects_layers_ = false;
};

/// All parameters and buffers of a model, the undefined ones too, in the order of its fields. The model is const because
/// names are no part of its value; what is done through the references is the caller's business.
template <class Model>
std::vector<FieldRef> all_fields(const Model& model) {
  FieldWalk walk;
  walk("", const_cast<Model&>(model));
  return walk.take();
}

/// Calls `visitor(path, parameter or buffer)` for every parameter and buffer that is defined, in the order of the fields.
/// They are const when the model is.
template <class Model, class Visitor>
void visit(Model& model, Visitor&& visitor) {
  using ParameterRef = std::conditional_t<std::is_const_v<Model>, const Parameter&, Parameter&>;
  using BufferRef = std::conditional_t<std::is_const_v<Model>, const Buffer&, Buffer&>;
  for (const FieldRef& field : all_fields(model)) {
    if (!field.tensor().defined()) continue;
    if (field.parameter) {
      visitor(field.path, static_cast<ParameterRef>(*field.parameter));
    } else {
      visitor(field.path, static_cast<BufferRef>(*field.buffer));
    }
  }
}

struct CountOptions {
  bool trainable_only = false;
  /// Only parameters whose path matches, where `*` stands for any characters: "encoder.*".
  std::string_view pattern = "*";
};

namespace detail {
bool matches(std::string_view pattern, std::string_view path);
std::vector<Parameter*> parameters(std::span<const FieldRef> fields);
std::vector<Parameter*> parameters(std::span<const FieldRef> fields, std::string_view pattern, SourceLocation where);
std::int64_t num_parameters(std::span<const FieldRef> fields, const CountOptions& options);
std::vector<std::pair<std::string, std::int64_t>> parameter_counts(std::span<const FieldRef> fields, int depth);
int set_trainable(std::span<const FieldRef> fields, std::string_view pattern, bool trainable, std::string_view op,
                  SourceLocation where);
}  // namespace detail

/// The defined parameters, frozen ones included, in the order of the fields.
template <class Model>
std::vector<Parameter*> parameters(Model& model) {
  return detail::parameters(all_fields(model));
}

/// Those whose path matches `pattern`, where `*` stands for any characters; for groups of an optimizer. Throws
/// Error(value) when none does.
template <class Model>
std::vector<Parameter*> parameters(Model& model, std::string_view pattern,
                                   SourceLocation where = SourceLocation::current()) {
  return detail::parameters(all_fields(model), pattern, where);
}

/// Number of elements of all parameters, or of those that `options` select.
template <class Model>
std::int64_t num_parameters(const Model& model, const CountOptions& options = {}) {
  return detail::num_parameters(all_fields(model), options);
}

/// Number of elements of the parameters below each path of `depth` names, in the order of the fields:
/// {{"encoder", 51200}, {"head", 650}} for depth 1.
template <class Model>
std::vector<std::pair<std::string, std::int64_t>> parameter_counts(const Model& model, int depth = 1) {
  return detail::parameter_counts(all_fields(model), depth);
}

/// Stops the training of the parameters whose path matches `pattern`, where `*` stands for any characters:
/// `freeze(model, "encoder.*")`. Returns how many matched; throws Error(value) when none did.
template <class Model>
int freeze(Model& model, std::string_view pattern = "*", SourceLocation where = SourceLocation::current()) {
  return detail::set_trainable(all_fields(model), pattern, false, "freeze", where);
}
/// The opposite of freeze.
template <class Model>
int unfreeze(Model& model, std::string_view pattern = "*", SourceLocation where = SourceLocation::current()) {
  return detail::set_trainable(all_fields(model), pattern, true, "unfreeze", where);
}

}  // namespace gradus::nn
