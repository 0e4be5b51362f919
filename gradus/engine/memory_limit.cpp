#include "gradus/engine/memory_limit.h"

namespace gradus::memory {
namespace {

thread_local std::size_t in_effect = 0;

}  // namespace

Limit::Limit(std::size_t bytes) : before_(in_effect) { in_effect = bytes; }

Limit::~Limit() { in_effect = before_; }

std::size_t limit() { return in_effect; }

}  // namespace gradus::memory
