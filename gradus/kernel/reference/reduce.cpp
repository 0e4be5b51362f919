// Reductions by their definition: one output after the other, sums of floating types in double.
#include <cmath>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reduce/kernels.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/reduce.h"

namespace gradus::kernel {
namespace {

/// What sums and products are kept in: wider than f32, and without undefined overflow for integers.
template <class T>
using Wide = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;

/// The kept and the folded axes of the input, each as a box with the input's strides.
struct Split {
  Shape kept, folded;
  Strides kept_strides{}, folded_strides{};

  Split(const Shape& shape, std::uint32_t axes) {
    const Strides strides = row_major_strides(shape);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const bool fold = (axes >> axis & 1) != 0;
      Shape& box = fold ? folded : kept;
      (fold ? folded_strides : kept_strides)[static_cast<std::size_t>(box.rank())] =
          strides[static_cast<std::size_t>(axis)];
      box.push_back(shape[axis]);
    }
  }
};

template <class T>
bool is_nan(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(value);
  } else {
    return std::isnan(to_double(value));
  }
}

/// True when `value` takes the place of `best`: NaN beats everything, and of equal ones the first stays.
template <class T>
bool beats(T value, T best, bool largest) {
  if (is_nan(best)) return false;
  if (is_nan(value)) return true;
  if constexpr (std::is_same_v<T, BFloat16>) {
    return largest ? to_double(value) > to_double(best) : to_double(value) < to_double(best);
  } else {
    return largest ? value > best : value < best;
  }
}

template <class T, class Out>
class ReferenceReduce final : public Kernel {
 public:
  ReferenceReduce(const Reduce& op, const Shape& shape) : kind_(op.kind), split_(shape, op.axes) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    Out* output = arguments.output<Out>();
    const std::int64_t count = split_.folded.numel();
    parallel_for(split_.kept.numel(), 1 + 8192 / (1 + count), [&](std::int64_t begin, std::int64_t end) {
      BoxWalk walk(split_.kept, split_.kept_strides, begin);
      for (std::int64_t i = begin; i < end; ++i, walk.next()) output[i] = fold(input + walk.offset(), count);
    });
    return {};
  }
  double flops() const override {
    return static_cast<double>(split_.kept.numel()) * static_cast<double>(split_.folded.numel());
  }

 private:
  Out fold(const T* input, std::int64_t count) const {
    switch (kind_) {
      case ReduceKind::sum: return accumulate(input, count, Wide<T>{0}, [](auto a, auto b) { return a + b; });
      case ReduceKind::prod: return accumulate(input, count, Wide<T>{1}, [](auto a, auto b) { return a * b; });
      case ReduceKind::max: return extreme(input, count, true);
      case ReduceKind::min: break;
    }
    return extreme(input, count, false);
  }

  template <class Operation>
  Out accumulate(const T* input, std::int64_t count, Wide<T> total, const Operation& operation) const {
    if (count == 0) return finish(total);
    BoxWalk walk(split_.folded, split_.folded_strides, 0);
    for (std::int64_t i = 0; i < count; ++i, walk.next()) {
      if constexpr (std::is_same_v<Wide<T>, double>) {
        total = operation(total, to_double(input[walk.offset()]));
      } else {
        total = operation(total, static_cast<std::uint64_t>(input[walk.offset()]));
      }
    }
    return finish(total);
  }

  Out finish(Wide<T> total) const {
    if constexpr (std::is_same_v<Wide<T>, double>) {
      return from_double<Out>(total);
    } else {
      return static_cast<Out>(total);
    }
  }

  /// There is at least one element: the shape rule refuses others.
  Out extreme(const T* input, std::int64_t count, bool largest) const {
    BoxWalk walk(split_.folded, split_.folded_strides, 0);
    T best = input[0];
    for (std::int64_t i = 0; i < count; ++i, walk.next()) {
      if (beats(input[walk.offset()], best, largest)) best = input[walk.offset()];
    }
    if constexpr (std::is_same_v<T, Out>) {
      return best;
    } else {
      return static_cast<Out>(best);  // not reached: extremes keep their type
    }
  }

  ReduceKind kind_;
  Split split_;
};

template <class T>
class ReferenceArgReduce final : public Kernel {
 public:
  ReferenceArgReduce(const ArgReduce& op, const Shape& shape)
      : largest_(op.largest),
        count_(shape[op.axis]),
        inner_(shape.numel(op.axis + 1, shape.rank())),
        outputs_(shape.numel(0, op.axis) * inner_) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0);
    std::int64_t* output = arguments.output<std::int64_t>();
    parallel_for(outputs_, 1 + 8192 / (1 + count_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* from = input + i / inner_ * count_ * inner_ + i % inner_;
        std::int64_t best = 0;
        for (std::int64_t j = 1; j < count_; ++j) {
          if (beats(from[j * inner_], from[best * inner_], largest_)) best = j;
        }
        output[i] = best;
      }
    });
    return {};
  }
  double flops() const override { return static_cast<double>(outputs_ * count_); }

 private:
  bool largest_;
  std::int64_t count_, inner_, outputs_;
};

std::unique_ptr<Kernel> make_reduce(const Request& request, std::string&) {
  const Reduce& op = *request.op.as<Reduce>();
  const bool extreme = op.kind == ReduceKind::max || op.kind == ReduceKind::min;
  return visit_dtype(request.inputs[0].dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    using Sum = std::conditional_t<std::is_integral_v<T>, std::int64_t, T>;
    if (extreme) return std::make_unique<ReferenceReduce<T, T>>(op, request.inputs[0].shape);
    return std::make_unique<ReferenceReduce<T, Sum>>(op, request.inputs[0].shape);
  });
}

std::unique_ptr<Kernel> make_arg_reduce(const Request& request, std::string&) {
  return visit_dtype(request.inputs[0].dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    return std::make_unique<ReferenceArgReduce<decltype(zero)>>(*request.op.as<ArgReduce>(), request.inputs[0].shape);
  });
}

}  // namespace

std::vector<Implementation> reduce_kernels() {
  return {{"sum", "tiles", make_tile_reduce},      {"sum", "reference", make_reduce},
          {"max", "tiles", make_tile_reduce},      {"max", "reference", make_reduce},
          {"min", "tiles", make_tile_reduce},      {"min", "reference", make_reduce},
          {"prod", "reference", make_reduce},      {"argmax", "reference", make_arg_reduce},
          {"argmin", "reference", make_arg_reduce}};
}

}  // namespace gradus::kernel
