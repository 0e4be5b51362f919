// Regions, tile by tile: each instruction runs over a few hundred elements that stay in the first-level cache.
#include <algorithm>

#include "gradus/base/parallel.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/elementwise/program.h"
#include "gradus/kernel/elementwise/tile_run.h"

namespace gradus::kernel {
namespace {

class Tiles final : public Kernel {
 public:
  explicit Tiles(std::unique_ptr<TileProgram> program) : program_(std::move(program)) {
    const std::int64_t tiles = (program_->count + program_->tile - 1) / program_->tile;
    const auto instructions = static_cast<std::int64_t>(program_->steps.size() + program_->places.size());
    const std::int64_t worth = program_->count * instructions / tile_work_per_thread;
    parts_ =
        std::clamp<std::int64_t>(std::min<std::int64_t>(worth, num_threads()), 1, std::max<std::int64_t>(tiles, 1));
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
  std::size_t part_bytes() const { return TileRun::scratch_bytes(*program_); }

  void run_part(const Arguments& arguments, std::int64_t part) const noexcept {
    const TileProgram& p = *program_;
    const std::int64_t tiles = (p.count + p.tile - 1) / p.tile;
    const std::int64_t begin = tiles * part / parts_ * p.tile;
    const std::int64_t end = std::min(tiles * (part + 1) / parts_ * p.tile, p.count);
    if (begin >= end) return;
    const TileRun run(p, arguments, arguments.scratch + static_cast<std::size_t>(part) * part_bytes(), end - begin);
    run.run(begin, end, arguments.outputs);
  }

  std::unique_ptr<TileProgram> program_;
  std::int64_t parts_ = 1;
};

}  // namespace

std::unique_ptr<Kernel> make_tiles(const Request& request, std::string& reason) {
  std::unique_ptr<TileProgram> program = compile(region_of(request), reason);
  return program ? std::make_unique<Tiles>(std::move(program)) : nullptr;
}

}  // namespace gradus::kernel
