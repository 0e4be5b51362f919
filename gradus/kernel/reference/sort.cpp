// Sorting of rows, and places in sorted rows.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/sorting/sort.h"

namespace gradus::kernel {
namespace {

constexpr std::int64_t grain = 1 << 12;  // elements worth a thread

/// a < b, where NaN is above all numbers.
template <class T>
bool before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return a < b || (std::isnan(b) && !std::isnan(a));
  } else {
    return a < b;
  }
}

template <class T>
class SortKernel final : public Kernel {
 public:
  SortKernel(const Shape& shape, bool descending)
      : rows_(shape.numel(0, shape.rank() - 1)), length_(shape[shape.rank() - 1]), descending_(descending) {}

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(rows_, 1 + grain / (1 + length_), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* x = arguments.input<T>(0) + row * length_;
        T* values = arguments.output<T>(0) + row * length_;
        std::int64_t* index = arguments.output<std::int64_t>(1) + row * length_;
        std::iota(index, index + length_, std::int64_t{0});
        std::stable_sort(index, index + length_, [&](std::int64_t a, std::int64_t b) {
          return descending_ ? before(x[b], x[a]) : before(x[a], x[b]);
        });
        for (std::int64_t i = 0; i < length_; ++i) values[i] = x[index[i]];
      }
    });
    return {};
  }

 private:
  std::int64_t rows_, length_;
  bool descending_;
};

template <class T>
class SearchKernel final : public Kernel {
 public:
  SearchKernel(const Shape& sorted, const Shape& values, bool right) : count_(values.numel()), right_(right) {
    length_ = sorted[sorted.rank() - 1];
    per_row_ = sorted.rank() == 1 ? std::max<std::int64_t>(1, count_) : values[values.rank() - 1];
  }

  Status run(const Arguments& arguments) const noexcept override {
    parallel_for(count_, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* row = arguments.input<T>(0) + i / per_row_ * length_;
        const T value = arguments.input<T>(1)[i];
        const T* place = right_ ? std::upper_bound(row, row + length_, value, before<T>)
                                : std::lower_bound(row, row + length_, value, before<T>);
        arguments.output<std::int64_t>()[i] = place - row;
      }
    });
    return {};
  }

 private:
  std::int64_t count_, length_ = 0, per_row_ = 1;
  bool right_;
};

template <class Make>
std::unique_ptr<Kernel> for_type(DType dtype, std::string& reason, const Make& make) {
  return visit_dtype(dtype, [&](auto zero) -> std::unique_ptr<Kernel> {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, BFloat16>) {
      reason = "bf16 is compared as f32";
      return nullptr;
    } else {
      return make(zero);
    }
  });
}

std::unique_ptr<Kernel> make_sort(const Request& request, std::string& reason) {
  return for_type(request.inputs[0].dtype, reason, [&](auto zero) -> std::unique_ptr<Kernel> {
    return std::make_unique<SortKernel<decltype(zero)>>(request.inputs[0].shape, request.op.as<Sort>()->descending);
  });
}

std::unique_ptr<Kernel> make_search(const Request& request, std::string& reason) {
  return for_type(request.inputs[0].dtype, reason, [&](auto zero) -> std::unique_ptr<Kernel> {
    return std::make_unique<SearchKernel<decltype(zero)>>(request.inputs[0].shape, request.inputs[1].shape,
                                                          request.op.as<SearchSorted>()->right);
  });
}

}  // namespace

std::vector<Implementation> sort_kernels() {
  return {{"sort", "reference", make_sort}, {"searchsorted", "reference", make_search}};
}

}  // namespace gradus::kernel
