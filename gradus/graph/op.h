// Operations as immutable values: attributes, shape rule, gradient.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "gradus/base/fields.h"
#include "gradus/base/hash.h"
#include "gradus/base/pool.h"
#include "gradus/base/ref.h"
#include "gradus/base/shape.h"
#include "gradus/base/small_vector.h"
#include "gradus/graph/tensor.h"

namespace gradus {

using Specs = SmallVector<TensorSpec, 1>;

/// What the passes of the engine need to know of an operation.
enum class OpFamily : std::uint8_t {
  elementwise,  ///< one output element from the same element of each input
  view,         ///< renames elements: reshape, transpose, slice, broadcast
  reduce,       ///< folds axes
  contraction,  ///< matrix products and convolutions
  random,       ///< a function of a key
  opaque        ///< anything else
};

/// What an operation gets to build its vector-Jacobian product.
struct VjpArgs {
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  /// One per output; undefined where nothing flows back.
  std::span<const Tensor> cotangents;
  /// Bit i: the gradient of input i is wanted.
  std::uint64_t wanted = ~std::uint64_t{0};

  bool wants(int input) const { return (wanted >> input & 1) != 0; }
};

/// What an operation gets to build its batched form, for `vmap`: the same operation on many examples at once.
struct BatchArgs {
  /// Batched inputs have the batch as a new axis 0; the others are shared by all examples.
  std::span<const Tensor> inputs;
  /// Bit i: input i is batched. At least one is.
  std::uint64_t batched = 0;
  /// Number of examples.
  std::int64_t size = 0;

  bool is_batched(int input) const { return (batched >> input & 1) != 0; }
};

/// An operation is a plain struct of attributes that satisfies this:
///
///   struct Transpose {
///     std::array<int, 8> order;                                    // attributes: plain values
///     std::string_view name() const { return "transpose"; }
///     OpFamily family() const { return OpFamily::view; }
///     Specs infer(std::span<const TensorSpec> inputs) const;       // throws Error; the only place that knows the shape rule
///     Tensors vjp(const VjpArgs& args) const;                      // one per input; undefined = no gradient
///     Tensors batch(const BatchArgs& args) const;                  // outputs, all with the batch as axis 0 (optional)
///     bool operator==(const Transpose&) const = default;           // identity comes from the fields
///   };
///
/// It knows no kernel, device or thread. `infer` throws Error without a location; the builder adds it. Without `batch`,
/// `vmap` records the operation once for each example.
template <class T>
concept OpAttributes = std::equality_comparable<T> &&
    requires(const T& op, std::span<const TensorSpec> specs, const VjpArgs& args) {
  { op.name() } -> std::convertible_to<std::string_view>;
  { op.family() } -> std::same_as<OpFamily>;
  { op.infer(specs) } -> std::same_as<Specs>;
  { op.vjp(args) } -> std::same_as<Tensors>;
};

/// True for operations that say how they run on a batch.
template <class T>
concept Batchable = requires(const T& op, const BatchArgs& args) {
  { op.batch(args) } -> std::same_as<Tensors>;
};

/// A number among an operation's attributes. Compared by its bits: a NaN equals itself, and -0 is not 0.
struct Immediate {
  std::uint64_t bits = 0;
  static constexpr int field_count = 1;

