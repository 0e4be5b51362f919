#include "gradus/kernel/elementwise/tile_run.h"

#include <algorithm>
#include <cstring>

namespace gradus::kernel {
namespace {

template <class T>
void copy_run(std::byte* out_, const std::byte* from_, std::int64_t stride, std::int64_t count) {
  auto* out = reinterpret_cast<T*>(out_);
  const auto* from = reinterpret_cast<const T*>(from_);
  if (stride == 1) {
    std::memcpy(out, from, static_cast<std::size_t>(count) * sizeof(T));
  } else if (stride == 0) {
    std::fill_n(out, count, *from);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i] = from[i * stride];
  }
}

/// Elements [begin, begin + count) of the pattern, run by run along its innermost axis.
template <class T>
void gather_runs(std::byte* out, const std::byte* input, const Gather& gather, std::int64_t begin, std::int64_t count) {
  std::array<std::int64_t, Shape::max_rank> position{};
  std::int64_t offset = gather.offset;
  const std::size_t rank = gather.axes.size();
  for (std::size_t axis = rank; axis-- > 0;) {
    position[axis] = begin % gather.axes[axis].size;
    begin /= gather.axes[axis].size;
    offset += position[axis] * gather.axes[axis].stride;
  }
  const GatherAxis inner = rank == 0 ? GatherAxis{} : gather.axes[rank - 1];
  while (count > 0) {
    const std::int64_t start = rank == 0 ? 0 : position[rank - 1];
    const std::int64_t run = std::min(count, inner.size - start);
    copy_run<T>(out, input + offset * static_cast<std::int64_t>(sizeof(T)), inner.stride, run);
    out += run * static_cast<std::int64_t>(sizeof(T));
    count -= run;
    if (count == 0) return;
    offset -= start * inner.stride;  // back to the start of the run, then one step along the outer axes
    position[rank - 1] = 0;
    for (std::size_t axis = rank - 1; axis-- > 0;) {
      offset += gather.axes[axis].stride;
      if (++position[axis] < gather.axes[axis].size) break;
      offset -= gather.axes[axis].size * gather.axes[axis].stride;
      position[axis] = 0;
    }
  }
}

/// Calls f with an integer of `bytes` bytes.
template <class F>
void with_word(std::size_t bytes, F f) {
  switch (bytes) {
    case 1: return f(std::uint8_t{});
    case 2: return f(std::uint16_t{});
    case 4: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
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
        with_word(gather.element,
                  [&](auto word) { gather_runs<decltype(word)>(place(step.out), input, gather, at, count); });
        break;
      }
      case Step::Kind::fill:
        with_word(program_.places[static_cast<std::size_t>(step.out)].element,
                  [&](auto word) { copy_run<decltype(word)>(place(step.out), step.pattern.data(), 0, count); });
        break;
    }
  }
}

}  // namespace gradus::kernel
