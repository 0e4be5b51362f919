// A kernel made of oneDNN primitives that run one after the other.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/kernel/kernel.h"
#include "gradus/kernel/onednn/api.h"

namespace gradus::kernel::onednn {

/// Lets oneDNN use `threads` threads for as long as it lives.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads);
  ~ThreadLimit();
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
  bool changed_;
};

/// Threads that a call of so much arithmetic pays for.
int threads_for(double flops);

/// Everything is created while it is built; a run only sets the addresses and executes. Building throws dnnl::error, which
/// `guarded` turns into a refusal.
class Program final : public Kernel {
 public:
  explicit Program(double flops);

  /// Memory of an operand, a result, or of our own in the scratch space.
  dnnl::memory input(std::size_t index, const Desc& desc);
  dnnl::memory output(std::size_t index, const Desc& desc);
  dnnl::memory scratch(const Desc& desc);

  /// The same memory under another description.
  dnnl::memory seen_as(const dnnl::memory& memory, const Desc& desc);

  /// Input `index`, which is laid out as `plain`, in the layout `wanted`: reordered if they differ.
  dnnl::memory input_as(std::size_t index, const Desc& plain, const Desc& wanted);
  /// Where a primitive writes a result that must arrive as `plain`: call `deliver` with it after the primitive.
  dnnl::memory output_as(std::size_t index, const Desc& plain, const Desc& written);
  void deliver(std::size_t index, const Desc& plain, const dnnl::memory& written);

  /// Appends a primitive; its scratchpad is added to the arguments.
  template <class PrimitiveDesc>
  void add(const dnnl::primitive& primitive, const PrimitiveDesc& desc,
           std::vector<std::pair<int, dnnl::memory>> arguments) {
    if (desc.scratchpad_desc().get_size() > 0)
      arguments.emplace_back(DNNL_ARG_SCRATCHPAD, scratch(desc.scratchpad_desc()));
    append(primitive, arguments);
  }

  Status run(const Arguments& arguments) const noexcept override;
  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  double flops() const override { return flops_; }

 private:
  enum class Place { input, output, scratch };
  struct Slot {
    dnnl::memory memory;
    Place place;
    std::size_t position;  ///< index of the operand, or offset in the scratch space
  };
  struct Step {
    dnnl::primitive primitive;
    std::vector<dnnl_exec_arg_t> arguments;
  };

  dnnl::memory slot(const Desc& desc, Place place, std::size_t position);
  void append(const dnnl::primitive& primitive, const std::vector<std::pair<int, dnnl::memory>>& arguments);
  void reorder(const dnnl::memory& from, const dnnl::memory& to);

  dnnl::stream stream_;
  std::vector<Slot> slots_;
  std::vector<Step> steps_;
  std::size_t scratch_bytes_ = 0;
  double flops_;
  int threads_;  ///< primitives are made for a number of threads, and their scratchpads too
};

/// True when any operand or result has no elements; says so in `reason`. The reference takes those.
bool has_empty(const Request& request, std::string& reason);
/// True when all operands and results are f32; otherwise says so in `reason`.
bool all_f32(const Request& request, std::string& reason);

using Type = dnnl::memory::data_type;

/// True when all operands are of type `operands`, f32 or bf16 (the results are f32 then); otherwise says so in `reason`.
bool takes(Type operands, const Request& request, std::string& reason);
/// Arithmetic that takes as long in f32 as `flops` do with operands of this type.
double f32_flops(Type operands, double flops);

/// Whether an implementation of oneDNN, by its name, multiplies bf16 by the unit of this CPU that is faster than f32.
bool is_fast_bf16(std::string_view implementation);

/// What `describe(type)` gives for the type in which operands of type `given` are multiplied fastest: bf16 only by bf16_unit();
/// elsewhere such operands are widened, which changes no bit of them.
template <class Describe>
auto fastest(Type given, const Describe& describe) {
  if (given == Type::bf16) {
    try {
      auto desc = describe(Type::bf16);
      if (is_fast_bf16(desc.impl_info_str())) return desc;
    } catch (const dnnl::error&) {  // no such primitive
    }
  }
  return describe(Type::f32);
}

/// Runs `build`, for as many threads as `flops` is worth, and turns oneDNN's exceptions into a refusal.
template <class Build>
std::unique_ptr<Kernel> guarded(std::string& reason, double flops, const Build& build) {
  const ThreadLimit limit(threads_for(flops));
  try {
    return build();
  } catch (const dnnl::error& error) {
    reason = error.message;
    return nullptr;
  }
}

/// A dense row-major description of `dims`.
Desc plain(const dnnl::memory::dims& dims, Type type = Type::f32);
/// The same sizes in whatever layout oneDNN likes.
Desc any(const dnnl::memory::dims& dims, Type type = Type::f32);

}  // namespace gradus::kernel::onednn
