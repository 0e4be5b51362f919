#include "gradus/base/parallel.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "gradus/base/error.h"

// ThreadSanitizer does not see OpenMP's barriers, so its build runs the same split on plain threads.
#if defined(__SANITIZE_THREAD__)
#define GRADUS_PLAIN_THREADS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GRADUS_PLAIN_THREADS 1
#endif
#endif

#include <omp.h>
#ifdef GRADUS_PLAIN_THREADS
#include <thread>
#include <vector>
#endif

namespace gradus {
namespace {

std::atomic<int>& chosen_threads() {
  static std::atomic<int> threads{0};
  return threads;
}

[[maybe_unused]] thread_local bool inside_parallel = false;

}  // namespace

int num_threads() {
  const int chosen = chosen_threads().load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : std::max(1, omp_get_max_threads());
}

void set_num_threads(int threads) {
  if (threads < 1 || threads > 1024) {
    throw Error(ErrorKind::value, "set_num_threads")
        .field("threads", std::to_string(threads))
        .hint("give a number from 1 to 1024");
  }
  chosen_threads().store(threads, std::memory_order_relaxed);
  omp_set_num_threads(threads);  // oneDNN reads OpenMP's setting
}

namespace detail {

void parallel_ranges(std::int64_t count, std::int64_t grain, RangeBody body, const void* context) {
  if (count <= 0) return;
  const std::int64_t wanted = (count + std::max<std::int64_t>(grain, 1) - 1) / std::max<std::int64_t>(grain, 1);
  const auto parts = static_cast<int>(std::min<std::int64_t>(wanted, num_threads()));
#ifdef GRADUS_PLAIN_THREADS
  if (parts <= 1 || inside_parallel) return body(context, 0, count);
  std::vector<std::thread> workers;
  for (int part = 0; part < parts; ++part) {
    workers.emplace_back([=] {
      inside_parallel = true;
      body(context, count * part / parts, count * (part + 1) / parts);
    });
  }
  for (std::thread& worker : workers) worker.join();
#else
  if (parts <= 1 || omp_in_parallel()) return body(context, 0, count);
#pragma omp parallel for schedule(static, 1) num_threads(parts)
  for (int part = 0; part < parts; ++part) body(context, count * part / parts, count * (part + 1) / parts);
#endif
}

}  // namespace detail
}  // namespace gradus
