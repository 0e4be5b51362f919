#include "gradus/kernel/elementwise/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "gradus/base/error.h"
#include "gradus/kernel/elementwise/convert.h"

namespace gradus::kernel {
namespace {

constexpr std::size_t tile_memory = 24 * 1024;  // leaves room in a first-level cache of 32 KB
constexpr std::int64_t shortest_tile = 128, longest_tile = 2048, tile_step = 64;

bool is_dense(const std::vector<GatherAxis>& axes) { return axes.empty() || (axes.size() == 1 && axes[0].stride == 1); }
bool is_uniform(const std::vector<GatherAxis>& axes) { return axes.size() == 1 && axes[0].stride == 0; }

/// Single-assignment values -> places. Tile memory is handed out like registers: free again after the last use.
class Compiler {
 public:
  Compiler(const Region& region, TileProgram& program)
      : region_(region),
        program_(program),
        inputs_(static_cast<std::int32_t>(region.inputs.size())),
        values_(region.inputs.size() + region.instructions.size()),
        place_(values_, -1),
        last_use_(values_, -1),
        uniform_(values_, false),
        released_(values_, false) {}

  /// False with the reason when an instruction has no loop.
  bool run(std::string& reason) {
    program_.count = region_.space.numel();
    read_inputs();
    order_instructions();
    for (std::int32_t value = 0; value < inputs_; ++value) {
      if (uniform_[at(value)] && last_use_[at(value)] >= 0) load(value);
    }
    for (std::size_t position = 0; position < order_.size(); ++position) {
      if (!emit(order_[position], static_cast<std::int64_t>(position), reason)) return false;
    }
    for (std::size_t i = 0; i < region_.outputs.size(); ++i) emit_output(static_cast<std::int32_t>(i));
    place_tiles();
    find_overwritable();
    return true;
  }

 private:
  static std::size_t at(std::int32_t value) { return static_cast<std::size_t>(value); }
  const RegionInstruction& instruction(std::int32_t value) const { return region_.instructions[at(value - inputs_)]; }
  DType type(std::int32_t value) const {
    return value < inputs_ ? region_.inputs[at(value)].dtype : instruction(value).out;
  }
  std::span<const std::int32_t> args(const RegionInstruction& i) const {
    return std::span(i.args).first(static_cast<std::size_t>(info(i.code).arity));
  }

  void read_inputs() {
    for (std::int32_t value = 0; value < inputs_; ++value) {
      axes_.push_back(merged_axes(region_.space, region_.inputs[at(value)]));
      uniform_[at(value)] = is_uniform(axes_.back());
    }
  }

  /// Uniform instructions first; finds out where each value is read last.
  void order_instructions() {
    std::vector<std::int32_t> varying;
    for (std::int32_t value = inputs_; value < static_cast<std::int32_t>(values_); ++value) {
      const auto operands = args(instruction(value));
      uniform_[at(value)] =
          std::all_of(operands.begin(), operands.end(), [&](std::int32_t v) { return uniform_[at(v)]; });
      (uniform_[at(value)] ? order_ : varying).push_back(value);
    }
    order_.insert(order_.end(), varying.begin(), varying.end());
    const auto end = static_cast<std::int64_t>(order_.size());
    for (std::int64_t position = 0; position < end; ++position) {
      const std::int32_t reader = order_[static_cast<std::size_t>(position)];
      for (const std::int32_t v : args(instruction(reader))) {
        // What the prologue computed for the tiles must outlive all of them.
        last_use_[at(v)] = uniform_[at(v)] && !uniform_[at(reader)] ? end : std::max(last_use_[at(v)], position);
      }
    }
    for (const std::int32_t v : region_.outputs) last_use_[at(v)] = end;
  }

  std::int32_t add_place(Place place) {
    program_.places.push_back(place);
    return static_cast<std::int32_t>(program_.places.size()) - 1;
  }
  std::int32_t take_tile(std::size_t element) {
    std::vector<std::int32_t>& free = free_[element];
    if (free.empty()) return add_place({Place::Kind::tile, 0, 0, element});
    const std::int32_t place = free.back();
    free.pop_back();
    return place;
  }
  void release(std::int32_t value, std::int64_t position) {
    const std::int32_t place = place_[at(value)];
    if (last_use_[at(value)] > position || place < 0 || released_[at(value)]) return;
    const Place& p = program_.places[at(place)];
    if (p.kind != Place::Kind::tile) return;
    free_[p.element].push_back(place);
    released_[at(value)] = true;
  }

  std::vector<Step>& steps_of(std::int32_t value) { return uniform_[at(value)] ? program_.prologue : program_.steps; }

  void add_gather(std::int32_t input, std::int32_t out) {
    const RegionInput& pattern = region_.inputs[at(input)];
    Step step{.kind = Step::Kind::gather, .out = out};
    step.gather = static_cast<std::int32_t>(program_.gathers.size());
    program_.gathers.push_back({input, pattern.offset, size_of(pattern.dtype), axes_[at(input)]});
    steps_of(input).push_back(step);
  }

  /// The place of a value that is read; an input's is made at its first use.
  std::int32_t load(std::int32_t value) {
    std::int32_t& place = place_[at(value)];
    if (place >= 0) return place;
    GRADUS_ASSERT(value < inputs_);
    const RegionInput& pattern = region_.inputs[at(value)];
    const std::size_t element = size_of(pattern.dtype);
    if (is_dense(axes_[at(value)])) {
      return place =
                 add_place({Place::Kind::input, value, static_cast<std::size_t>(pattern.offset) * element, element});
    }
    place = take_tile(element);
    add_gather(value, place);
    return place;
  }

