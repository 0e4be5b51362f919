#include "gradus/cli/profiling.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "gradus/engine/plan_cache.h"
#include "gradus/engine/profile.h"
#include "gradus/io/atomic_file.h"

namespace gradus::cli {

Profiling::Profiling(bool tables, std::string trace) : tables_(tables), trace_(std::move(trace)) {
  if (tables_) engine::start_profile();
  if (!trace_.empty()) engine::start_trace();
}

void Profiling::finish(bool json) {
  if (!trace_.empty()) io::write_file(trace_, engine::stop_trace());
  if (!tables_) return;
  std::FILE* out = json ? stderr : stdout;
  fmt::print(out, "\n{}\nplans compiled: {}\n", engine::stop_profile().str(), engine::compile_count());
  if (!trace_.empty()) fmt::print(out, "trace: {} (open it at chrome://tracing)\n", trace_);
}

}  // namespace gradus::cli
