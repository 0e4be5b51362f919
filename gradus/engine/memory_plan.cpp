#include "gradus/engine/memory_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "gradus/base/buffer.h"
#include "gradus/base/error.h"
#include "gradus/ops/index.h"

namespace gradus::engine {
namespace {

std::size_t aligned(std::size_t bytes) {
  return (std::max<std::size_t>(bytes, 1) + Buffer::alignment - 1) / Buffer::alignment * Buffer::alignment;
}

/// Hands out intervals of the arena, best fit first, and joins them when they come back.
class Arena {
 public:
  std::size_t take(std::size_t bytes) {
    bytes = aligned(bytes);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->second >= bytes && (best == free_.end() || it->second < best->second)) best = it;
    }
    if (best == free_.end()) {
      // Grow; a free interval at the end becomes part of the new one.
      std::size_t offset = size_;
      if (!free_.empty() && std::prev(free_.end())->first + std::prev(free_.end())->second == size_) {
        offset = std::prev(free_.end())->first;
        free_.erase(std::prev(free_.end()));
      }
      size_ = offset + bytes;
      return offset;
    }
    const auto [offset, length] = *best;
    free_.erase(best);
    if (length > bytes) free_.emplace(offset + bytes, length - bytes);
    return offset;
  }

  void give_back(std::size_t offset, std::size_t bytes) {
    auto it = free_.emplace(offset, aligned(bytes)).first;
    if (const auto next = std::next(it); next != free_.end() && it->first + it->second == next->first) {
      it->second += next->second;
      free_.erase(next);
    }
    if (it != free_.begin()) {
      const auto before = std::prev(it);
      if (before->first + before->second == it->first) {
        before->second += it->second;
        free_.erase(it);
      }
    }
  }

  std::size_t size() const { return size_; }

 private:
  std::map<std::size_t, std::size_t> free_;  // offset -> length
  std::size_t size_ = 0;
};

/// Of an operation that checks the elements of its second input: the size that they must stay below.
std::optional<std::int64_t> index_limit(const Step& step) {
  const auto size = [&](int axis) { return step.input_specs[0].shape[axis]; };
  if (const Take* take = step.op.as<Take>()) return size(take->axis);
  if (const TakeAdd* take_add = step.op.as<TakeAdd>()) return size(take_add->axis);
  if (const Gather* gather = step.op.as<Gather>()) return size(gather->axis);
  if (const ScatterAdd* scatter_add = step.op.as<ScatterAdd>()) return size(scatter_add->axis);
  return std::nullopt;
}

class Planner {
 public:
  Planner(const Graph& graph, const std::vector<std::int32_t>& step_of, Plan& plan)
      : graph_(graph), step_of_(step_of), plan_(plan) {}

