// One pool of threads (OpenMP's, which oneDNN uses too) and one way to split work over it.
#pragma once

#include <cstdint>
#include <type_traits>

namespace gradus {

/// Threads that evaluation may use. Default: the cores this process may run on, or OMP_NUM_THREADS.
int num_threads();
/// Throws Error(value) unless 1 <= threads <= 1024.
void set_num_threads(int threads);

namespace detail {
using RangeBody = void (*)(const void* context, std::int64_t begin, std::int64_t end);
void parallel_ranges(std::int64_t count, std::int64_t grain, RangeBody body, const void* context);
}  // namespace detail

/// Calls `body(begin, end)` for disjoint ranges that cover [0, count). At most one range per thread; none smaller
/// than `grain` unless it is the only one, so small work stays on the calling thread. Nested calls run serially.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, const Body& body) {
  detail::parallel_ranges(
      count, grain,
      [](const void* context, std::int64_t begin, std::int64_t end) {
        (*static_cast<const Body*>(context))(begin, end);
      },
      &body);
}

}  // namespace gradus
