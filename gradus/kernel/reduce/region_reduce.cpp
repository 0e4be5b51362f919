// Regions with reductions at their end: what is folded is computed in the first-level cache, block by block of the
// reduction's own plan, so the sums have the bits of a reduction that reads them from memory.
#include <algorithm>
#include <array>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/elementwise/tile_run.h"
#include "gradus/kernel/reduce/kernels.h"
#include "gradus/kernel/reduce/reduce_plan.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/region_reduce.h"

namespace gradus::kernel {
namespace {

constexpr std::size_t most_outputs = 32;
/// Columns that are computed together. Each column is added up by itself, so this changes no bit; but pieces of rows that are
/// shorter than a page or two come from memory at a fraction of its speed.
constexpr std::int64_t longest_segment = 2048;

class TileRegionReduce final : public Kernel {
 public:
  TileRegionReduce(const RegionReduce& op, std::unique_ptr<TileProgram> program)
      : program_(std::move(program)),
        plan_(op.region.specs.front().shape, op.reduce.axes),
        functions_(reduce_functions(op.reduce.kind)),
        dense_(static_cast<std::size_t>(op.dense)),
        folded_(op.region.specs.size() - dense_) {
    // Rows that fold by themselves and lie side by side are computed together.
    whole_rows_ = plan_.rows && plan_.folded.count == 0 && plan_.last <= ReducePlan::row_block;
    if (!plan_.rows) cut_columns();
    tasks_ = (plan_.rows ? plan_.groups : plan_.kept.points() * segments_) * plan_.chunks;
    const auto steps = static_cast<std::int64_t>(program_->steps.size() + program_->places.size());
    const std::int64_t worth = program_->count * steps / tile_work_per_thread;
    parts_ = std::clamp<std::int64_t>(std::min<std::int64_t>(worth, num_threads()), 1, tasks_);
  }

