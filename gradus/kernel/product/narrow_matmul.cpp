// Matrix products of bf16 by AMX. Transposed operands cost little more: packing turns them. (By AVX512_BF16, oneDNN is as fast or
// faster: measured on Zen 5.)
//
// A group of columns of the right side is packed by all threads, so many that they fit into the second-level cache. Then each
// thread takes panels of 32 rows of the left side, of which a piece of `step` depth stays in the first level, and multiplies the
// piece with panel after panel of the group. Sizes below were chosen by measuring the products of a transformer on a CPU with
// 48 KiB of the first level and 2 MiB of the second.
#include "gradus/kernel/product/narrow_matmul.h"

#include <algorithm>
#include <string>

#include "gradus/base/parallel.h"
#include "gradus/kernel/product/bf16_unit.h"
#include "gradus/kernel/product/narrow_panels.h"
#include "gradus/kernel/registry.h"
#include "gradus/kernel/sequence/narrow.h"
#include "gradus/ops/matmul.h"

namespace gradus::kernel {
namespace {

using narrow::panel_size;

constexpr std::size_t panel = 32;
/// Depth of a piece: all of it up to 384, since sums that wait for the next piece cost more than a full first level.
constexpr std::size_t whole_step = 384, long_step = 256;
/// Depth that is multiplied before the next, for a left side that is read where it is, and for one that is packed.
constexpr std::size_t pass = 1536, packed_pass = 1024;
constexpr std::size_t left_panels = 4;  // that are packed at once: longer pieces of each row of a crossed side
/// Bytes of packed columns: if all fit into the first, and otherwise.
constexpr std::size_t one_group = 1280 * 1024, group_bytes = 800 * 1024;
constexpr std::size_t least_work = std::size_t{1} << 28;  // multiplications; oneDNN is ahead below

constexpr std::size_t same_sets =
    2048;  // elements from row to row at which all rows fall into the same sets of the cache

constexpr std::size_t parts_of(std::size_t count, std::size_t part) { return (count + part - 1) / part; }
constexpr std::size_t round_up(std::size_t count) { return parts_of(count, panel) * panel; }
/// The size of a part, a multiple of 32, if `count` is cut into as few equal ones as `longest` allows.
constexpr std::size_t even_part(std::size_t count, std::size_t longest) {
  return round_up(parts_of(count, parts_of(count, longest)));
}

struct Range {
  std::size_t begin, end;
  std::size_t size() const { return end - begin; }
};

struct Sizes {
  std::size_t m, n, k;
  bool transpose_a, transpose_b, narrow;
};

class NarrowMatMul final : public Kernel {
 public:
  explicit NarrowMatMul(const Sizes& sizes) : s_(sizes), threads_(static_cast<std::size_t>(num_threads())) {
    packs_left_ = s_.transpose_a || s_.m % panel != 0 || s_.k % panel != 0 || s_.k % same_sets == 0;
    pass_ = even_part(s_.k, packs_left_ ? packed_pass : pass);
    step_ = pass_ <= whole_step ? pass_ : long_step;
    const std::size_t columns = round_up(s_.n), column = pass_ * sizeof(std::uint16_t);
    group_ = columns * column <= one_group ? columns : even_part(s_.n, std::max(group_bytes / column, panel));
    right_ = group_ * column;
    left_ = packs_left_ ? left_panels * panel * column : 0;
    sums_ = panel * group_ * sizeof(float);
    totals_ = s_.narrow && s_.k > pass_ ? s_.m * s_.n * sizeof(float) : 0;
  }

  Status run(const Arguments& arguments) const noexcept override {
    const narrow::Side b{arguments.input<std::uint16_t>(1), s_.transpose_b ? s_.k : s_.n, s_.n, s_.k, !s_.transpose_b};
    auto* right = reinterpret_cast<std::uint16_t*>(arguments.scratch);
    for (std::size_t k = 0; k < s_.k; k += pass_) {
      const Range depth{k, std::min(s_.k, k + pass_)};
      for (std::size_t n = 0; n < s_.n; n += group_) {
        const Range columns{n, std::min(s_.n, n + group_)};
        const auto panels = static_cast<std::int64_t>(parts_of(columns.size(), panel));
        parallel_for(panels, 4, [&](std::int64_t first, std::int64_t last) {
          for (auto p = static_cast<std::size_t>(first); p < static_cast<std::size_t>(last); ++p) {
            narrow::pack_right_panel(b, n + p * panel, depth.begin, depth.end, right + p * panel_size(depth.size()));
          }
        });
        parallel_for(static_cast<std::int64_t>(threads_), 1, [&](std::int64_t first, std::int64_t last) {
          const narrow::Tiles tiles;
          for (auto part = static_cast<std::size_t>(first); part < static_cast<std::size_t>(last); ++part) {
            multiply_part(part, columns, depth, arguments);
          }
        });
      }
    }
    return {};
  }

  std::size_t scratch_bytes() const override { return right_ + totals_ + threads_ * (left_ + sums_); }
  double flops() const override {
    return 2.0 * static_cast<double>(s_.m) * static_cast<double>(s_.n) * static_cast<double>(s_.k);
  }

 private:
  /// What one thread multiplies.
  struct Work {
    const Arguments& arguments;
    Range columns, depth;
    std::uint16_t* left;
    float* sums;
  };

