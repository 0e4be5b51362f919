#include "gradus/engine/plan_cache.h"

#include <algorithm>
#include <atomic>
#include <unordered_map>

#include "gradus/base/parallel.h"
#include "gradus/engine/memory_limit.h"

namespace gradus::engine {
namespace {

constexpr std::size_t capacity = 256;

struct Entry {
  std::shared_ptr<CachedPlan> cached;
  int threads = 0;
  unsigned passes = 0;
  std::size_t limit = 0;
  std::uint64_t last_use = 0;
};

struct Cache {
  std::mutex mutex;
  std::unordered_multimap<std::uint64_t, Entry> entries;
  std::uint64_t clock = 0;
};

Cache& cache() {
  static auto* instance = new Cache;  // leaked: a static destructor elsewhere may still evaluate
  return *instance;
}

std::atomic<std::int64_t> compiled{0};

}  // namespace

std::shared_ptr<CachedPlan> find_plan(const LiveGraph& graph) {
  const std::uint64_t hash = graph.hash();
  const int threads = num_threads();
  const unsigned passes = enabled_passes();
  const std::size_t limit = memory::limit();
  Cache& c = cache();
  {
    const std::lock_guard lock(c.mutex);
    auto [begin, end] = c.entries.equal_range(hash);
    for (auto it = begin; it != end; ++it) {
      Entry& entry = it->second;
      if (entry.threads != threads || entry.passes != passes || entry.limit != limit) continue;
      if (!graph.is(entry.cached->graph)) continue;
      entry.last_use = ++c.clock;
      return entry.cached;
    }
  }
  auto fresh = std::make_shared<CachedPlan>();
  fresh->graph = graph.value();
  fresh->plan = make_plan(fresh->graph);
  compiled.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(c.mutex);
  if (c.entries.size() >= capacity) {
    c.entries.erase(std::min_element(c.entries.begin(), c.entries.end(), [](const auto& a, const auto& b) {
      return a.second.last_use < b.second.last_use;
    }));
  }
  c.entries.emplace(hash, Entry{fresh, threads, passes, limit, ++c.clock});
  return fresh;
}

std::int64_t compile_count() { return compiled.load(std::memory_order_relaxed); }

void clear_plan_cache() {
  Cache& c = cache();
  const std::lock_guard lock(c.mutex);
  c.entries.clear();
}

}  // namespace gradus::engine