  constexpr Immediate(double value = 0) : bits(std::bit_cast<std::uint64_t>(value)) {}  // NOLINT: implicit by design
  constexpr operator double() const { return std::bit_cast<double>(bits); }             // NOLINT
  std::string str() const;
  friend bool operator==(const Immediate&, const Immediate&) = default;
};

namespace detail {

template <class T>
std::uint64_t attribute_hash(std::uint64_t seed, const T& value);
std::string number_str(double value);

template <class T>
std::string attribute_str(const T& value) {
  if constexpr (std::same_as<T, DType>) {
    return std::string(name_of(value));
  } else if constexpr (std::same_as<T, Shape>) {
    return value.str();
  } else if constexpr (std::same_as<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return number_str(static_cast<double>(value));
  } else if constexpr (requires {
                         value.begin();
                         value.end();
                       }) {
    std::string text = "[";
    for (const auto& item : value) text += (text.size() > 1 ? ", " : "") + attribute_str(item);
    return text + "]";
  } else if constexpr (requires { value.str(); }) {
    return value.str();
  } else {
    std::string text = "{";
    fields::for_each(value, [&](std::string_view name, const auto& field) {
      if (text.size() > 1) text += ", ";
      text += std::string(name) + "=" + attribute_str(field);
    });
    return text + "}";
  }
}

template <class T>
std::uint64_t attribute_hash(std::uint64_t seed, const T& value) {
  if constexpr (std::is_floating_point_v<T>) {
    const double wide = value;
    std::uint64_t bits;
    std::memcpy(&bits, &wide, sizeof bits);
    return hash_fold(seed, wide == 0 ? 0 : bits);  // 0.0 == -0.0
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
    return hash_fold(seed, static_cast<std::uint64_t>(value));
  } else if constexpr (requires {
                         value.begin();
                         value.end();
                       }) {
    for (const auto& item : value) seed = attribute_hash(seed, item);
    return hash_fold(seed, 0x5e);
  } else {
    fields::for_each(value, [&](std::string_view, const auto& field) { seed = attribute_hash(seed, field); });
    return seed;
  }
}

/// The type-erased form of an attribute struct.
struct OpRecord : RefCounted, pool::Pooled {
  virtual ~OpRecord() = default;
  virtual const void* type() const = 0;
  virtual const void* attributes() const = 0;
  virtual std::string_view name() const = 0;
  virtual OpFamily family() const = 0;
  virtual Specs infer(std::span<const TensorSpec> inputs) const = 0;
  virtual Tensors vjp(const VjpArgs& args) const = 0;
  virtual bool has_batch_rule() const = 0;
  virtual Tensors batch(const BatchArgs& args) const = 0;
  virtual bool equals(const OpRecord& other) const = 0;
  virtual std::string attributes_str() const = 0;
  std::uint64_t hash = 0;
  bool permanent = false;  ///< lives as long as the program, uncounted
};

template <class T>
inline constexpr char op_type_id = 0;

/// Computed by the compiler from the name of the type.
template <class T>
consteval std::uint64_t op_type_hash() {
  return hash_bytes(__PRETTY_FUNCTION__);
}

template <OpAttributes T>
struct OpRecordOf final : OpRecord {
  explicit OpRecordOf(T value) : op(std::move(value)) { hash = attribute_hash(op_type_hash<T>(), op); }
  const void* type() const override { return &op_type_id<T>; }
  const void* attributes() const override { return &op; }
  std::string_view name() const override { return op.name(); }
  OpFamily family() const override { return op.family(); }
  Specs infer(std::span<const TensorSpec> inputs) const override { return op.infer(inputs); }
  Tensors vjp(const VjpArgs& args) const override { return op.vjp(args); }
  bool has_batch_rule() const override { return Batchable<T>; }
  Tensors batch([[maybe_unused]] const BatchArgs& args) const override {
    if constexpr (Batchable<T>) return op.batch(args);
    return {};
  }
  bool equals(const OpRecord& other) const override {
    return type() == other.type() && op == *static_cast<const T*>(other.attributes());
  }
  std::string attributes_str() const override {
    const std::string text = attribute_str(op);
    return text == "{}" ? std::string() : text;
  }
  T op;
};

}  // namespace detail

template <>
struct RefTraits<const detail::OpRecord> {
  static void retain(const detail::OpRecord* record) noexcept {
    if (!record->permanent) record->retain();
  }
  static void release(const detail::OpRecord* record) noexcept {
    if (!record->permanent && record->release()) delete record;
  }
};

/// Handle to an operation: compares, hashes and prints by its attributes.
class Op {
 public:
  /// No operation: what a leaf has.
  Op() = default;
  template <OpAttributes T>
  Op(T attributes)  // NOLINT: implicit by design
      : record_(Ref<const detail::OpRecord>::first(new detail::OpRecordOf<T>(std::move(attributes)))) {}

  /// An operation that is recorded again and again: its handles are copied for nothing, and it is never freed.
  template <OpAttributes T>
  static Op permanent(T attributes) {
    auto* record = new detail::OpRecordOf<T>(std::move(attributes));
    record->permanent = true;
    Op op;
    op.record_ = Ref<const detail::OpRecord>(record);
    return op;
  }

  explicit operator bool() const { return static_cast<bool>(record_); }
  std::string_view name() const { return record_ ? record_->name() : "leaf"; }
  OpFamily family() const { return record_->family(); }
  Specs infer(std::span<const TensorSpec> inputs) const { return record_->infer(inputs); }
  Tensors vjp(const VjpArgs& args) const { return record_->vjp(args); }
  /// Whether `batch` may be called.
  bool has_batch_rule() const { return record_->has_batch_rule(); }
  Tensors batch(const BatchArgs& args) const { return record_->batch(args); }
  std::uint64_t hash() const { return record_ ? record_->hash : 0; }
  /// "conv2d{stride=[1, 1], padding=[2, 2], groups=1}"
  std::string str() const { return record_ ? std::string(name()) + record_->attributes_str() : "leaf"; }
  /// The attributes if this is a T, else nullptr.
  template <class T>
  const T* as() const {
    return record_ && record_->type() == &detail::op_type_id<T> ? static_cast<const T*>(record_->attributes())
                                                                : nullptr;
  }
  friend bool operator==(const Op& a, const Op& b) {
    if (a.record_ == b.record_) return true;
    return a.record_ && b.record_ && a.record_->hash == b.record_->hash && a.record_->equals(*b.record_);
  }

 private:
  Ref<const detail::OpRecord> record_;
};

}  // namespace gradus
