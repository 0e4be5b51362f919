// Kernels: how an operation runs on this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/graph/op.h"

namespace gradus::kernel {

/// What a kernel is asked to do. Inputs and outputs are dense, row-major, aligned to 64 bytes, and never overlap unless the
/// kernel says that it may run in place.
struct Request {
  const Op& op;
  std::span<const TensorSpec> inputs;
  std::span<const TensorSpec> outputs;
};

/// The memory of one call.
struct Arguments {
  std::span<const std::byte* const> inputs;
  std::span<std::byte* const> outputs;
  std::byte* scratch = nullptr;  ///< Kernel::scratch_bytes() bytes, aligned to 64

  template <class T>
  const T* input(std::size_t i) const {
    return reinterpret_cast<const T*>(inputs[i]);
  }
  template <class T>
  T* output(std::size_t i = 0) const {
    return reinterpret_cast<T*>(outputs[i]);
  }
};

/// Whether a call succeeded. Only the *elements* of a tensor can make one fail (a label out of range, a singular matrix): shapes and types
/// were checked when the node was recorded.
struct Status {
  bool ok = true;
  std::int64_t position = 0;  ///< of the offending element in its tensor
  std::int64_t value = 0;     ///< what it is
  std::int64_t limit = 0;     ///< it must be in [0, limit)
  int input = 0;              ///< of which operand
  /// Instead of an index: what is wrong with matrix number `position` of a batch, as in "is singular".
  const char* fault = nullptr;
};

/// An operation bound to types and shapes: everything that can refuse, refused while it was made. Running is const, and
/// one kernel object is used by one thread at a time (it may split its work over the pool with parallel_for).
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Status run(const Arguments& arguments) const noexcept = 0;
  virtual std::size_t scratch_bytes() const { return 0; }
  /// True when a run may return a Status that is not ok.
  virtual bool can_fail() const { return false; }
  /// True when output `output` may be the memory of input `input` (same number of bytes). Several outputs may take over
  /// several inputs in one call, each its own.
  virtual bool can_overwrite(int input, int output) const {
    (void)input, (void)output;
    return false;
  }
  /// Arithmetic operations of one run, for the profile; 0 when it only moves data.
  virtual double flops() const { return 0; }
};

/// Makes a kernel, or returns nullptr and says why not in `reason`.
using Maker = std::unique_ptr<Kernel> (*)(const Request& request, std::string& reason);

/// One implementation of one operation. `implementation` is the name by which it can be switched off ("onednn", "tiles",
/// "reference").
struct Implementation {
  std::string_view op;
  std::string_view implementation;
  Maker make;
};

/// The kernel chosen for a request, with the name of its implementation and why those before it in the list refused.
struct Choice {
  std::unique_ptr<Kernel> kernel;
  std::string_view implementation;
  std::vector<std::string> refusals;
};

/// The first implementation in the registry's order that takes the request; the plain reference is the last of each list.
/// Throws Error(dtype) when none does.
Choice choose(const Request& request);

/// Every implementation of `op` in order, for the conformance tests.
std::vector<Implementation> implementations(std::string_view op);
/// Names of all operations that have a kernel.
std::vector<std::string_view> operations();

/// Adds an implementation in front of those that its operation has: for programs that bring operations, or faster kernels,
/// of their own. The names must outlive the program's use of Gradus (literals do). Throws Error(value) when the operation
/// has an implementation of this name. Plans made before stay as they are.
///   kernel::add_implementation({"scale", "plain", make_scale});
void add_implementation(const Implementation& implementation);

/// Switches an implementation off or on by name ("onednn", "tiles"); the reference cannot be switched off. The environment
/// variable GRADUS_DISABLE (comma-separated) does the same at start. Throws Error(value) for an unknown name.
/// Plans made before stay as they are: call engine::clear_plan_cache() too.
void set_enabled(std::string_view implementation, bool enabled);
bool is_enabled(std::string_view implementation);

}  // namespace gradus::kernel
