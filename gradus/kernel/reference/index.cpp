// Indexing with tensors. Every index is checked before anything is written.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/index.h"

namespace gradus::kernel {
namespace {

constexpr std::int64_t grain = 1 << 14;  // elements worth a thread

/// The first index that is not in [0, limit), whatever the number of threads.
template <class I>
Status check(const I* index, std::int64_t count, std::int64_t limit, int input) {
  std::atomic<std::int64_t> first{std::numeric_limits<std::int64_t>::max()};
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (index[i] >= 0 && index[i] < limit) continue;
      std::int64_t known = first.load();
      while (i < known && !first.compare_exchange_weak(known, i)) {
      }
      return;
    }
  });
  const std::int64_t position = first.load();
  if (position >= count) return {};
  return {.ok = false, .position = position, .value = index[position], .limit = limit, .input = input};
}

/// Elements of x that the columns of the index reach: strides of x over the index's box, without its own axis.
template <class I>
class ElementIndexing : public Kernel {
 public:
  ElementIndexing(const Shape& x, const Shape& index, int axis)
      : box_(index), strides_(row_major_strides(x)), index_strides_(row_major_strides(index)), limit_(x[axis]) {
    const auto at = static_cast<std::size_t>(axis);
    along_ = strides_[at];
    length_ = index[axis];
    index_along_ = index_strides_[at];
    box_.erase(axis);
    std::copy(strides_.begin() + axis + 1, strides_.end(), strides_.begin() + axis);
    std::copy(index_strides_.begin() + axis + 1, index_strides_.end(), index_strides_.begin() + axis);
  }
  bool can_fail() const override { return true; }

 protected:
  std::int64_t elements() const { return box_.numel() * length_; }

  /// Calls `f(offset of the column in x, offset of the column in the index)` for columns of the index along the axis.
  /// Different columns reach different elements of x.
  template <class F>
  void for_columns(const F& f) const {
    parallel_for(box_.numel(), 1 + grain / (1 + length_), [&](std::int64_t begin, std::int64_t end) {
      BoxWalk walk(box_, strides_, begin), index_walk(box_, index_strides_, begin);
      for (std::int64_t i = begin; i < end; ++i, walk.next(), index_walk.next()) f(walk.offset(), index_walk.offset());
    });
  }

  Shape box_;
  Strides strides_, index_strides_;
  std::int64_t limit_, along_, length_, index_along_;
};

template <class T, class I>
class GatherKernel final : public ElementIndexing<I> {
 public:
  using ElementIndexing<I>::ElementIndexing;
  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const I* index = arguments.input<I>(1);
    T* output = arguments.output<T>();
    if (const Status status = check(index, this->elements(), this->limit_, 1); !status.ok) return status;
    this->for_columns([&](std::int64_t column, std::int64_t index_column) {
      for (std::int64_t i = 0; i < this->length_; ++i) {
        const std::int64_t at = index_column + i * this->index_along_;
        output[at] = x[column + static_cast<std::int64_t>(index[at]) * this->along_];
      }
    });
    return {};
  }
};

enum class Fold { add, multiply, set, largest, smallest };

/// a * b in the arithmetic of T; integers wrap around.
template <class T>
T multiplied(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return BFloat16(static_cast<float>(a) * static_cast<float>(b));
  } else {
    return a * b;
  }
}

/// a folded with b; NaN wins.
template <Fold fold, class T>
T folded(T a, T b) {
  if constexpr (fold == Fold::add) {
    return added(a, b);
  } else if constexpr (fold == Fold::multiply) {
    return multiplied(a, b);
  } else if constexpr (fold == Fold::set) {
    return b;
  } else {
    const double x = to_double(a), y = to_double(b);
    if (x != x) return a;
    return y != y || (fold == Fold::largest ? y > x : y < x) ? b : a;
  }
}

