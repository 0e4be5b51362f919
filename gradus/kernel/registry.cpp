#include "gradus/kernel/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "gradus/base/error.h"

namespace gradus::kernel {
namespace {

constexpr std::string_view reference = "reference";

/// An implementation with the switch of its name.
struct Entry {
  Implementation implementation;
  const std::atomic<bool>* enabled;
};

/// All implementations, in order, by operation. Built once, added to by programs with operations of their own, and never
/// destroyed.
class Registry {
 public:
  static Registry& instance() {
    static auto* registry = new Registry;
    return *registry;
  }

  /// Of one operation, the preferred one first; empty for an unknown operation.
  std::vector<Entry> entries(std::string_view op) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_op_.find(op);
    return found == by_op_.end() ? std::vector<Entry>() : found->second;
  }
  std::vector<std::string_view> operations() const {
    const std::shared_lock lock(mutex_);
    return operations_;
  }

  /// The switch of an implementation's name; throws Error(value) for an unknown name.
  std::atomic<bool>& enabled(std::string_view name, const char* caller) {
    const std::shared_lock lock(mutex_);
    const auto found = switches_.find(name);
    if (found != switches_.end()) return *found->second;
    std::vector<std::string> names;
    for (const auto& [known, unused] : switches_) names.emplace_back(known);
    std::sort(names.begin(), names.end());
    Error error(ErrorKind::value, caller, fmt::format("no kernel implementation is named \"{}\"", name));
    error.field("known", fmt::format("{}", fmt::join(names, ", ")));
    if (const std::string nearest = nearest_name(name, names); !nearest.empty()) {
      error.hint(fmt::format("did you mean \"{}\"?", nearest));
    }
    throw error;
  }

  void set_enabled(std::string_view name, bool value, const char* caller) {
    std::atomic<bool>& flag = enabled(name, caller);
    if (name == reference && !value) {
      throw Error(ErrorKind::value, caller, "the reference kernels cannot be switched off")
          .hint("they are the last of each list; nothing else is left to run");
    }
    flag.store(value, std::memory_order_relaxed);
  }

  void add_in_front(const Implementation& implementation) {
    const std::unique_lock lock(mutex_);
    for (const Entry& entry : by_op_[implementation.op]) {
      if (entry.implementation.implementation != implementation.implementation) continue;
      throw Error(ErrorKind::value, "add_implementation",
                  fmt::format("{} has an implementation named \"{}\" already", implementation.op,
                              implementation.implementation));
    }
    add(implementation, true);
  }

 private:
  using Family = std::vector<Implementation> (*)();

  Registry() {
    constexpr Family families[] = {
        region_kernels,         elementwise_kernels,    view_kernels,      concat_kernels,
        reduce_kernels,         region_reduce_kernels,  softmax_kernels,   scan_kernels,
        index_kernels,          sort_kernels,           random_kernels,    lapack_kernels,
        small_matmul_kernels,   narrow_matmul_kernels,  quantized_kernels, onednn_matmul_kernels,
        onednn_conv_kernels,    onednn_pool_kernels,    tile_pool_kernels, reference_matmul_kernels,
        reference_conv_kernels, reference_pool_kernels, attention_kernels, recurrent_kernels};
    for (const Family family : families) {
      for (const Implementation& implementation : family()) add(implementation);
    }
    if (const char* disabled = std::getenv("GRADUS_DISABLE")) disable_all(disabled);
  }

  void add(const Implementation& implementation, bool in_front = false) {
    auto [place, fresh] = switches_.try_emplace(implementation.implementation);
    if (fresh) place->second = std::make_unique<std::atomic<bool>>(true);
    std::vector<Entry>& entries = by_op_[implementation.op];
    if (entries.empty()) operations_.push_back(implementation.op);
    GRADUS_ASSERT(in_front || entries.empty() || entries.back().implementation.implementation != reference);
    entries.insert(in_front ? entries.begin() : entries.end(), {implementation, place->second.get()});
  }

  void disable_all(std::string_view names) {
    while (!names.empty()) {
      const std::size_t comma = std::min(names.find(','), names.size());
      if (comma > 0) set_enabled(names.substr(0, comma), false, "GRADUS_DISABLE");
      names.remove_prefix(std::min(comma + 1, names.size()));
    }
  }

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string_view, std::vector<Entry>> by_op_;
  std::unordered_map<std::string_view, std::unique_ptr<std::atomic<bool>>> switches_;
  std::vector<std::string_view> operations_;
};

}  // namespace

Choice choose(const Request& request) {
  Choice choice;
  for (const Entry& entry : Registry::instance().entries(request.op.name())) {
    const auto& [op, implementation, make] = entry.implementation;
    if (!entry.enabled->load(std::memory_order_relaxed)) {
      choice.refusals.push_back(fmt::format("{}: switched off", implementation));
      continue;
    }
    std::string reason;
    choice.kernel = make(request, reason);
    if (choice.kernel) {
      choice.implementation = implementation;
      return choice;
    }
    choice.refusals.push_back(fmt::format("{}: {}", implementation, reason));
  }
  Error error(ErrorKind::dtype, std::string(request.op.name()), "no kernel for these types");
  for (std::size_t i = 0; i < request.inputs.size(); ++i) error.operand(fmt::format("input {}", i), request.inputs[i]);
  for (std::size_t i = 0; i < request.outputs.size(); ++i)
    error.operand(fmt::format("output {}", i), request.outputs[i]);
  for (std::string& refusal : choice.refusals) error.note(std::move(refusal));
  throw error;
}

std::vector<Implementation> implementations(std::string_view op) {
  std::vector<Implementation> list;
  for (const Entry& entry : Registry::instance().entries(op)) list.push_back(entry.implementation);
  return list;
}

std::vector<std::string_view> operations() { return Registry::instance().operations(); }

void add_implementation(const Implementation& implementation) { Registry::instance().add_in_front(implementation); }

void set_enabled(std::string_view implementation, bool enabled) {
  Registry::instance().set_enabled(implementation, enabled, "set_enabled");
}

bool is_enabled(std::string_view implementation) {
  return Registry::instance().enabled(implementation, "is_enabled").load(std::memory_order_relaxed);
}

}  // namespace gradus::kernel
