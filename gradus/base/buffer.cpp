#include "gradus/base/buffer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "gradus/base/buffer_watch.h"

namespace gradus {
namespace {

std::atomic<BufferWatcher> watching{nullptr};

/// Large blocks begin at such a page and ask the system for them: a tensor that no cache holds is read with fewer misses of the
/// translation of addresses.
constexpr std::size_t huge_page = std::size_t{2} << 20;

std::align_val_t alignment_for(std::size_t bytes) {
  return std::align_val_t{bytes >= 2 * huge_page ? huge_page : Buffer::alignment};
}

void ask_for_huge_pages([[maybe_unused]] std::byte* data, [[maybe_unused]] std::size_t bytes) {
#if defined(__linux__)
  if (bytes >= 2 * huge_page) madvise(data, bytes / huge_page * huge_page, MADV_HUGEPAGE);  // it may say no
#endif
}

}  // namespace

void watch_buffers(BufferWatcher watcher) { watching.store(watcher, std::memory_order_release); }

Ref<Buffer> Buffer::allocate(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - alignment) throw std::bad_alloc();
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  auto* data = static_cast<std::byte*>(::operator new(rounded, alignment_for(bytes)));
  ask_for_huge_pages(data, bytes);
  try {
    return Ref<Buffer>(new Buffer(data, bytes, nullptr));
  } catch (...) {
    ::operator delete(data, alignment_for(bytes));
    throw;
  }
}

Ref<Buffer> Buffer::adopt(std::byte* data, std::size_t bytes, std::function<void()> release) {
  return Ref<Buffer>(new Buffer(data, bytes, std::move(release)));
}

Buffer::~Buffer() {
  if (const BufferWatcher watcher = watching.load(std::memory_order_acquire)) watcher(*this);
  if (release_) {
    release_();
  } else {
    ::operator delete(data_, alignment_for(bytes_));
  }
}

}  // namespace gradus