/// In the order of the source.
template <class T, class I, Fold fold>
class ScatterKernel final : public ElementIndexing<I> {
 public:
  ScatterKernel(const Shape& x, const Shape& index, int axis)
      : ElementIndexing<I>(x, index, axis), bytes_(static_cast<std::size_t>(x.numel()) * sizeof(T)) {}
  Status run(const Arguments& arguments) const noexcept override {
    const I* index = arguments.input<I>(1);
    const T* source = arguments.input<T>(2);
    T* output = arguments.output<T>();
    if (const Status status = check(index, this->elements(), this->limit_, 1); !status.ok) return status;
    if (bytes_ > 0 && arguments.outputs[0] != arguments.inputs[0]) std::memcpy(output, arguments.inputs[0], bytes_);
    this->for_columns([&](std::int64_t column, std::int64_t index_column) {
      for (std::int64_t i = 0; i < this->length_; ++i) {
        const std::int64_t at = index_column + i * this->index_along_;
        T& element = output[column + static_cast<std::int64_t>(index[at]) * this->along_];
        element = folded<fold>(element, source[at]);
      }
    });
    return {};
  }
  bool can_overwrite(int input, int) const override { return input == 0; }
  double flops() const override { return fold == Fold::set ? 0 : static_cast<double>(this->elements()); }

 private:
  std::size_t bytes_;
};

template <class T, class I>
using ScatterAddKernel = ScatterKernel<T, I, Fold::add>;
template <class T, class I>
using ScatterProdKernel = ScatterKernel<T, I, Fold::multiply>;
template <class T, class I>
using ScatterSetKernel = ScatterKernel<T, I, Fold::set>;
template <class T, class I>
using ScatterMaxKernel = ScatterKernel<T, I, Fold::largest>;
template <class T, class I>
using ScatterMinKernel = ScatterKernel<T, I, Fold::smallest>;

/// x is [outer, limit, inner], the picked slices are [outer, count, inner].
struct SliceIndexing {
  std::int64_t outer, limit, inner, count;
  SliceIndexing(const Shape& x, const Shape& index, int axis)
      : outer(x.numel(0, axis)), limit(x[axis]), inner(x.numel(axis + 1, x.rank())), count(index.numel()) {}
};

template <class T, class I>
class TakeKernel final : public Kernel {
 public:
  TakeKernel(const Shape& x, const Shape& index, int axis) : sizes_(x, index, axis) {}
  Status run(const Arguments& arguments) const noexcept override {
    const T* x = arguments.input<T>(0);
    const I* index = arguments.input<I>(1);
    T* output = arguments.output<T>();
    const auto [outer, limit, inner, count] = sizes_;
    if (const Status status = check(index, count, limit, 1); !status.ok) return status;
    parallel_for(outer * count, 1 + grain / (1 + inner),
                 [&, limit = limit, inner = inner, count = count](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t i = begin; i < end; ++i) {
                     const T* from = x + (i / count * limit + static_cast<std::int64_t>(index[i % count])) * inner;
                     std::copy_n(from, inner, output + i * inner);
                   }
                 });
    return {};
  }
  bool can_fail() const override { return true; }

 private:
  SliceIndexing sizes_;
};

/// Threads split the columns, so that additions to one element keep their order.
template <class T, class I>
class TakeAddKernel final : public Kernel {
 public:
  TakeAddKernel(const Shape& x, const Shape& index, int axis) : sizes_(x, index, axis) {}
  Status run(const Arguments& arguments) const noexcept override {
    const I* index = arguments.input<I>(1);
    const T* source = arguments.input<T>(2);
    T* output = arguments.output<T>();
    const SliceIndexing& s = sizes_;
    if (const Status status = check(index, s.count, s.limit, 1); !status.ok) return status;
    const auto bytes = static_cast<std::size_t>(s.outer * s.limit * s.inner) * sizeof(T);
    if (bytes > 0 && arguments.outputs[0] != arguments.inputs[0]) std::memcpy(output, arguments.inputs[0], bytes);
    parallel_for(s.outer * s.inner, 1 + grain / (1 + s.count), [&](std::int64_t begin, std::int64_t end) {
      while (begin < end) {
        const std::int64_t row = begin / s.inner, from = begin % s.inner;
        const std::int64_t to = std::min(s.inner, from + end - begin);
        for (std::int64_t i = 0; i < s.count; ++i) {
          T* sum = output + (row * s.limit + static_cast<std::int64_t>(index[i])) * s.inner;
          const T* added_row = source + (row * s.count + i) * s.inner;
          for (std::int64_t j = from; j < to; ++j) sum[j] = added(sum[j], added_row[j]);
        }
        begin += to - from;
      }
    });
    return {};
  }
  bool can_fail() const override { return true; }
  bool can_overwrite(int input, int) const override { return input == 0; }
  double flops() const override { return static_cast<double>(sizes_.outer * sizes_.count * sizes_.inner); }

