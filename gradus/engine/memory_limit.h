// How much memory the evaluation of a graph may take.
//
//   const memory::Limit limit(500'000'000);           // bytes
//   for (auto [images, labels] : loader) optimizer.minimize(cross_entropy(model(images), labels));
//
// What does not fit is computed again where it is read next, in place of being kept: the same bits, later. Without a limit
// everything is kept. checkpoint() asks for the same by hand.
#pragma once

#include <cstddef>

namespace gradus::memory {

/// Limits evaluations on this thread for as long as it lives; the innermost limit counts. `bytes` are those of a step at its
/// peak: leaves that it reads (parameters, optimizer state, the batch), results, and everything in between. What the program,
/// its data set and the libraries' own caches take comes on top. 0: no limit. An evaluation throws Error(state) with the least that
/// it needs when that is more.
class Limit {
 public:
  explicit Limit(std::size_t bytes);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  std::size_t before_;
};

/// Of evaluations on this thread now; 0: none.
std::size_t limit();

}  // namespace gradus::memory
