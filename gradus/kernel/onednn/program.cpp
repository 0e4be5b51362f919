#include "gradus/kernel/onednn/program.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/kernel/onednn/bf16.h"
#include "gradus/kernel/onednn/version.h"
#include "gradus/kernel/product/bf16_unit.h"

namespace gradus::kernel {

std::string onednn_version() {
  const dnnl_version_t* version = dnnl_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->patch);
}

bool bf16_pays(std::string& reason) {
  if (!is_enabled("bf16")) {
    reason = "kernels \"bf16\" are switched off";
    return false;
  }
  const Bf16Unit unit = bf16_unit();
  const auto needed =
      static_cast<unsigned>(unit == Bf16Unit::tiles ? dnnl::cpu_isa::avx512_core_amx : dnnl::cpu_isa::avx512_core_bf16);
  const bool may_use = (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & needed) == needed;
  if (unit != Bf16Unit::none && may_use) return true;
  reason = unit == Bf16Unit::none ? "this CPU multiplies it no faster" : "oneDNN may not use what multiplies it";
  return false;
}

namespace onednn {

ThreadLimit::ThreadLimit(int threads) : before_(omp_get_max_threads()), changed_(before_ != threads) {
  if (changed_) omp_set_num_threads(threads);
}

ThreadLimit::~ThreadLimit() {
  if (changed_) omp_set_num_threads(before_);
}

int threads_for(double flops) {
  constexpr double flops_per_thread = 2e6;  // some 20 us: below that, waking a thread costs more than it does
  return flops < 2 * flops_per_thread ? 1 : num_threads();
}

const dnnl::engine& engine() {
  static const auto* cpu = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *cpu;
}

dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

Program::Program(double flops) : stream_(engine()), flops_(flops), threads_(omp_get_max_threads()) {}

dnnl::memory Program::slot(const Desc& desc, Place place, std::size_t position) {
  slots_.push_back({dnnl::memory(desc, engine(), DNNL_MEMORY_NONE), place, position});
  return slots_.back().memory;
}

dnnl::memory Program::input(std::size_t index, const Desc& desc) { return slot(desc, Place::input, index); }
dnnl::memory Program::output(std::size_t index, const Desc& desc) { return slot(desc, Place::output, index); }

dnnl::memory Program::scratch(const Desc& desc) {
  constexpr std::size_t alignment = 64;
  const std::size_t offset = scratch_bytes_;
  scratch_bytes_ += (desc.get_size() + alignment - 1) / alignment * alignment;
  return slot(desc, Place::scratch, offset);
}

dnnl::memory Program::seen_as(const dnnl::memory& memory, const Desc& desc) {
  const auto is_it = [&](const Slot& slot) { return slot.memory.get() == memory.get(); };
  const auto found = std::find_if(slots_.begin(), slots_.end(), is_it);
  GRADUS_ASSERT(found != slots_.end());
  return slot(desc, found->place, found->position);
}

dnnl::memory Program::input_as(std::size_t index, const Desc& plain, const Desc& wanted) {
  const dnnl::memory given = input(index, plain);
  if (plain == wanted) return given;
  const dnnl::memory reordered = scratch(wanted);
  reorder(given, reordered);
  return reordered;
}

dnnl::memory Program::output_as(std::size_t index, const Desc& plain, const Desc& written) {
  return plain == written ? output(index, plain) : scratch(written);
}

void Program::deliver(std::size_t index, const Desc& plain, const dnnl::memory& written) {
  if (written.get_desc() != plain) reorder(written, output(index, plain));
}

void Program::reorder(const dnnl::memory& from, const dnnl::memory& to) {
  const dnnl::reorder::primitive_desc desc(engine(), from.get_desc(), engine(), to.get_desc(), user_scratchpad());
  add(dnnl::reorder(desc), desc, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

void Program::append(const dnnl::primitive& primitive, const std::vector<std::pair<int, dnnl::memory>>& arguments) {
  Step step{primitive, {}};
  for (const auto& [argument, memory] : arguments) step.arguments.push_back({argument, memory.get()});
  steps_.push_back(std::move(step));
}

Status Program::run(const Arguments& arguments) const noexcept {
  for (const Slot& slot : slots_) {
    const std::byte* address = slot.place == Place::input    ? arguments.inputs[slot.position]
                               : slot.place == Place::output ? arguments.outputs[slot.position]
                                                             : arguments.scratch + slot.position;
    // oneDNN takes no pointer to const, but reads only what is an operand.
    const dnnl_status_t set = dnnl_memory_set_data_handle(slot.memory.get(), const_cast<std::byte*>(address));
    GRADUS_ASSERT(set == dnnl_success);
  }
  const ThreadLimit limit(threads_);
  for (const Step& step : steps_) {
    const dnnl_status_t done = dnnl_primitive_execute(step.primitive.get(), stream_.get(),
                                                      static_cast<int>(step.arguments.size()), step.arguments.data());
    GRADUS_ASSERT(done == dnnl_success);
  }
  GRADUS_ASSERT(dnnl_stream_wait(stream_.get()) == dnnl_success);
  return {};
}

bool has_empty(const Request& request, std::string& reason) {
  for (const std::span<const TensorSpec> specs : {request.inputs, request.outputs}) {
    for (const TensorSpec& spec : specs) {
      if (spec.shape.numel() != 0) continue;
      reason = "a tensor without elements";
      return true;
    }
  }
  return false;
}

bool all_f32(const Request& request, std::string& reason) {
  for (const std::span<const TensorSpec> specs : {request.inputs, request.outputs}) {
    for (const TensorSpec& spec : specs) {
      if (spec.dtype == DType::f32) continue;
      reason = fmt::format("only f32, not {}", name_of(spec.dtype));
      return false;
    }
  }
  return true;
}

bool takes(Type operands, const Request& request, std::string& reason) {
  if (operands == Type::f32) return all_f32(request, reason);
  for (const TensorSpec& spec : request.inputs) {
    if (spec.dtype == DType::bf16) continue;
    reason = fmt::format("only bf16, not {}", name_of(spec.dtype));
    return false;
  }
  return true;
}

bool is_fast_bf16(std::string_view implementation) {
  const std::string_view wanted = bf16_unit() == Bf16Unit::vectors ? "avx512_core_bf16" : "amx";
  return implementation.find(wanted) != std::string_view::npos;
}

double f32_flops(Type operands, double flops) {
  const double gain = bf16_unit() == Bf16Unit::vectors ? 2 : 4;  // measured on products of 64 to 512 by one core
  return operands == Type::bf16 ? flops / gain : flops;
}

Desc plain(const dnnl::memory::dims& dims, Type type) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return Desc(dims, type, strides);
}

Desc any(const dnnl::memory::dims& dims, Type type) { return Desc(dims, type, dnnl::memory::format_tag::any); }

}  // namespace onednn
}  // namespace gradus::kernel
