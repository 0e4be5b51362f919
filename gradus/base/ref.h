// Intrusive reference counting: one word in the object, one pointer in the handle.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace gradus {

/// Base of objects that are shared by counting.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  /// The first reference to an object that nobody else has seen yet.
  void retain_first() const noexcept { count_.store(1, std::memory_order_relaxed); }
  /// True when the caller dropped the last reference. Whoever holds the only one needs no exchange with other threads to
  /// know that it stays the only one.
  bool release() const noexcept {
    return count_.load(std::memory_order_acquire) == 1 || count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  std::uint32_t use_count() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  mutable std::atomic<std::uint32_t> count_{0};
};

/// How a Ref counts. Specialised where T is incomplete for the holders of handles, or dies in its own way (graph nodes).
template <class T>
struct RefTraits {
  static void retain(T* object) noexcept { object->retain(); }
  static void release(T* object) noexcept {
    if (object->release()) delete object;
  }
};

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) RefTraits<T>::retain(object_);
  }
  /// The first reference to an object that nobody else has seen yet.
  static Ref first(T* object) noexcept {
    object->retain_first();
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() { reset(); }

  void reset() noexcept {
    if (T* object = std::exchange(object_, nullptr)) RefTraits<T>::release(object);
  }
  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Ref&, const Ref&) = default;

 private:
  T* object_ = nullptr;
};

}  // namespace gradus
