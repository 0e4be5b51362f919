// How the networks among the learners are trained.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "gradus/base/random.h"
#include "gradus/classic/learner.h"
#include "gradus/data/dataset.h"
#include "gradus/optim/optimizer.h"

namespace gradus::classic::detail {

/// The default random stream from a seed on, and as it was when this ends.
class Stream {
 public:
  explicit Stream(std::uint64_t seed) : before_(random_state()) { manual_seed(seed); }
  ~Stream() { set_random_state(before_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

 private:
  std::array<std::uint64_t, 2> before_;
};

struct DescentOptions {
  std::int64_t epochs = 1, batch_size = 32;  ///< of fewer examples: all of them
  double lr = 1e-3;                          ///< falls to 0 along half a cosine
};
/// Cross entropy, or the squared error of numbers, of `forward` over all epochs, in an order that the seed decides.
void descend(optim::Optimizer& optimizer, const std::function<Tensor(const Tensor&)>& forward,
             const data::Dataset& train, const DescentOptions& options, std::uint64_t seed);

}  // namespace gradus::classic::detail