  void multiply_part(std::size_t part, Range columns, Range depth, const Arguments& arguments) const {
    const std::size_t panels = parts_of(s_.m, panel);
    std::byte* own = arguments.scratch + right_ + totals_ + part * (left_ + sums_);
    const Work work{arguments, columns, depth, reinterpret_cast<std::uint16_t*>(own),
                    reinterpret_cast<float*>(own + left_)};
    const std::size_t end = panels * (part + 1) / threads_;
    for (std::size_t first = panels * part / threads_; first < end; first += left_panels) {
      const std::size_t count = std::min(left_panels, end - first);
      if (packs_left_) pack_left(first, count, work);
      for (std::size_t p = 0; p < count; ++p) multiply_rows((first + p) * panel, p, work);
    }
  }

  void pack_left(std::size_t first, std::size_t count, const Work& work) const {
    const narrow::Side a{work.arguments.input<std::uint16_t>(0), s_.transpose_a ? s_.m : s_.k, s_.m, s_.k,
                         s_.transpose_a};
    const std::size_t size = panel_size(work.depth.size());
    for (std::size_t k = work.depth.begin; k < work.depth.end; k += panel) {
      for (std::size_t p = 0; p < count; ++p) {
        narrow::pack_left_panel(a, (first + p) * panel, k, std::min(work.depth.end, k + panel),
                                work.left + p * size + (k - work.depth.begin) * panel);
      }
    }
  }

  /// 32 rows of the left side times a group of columns.
  void multiply_rows(std::size_t row, std::size_t place, const Work& work) const {
    const std::size_t columns = parts_of(work.columns.size(), panel), size = panel_size(work.depth.size());
    const auto* right = reinterpret_cast<const std::uint16_t*>(work.arguments.scratch);
    for (std::size_t k = work.depth.begin; k < work.depth.end; k += step_) {
      const Range step{k, std::min(work.depth.end, k + step_)};
      const bool last = step.end == work.depth.end;
      const std::size_t offset = (k - work.depth.begin) * panel;
      const narrow::LeftPanel left =
          packs_left_ ? narrow::packed(work.left + place * size + offset)
                      : narrow::in_place(work.arguments.input<std::uint16_t>(0) + row * s_.k + k, s_.k);
      for (std::size_t column = 0; column < columns; ++column) {
        float* c = work.sums + column * panel;
        const std::uint16_t* b = right + column * size + offset;
        const std::size_t at = work.columns.begin + column * panel, rows = std::min(panel, s_.m - row);
        const narrow::Target to = target(row, at, work);
        if (last) narrow::expect(rows, to);
        if (!packs_left_) {
          prefetch_left(last ? row + panel : row, last ? work.depth.begin : step.end, column, columns, work);
        }
        narrow::multiply_panels(parts_of(step.size(), panel), left, b, c, group_, k > work.depth.begin);
        if (last) narrow::deliver(c, group_, rows, std::min(panel, s_.n - at), to);
      }
    }
  }

  /// Part `part` of `parts` of the rows from `row` on, from depth k on.
  void prefetch_left(std::size_t row, std::size_t k, std::size_t part, std::size_t parts, const Work& work) const {
    const auto* data = work.arguments.input<std::uint16_t>(0);
    const std::size_t rows = std::min(panel, s_.m - std::min(row, s_.m)), depth = std::min(step_, work.depth.end - k);
    if (rows == 0) return;
    for (std::size_t i = rows * part / parts; i < rows * (part + 1) / parts; ++i) {
      for (std::size_t j = 0; j < depth; j += 32) __builtin_prefetch(data + (row + i) * s_.k + k + j, 0, 2);
    }
  }

  /// Where the block at (row, column) goes.
  narrow::Target target(std::size_t row, std::size_t column, const Work& work) const {
    const std::size_t at = row * s_.n + column;
    float* wide =
        totals_ > 0 ? reinterpret_cast<float*>(work.arguments.scratch + right_) : work.arguments.output<float>();
    narrow::Target target{nullptr, nullptr, nullptr, s_.n};
    if (work.depth.begin > 0) target.before = wide + at;
    if (s_.narrow && work.depth.end == s_.k) {
      target.narrow = work.arguments.output<std::uint16_t>() + at;
    } else {
      target.wide = wide + at;
    }
    return target;
  }

  Sizes s_;
  std::size_t threads_;
  bool packs_left_;
  std::size_t pass_, step_, group_;           // depth, depth, columns: multiples of 32
  std::size_t right_, left_, sums_, totals_;  // bytes of scratch: shared, each thread's, shared
};

template <bool AnySize>
std::unique_ptr<Kernel> make_narrow_matmul(const Request& request, std::string& reason) {
  const MatMul& op = *request.op.as<MatMul>();
  const Shape &a = request.inputs[0].shape, &c = request.outputs[0].shape;
  const int rank = c.rank();
  if (request.inputs[0].dtype != DType::bf16) {
    reason = "only bf16, not " + std::string(name_of(request.inputs[0].dtype));
    return nullptr;
  }
  if (bf16_unit() != Bf16Unit::tiles) {
    reason = "this CPU has no AMX";
    return nullptr;
  }
  if (c.numel(0, rank - 2) != 1) {
    reason = "only single matrices";
    return nullptr;
  }
  const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const Sizes sizes{size(c[rank - 2]), size(c[rank - 1]), size(a[rank - (op.transpose_a ? 2 : 1)]),
                    op.transpose_a,    op.transpose_b,    op.narrow};
  if (std::min({sizes.m, sizes.n, sizes.k}) < panel || (!AnySize && sizes.m * sizes.n * sizes.k < least_work)) {
    reason = "only large matrices";
    return nullptr;
  }
  return std::make_unique<NarrowMatMul>(sizes);
}

}  // namespace

Implementation narrow_matmul_of_any_size() { return {"matmul", "panels", make_narrow_matmul<true>}; }

std::vector<Implementation> narrow_matmul_kernels() { return {{"matmul", "panels", make_narrow_matmul<false>}}; }

}  // namespace gradus::kernel
