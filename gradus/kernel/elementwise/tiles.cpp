// Regions, tile by tile: each instruction runs over a few hundred elements that stay in the first-level cache.
#include <algorithm>
#include <cstring>

#include "gradus/base/parallel.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/elementwise/program.h"

namespace gradus::kernel {
namespace {

/// Element operations below which another thread is not worth waking.
constexpr std::int64_t work_per_thread = 1 << 16;

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

class Tiles final : public Kernel {
 public:
  explicit Tiles(std::unique_ptr<TileProgram> program) : program_(std::move(program)) {
    const std::int64_t tiles = (program_->count + program_->tile - 1) / program_->tile;
    const auto instructions = static_cast<std::int64_t>(program_->steps.size() + program_->places.size());
    const std::int64_t worth = program_->count * instructions / work_per_thread;
    parts_ =
        std::clamp<std::int64_t>(std::min<std::int64_t>(worth, num_threads()), 1, std::max<std::int64_t>(tiles, 1));
    pointer_bytes_ = (program_->places.size() * sizeof(std::byte*) + 63) / 64 * 64;
  }

  Status run(const Arguments& arguments) const noexcept override {
    // Each part has scratch of its own, so running with other threads than planned is safe.
    parallel_for(parts_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t part = first; part < last; ++part) run_part(arguments, part);
    });
    return {};
  }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(parts_) * part_bytes(); }
  bool can_overwrite(int input, int output) const override {
    return program_->overwritable[static_cast<std::size_t>(input)][static_cast<std::size_t>(output)];
  }
  double flops() const override {
    return static_cast<double>(program_->count) * static_cast<double>(program_->arithmetic);
  }

 private:
  std::size_t part_bytes() const { return pointer_bytes_ + program_->tile_bytes; }

  void run_part(const Arguments& arguments, std::int64_t part) const noexcept {
    const TileProgram& p = *program_;
    const std::int64_t tiles = (p.count + p.tile - 1) / p.tile;
    const std::int64_t begin = tiles * part / parts_ * p.tile;
    const std::int64_t end = std::min(tiles * (part + 1) / parts_ * p.tile, p.count);
    if (begin >= end) return;
    std::byte* scratch = arguments.scratch + static_cast<std::size_t>(part) * part_bytes();
    auto** pointers = reinterpret_cast<std::byte**>(scratch);
    for (std::size_t i = 0; i < p.places.size(); ++i) {
      if (p.places[i].kind == Place::Kind::tile) pointers[i] = scratch + pointer_bytes_ + p.places[i].offset;
    }
    run_steps(p.prologue, arguments, pointers, begin, std::min(p.tile, end - begin));
    for (std::int64_t at = begin; at < end; at += p.tile) {
      point_to(arguments, pointers, at);
      run_steps(p.steps, arguments, pointers, at, std::min(p.tile, end - at));
    }
  }

  /// Inputs and outputs are used where they lie.
  void point_to(const Arguments& arguments, std::byte** pointers, std::int64_t at) const noexcept {
    for (std::size_t i = 0; i < program_->places.size(); ++i) {
      const Place& place = program_->places[i];
      const auto index = static_cast<std::size_t>(place.index);
      const std::size_t offset = place.offset + static_cast<std::size_t>(at) * place.element;
      if (place.kind == Place::Kind::input) {
        pointers[i] = const_cast<std::byte*>(arguments.inputs[index]) + offset;  // only read
      } else if (place.kind == Place::Kind::output) {
        pointers[i] = arguments.outputs[index] + offset;
      }
    }
  }

  void run_steps(const std::vector<Step>& steps, const Arguments& arguments, std::byte* const* pointers,
                 std::int64_t at, std::int64_t count) const noexcept {
    const auto place = [&](std::int32_t i) { return pointers[static_cast<std::size_t>(i)]; };
    for (const Step& step : steps) {
      switch (step.kind) {
        case Step::Kind::compute:
          step.function(place(step.out), place(step.args[0]), place(step.args[1]), place(step.args[2]),
                        static_cast<std::size_t>(count));
          break;
        case Step::Kind::gather: {
          const Gather& gather = program_->gathers[static_cast<std::size_t>(step.gather)];
          const std::byte* input = arguments.inputs[static_cast<std::size_t>(gather.input)];
          with_word(gather.element,
                    [&](auto word) { gather_runs<decltype(word)>(place(step.out), input, gather, at, count); });
          break;
        }
        case Step::Kind::fill:
          with_word(program_->places[static_cast<std::size_t>(step.out)].element,
                    [&](auto word) { copy_run<decltype(word)>(place(step.out), step.pattern.data(), 0, count); });
          break;
      }
    }
  }

  std::unique_ptr<TileProgram> program_;
  std::int64_t parts_ = 1;
  std::size_t pointer_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> make_tiles(const Request& request, std::string& reason) {
  std::unique_ptr<TileProgram> program = compile(region_of(request), reason);
  return program ? std::make_unique<Tiles>(std::move(program)) : nullptr;
}

}  // namespace gradus::kernel