  /// The output that an instruction may write without a detour, or -1.
  std::int32_t direct_output(std::int32_t value) const {
    if (uniform_[at(value)]) return -1;
    const auto found = std::find(region_.outputs.begin(), region_.outputs.end(), value);
    return found == region_.outputs.end() ? -1 : static_cast<std::int32_t>(found - region_.outputs.begin());
  }

  bool emit(std::int32_t value, std::int64_t position, std::string& reason) {
    const RegionInstruction& i = instruction(value);
    Step step;
    if (i.code == ElementwiseCode::constant) {
      step.kind = Step::Kind::fill;
      visit_dtype(i.out, [&](auto zero) {
        const auto element = convert<decltype(zero)>(i.immediate);
        std::memcpy(step.pattern.data(), &element, sizeof element);
      });
    } else {
      step.function = i.code == ElementwiseCode::cast ? find_cast(i.in, i.out) : find_tile_function(i.code, i.in);
      if (!step.function) {
        reason = fmt::format("no loop of {} for {}", info(i.code).name, name_of(i.in));
        return false;
      }
    }
    const auto operands = args(i);
    for (std::size_t k = 0; k < operands.size(); ++k) step.args[k] = load(operands[k]);
    std::fill(step.args.begin() + static_cast<std::ptrdiff_t>(operands.size()), step.args.end(), step.args[0]);
    for (const std::int32_t v : operands) release(v, position);  // the result may take an operand's memory
    const std::int32_t output = direct_output(value);
    const std::size_t element = size_of(i.out);
    step.out = output < 0 ? take_tile(element) : add_place({Place::Kind::output, output, 0, element});
    place_[at(value)] = step.out;
    steps_of(value).push_back(step);
    release(value, position);  // at once, if nobody reads it
    if (!uniform_[at(value)] && i.code != ElementwiseCode::cast) ++program_.arithmetic;
    return true;
  }

  /// Outputs that no instruction wrote: inputs, uniform values, and values that are asked for twice.
  void emit_output(std::int32_t output) {
    const std::int32_t value = region_.outputs[at(output)];
    const std::int32_t place = place_[at(value)];
    if (place >= 0) {
      const Place& p = program_.places[at(place)];
      if (p.kind == Place::Kind::output && p.index == output) return;
    }
    const std::size_t element = size_of(type(value));
    const std::int32_t out = add_place({Place::Kind::output, output, 0, element});
    if (place < 0 && !is_dense(axes_[at(value)])) return add_gather(value, out);
    Step copy{.function = find_cast(type(value), type(value)), .out = out};
    copy.args.fill(load(value));
    program_.steps.push_back(copy);
  }

  /// Chooses the length of a tile and lays the tiles out.
  void place_tiles() {
    std::size_t bytes = 1;  // of one element over all places: what passes through the cache
    for (const Place& place : program_.places) bytes += place.element;
    const auto fitting = static_cast<std::int64_t>(tile_memory / bytes) / tile_step * tile_step;
    program_.tile = std::clamp(fitting, shortest_tile, longest_tile);
    for (Place& place : program_.places) {
      if (place.kind != Place::Kind::tile) continue;
      place.offset = program_.tile_bytes;
      program_.tile_bytes += place.element * static_cast<std::size_t>(program_.tile);
    }
  }

  /// An output may take the memory of a dense input of its element size that no step reads after writing the output.
  void find_overwritable() {
    program_.overwritable.assign(region_.inputs.size(), std::vector<bool>(region_.outputs.size(), false));
    for (std::int32_t input = 0; input < inputs_; ++input) {
      const RegionInput& pattern = region_.inputs[at(input)];
      if (!is_dense(axes_[at(input)]) || pattern.offset != 0) continue;
      for (std::int32_t output = 0; output < static_cast<std::int32_t>(region_.outputs.size()); ++output) {
        program_.overwritable[at(input)][at(output)] =
            size_of(pattern.dtype) == size_of(region_.specs[at(output)].dtype) &&
            !read_after(place_[at(input)], output);
      }
    }
  }
  bool read_after(std::int32_t place, std::int32_t output) const {
    bool written = false;
    for (const Step& step : program_.steps) {
      const bool reads = std::find(step.args.begin(), step.args.end(), place) != step.args.end();
      if (written && step.kind == Step::Kind::compute && reads) return true;
      const Place& out = program_.places[at(step.out)];
      written = written || (out.kind == Place::Kind::output && out.index == output);
    }
    return false;
  }

  const Region& region_;
  TileProgram& program_;
  std::int32_t inputs_;
  std::size_t values_;
  std::vector<std::int32_t> place_;     // by value
  std::vector<std::int64_t> last_use_;  // by value: position in order_
  std::vector<bool> uniform_;           // by value: the same for all elements
  std::vector<bool> released_;          // by value: its tile is free again
  std::vector<std::vector<GatherAxis>> axes_;
  std::vector<std::int32_t> order_;                // values of the instructions
  std::array<std::vector<std::int32_t>, 9> free_;  // by bytes of an element
};

}  // namespace

std::vector<GatherAxis> merged_axes(const Shape& space, const RegionInput& input) {
  std::vector<GatherAxis> axes;
  for (int axis = 0; axis < space.rank(); ++axis) {
    const GatherAxis next{space[axis], input.strides[static_cast<std::size_t>(axis)]};
    if (next.size == 1) continue;
    if (!axes.empty() && axes.back().stride == next.stride * next.size) {
      axes.back() = {axes.back().size * next.size, next.stride};
    } else {
      axes.push_back(next);
    }
  }
  return axes;
}

std::unique_ptr<TileProgram> compile(const Region& region, std::string& reason) {
  auto program = std::make_unique<TileProgram>();
  return Compiler(region, *program).run(reason) ? std::move(program) : nullptr;
}

}  // namespace gradus::kernel
