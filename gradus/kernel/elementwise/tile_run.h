// One thread's use of a compiled region.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "gradus/kernel/elementwise/program.h"
#include "gradus/kernel/kernel.h"

namespace gradus::kernel {

/// Instructions times elements below which another thread is not worth waking.
inline constexpr std::int64_t tile_work_per_thread = 1 << 16;

class TileRun {
 public:
  /// Runs the prologue for tiles of at most `longest` elements. `scratch`: scratch_bytes() of its own, aligned to 64.
  TileRun(const TileProgram& program, const Arguments& arguments, std::byte* scratch, std::int64_t longest);

  /// Computes elements [begin, end). Element number first[i] of output i is written to outputs[i]; without `first` it is
  /// element 0.
  void run(std::int64_t begin, std::int64_t end, std::span<std::byte* const> outputs,
           std::span<const std::int64_t> first = {}) const noexcept;

  static std::size_t scratch_bytes(const TileProgram& program) { return pointer_bytes(program) + program.tile_bytes; }

 private:
  static std::size_t pointer_bytes(const TileProgram& program) {
    return (program.places.size() * sizeof(std::byte*) + 63) / 64 * 64;
  }
  void point_to(std::int64_t at, std::span<std::byte* const> outputs,
                std::span<const std::int64_t> first) const noexcept;
  void run_steps(const std::vector<Step>& steps, std::int64_t at, std::int64_t count) const noexcept;

  const TileProgram& program_;
  const Arguments& arguments_;
  std::byte** pointers_;  ///< of the places of the program
};

}  // namespace gradus::kernel
