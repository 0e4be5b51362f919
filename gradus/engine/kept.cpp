#include "gradus/engine/kept.h"

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "gradus/base/buffer_watch.h"

namespace gradus::engine::kept {
namespace {

struct Rounded {
  TensorSpec as;
  Ref<Buffer> elements;  ///< without a buffer: asked for once
};

struct Table {
  std::mutex mutex;
  std::unordered_map<const Buffer*, Rounded> narrow;
  std::atomic<std::size_t> size{0};

  Table() {
    watch_buffers([](const Buffer& buffer) noexcept { forget(buffer); });
  }
};

Table& table() {
  static auto* instance = new Table;  // leaked: buffers die after static objects
  return *instance;
}

}  // namespace

Found find(const Buffer& source, const TensorSpec& as) {
  Table& t = table();
  Ref<Buffer> dying;  // behind the lock: its death is watched, too
  const std::lock_guard lock(t.mutex);
  const auto [entry, first] = t.narrow.try_emplace(&source, Rounded{as, {}});
  t.size.store(t.narrow.size(), std::memory_order_relaxed);
  if (entry->second.as == as) return {entry->second.elements, !first};
  dying = std::move(entry->second.elements);
  entry->second = {as, {}};
  return {};
}

void keep(const Buffer& source, const TensorSpec& as, Ref<Buffer> narrow) {
  Table& t = table();
  const std::lock_guard lock(t.mutex);
  // Only where nobody forgot it meanwhile. Another run may have been faster: its elements are the same.
  const auto entry = t.narrow.find(&source);
  if (entry == t.narrow.end() || !(entry->second.as == as) || entry->second.elements) return;
  entry->second.elements = std::move(narrow);
}

void forget(const Buffer& source) noexcept {
  Table& t = table();
  if (t.size.load(std::memory_order_relaxed) == 0) return;
  Ref<Buffer> dying;  // behind the lock: its death is watched, too
  const std::lock_guard lock(t.mutex);
  const auto entry = t.narrow.find(&source);
  if (entry == t.narrow.end()) return;
  dying = std::move(entry->second.elements);
  t.narrow.erase(entry);
  t.size.store(t.narrow.size(), std::memory_order_relaxed);
}

}  // namespace gradus::engine::kept
