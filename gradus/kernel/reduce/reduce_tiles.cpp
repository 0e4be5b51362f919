// Sums, maxima and minima of f32 over any axes, with vectors chosen at run time.
//
// Rows are added in 32 interleaved lanes and columns each by themselves, on every target: a result does not depend on
// the width of the machine's vectors.
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reduce/kernels.h"
#include "gradus/kernel/reduce/reduce_plan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/reduce/reduce_tiles.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t lanes = 32;

struct Sum {
  static constexpr double identity = 0;
  template <class V>
  static V fold(V total, V value) {
    return hn::Add(total, value);
  }
  template <class T>
  static T fold_one(T total, T value) {
    return total + value;
  }
};

/// NaN wins: it replaces the best so far, and the comparison with it lets it stay.
struct Max {
  static constexpr double identity = -std::numeric_limits<double>::infinity();
  template <class V>
  static V fold(V best, V value) {
    return hn::IfThenElse(hn::Or(hn::Gt(value, best), hn::IsNaN(value)), value, best);
  }
  template <class T>
  static T fold_one(T best, T value) {
    return value > best || std::isnan(value) ? value : best;
  }
};

struct Min {
  static constexpr double identity = std::numeric_limits<double>::infinity();
  template <class V>
  static V fold(V best, V value) {
    return hn::IfThenElse(hn::Or(hn::Lt(value, best), hn::IsNaN(value)), value, best);
  }
  template <class T>
  static T fold_one(T best, T value) {
    return value < best || std::isnan(value) ? value : best;
  }
};

/// Folds up to ReducePlan::row_block elements: 32 lanes, then lanes in a tree, then the rest one by one.
template <class Fold>
float fold_row(const float* HWY_RESTRICT x, std::int64_t count) {
  const hn::CappedTag<float, lanes> d;
  constexpr std::size_t width = hn::MaxLanes(d), vectors = lanes / width;
  const hn::FixedTag<float, 4> d4;
  auto quad = hn::Set(d4, static_cast<float>(Fold::identity));
  std::int64_t i = 0;
  if (count >= static_cast<std::int64_t>(lanes)) {
    hn::Vec<decltype(d)> sums[vectors];
    for (std::size_t v = 0; v < vectors; ++v) sums[v] = hn::Set(d, static_cast<float>(Fold::identity));
    for (; i + static_cast<std::int64_t>(lanes) <= count; i += lanes) {
      for (std::size_t v = 0; v < vectors; ++v) sums[v] = Fold::fold(sums[v], hn::LoadU(d, x + i + v * width));
    }
    HWY_ALIGN float spread[lanes];
    for (std::size_t v = 0; v < vectors; ++v) hn::Store(sums[v], d, spread + v * width);
    for (std::size_t half = lanes / 2; half >= 4; half /= 2) {
      for (std::size_t lane = 0; lane < half; lane += 4) {
        hn::Store(Fold::fold(hn::Load(d4, spread + lane), hn::Load(d4, spread + lane + half)), d4, spread + lane);
      }
    }
    quad = hn::Load(d4, spread);
  }
  for (; i + 4 <= count; i += 4) quad = Fold::fold(quad, hn::LoadU(d4, x + i));
  HWY_ALIGN float ends[4];
  hn::Store(quad, d4, ends);
  float total = Fold::fold_one(Fold::fold_one(ends[0], ends[1]), Fold::fold_one(ends[2], ends[3]));
  for (; i < count; ++i) total = Fold::fold_one(total, x[i]);
  return total;
}

template <class Fold>
void run_rows(const ReducePlan& plan, const float* x, std::int64_t group, std::int64_t chunk, double* partial) {
  const float* base = x + plan.kept.offset(group);
  const std::int64_t per_row = plan.row_blocks(), end = plan.chunk_begin(chunk + 1);
  double total = Fold::identity;
  for (std::int64_t block = plan.chunk_begin(chunk); block < end; ++block) {
    const std::int64_t point = per_row == 1 ? block : block / per_row;
    const std::int64_t from = (block - point * per_row) * ReducePlan::row_block;
    const std::int64_t count = std::min(ReducePlan::row_block, plan.last - from);
    total = Fold::fold_one(total, static_cast<double>(fold_row<Fold>(base + plan.folded.offset(point) + from, count)));
  }
  *partial = total;
}

/// sums[j] = fold of sums[j] and from[j].
template <class Fold>
HWY_INLINE void fold_into(const float* HWY_RESTRICT from, std::size_t width, float* HWY_RESTRICT sums) {
  const hn::CappedTag<float, lanes> d;
  const std::size_t step = hn::Lanes(d), whole = width / step * step;
  for (std::size_t j = 0; j < whole; j += step) {
    hn::StoreU(Fold::fold(hn::LoadU(d, sums + j), hn::LoadU(d, from + j)), d, sums + j);
  }
  for (std::size_t j = whole; j < width; ++j) sums[j] = Fold::fold_one(sums[j], from[j]);
}

/// sums[j] = fold of rows [begin, end) in column j.
template <class Fold>
void fold_columns(const ReducePlan& plan, const float* base, std::int64_t begin, std::int64_t end, std::size_t width,
                  float* HWY_RESTRICT sums) {
  std::fill_n(sums, width, static_cast<float>(Fold::identity));
  for (std::int64_t row = begin; row < end; ++row) fold_into<Fold>(base + plan.folded.offset(row), width, sums);
}

