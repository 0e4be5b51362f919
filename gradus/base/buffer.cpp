#include "gradus/base/buffer.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <new>
#include <utility>

#include "gradus/base/buffer_watch.h"

namespace gradus {
namespace {

std::atomic<BufferWatcher> watching{nullptr};

}  // namespace

void watch_buffers(BufferWatcher watcher) { watching.store(watcher, std::memory_order_release); }

Ref<Buffer> Buffer::allocate(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - alignment) throw std::bad_alloc();
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  auto* data = static_cast<std::byte*>(::operator new (rounded, std::align_val_t{alignment}));
  try {
    return Ref<Buffer>(new Buffer(data, bytes, nullptr));
  } catch (...) {
    ::operator delete (data, std::align_val_t{alignment});
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
    ::operator delete (data_, std::align_val_t{alignment});
  }
}

}  // namespace gradus
