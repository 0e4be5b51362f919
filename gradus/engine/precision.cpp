#include "gradus/engine/precision.h"

#include <cstdio>
#include <mutex>
#include <string>

#include "gradus/kernel/onednn/bf16.h"

namespace gradus::precision {
namespace {

thread_local Precision in_effect = f32;

/// Once for each reason; a process has one, unless kernels are switched off while it runs.
void say_once(const std::string& reason) {
  static std::mutex mutex;
  static auto* said = new std::string;  // leaked: scopes may live as long as the program
  const std::lock_guard lock(mutex);
  if (*said == reason) return;
  *said = reason;
  std::fprintf(stderr, "gradus: precision bf16 runs as f32: %s\n", reason.c_str());
}

}  // namespace

Scope::Scope(Precision precision, ScopeOptions options) : before_(in_effect) {
  std::string reason;
  const bool pays = precision == f32 || options.always || kernel::bf16_pays(reason);
  if (!pays) say_once(reason);
  in_effect = pays ? precision : f32;
}

Scope::~Scope() { in_effect = before_; }

Precision current() { return in_effect; }

}  // namespace gradus::precision
