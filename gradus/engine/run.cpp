#include "gradus/engine/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "gradus/base/error.h"
#include "gradus/engine/kept.h"
#include "gradus/engine/profile.h"

namespace gradus::engine {
namespace {

/// One arena per thread, as large as the largest plan that it has run: a steady step allocates none.
std::byte* arena(std::size_t bytes) {
  thread_local Ref<Buffer> memory;
  if (!memory || memory->bytes() < bytes) {
    memory = {};
    memory = Buffer::allocate(bytes);
  }
#ifndef NDEBUG
  std::memset(memory->data(), 0xff, bytes);  // reads of what was never written give NaN
#endif
  return memory->data();
}

/// "matrix [1, 0] is singular": which one, by the leading axes of the operand.
[[noreturn]] void refuse_matrix(const Step& step, const kernel::Status& status, SourceLocation where) {
  const TensorSpec& spec = step.input_specs[static_cast<std::size_t>(status.input)];
  std::string place;
  std::int64_t position = status.position;
  for (int axis = spec.shape.rank() - 3; axis >= 0; --axis) {
    place = fmt::format("{}{}{}", position % spec.shape[axis], place.empty() ? "" : ", ", place);
    position /= spec.shape[axis];
  }
  const std::string which = place.empty() ? "the matrix" : fmt::format("matrix [{}] of the batch", place);
  Error error(ErrorKind::value, std::string(step.op.name()), fmt::format("{} {}", which, status.fault));
  if (step.label) error.context(*step.label);
  throw error.at(where).operand("input", spec);
}

[[noreturn]] void refuse_index(const Step& step, const kernel::Status& status, SourceLocation where) {
  const auto& spec = step.input_specs[static_cast<std::size_t>(status.input)];
  Error error(ErrorKind::index, std::string(step.op.name()),
              fmt::format("element {} is {}, allowed are 0 to {}", status.position, status.value, status.limit - 1));
  if (step.label) error.context(*step.label);
  throw error.at(where)
      .operand(fmt::format("operand {}", status.input), spec)
      .hint("labels and indexes count from 0; check the number of classes or the size of the indexed axis");
}

/// What a keepable step makes of its parameter.
TensorSpec rounding(const Step& step) { return {step.output_specs[0].dtype, step.input_specs[0].shape}; }

class Runner {
 public:
  Runner(const Plan& plan, const GraphNodes& nodes) : plan_(plan), nodes_(nodes) {}

  void run() {
    const bool profiling = is_profiling();
    if (profiling) profile_plan(plan_);
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (step.keepable && is_kept(s)) continue;
      inputs_.clear();
      outputs_.clear();
      for (const std::int32_t i : step.inputs) inputs_.push_back(pointers_[static_cast<std::size_t>(i)]);
      for (const std::int32_t i : step.outputs) outputs_.push_back(pointers_[static_cast<std::size_t>(i)]);
      std::byte* scratch = step.scratch < 0 ? nullptr : pointers_[static_cast<std::size_t>(step.scratch)];
      const double start = profiling ? profile_clock() : 0;
      const kernel::Status status = step.kernel->run({inputs_, outputs_, scratch});
      if (profiling) profile_step(step, start);
      if (status.fault) refuse_matrix(step, status, nodes_.where[static_cast<std::size_t>(step.source)]);
      if (!status.ok) refuse_index(step, status, nodes_.where[static_cast<std::size_t>(step.source)]);
    }
    for (Kept& kept : kept_) {
      if (!kept.ready) kept::keep(*kept.source, rounding(plan_.steps[kept.step]), std::move(kept.narrow));
    }
  }

  std::vector<Ref<Buffer>> results() const {
    std::vector<Ref<Buffer>> values;
    values.reserve(plan_.results.size());
    for (const std::int32_t i : plan_.results) {
      values.push_back(buffer_of(plan_.storages[static_cast<std::size_t>(i)]));
    }
    return values;
  }