  void run() {
    bind_values();
    bind_results();
    find_last_uses();
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) reuse_operands(s);
    for (Step& step : plan_.steps) {
      for (std::int32_t& input : step.inputs) input = merged(input);
      for (std::int32_t& output : step.outputs) output = merged(output);
    }
    place_in_arena();
    for (const ValueId id : graph_.results) plan_.results.push_back(merged(storage_of(id)));
  }

 private:
  std::int32_t storage_of(ValueId id) const {
    return value_storage_[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)];
  }
  Storage& storage(std::int32_t index) { return plan_.storages[static_cast<std::size_t>(index)]; }

  /// The storage that `index` lives in after operands moved into outputs.
  std::int32_t merged(std::int32_t index) {
    std::int32_t root = index;
    while (merged_into_[static_cast<std::size_t>(root)] >= 0) root = merged_into_[static_cast<std::size_t>(root)];
    while (index != root)
      index = std::exchange(merged_into_[static_cast<std::size_t>(index)], root);  // shorten the way
    return root;
  }

  std::int32_t add(Storage s) {
    plan_.storages.push_back(s);
    return static_cast<std::int32_t>(plan_.storages.size()) - 1;
  }

  void bind_values() {
    value_storage_.resize(graph_.vertices.size());
    std::int32_t leaves = 0;
    for (std::size_t i = 0; i < graph_.vertices.size(); ++i) {
      const Vertex& v = graph_.vertices[i];
      if (!v.is_leaf() && step_of_[i] < 0) {
        value_storage_[i].push_back(storage_of(v.inputs.front()));
        continue;
      }
      for (std::size_t output = 0; output < v.specs.size(); ++output) {
        Storage s;
        s.place = v.is_leaf() ? Place::leaf : Place::arena;
        s.index = v.is_leaf() ? leaves : 0;
        s.output = static_cast<std::int32_t>(output);
        s.bytes = v.specs[output].bytes();
        value_storage_[i].push_back(add(s));
        donatable_.push_back(v.donatable && v.specs.size() == 1);
      }
      if (v.is_leaf()) {
        ++leaves;
        continue;
      }
      Step& step = plan_.steps[static_cast<std::size_t>(step_of_[i])];
      for (const ValueId id : v.inputs) step.inputs.push_back(storage_of(id));
      step.outputs.assign(value_storage_[i].begin(), value_storage_[i].end());
      for (const std::int32_t output : step.outputs) {
        if (step.keepable) kept_.insert(output);
      }
      if (const std::size_t bytes = step.kernel->scratch_bytes(); bytes > 0) {
        Storage s;
        s.bytes = bytes;
        step.scratch = add(s);
        donatable_.push_back(false);
      }
    }
  }

  void bind_results() {
    for (const ValueId id : graph_.results) {
      Storage& s = storage(storage_of(id));
      if (s.place == Place::leaf)
        donatable_[static_cast<std::size_t>(storage_of(id))] = false;  // a view of it is a result
      if (s.place != Place::arena) continue;
      s.place = Place::result;
      s.index = static_cast<std::int32_t>(plan_.result_buffers.size());
      plan_.result_buffers.push_back({s.bytes, -1});
    }
  }

  void find_last_uses() {
    last_use_.assign(plan_.storages.size(), -1);
    first_use_.assign(plan_.storages.size(), -1);
    merged_into_.assign(plan_.storages.size(), -1);
    for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
      const auto s = static_cast<std::int32_t>(i);
      const Step& step = plan_.steps[i];
      for (const std::int32_t input : step.inputs) last_use_[static_cast<std::size_t>(input)] = s;
      for (const std::int32_t output : step.outputs) touch_output(output, s);
      if (step.scratch >= 0) touch_output(step.scratch, s);
      if (step.kernel->can_fail() && !was_checked(step)) last_fallible_ = s;
    }
  }

  /// Whether an earlier step has failed already if this one would: the gradient of a look-up reads the same indexes.
  bool was_checked(const Step& step) {
    const std::optional<std::int64_t> limit = index_limit(step);
    return limit && !checked_.emplace(step.inputs[1], *limit).second;
  }

  void touch_output(std::int32_t index, std::int32_t step) {
    const auto i = static_cast<std::size_t>(index);
    if (first_use_[i] < 0) first_use_[i] = step;
    last_use_[i] = std::max(last_use_[i], step);
  }

  /// Lets outputs of step `s` take the memory of operands that nobody reads later: of leaves first, which are not needed
  /// otherwise, while the arena has other uses for its memory.
  void reuse_operands(std::size_t s) {
    Step& step = plan_.steps[s];
    for (std::size_t o = 0; o < step.outputs.size(); ++o) {
      if (!reuse_operand(step, s, o, true)) reuse_operand(step, s, o, false);
    }
  }

  bool reuse_operand(Step& step, std::size_t s, std::size_t o, bool leaves) {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if ((storage(merged(step.inputs[i])).place == Place::leaf) != leaves) continue;
      if (step.kernel->can_overwrite(static_cast<int>(i), static_cast<int>(o)) && try_reuse(step, s, i, o)) return true;
    }
    return false;
  }

  bool try_reuse(Step& step, std::size_t s, std::size_t i, std::size_t o) {
    const std::int32_t from = merged(step.inputs[i]), to = merged(step.outputs[o]);
    const auto f = static_cast<std::size_t>(from), t = static_cast<std::size_t>(to);
    const auto is_from = [&](std::int32_t other) { return merged(other) == from; };
    const bool alone = std::count_if(step.inputs.begin(), step.inputs.end(), is_from) == 1 &&
                       std::none_of(step.outputs.begin(), step.outputs.end(), is_from);
    if (!alone || last_use_[f] != static_cast<std::int32_t>(s) || storage(from).bytes != storage(to).bytes)
      return false;
    if (storage(from).place == Place::leaf) {
      // A leaf gives its memory to a result, once, and only where nothing can fail afterwards: a failed run changes nothing.
      if (!is_pass_enabled("donate") || !donatable_[f] || storage(to).place != Place::result) return false;
      if (static_cast<std::int32_t>(s) <= last_fallible_) return false;
      ResultBuffer& buffer = plan_.result_buffers[static_cast<std::size_t>(storage(to).index)];
      if (buffer.donor >= 0) return false;
      buffer.donor = storage(from).index;
      donatable_[f] = false;
      return true;
    }
    if (storage(from).place != Place::arena || !is_pass_enabled("in_place") || kept_.contains(from)) return false;
    // The operand moves into the output's storage for its whole life.
    first_use_[t] = std::min(first_use_[t], first_use_[f]);
    first_use_[f] = last_use_[f] = -1;
    merged_into_[f] = to;
    return true;
  }

  void place_in_arena() {
    const std::size_t steps = plan_.steps.size();
    std::vector<std::vector<std::int32_t>> begins(steps), ends(steps);
    for (std::size_t i = 0; i < plan_.storages.size(); ++i) {
      if (plan_.storages[i].place != Place::arena || first_use_[i] < 0) continue;
      begins[static_cast<std::size_t>(first_use_[i])].push_back(static_cast<std::int32_t>(i));
      ends[static_cast<std::size_t>(last_use_[i])].push_back(static_cast<std::int32_t>(i));
    }
    Arena arena;
    for (std::size_t s = 0; s < steps; ++s) {
      for (const std::int32_t i : begins[s]) storage(i).offset = arena.take(storage(i).bytes);
      for (const std::int32_t i : ends[s]) arena.give_back(storage(i).offset, storage(i).bytes);
    }
    plan_.arena_bytes = arena.size();
  }

  const Graph& graph_;
  const std::vector<std::int32_t>& step_of_;
  Plan& plan_;
  std::vector<std::vector<std::int32_t>> value_storage_;
  std::vector<std::int32_t> first_use_, last_use_, merged_into_;
  std::vector<char> donatable_;  // by storage
  std::set<std::int32_t> kept_;  // storages whose elements may outlive the run
  std::int32_t last_fallible_ = -1;
  std::set<std::pair<std::int32_t, std::int64_t>> checked_;  // storage of indexes, their limit
};

}  // namespace

void plan_memory(const Graph& graph, const std::vector<std::int32_t>& step_of, Plan& plan) {
  Planner(graph, step_of, plan).run();
}

}  // namespace gradus::engine
