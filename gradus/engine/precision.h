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
  f32,  ///< as recorded
  bf16,  ///< products and convolutions of f32 round their operands to bf16 and sum in f32: transform/lowering/precision.h
  int8,  ///< linear layers take their weights and inputs in 8 bits, for inference: transform/lowering/quantize.h
};

namespace precision {

inline constexpr Precision f32 = Precision::f32;
inline constexpr Precision bf16 = Precision::bf16;
inline constexpr Precision int8 = Precision::int8;

struct ScopeOptions {
  /// Rounds where that is slower than f32, too: the numbers of a machine that has such products, to within the order of summation; of int8 exactly.
  bool always = false;
};

/// Sets the precision of evaluations on this thread for as long as it lives; scopes nest. Where the CPU does not multiply bf16
/// (int8) faster than f32, and where GRADUS_DISABLE=bf16 (vnni) says so, it runs as f32; the first such scope says so and why on stderr.
/// Plans of all precisions are kept side by side. int8 is for inference: optimizers refuse to step inside of its scope.
///
///   const precision::Scope quantised(precision::int8);
///   Tensor answer = model(x);
///   eval(answer);
class Scope {
 public:
  explicit Scope(Precision precision, ScopeOptions options = {});
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  Precision before_;
};

/// What evaluations on this thread run in now: f32 where another was asked for and does not pay.
Precision current();

}  // namespace precision
}  // namespace gradus