  Status run(const Arguments& arguments) const noexcept override {
    // Each part has scratch of its own, so running with other threads than planned is safe.
    parallel_for(parts_, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t part = first; part < last; ++part) run_part(arguments, part);
    });
    combine(arguments);
    return {};
  }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(parts_) * part_bytes() +
           folded_ * static_cast<std::size_t>(plan_.chunks * plan_.outputs()) * sizeof(double);
  }
  bool can_overwrite(int input, int output) const override {
    return static_cast<std::size_t>(output) < dense_ &&
           program_->overwritable[static_cast<std::size_t>(input)][static_cast<std::size_t>(output)];
  }
  double flops() const override {
    return static_cast<double>(program_->count) *
           static_cast<double>(program_->arithmetic + static_cast<std::int64_t>(folded_));
  }

 private:
  static constexpr std::size_t block_bytes = static_cast<std::size_t>(ReducePlan::row_block) * sizeof(float);
  static constexpr std::size_t sums_bytes = static_cast<std::size_t>(longest_segment) * sizeof(float);

  std::size_t run_bytes() const { return TileRun::scratch_bytes(*program_); }
  std::size_t part_bytes() const { return run_bytes() + folded_ * (block_bytes + sums_bytes); }

  /// One thread's state: the program, and a block of each value that is folded.
  struct Part {
    const TileRegionReduce& kernel;
    TileRun program;
    std::array<std::byte*, most_outputs> outputs{};
    std::array<std::int64_t, most_outputs> first{};
    float* sums = nullptr;
    double* partials = nullptr;

    Part(const TileRegionReduce& owner, const Arguments& arguments, std::byte* scratch)
        : kernel(owner), program(*owner.program_, arguments, scratch, ReducePlan::row_block) {
      std::byte* blocks = scratch + owner.run_bytes();
      std::copy_n(arguments.outputs.begin(), owner.dense_, outputs.begin());
      for (std::size_t f = 0; f < owner.folded_; ++f) outputs[owner.dense_ + f] = blocks + f * block_bytes;
      sums = reinterpret_cast<float*>(blocks + owner.folded_ * block_bytes);
      partials =
          reinterpret_cast<double*>(arguments.scratch + static_cast<std::size_t>(owner.parts_) * owner.part_bytes());
    }

    const float* block(std::size_t f) const { return reinterpret_cast<const float*>(outputs[kernel.dense_ + f]); }
    float* column_sums(std::size_t f) const { return sums + f * static_cast<std::size_t>(longest_segment); }
    double* partial(std::size_t f, std::int64_t output, std::int64_t chunk) const {
      const ReducePlan& plan = kernel.plan_;
      const std::int64_t of_value = static_cast<std::int64_t>(f) * plan.chunks + chunk;
      return partials + of_value * plan.outputs() + output;
    }

    /// Computes elements [begin, begin + count): what is folded goes to the blocks.
    void compute(std::int64_t begin, std::int64_t count) {
      const std::size_t all = kernel.dense_ + kernel.folded_;
      std::fill(first.begin() + static_cast<std::ptrdiff_t>(kernel.dense_),
                first.begin() + static_cast<std::ptrdiff_t>(all), begin);
      program.run(begin, begin + count, std::span(outputs).first(all), std::span(first).first(all));
    }
  };

  void run_part(const Arguments& arguments, std::int64_t part) const noexcept {
    Part state(*this, arguments, arguments.scratch + static_cast<std::size_t>(part) * part_bytes());
    const std::int64_t begin = tasks_ * part / parts_, end = tasks_ * (part + 1) / parts_;
    if (whole_rows_) return run_whole_rows(state, begin, end);
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t group = task / plan_.chunks, chunk = task % plan_.chunks;
      plan_.rows ? run_rows(state, group, chunk) : run_columns(state, group, chunk);
    }
  }

  void run_whole_rows(Part& part, std::int64_t begin, std::int64_t end) const noexcept {
    const std::int64_t together = ReducePlan::row_block / plan_.last;
    for (std::int64_t group = begin; group < end; group += together) {
      const std::int64_t count = std::min(together, end - group);
      part.compute(group * plan_.last, count * plan_.last);
      for (std::size_t f = 0; f < folded_; ++f) {
        for (std::int64_t i = 0; i < count; ++i) {
          const double value = static_cast<double>(functions_.row(part.block(f) + i * plan_.last, plan_.last));
          *part.partial(f, group + i, 0) = functions_.fold(functions_.identity, value);
        }
      }
    }
  }

  void run_rows(Part& part, std::int64_t group, std::int64_t chunk) const noexcept {
    const std::int64_t base = plan_.kept.offset(group), per_row = plan_.row_blocks();
    for (std::size_t f = 0; f < folded_; ++f) *part.partial(f, group, chunk) = functions_.identity;
    for (std::int64_t block = plan_.chunk_begin(chunk); block < plan_.chunk_begin(chunk + 1); ++block) {
      const std::int64_t point = block / per_row, from = (block - point * per_row) * ReducePlan::row_block;
      const std::int64_t count = std::min(ReducePlan::row_block, plan_.last - from);
      part.compute(base + plan_.folded.offset(point) + from, count);
      for (std::size_t f = 0; f < folded_; ++f) {
        double& total = *part.partial(f, group, chunk);
        total = functions_.fold(total, static_cast<double>(functions_.row(part.block(f), count)));
      }
    }
  }

  /// As few segments of the columns as keep all threads busy.
  void cut_columns() {
    segments_ = (plan_.last + longest_segment - 1) / longest_segment;
    const std::int64_t others = plan_.kept.points() * plan_.chunks, vector = 64;
    while (others * segments_ < num_threads() && plan_.last > 2 * vector * segments_) segments_ *= 2;
    segment_ = ((plan_.last + segments_ - 1) / segments_ + vector - 1) / vector * vector;
    segments_ = (plan_.last + segment_ - 1) / segment_;
  }

  void run_columns(Part& part, std::int64_t group, std::int64_t chunk) const noexcept {
    const std::int64_t from = group % segments_ * segment_, width = std::min(segment_, plan_.last - from);
    const std::int64_t base = plan_.kept.offset(group / segments_) + from, end = plan_.chunk_begin(chunk + 1);
    const std::int64_t output = group / segments_ * plan_.last + from;
    for (std::size_t f = 0; f < folded_; ++f) std::fill_n(part.partial(f, output, chunk), width, functions_.identity);
    for (std::int64_t row = plan_.chunk_begin(chunk); row < end; row += ReducePlan::column_block) {
      const std::int64_t block_end = std::min(end, row + ReducePlan::column_block);
      for (std::size_t f = 0; f < folded_; ++f) {
        std::fill_n(part.column_sums(f), width, static_cast<float>(functions_.identity));
      }
      for (std::int64_t at = row; at < block_end;) {
        const std::int64_t rows = segments_ > 1 ? 1 : adjacent_rows(at, block_end);
        part.compute(base + plan_.folded.offset(at), rows * width);
        for (std::size_t f = 0; f < folded_; ++f) {
          functions_.rows(part.block(f), rows, static_cast<std::size_t>(width), part.column_sums(f));
        }
        at += rows;
      }
      for (std::size_t f = 0; f < folded_; ++f) {
        double* partial = part.partial(f, output, chunk);
        for (std::int64_t j = 0; j < width; ++j) {
          partial[j] = functions_.fold(partial[j], static_cast<double>(part.column_sums(f)[j]));
        }
      }
    }
  }

  /// How many rows from `row` on, before `end`, lie side by side and fit into a block.
  std::int64_t adjacent_rows(std::int64_t row, std::int64_t end) const {
    const std::int64_t inner =
        plan_.folded.count == 0 ? 1 : plan_.folded.sizes[static_cast<std::size_t>(plan_.folded.count) - 1];
    return std::min({end - row, inner - row % inner, std::max<std::int64_t>(1, ReducePlan::row_block / plan_.last)});
  }

  void combine(const Arguments& arguments) const noexcept {
    const std::int64_t outputs = plan_.outputs();
    const auto* partials =
        reinterpret_cast<const double*>(arguments.scratch + static_cast<std::size_t>(parts_) * part_bytes());
    for (std::size_t f = 0; f < folded_; ++f, partials += plan_.chunks * outputs) {
      float* to = arguments.output<float>(dense_ + f);
      for (std::int64_t i = 0; i < outputs; ++i) {
        double total = partials[i];
        for (std::int64_t chunk = 1; chunk < plan_.chunks; ++chunk) {
          total = functions_.fold(total, partials[chunk * outputs + i]);
        }
        to[i] = static_cast<float>(total);
      }
    }
  }

  std::unique_ptr<TileProgram> program_;
  ReducePlan plan_;
  ReduceFunctions functions_;
  std::size_t dense_, folded_;
  bool whole_rows_ = false;
  std::int64_t segments_ = 1, segment_ = 1;  ///< of the columns
  std::int64_t tasks_ = 1, parts_ = 1;
};

