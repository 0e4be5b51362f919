// Storage of tensors.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "gradus/base/pool.h"
#include "gradus/base/ref.h"

namespace gradus {

/// A block of memory that tensors share by reference. Aligned to 64 bytes (a cache line, an AVX-512 register).
class Buffer : public RefCounted, public pool::Pooled {
 public:
  static constexpr std::size_t alignment = 64;

  /// Uninitialised memory; throws std::bad_alloc.
  static Ref<Buffer> allocate(std::size_t bytes);
  /// Memory that somebody else owns (a mapped file): `release` runs when the last reference goes.
  static Ref<Buffer> adopt(std::byte* data, std::size_t bytes, std::function<void()> release);

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  /// False for adopted memory: it may be mapped read-only, and is never donated.
  bool writable() const { return !release_; }

  ~Buffer();

 private:
  Buffer(std::byte* data, std::size_t bytes, std::function<void()> release)
      : data_(data), bytes_(bytes), release_(std::move(release)) {}

  std::byte* data_;
  std::size_t bytes_;
  std::function<void()> release_;
};

}  // namespace gradus
