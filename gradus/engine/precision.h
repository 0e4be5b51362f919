// The precision in which products and convolutions are evaluated.
//
//   const precision::Scope mixed(precision::bf16);
//   for (auto [images, labels] : loader) {
//     auto loss = cross_entropy(model(images), labels);
//     optimizer.minimize(loss);
//   }
//
// A recorded tensor has no precision: it is a setting of the evaluation, of everything that runs inside the scope on this thread
// (`eval`, `item`, `minimize`, `step`), whoever recorded it and when. So gradients follow their loss without a rule of their own,
// and weights, optimizer state, losses and results stay f32 tensors. PyTorch's autocast is around the recording; here it has to be
// around the evaluation.
#pragma once

#include <cstdint>

namespace gradus {

enum class Precision : std::uint8_t {
  f32,   ///< as recorded
  bf16,  ///< products and convolutions of f32 round their operands to bf16 and sum in f32: transform/precision.h
};

namespace precision {

inline constexpr Precision f32 = Precision::f32;
inline constexpr Precision bf16 = Precision::bf16;

struct ScopeOptions {
  /// Rounds to bf16 where that is slower than f32, too: the numbers of a machine with AMX, to within the order of summation.
  bool always = false;
};

/// Sets the precision of evaluations on this thread for as long as it lives; scopes nest. Where the CPU does not multiply bf16
/// faster than f32, and where GRADUS_DISABLE=bf16 says so, bf16 runs as f32; the first such scope says so and why on stderr.
/// Plans of both precisions are kept side by side.
class Scope {
 public:
  explicit Scope(Precision precision, ScopeOptions options = {});
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Precision before_;
};

/// What evaluations on this thread run in now: f32 where bf16 was asked for and does not pay.
Precision current();

}  // namespace precision
}  // namespace gradus
