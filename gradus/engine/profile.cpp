#include "gradus/engine/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <new>
#include <span>

#include "gradus/engine/missed_fusion.h"
#include "gradus/engine/plan.h"
#include "gradus/ops/region_reduce.h"

namespace gradus::engine {
namespace {

std::atomic<bool> profiling{false}, tracing{false};

struct TracedCall {
  std::string operation, module;
  int thread = 0;
  double start = 0, seconds = 0, flops = 0, bytes = 0;
};

struct Tables {
  std::mutex mutex;
  std::map<std::string, ProfileRow> by_operation, by_module, missed_fusions;
  bool wanted = false;  ///< the tables; a trace may be taken without them

  std::vector<TracedCall> calls;
  std::size_t most_calls = 0, left_out = 0;
  double trace_start = 0;
};

/// A number for the calling thread, from 1 in the order of first calls.
int thread_number() {
  static std::atomic<int> next{1};
  thread_local const int number = next++;
  return number;
}

Tables& tables() {
  static auto* instance = new Tables;
  return *instance;
}

void add(std::map<std::string, ProfileRow>& table, const std::string& name, const Step& step, double seconds) {
  ProfileRow& row = table[name];
  row.name = name;
  ++row.calls;
  row.seconds += seconds;
  row.flops += step.kernel->flops();
  row.bytes += step.bytes();
}

/// A region says what it computes: "region mul+add+relu".
std::string operation_name(const Step& step) {
  std::string name(step.op.name());
  const RegionReduce* reduction = step.op.as<RegionReduce>();
  if (const Region* region = reduction ? &reduction->region : step.op.as<Region>()) {
    std::string parts;
    int shown = 0;
    for (const RegionInstruction& instruction : region->instructions) {
      if (instruction.code == ElementwiseCode::constant) continue;
      if (++shown > 4) break;
      const std::string_view part = instruction.code == ElementwiseCode::cast ? "cast" : info(instruction.code).name;
      parts += (parts.empty() ? "" : "+") + std::string(part);
    }
    name += fmt::format(" {}{}", parts, shown > 4 ? "+..." : "");
  }
  return fmt::format("{} [{}]", name, step.implementation);
}

void trace(Tables& t, const Step& step, double start, double seconds) {
  if (t.calls.size() >= t.most_calls) {
    ++t.left_out;
    return;
  }
  t.calls.push_back({operation_name(step), step.label ? *step.label : std::string(), thread_number(),
                     start - t.trace_start, seconds, step.kernel->flops(), step.bytes()});
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::vector<ProfileRow> sorted(const std::map<std::string, ProfileRow>& table) {
  std::vector<ProfileRow> rows;
  for (const auto& [name, row] : table) rows.push_back(row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return rows;
}

std::string table_str(const char* title, const std::vector<ProfileRow>& rows, double total) {
  std::string text =
      fmt::format("{:<44} {:>8} {:>10} {:>6} {:>9} {:>8}\n", title, "calls", "ms", "%", "GFLOP/s", "GB/s");
  for (const ProfileRow& row : rows) {
    const double seconds = std::max(row.seconds, 1e-12);
    text +=
        fmt::format("{:<44} {:>8} {:>10.3f} {:>6.1f} {:>9.2f} {:>8.2f}\n", row.name, row.calls, row.seconds * 1e3,
                    100 * row.seconds / std::max(total, 1e-12), row.flops / seconds * 1e-9, row.bytes / seconds * 1e-9);
  }
  return text;
}

}  // namespace

void start_profile() {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  t.by_operation.clear();
  t.by_module.clear();
  t.missed_fusions.clear();
  t.wanted = true;
  profiling.store(true, std::memory_order_relaxed);
}

Profile stop_profile() {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  t.wanted = false;
  profiling.store(false, std::memory_order_relaxed);
  Profile profile{sorted(t.by_operation), sorted(t.by_module), sorted(t.missed_fusions), 0};
  std::stable_sort(profile.missed_fusions.begin(), profile.missed_fusions.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  for (const ProfileRow& row : profile.by_operation) profile.seconds += row.seconds;
  return profile;
}

void start_trace(std::size_t most_calls) {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  t.calls.clear();
  t.most_calls = most_calls;
  t.left_out = 0;
  t.trace_start = profile_clock();
  tracing.store(true, std::memory_order_relaxed);
}

std::string stop_trace() {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  tracing.store(false, std::memory_order_relaxed);
  std::string out = "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[";
  const char* separator = "\n";
  for (const TracedCall& call : t.calls) {
    out += fmt::format(R"({}{{"name":{},"cat":"kernel","ph":"X","pid":1,"tid":{},"ts":{:.3f},"dur":{:.3f},)", separator,
                       json_text(call.operation), call.thread, call.start * 1e6, call.seconds * 1e6);
    out += fmt::format(R"("args":{{"module":{},"flops":{:.0f},"bytes":{:.0f}}}}})", json_text(call.module), call.flops,
                       call.bytes);
    separator = ",\n";
  }
  if (t.left_out > 0) {
    out += fmt::format(R"({}{{"name":"{} later calls were left out","ph":"i","s":"g","pid":1,"tid":1,"ts":{:.3f}}})",
                       separator, t.left_out, (profile_clock() - t.trace_start) * 1e6);
  }
  t.calls.clear();
  return out + "\n]}\n";
}

bool is_profiling() { return profiling.load(std::memory_order_relaxed) || tracing.load(std::memory_order_relaxed); }

double profile_clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void profile_step(const Step& step, double start) noexcept try {
  const double seconds = profile_clock() - start;
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  if (t.wanted) {
    add(t.by_operation, operation_name(step), step, seconds);
    add(t.by_module, step.label ? *step.label : std::string("(no module)"), step, seconds);
  }
  if (tracing.load(std::memory_order_relaxed)) trace(t, step, start, seconds);
} catch (const std::bad_alloc&) {  // a line of the profile is missing, and the run goes on
}

void profile_plan(const Plan& plan) noexcept try {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  if (!t.wanted) return;
  const auto name = [&](std::int32_t step) { return operation_name(plan.steps[static_cast<std::size_t>(step)]); };
  for (const MissedFusion& missed : missed_fusions(plan)) {
    std::string readers = name(missed.readers[0]);
    if (missed.readers.size() > 1) readers += fmt::format(" and {} more", missed.readers.size() - 1);
    const std::string way = fmt::format("{} -> {}", name(missed.writer), readers);
    ProfileRow& row = t.missed_fusions[way];
    row.name = way;
    ++row.calls;
    row.bytes += missed.bytes;
  }
} catch (const std::bad_alloc&) {  // the table is short of a few, and the run goes on
}

std::string Profile::str() const {
  constexpr std::size_t most = 10;
  std::string text = table_str("operation", by_operation, seconds) + "\n" + table_str("module", by_module, seconds);
  if (missed_fusions.empty()) return text;
  std::int64_t values = 0;
  double bytes = 0;
  for (const ProfileRow& row : missed_fusions) values += row.calls, bytes += row.bytes;
  text += fmt::format("\n{} values went from region to region through memory, {:.1f} MB; the largest:\n", values,
                      bytes / 1e6);
  for (const ProfileRow& row : std::span(missed_fusions).first(std::min(most, missed_fusions.size())))
    text += fmt::format("{:>10.1f} MB {:>6} x  {}\n", row.bytes / 1e6, row.calls, row.name);
  return text;
}

}  // namespace gradus::engine