 private:
  SliceIndexing sizes_;
};

template <class I>
class OneHotKernel final : public Kernel {
 public:
  OneHotKernel(std::int64_t count, std::int64_t classes) : count_(count), classes_(classes) {}
  Status run(const Arguments& arguments) const noexcept override {
    const I* index = arguments.input<I>(0);
    std::int64_t* output = arguments.output<std::int64_t>();
    if (const Status status = check(index, count_, classes_, 0); !status.ok) return status;
    parallel_for(count_, 1 + grain / classes_, [&](std::int64_t begin, std::int64_t end) {
      std::fill(output + begin * classes_, output + end * classes_, std::int64_t{0});
      for (std::int64_t i = begin; i < end; ++i) output[i * classes_ + static_cast<std::int64_t>(index[i])] = 1;
    });
    return {};
  }
  bool can_fail() const override { return true; }

 private:
  std::int64_t count_, classes_;
};

/// Kernel<T, I> for the types of x (or, when it only moves elements, an unsigned integer of their size) and of the
/// index.
template <template <class, class> class K, class T>
std::unique_ptr<Kernel> make_for(const Request& request, int axis) {
  const Shape &x = request.inputs[0].shape, &index = request.inputs[1].shape;
  if (request.inputs[1].dtype == DType::i32) return std::make_unique<K<T, std::int32_t>>(x, index, axis);
  return std::make_unique<K<T, std::int64_t>>(x, index, axis);
}

template <class Attributes, template <class, class> class K>
std::unique_ptr<Kernel> make_move(const Request& request, std::string&) {
  return visit_size(request.inputs[0].dtype,
                    [&](auto zero) { return make_for<K, decltype(zero)>(request, request.op.as<Attributes>()->axis); });
}

template <class Attributes, template <class, class> class K>
std::unique_ptr<Kernel> make_add(const Request& request, std::string& reason) {
  return visit_dtype(request.inputs[0].dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      reason = "booleans are not added";
      return nullptr;
    } else {
      return make_for<K, T>(request, request.op.as<Attributes>()->axis);
    }
  });
}

std::unique_ptr<Kernel> make_one_hot(const Request& request, std::string&) {
  const std::int64_t count = request.inputs[0].shape.numel(), classes = request.op.as<OneHot>()->classes;
  if (request.inputs[0].dtype == DType::i32) return std::make_unique<OneHotKernel<std::int32_t>>(count, classes);
  return std::make_unique<OneHotKernel<std::int64_t>>(count, classes);
}

}  // namespace

std::vector<Implementation> index_kernels() {
  return {{"gather", "reference", make_move<Gather, GatherKernel>},
          {"scatter_add", "reference", make_add<ScatterAdd, ScatterAddKernel>},
          {"scatter", "reference", make_move<Scatter, ScatterSetKernel>},
          {"scatter_max", "reference", make_add<ScatterExtreme, ScatterMaxKernel>},
          {"scatter_min", "reference", make_add<ScatterExtreme, ScatterMinKernel>},
          {"scatter_prod", "reference", make_add<ScatterProd, ScatterProdKernel>},
          {"take", "reference", make_move<Take, TakeKernel>},
          {"take_add", "reference", make_add<TakeAdd, TakeAddKernel>},
          {"one_hot", "reference", make_one_hot}};
}

}  // namespace gradus::kernel
