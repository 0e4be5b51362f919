// Memory of small objects that come and go by the thousand in every step: nodes of graphs, their operations, numbers.
//
// A thread keeps the blocks that it releases and hands them out again, without the lock, the search and the merging of the
// general allocator. Blocks are aligned to 64 bytes, and may be released by another thread than the one that asked for them.
#pragma once

#include <cstddef>

namespace gradus::pool {

inline constexpr std::size_t alignment = 64;

/// Uninitialised memory; throws std::bad_alloc.
void* allocate(std::size_t bytes);
/// Takes back what allocate(bytes) gave.
void release(void* block, std::size_t bytes) noexcept;
/// How many blocks of this size the thread keeps, for tests.
std::size_t kept(std::size_t bytes);

/// Base of classes whose objects live in the pool. They must not be deleted through a base without a virtual destructor.
struct Pooled {
  static void* operator new(std::size_t bytes) { return allocate(bytes); }
  static void operator delete(void* block, std::size_t bytes) noexcept { release(block, bytes); }
};

}  // namespace gradus::pool
