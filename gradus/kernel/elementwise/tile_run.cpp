#include "gradus/kernel/elementwise/tile_run.h"

#include <algorithm>

#include "gradus/kernel/elementwise/gather.h"

namespace gradus::kernel {
namespace {

/// Steps of a tile from which on its inputs have left the reach of the machine's own prefetching when the next one begins. (Measured
/// on Zen 5: with 22 instructions 20 % faster, with 4 slower by half; on a Xeon without effect.)
constexpr std::size_t long_program = 16;

void fetch(const std::byte* from, std::size_t bytes) {
  constexpr std::size_t line = 64;
  for (std::size_t at = 0; at < bytes; at += line) __builtin_prefetch(from + at, 0, 2);
}

}  // namespace

TileRun::TileRun(const TileProgram& program, const Arguments& arguments, std::byte* scratch, std::int64_t longest)
    : program_(program), arguments_(arguments), pointers_(reinterpret_cast<std::byte**>(scratch)) {
  std::byte* tiles = scratch + pointer_bytes(program);
  for (std::size_t i = 0; i < program_.places.size(); ++i) {
    if (program_.places[i].kind == Place::Kind::tile) pointers_[i] = tiles + program_.places[i].offset;
  }
  run_steps(program_.prologue, 0, std::min(program_.tile, longest));
}

void TileRun::run(std::int64_t begin, std::int64_t end, std::span<std::byte* const> outputs,
                  std::span<const std::int64_t> first) const noexcept {
  for (std::int64_t at = begin; at < end; at += program_.tile) {
    point_to(at, outputs, first);
    run_steps(program_.steps, at, std::min(program_.tile, end - at));
  }
}

/// Inputs and outputs are used where they lie.
void TileRun::point_to(std::int64_t at, std::span<std::byte* const> outputs,
                       std::span<const std::int64_t> first) const noexcept {
  for (std::size_t i = 0; i < program_.places.size(); ++i) {
    const Place& place = program_.places[i];
    const auto index = static_cast<std::size_t>(place.index);
    if (place.kind == Place::Kind::input) {
      const std::size_t offset = place.offset + static_cast<std::size_t>(at) * place.element;
      pointers_[i] = const_cast<std::byte*>(arguments_.inputs[index]) + offset;  // only read
      const std::size_t bytes = static_cast<std::size_t>(program_.tile) * place.element;
      if (program_.steps.size() >= long_program) fetch(pointers_[i] + bytes, bytes);
    } else if (place.kind == Place::Kind::output) {
      const std::int64_t from = first.empty() ? at : at - first[index];
      pointers_[i] = outputs[index] + static_cast<std::size_t>(from) * place.element;
    }
  }
}

void TileRun::run_steps(const std::vector<Step>& steps, std::int64_t at, std::int64_t count) const noexcept {
  const auto place = [&](std::int32_t i) { return pointers_[static_cast<std::size_t>(i)]; };
  for (const Step& step : steps) {
    switch (step.kind) {
      case Step::Kind::compute:
        step.function(place(step.out), place(step.args[0]), place(step.args[1]), place(step.args[2]),
                      static_cast<std::size_t>(count));
        break;
      case Step::Kind::gather: {
        const Gather& gather = program_.gathers[static_cast<std::size_t>(step.gather)];
        const std::byte* input = arguments_.inputs[static_cast<std::size_t>(gather.input)];
        run_gather(place(step.out), input, gather, at, count);
        break;
      }
      case Step::Kind::fill:
        run_fill(place(step.out), step.pattern.data(), program_.places[static_cast<std::size_t>(step.out)].element,
                 count);
        break;
    }
  }
}

}  // namespace gradus::kernel