/// The region, and one reduction after the other.
class PlainRegionReduce final : public Kernel {
 public:
  PlainRegionReduce(const RegionReduce& op, const Request& request) : dense_(static_cast<std::size_t>(op.dense)) {
    const Op region(op.region), reduce(op.reduce);
    region_ = reference({region, request.inputs, op.region.specs});
    scratch_ = aligned(region_->scratch_bytes());
    for (std::size_t i = dense_; i < op.region.specs.size(); ++i) {
      reduces_.push_back(reference({reduce, std::span(&op.region.specs[i], 1), request.outputs.subspan(i, 1)}));
      scratch_ = std::max(scratch_, aligned(reduces_.back()->scratch_bytes()));
      values_.push_back(aligned(op.region.specs[i].bytes()));
    }
  }

  Status run(const Arguments& arguments) const noexcept override {
    std::array<std::byte*, most_outputs> outputs{};
    std::copy_n(arguments.outputs.begin(), dense_, outputs.begin());
    std::byte* next = arguments.scratch + scratch_;
    for (std::size_t f = 0; f < values_.size(); ++f) {
      outputs[dense_ + f] = next;
      next += values_[f];
    }
    Status status =
        region_->run({arguments.inputs, std::span(outputs).first(arguments.outputs.size()), arguments.scratch});
    for (std::size_t f = 0; f < values_.size() && status.ok; ++f) {
      const std::byte* value = outputs[dense_ + f];
      status = reduces_[f]->run({std::span(&value, 1), arguments.outputs.subspan(dense_ + f, 1), arguments.scratch});
    }
    return status;
  }
  std::size_t scratch_bytes() const override {
    std::size_t bytes = scratch_;
    for (const std::size_t value : values_) bytes += value;
    return bytes;
  }

 private:
  static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
  static std::unique_ptr<Kernel> reference(const Request& request) {
    std::string reason;
    auto kernel = implementations(request.op.name()).back().make(request, reason);
    GRADUS_ASSERT(kernel);
    return kernel;
  }

  std::size_t dense_, scratch_ = 0;
  std::unique_ptr<Kernel> region_;
  std::vector<std::unique_ptr<Kernel>> reduces_;
  std::vector<std::size_t> values_;  ///< bytes of what is folded
};

std::unique_ptr<Kernel> make_tile_region_reduce(const Request& request, std::string& reason) {
  const RegionReduce& op = *request.op.as<RegionReduce>();
  const TensorSpec& folded = op.region.specs.back();
  reason = folded.dtype != DType::f32              ? "only f32"
           : op.reduce.kind == ReduceKind::prod    ? "no products"
           : folded.shape.numel() == 0             ? "the input is empty"
           : op.region.specs.size() > most_outputs ? "too many outputs"
                                                   : "";
  if (!reason.empty()) return nullptr;
  const Op region(op.region);
  auto program = compile(region_of({region, request.inputs, op.region.specs}), reason);
  return program ? std::make_unique<TileRegionReduce>(op, std::move(program)) : nullptr;
}

std::unique_ptr<Kernel> make_plain_region_reduce(const Request& request, std::string& reason) {
  const RegionReduce& op = *request.op.as<RegionReduce>();
  if (op.region.specs.size() <= most_outputs) return std::make_unique<PlainRegionReduce>(op, request);
  reason = "too many outputs";
  return nullptr;
}

}  // namespace

std::vector<Implementation> region_reduce_kernels() {
  return {{"region_reduce", "tiles", make_tile_region_reduce},
          {"region_reduce", "reference", make_plain_region_reduce}};
}

}  // namespace gradus::kernel
