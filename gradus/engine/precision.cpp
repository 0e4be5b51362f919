#include "gradus/engine/precision.h"

#include <cstdio>
#include <mutex>
#include <string>

#include "gradus/kernel/onednn/bf16.h"
#include "gradus/kernel/quantized/quantized.h"

namespace gradus::precision {
namespace {

thread_local Precision in_effect = f32;

/// Once for each reason; a process has one, unless kernels are switched off while it runs.
void say_once(Precision precision, const std::string& reason) {
  static std::mutex mutex;
  static auto* said = new std::string;  // leaked: scopes may live as long as the program
  const std::lock_guard lock(mutex);
  if (*said == reason) return;
  *said = reason;
  std::fprintf(stderr, "gradus: precision %s runs as f32: %s\n", precision == int8 ? "int8" : "bf16", reason.c_str());
}

}  // namespace

Scope::Scope(Precision precision, ScopeOptions options) : before_(in_effect) {
  std::string reason;
  const bool pays =
      precision == f32 || options.always || (precision == int8 ? kernel::int8_pays(reason) : kernel::bf16_pays(reason));
  if (!pays) say_once(precision, reason);
  in_effect = pays ? precision : f32;
}

Scope::~Scope() { in_effect = before_; }

Precision current() { return in_effect; }

}  // namespace gradus::precision
