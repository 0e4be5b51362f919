// Softmax and log-softmax of f32 along the last axis, one row at a time in the L1 cache.
#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reduce/kernels.h"
#include "gradus/ops/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradus/kernel/reduce/softmax_tiles.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>
//
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace gradus::kernel {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Tag>;

/// The vector at x[i], with -infinity behind the end of the row.
HWY_INLINE Vector load(const float* x, std::size_t i, std::size_t count) {
  const Tag d;
  if (i + hn::Lanes(d) <= count) return hn::LoadU(d, x + i);
  HWY_ALIGN float rest[hn::MaxLanes(Tag())];
  std::fill_n(rest, hn::Lanes(d), -std::numeric_limits<float>::infinity());
  std::copy(x + i, x + count, rest);
  return hn::Load(d, rest);
}

HWY_INLINE void store(Vector value, float* x, std::size_t i, std::size_t count) {
  const Tag d;
  if (i + hn::Lanes(d) <= count) return hn::StoreU(value, d, x + i);
  HWY_ALIGN float rest[hn::MaxLanes(Tag())];
  hn::Store(value, d, rest);
  std::copy_n(rest, count - i, x + i);
}

/// exp(x) for x <= 0, NaN for NaN (Highway's Exp makes 0 of it).
HWY_INLINE Vector exp_or_nan(Vector x) {
  const Vector result = hn::Exp(Tag(), x);
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

float largest_of(const float* x, std::size_t count) {
  const Tag d;
  Vector largest = load(x, 0, count);
  for (std::size_t i = hn::Lanes(d); i < count; i += hn::Lanes(d)) largest = hn::Max(largest, load(x, i, count));
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

void softmax_row(const float* x, float* y, std::size_t count) {
  const Tag d;
  const Vector largest = hn::Set(d, largest_of(x, count));
  Vector total = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const Vector value = exp_or_nan(hn::Sub(load(x, i, count), largest));
    total = hn::Add(total, value);
    store(value, y, i, count);
  }
  const Vector scale = hn::Set(d, 1 / hn::GetLane(hn::SumOfLanes(d, total)));
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) store(hn::Mul(load(y, i, count), scale), y, i, count);
}

void log_softmax_row(const float* x, float* y, std::size_t count) {
  const Tag d;
  const float largest = largest_of(x, count);
  const Vector shift = hn::Set(d, largest);
  Vector total = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    total = hn::Add(total, exp_or_nan(hn::Sub(load(x, i, count), shift)));
  }
  const Vector log_total = hn::Set(d, std::log(hn::GetLane(hn::SumOfLanes(d, total))));
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    store(hn::Sub(hn::Sub(load(x, i, count), shift), log_total), y, i, count);
  }
}

}  // namespace

SoftmaxRow find_row(bool logarithm) { return logarithm ? &log_softmax_row : &softmax_row; }

}  // namespace HWY_NAMESPACE
}  // namespace gradus::kernel
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradus::kernel {
namespace {

HWY_EXPORT(find_row);

class TileSoftmax final : public Kernel {
 public:
  TileSoftmax(const Shape& shape, bool logarithm)
      : row_(HWY_DYNAMIC_DISPATCH(find_row)(logarithm)),
        count_(shape[shape.rank() - 1]),
        rows_(shape.numel(0, shape.rank() - 1)) {}

  Status run(const Arguments& arguments) const noexcept override {
    const float* x = arguments.input<float>(0);
    float* y = arguments.output<float>();
    parallel_for(rows_, 1 + 8192 / count_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        row_(x + row * count_, y + row * count_, static_cast<std::size_t>(count_));
      }
    });
    return {};
  }
  bool can_overwrite(int, int) const override { return true; }
  double flops() const override { return 4.0 * static_cast<double>(rows_ * count_); }

 private:
  SoftmaxRow row_;
  std::int64_t count_, rows_;
};

}  // namespace

std::unique_ptr<Kernel> make_tile_softmax(const Request& request, std::string& reason) {
  const Softmax* op = request.op.as<Softmax>();
  const int axis = op ? op->axis : request.op.as<LogSoftmax>()->axis;
  const TensorSpec& input = request.inputs[0];
  if (input.dtype != DType::f32) {
    reason = "only f32";
  } else if (axis != input.shape.rank() - 1) {
    reason = "only the last axis";
  } else if (input.shape.numel() == 0) {
    reason = "the input is empty";
  } else {
    return std::make_unique<TileSoftmax>(input.shape, !op);
  }
  return nullptr;
}

}  // namespace gradus::kernel
#endif  // HWY_ONCE
