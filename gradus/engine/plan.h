// A plan: a graph turned into kernel calls with fixed places in memory. Made once per structure, replayed at every step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/graph/graph.h"
#include "gradus/kernel/kernel.h"

namespace gradus::engine {

/// Where a block of memory comes from.
enum class Place : std::uint8_t {
  leaf,    ///< output `output` of leaf `index` of the graph
  arena,   ///< `offset` bytes into the arena of the run
  result,  ///< result buffer number `index`
};

struct Storage {
  Place place = Place::arena;
  std::int32_t index = 0;
  std::int32_t output = 0;
  std::size_t offset = 0;
  std::size_t bytes = 0;
};

/// A buffer that a run hands over to the user's tensors. It takes over the memory of leaf `donor` when there is one: nobody
/// else holds that leaf, and its last reader has run when the buffer is written.
struct ResultBuffer {
  std::size_t bytes = 0;
  std::int32_t donor = -1;
};

/// One kernel call.
struct Step {
  Op op;
  std::unique_ptr<kernel::Kernel> kernel;
  std::string_view implementation;
  std::vector<std::int32_t> inputs, outputs;  ///< indexes of storages
  std::int32_t scratch = -1;                  ///< storage, or -1
  std::vector<TensorSpec> input_specs, output_specs;
  Label label = nullptr;
  bool keepable = false;  ///< rounds a parameter that stays as it is: the result may serve the next run (engine/kept.h)
  std::int32_t source = -1;  ///< vertex of the captured graph: two runs of a plan come from different lines

  /// Bytes that the call reads and writes at least.
  double bytes() const;
};

/// Everything a run needs; immutable once made.
struct Plan {
  std::vector<Step> steps;
  std::vector<Storage> storages;
  std::vector<ResultBuffer> result_buffers;
  std::vector<std::int32_t> results;  ///< storage of each of the graph's results, in order
  std::size_t arena_bytes = 0;
  int again = 0;  ///< steps that compute something again, to stay below memory::limit()

  /// What a run takes at its peak: leaves, results that take over no leaf's memory, and the arena.
  std::size_t bytes() const;
  /// One line per kernel call, then the memory; stable, for tests and people.
  std::string print() const;
};

/// Simplifies, fuses, orders, chooses kernels and plans the memory. Throws Error(dtype) when an operation has no kernel for its
/// types, Error(state) when it cannot stay below memory::limit().
Plan make_plan(const Graph& graph);

/// Switches a pass ("simplify", "bf16", "fuse", "repeat", "reductions", "schedule", "in_place", "donate") off or on for plans made from
/// now on; "bf16" runs in scopes of that precision only (engine/precision.h).
/// Throws Error(value) for an unknown name.
void set_pass_enabled(std::string_view pass, bool enabled);
bool is_pass_enabled(std::string_view pass);
/// One bit per pass that runs, on this thread and now: part of the key of a plan.
unsigned enabled_passes();

}  // namespace gradus::engine