  /// What the results will get. Before the run, because nothing may throw once a kernel ran, and because publishing a node
  /// drops its inputs, and with them leaves that later results may share.
  void prepare_results() {
    bind();
    values_.resize(nodes_.results.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      for (std::size_t output = 0; output < nodes_.results[i]->specs.size(); ++output) {
        values_[i].push_back(buffer_of(plan_.storages[static_cast<std::size_t>(plan_.results[next++])]));
      }
    }
  }

  void publish_results(SourceLocation where) noexcept {
    for (std::size_t i = 0; i < values_.size(); ++i) publish(*nodes_.results[i], std::move(values_[i]), where);
  }

  /// Finds the memory of everything.
  void bind() {
    for (const ResultBuffer& wanted : plan_.result_buffers) {
      buffers_.push_back(wanted.donor < 0 ? Buffer::allocate(wanted.bytes)
                                          : nodes_.leaves[static_cast<std::size_t>(wanted.donor)]->values.front());
      if (wanted.donor >= 0) kept::forget(*buffers_.back());
    }
    std::byte* base = arena(plan_.arena_bytes);
    pointers_.reserve(plan_.storages.size());
    for (const Storage& s : plan_.storages) {
      pointers_.push_back(s.place == Place::arena ? base + s.offset : buffer_of(s)->data());
    }
    bind_kept();
    std::size_t operands = 0;
    for (const Step& step : plan_.steps) operands = std::max({operands, step.inputs.size(), step.outputs.size()});
    inputs_.reserve(operands);
    outputs_.reserve(operands);
  }

 private:
  /// A rounded parameter: from an earlier run, or made by this one for the next.
  struct Kept {
    std::size_t step;
    const Buffer* source;
    Ref<Buffer> narrow;
    bool ready;
  };

  void bind_kept() {
    for (std::size_t s = 0; s < plan_.steps.size(); ++s) {
      const Step& step = plan_.steps[s];
      if (!step.keepable) continue;
      const Storage& rounded = plan_.storages[static_cast<std::size_t>(step.outputs[0])];
      if (rounded.place != Place::arena) continue;  // somebody wants it for himself
      const Buffer& source = *buffer_of(plan_.storages[static_cast<std::size_t>(step.inputs[0])]);
      kept::Found found = kept::find(source, rounding(step));
      if (!found.narrow && !found.again) continue;
      const bool ready = static_cast<bool>(found.narrow);
      kept_.push_back({s, &source, ready ? std::move(found.narrow) : Buffer::allocate(rounded.bytes), ready});
      pointers_[static_cast<std::size_t>(step.outputs[0])] = kept_.back().narrow->data();
    }
  }
  bool is_kept(std::size_t step) const {
    return std::any_of(kept_.begin(), kept_.end(), [&](const Kept& k) { return k.step == step && k.ready; });
  }

  const Ref<Buffer>& buffer_of(const Storage& s) const {
    if (s.place == Place::result) return buffers_[static_cast<std::size_t>(s.index)];
    GRADUS_ASSERT(s.place == Place::leaf);
    return nodes_.leaves[static_cast<std::size_t>(s.index)]->values[static_cast<std::size_t>(s.output)];
  }

  const Plan& plan_;
  const GraphNodes& nodes_;
  std::vector<Ref<Buffer>> buffers_;
  std::vector<SmallVector<Ref<Buffer>, 1>> values_;
  std::vector<std::byte*> pointers_;
  std::vector<Kept> kept_;
  std::vector<const std::byte*> inputs_;
  std::vector<std::byte*> outputs_;
};

}  // namespace

void run(CachedPlan& cached, const GraphNodes& nodes, SourceLocation where) {
  const std::lock_guard lock(cached.running);
  Runner runner(cached.plan, nodes);
  runner.prepare_results();
  runner.run();
  runner.publish_results(where);
}

std::vector<Ref<Buffer>> run_again(CachedPlan& cached, const GraphNodes& nodes) {
  const std::lock_guard lock(cached.running);
  Runner runner(cached.plan, nodes);
  runner.bind();
  std::vector<Ref<Buffer>> results = runner.results();
  runner.run();
  return results;
}

}  // namespace gradus::engine
