#include "gradus/base/pool.h"

#include <array>
#include <new>

namespace gradus::pool {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool enabled = false;  // or a use after the release would go unseen
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool enabled = false;
#else
constexpr bool enabled = true;
#endif
#else
constexpr bool enabled = true;
#endif

constexpr std::size_t classes = 8;  // 64, 128, ... 512 bytes
/// Bytes; a step of a GPT with 16 layers records 2 MB.
constexpr std::size_t most_kept = std::size_t{8} << 20;

struct Block {
  Block* next;
};

struct List {
  Block* first = nullptr;
  std::size_t length = 0;
};

struct Lists {
  std::array<List, classes> of;
  std::size_t bytes = 0;
  bool closed = true;  ///< before the thread's first release, and after its end: objects may outlive its thread_locals
};

constinit thread_local Lists lists;

/// Frees at the end of the thread what it kept.
struct Closing {
  Closing() { lists.closed = false; }
  ~Closing() {
    lists.closed = true;
    for (std::size_t c = 0; c < classes; ++c) {
      while (Block* block = lists.of[c].first) {
        lists.of[c].first = block->next;
        ::operator delete (block, std::align_val_t{alignment});
      }
      lists.of[c].length = 0;
    }
    lists.bytes = 0;
  }
};

bool open() {
  thread_local bool begun = false;
  if (!begun) {
    begun = true;
    thread_local Closing closing;
  }
  return !lists.closed;
}

constexpr std::size_t class_of(std::size_t bytes) { return bytes == 0 ? 0 : (bytes - 1) / alignment; }

}  // namespace

void* allocate(std::size_t bytes) {
  const std::size_t c = class_of(bytes);
  if (c < classes) {
    List& list = lists.of[c];
    if (Block* block = list.first) {
      list.first = block->next;
      --list.length;
      lists.bytes -= (c + 1) * alignment;
      return block;
    }
  }
  return ::operator new ((c + 1) * alignment, std::align_val_t{alignment});
}

void release(void* block, std::size_t bytes) noexcept {
  const std::size_t c = class_of(bytes);
  if (enabled && c < classes && lists.bytes < most_kept && (!lists.closed || open())) {
    List& list = lists.of[c];
    list.first = new (block) Block{list.first};
    ++list.length;
    lists.bytes += (c + 1) * alignment;
    return;
  }
  ::operator delete (block, std::align_val_t{alignment});
}

std::size_t kept(std::size_t bytes) { return class_of(bytes) < classes ? lists.of[class_of(bytes)].length : 0; }

}  // namespace gradus::pool
