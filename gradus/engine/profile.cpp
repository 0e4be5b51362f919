#include "gradus/engine/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <new>

#include "gradus/engine/plan.h"
#include "gradus/ops/region.h"

namespace gradus::engine {
namespace {

std::atomic<bool> profiling{false};

struct Tables {
  std::mutex mutex;
  std::map<std::string, ProfileRow> by_operation, by_module;
};

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
  if (const Region* region = step.op.as<Region>()) {
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
  profiling.store(true, std::memory_order_relaxed);
}

Profile stop_profile() {
  profiling.store(false, std::memory_order_relaxed);
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  Profile profile{sorted(t.by_operation), sorted(t.by_module), 0};
  for (const ProfileRow& row : profile.by_operation) profile.seconds += row.seconds;
  return profile;
}

bool is_profiling() { return profiling.load(std::memory_order_relaxed); }

double profile_clock() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void profile_step(const Step& step, double seconds) noexcept try {
  Tables& t = tables();
  const std::lock_guard lock(t.mutex);
  add(t.by_operation, operation_name(step), step, seconds);
  add(t.by_module, step.label ? *step.label : std::string("(no module)"), step, seconds);
} catch (const std::bad_alloc&) {  // a line of the profile is missing, and the run goes on
}

std::string Profile::str() const {
  return table_str("operation", by_operation, seconds) + "\n" + table_str("module", by_module, seconds);
}

}  // namespace gradus::engine