template <class Fold>
void fold_rows(const float* x, std::int64_t rows, std::size_t width, float* sums) {
  for (std::int64_t row = 0; row < rows; ++row, x += width) fold_into<Fold>(x, width, sums);
}

template <class Fold>
void run_columns(const ReducePlan& plan, const float* x, std::int64_t group, std::int64_t chunk, double* partial) {
  const std::int64_t tiles = plan.tiles(), end = plan.chunk_begin(chunk + 1);
  const float* base = x + plan.kept.offset(group / tiles) + group % tiles * ReducePlan::column_tile;
  const auto width = static_cast<std::size_t>(plan.width(group));
  HWY_ALIGN float sums[ReducePlan::column_tile];
  std::fill_n(partial, width, Fold::identity);
  for (std::int64_t row = plan.chunk_begin(chunk); row < end; row += ReducePlan::column_block) {
    fold_columns<Fold>(plan, base, row, std::min(end, row + ReducePlan::column_block), width, sums);
    for (std::size_t j = 0; j < width; ++j) partial[j] = Fold::fold_one(partial[j], static_cast<double>(sums[j]));
  }
}

template <class Fold>
void run_task(const ReducePlan& plan, const float* x, std::int64_t group, std::int64_t chunk, double* partial) {
  plan.rows ? run_rows<Fold>(plan, x, group, chunk, partial) : run_columns<Fold>(plan, x, group, chunk, partial);
}

/// Tasks of one group each, without chunks: groups [begin, end) straight into the output.
template <class Fold>
void run_groups(const ReducePlan& plan, const float* x, std::int64_t begin, std::int64_t end, float* output) {
  double partial[ReducePlan::column_tile];
  for (std::int64_t group = begin; group < end; ++group) {
    run_task<Fold>(plan, x, group, 0, partial);
    float* to = output + plan.first_output(group);
    for (std::int64_t j = 0; j < plan.width(group); ++j) to[j] = static_cast<float>(partial[j]);
  }
}

template <class Fold>
double fold_doubles(double total, double value) {
  return Fold::fold_one(total, value);
}

template <class Fold>
ReduceFunctions functions() {
  return {&run_task<Fold>, &run_groups<Fold>, &fold_row<Fold>, &fold_rows<Fold>, Fold::identity, &fold_doubles<Fold>};
}

}  // namespace

ReduceFunctions find_functions(ReduceKind kind) {
  if (kind == ReduceKind::sum) return functions<Sum>();
  return kind == ReduceKind::max ? functions<Max>() : functions<Min>();
}

}  // namespace HWY_NAMESPACE
}  // namespace gradus::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {
namespace {

HWY_EXPORT(find_functions);

class TileReduce final : public Kernel {
 public:
  TileReduce(ReduceKind kind, const Shape& shape, std::uint32_t axes)
      : plan_(shape, axes), elements_(shape.numel()), functions_(reduce_functions(kind)) {}

  Status run(const Arguments& arguments) const noexcept override {
    const float* x = arguments.input<float>(0);
    float* output = arguments.output<float>();
    if (plan_.chunks == 1) {
      const std::int64_t grain = 1 + ReducePlan::chunk_elements / (1 + plan_.elements_per_group());
      parallel_for(plan_.groups, grain,
                   [&](std::int64_t begin, std::int64_t end) { functions_.groups(plan_, x, begin, end, output); });
      return {};
    }
    auto* partials = reinterpret_cast<double*>(arguments.scratch);
    parallel_for(plan_.groups * plan_.chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t group = task / plan_.chunks, chunk = task % plan_.chunks;
        functions_.task(plan_, x, group, chunk, partials + chunk * plan_.outputs() + plan_.first_output(group));
      }
    });
    combine(partials, output);
    return {};
  }
  std::size_t scratch_bytes() const override {
    return plan_.chunks == 1 ? 0 : static_cast<std::size_t>(plan_.chunks * plan_.outputs()) * sizeof(double);
  }
  double flops() const override { return static_cast<double>(elements_); }

 private:
  void combine(const double* partials, float* output) const {
    const std::int64_t outputs = plan_.outputs();
    for (std::int64_t i = 0; i < outputs; ++i) {
      double total = partials[i];
      for (std::int64_t chunk = 1; chunk < plan_.chunks; ++chunk)
        total = functions_.fold(total, partials[chunk * outputs + i]);
      output[i] = static_cast<float>(total);
    }
  }
  ReducePlan plan_;
  std::int64_t elements_;
  ReduceFunctions functions_;
};

}  // namespace

ReduceFunctions reduce_functions(ReduceKind kind) { return HWY_DYNAMIC_DISPATCH(find_functions)(kind); }

std::unique_ptr<Kernel> make_tile_reduce(const Request& request, std::string& reason) {
  const Reduce& op = *request.op.as<Reduce>();
  if (request.inputs[0].dtype != DType::f32) {
    reason = "only f32";
    return nullptr;
  }
  if (request.inputs[0].shape.numel() == 0) {
    reason = "the input is empty";
    return nullptr;
  }
  return std::make_unique<TileReduce>(op.kind, request.inputs[0].shape, op.axes);
}

}  // namespace gradus::kernel
#endif  // HWY_ONCE
