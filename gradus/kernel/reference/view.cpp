// Views that have to be copied: those that fusion and aliasing left over.
#include <algorithm>
#include <cstring>
#include <vector>

#include "gradus/base/parallel.h"
#include "gradus/kernel/reference/support.h"
#include "gradus/kernel/registry.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/rearrange.h"
#include "gradus/ops/views/update_slice.h"

namespace gradus::kernel {
namespace {

constexpr std::int64_t grain = 1 << 15;  // elements worth a thread

class CopyAll final : public Kernel {
 public:
  explicit CopyAll(std::size_t bytes) : bytes_(bytes) {}
  Status run(const Arguments& arguments) const noexcept override {
    if (bytes_ > 0 && arguments.outputs[0] != arguments.inputs[0]) {
      std::memcpy(arguments.outputs[0], arguments.inputs[0], bytes_);
    }
    return {};
  }
  bool can_overwrite(int, int) const override { return true; }

 private:
  std::size_t bytes_;
};

/// output[i0, i1, ..] = input[offset + i0 * stride0 + i1 * stride1 + ..]
template <class T>
class StridedCopy final : public Kernel {
 public:
  StridedCopy(const Shape& box, const Strides& strides, std::int64_t offset)
      : box_(box), strides_(strides), offset_(offset) {}

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0) + offset_;
    T* output = arguments.output<T>();
    const std::int64_t row = box_[box_.rank() - 1];
    const std::int64_t stride = strides_[static_cast<std::size_t>(box_.rank() - 1)];
    parallel_for(box_.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
      BoxWalk walk(box_, strides_, begin);
      for (std::int64_t i = begin; i < end;) {
        const std::int64_t count = std::min(end - i, row - walk.index(box_.rank() - 1));
        copy_row(output + i, input + walk.offset(), count, stride);
        walk.advance(count);
        i += count;
      }
    });
    return {};
  }

 private:
  static void copy_row(T* to, const T* from, std::int64_t count, std::int64_t stride) {
    if (stride == 1) {
      std::copy_n(from, count, to);
    } else if (stride == 0) {
      std::fill_n(to, count, *from);
    } else {
      for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
    }
  }

  Shape box_;
  Strides strides_;
  std::int64_t offset_;
};

/// A copy between a box whose axis `row_axis` is dense in the input and whose last axis is dense in the output, in
/// blocks, so that every cache line that is touched is used whole.
template <class T>
class TransposingCopy final : public Kernel {
 public:
  TransposingCopy(const Shape& box, const Strides& strides, std::int64_t offset, int row_axis)
      : outer_(box), from_(strides), to_(row_major_strides(box)), offset_(offset) {
    const int last = box.rank() - 1;
    rows_ = box[row_axis];
    columns_ = box[last];
    row_to_ = to_[static_cast<std::size_t>(row_axis)];
    column_from_ = from_[static_cast<std::size_t>(last)];
    outer_.erase(last);
    outer_.erase(row_axis);
    for (Strides* each : {&from_, &to_}) std::copy(each->begin() + row_axis + 1, each->end(), each->begin() + row_axis);
  }

  Status run(const Arguments& arguments) const noexcept override {
    const T* input = arguments.input<T>(0) + offset_;
    T* output = arguments.output<T>();
    const std::int64_t blocks = (rows_ + block - 1) / block;
    parallel_for(outer_.numel() * blocks, 1 + grain / (1 + block * columns_),
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t task = begin; task < end; ++task) {
                     const std::int64_t point = task / blocks, row = task % blocks * block;
                     const T* from = input + BoxWalk(outer_, from_, point).offset() + row;
                     T* to = output + BoxWalk(outer_, to_, point).offset() + row * row_to_;
                     for (std::int64_t column = 0; column < columns_; column += block) {
                       copy_block(to + column, from + column * column_from_, std::min(block, rows_ - row),
                                  std::min(block, columns_ - column));
                     }
                   }
                 });
    return {};
  }

 private:
  static constexpr std::int64_t block = 16;

  void copy_block(T* to, const T* from, std::int64_t rows, std::int64_t columns) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column)
        to[row * row_to_ + column] = from[row + column * column_from_];
    }
  }

  Shape outer_;        // the axes that are neither rows nor columns
  Strides from_, to_;  // over the outer axes
  std::int64_t offset_, rows_, columns_, row_to_, column_from_;
};

template <class T>
std::unique_ptr<Kernel> make_copy(const Shape& shape, Strides strides, std::int64_t offset) {
  Strides dense = row_major_strides(shape);
  Strides* operands[] = {&strides, &dense};
  const Shape box = collapse(shape, operands);
  const int last = box.rank() - 1;
  if (strides[static_cast<std::size_t>(last)] > 1) {
    for (int axis = 0; axis < last; ++axis) {
      if (strides[static_cast<std::size_t>(axis)] == 1) {
        return std::make_unique<TransposingCopy<T>>(box, strides, offset, axis);
      }
    }
  }
  return std::make_unique<StridedCopy<T>>(box, strides, offset);
}

std::unique_ptr<Kernel> strided_copy(const Request& request, const Strides& strides, std::int64_t offset) {
  return visit_size(request.outputs[0].dtype,
                    [&](auto zero) { return make_copy<decltype(zero)>(request.outputs[0].shape, strides, offset); });
}

std::unique_ptr<Kernel> make_reshape(const Request& request, std::string&) {
  return std::make_unique<CopyAll>(request.outputs[0].bytes());
}

/// The first inputs as outputs, one for one.
class CopyEach final : public Kernel {
 public:
  explicit CopyEach(std::span<const TensorSpec> outputs) {
    for (const TensorSpec& output : outputs) bytes_.push_back(output.bytes());
  }
  Status run(const Arguments& arguments) const noexcept override {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if (bytes_[i] > 0) std::memcpy(arguments.outputs[i], arguments.inputs[i], bytes_[i]);
    }
    return {};
  }

 private:
  std::vector<std::size_t> bytes_;
};

std::unique_ptr<Kernel> make_copies(const Request& request, std::string&) {
  return std::make_unique<CopyEach>(request.outputs);
}

std::unique_ptr<Kernel> make_permute(const Request& request, std::string&) {
  const Permute& op = *request.op.as<Permute>();
  const Strides from = row_major_strides(request.inputs[0].shape);
  Strides strides{};
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(op.rank); ++axis) {
    strides[axis] = from[static_cast<std::size_t>(op.order[axis])];
  }
  return strided_copy(request, strides, 0);
}

std::unique_ptr<Kernel> make_slice(const Request& request, std::string&) {
  const Slice& op = *request.op.as<Slice>();
  Strides strides = row_major_strides(request.inputs[0].shape);
  const std::int64_t offset = op.start * strides[static_cast<std::size_t>(op.axis)];
  strides[static_cast<std::size_t>(op.axis)] *= op.step;
  return strided_copy(request, strides, offset);
}

std::unique_ptr<Kernel> make_flip(const Request& request, std::string&) {
  const Shape& shape = request.inputs[0].shape;
  Strides strides = row_major_strides(shape);
  std::int64_t offset = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if ((request.op.as<Flip>()->axes >> axis & 1) == 0 || shape[axis] == 0) continue;
    std::int64_t& stride = strides[static_cast<std::size_t>(axis)];
    offset += (shape[axis] - 1) * stride;
    stride = -stride;
  }
  return strided_copy(request, strides, offset);
}

/// Along one axis: `outer` times `size` rows of `row` bytes, of which `length` are replaced from the start on.
class UpdateSlice final : public Kernel {
 public:
  UpdateSlice(const TensorSpec& x, const TensorSpec& update, int axis)
      : outer_(static_cast<std::size_t>(x.shape.numel(0, axis))),
        size_(static_cast<std::size_t>(x.shape[axis])),
        length_(static_cast<std::size_t>(update.shape[axis])),
        row_(static_cast<std::size_t>(x.shape.numel(axis + 1, x.shape.rank())) * size_of(x.dtype)) {}

  Status run(const Arguments& arguments) const noexcept override {
    const std::byte *x = arguments.inputs[0], *update = arguments.inputs[1];
    std::byte* y = arguments.outputs[0];
    const auto last = static_cast<std::int64_t>(size_ - length_);
    const auto start = static_cast<std::size_t>(std::clamp<std::int64_t>(*arguments.input<std::int64_t>(2), 0, last));
    const std::size_t whole = size_ * row_, part = length_ * row_;
    if (outer_ * whole == 0) return {};
    if (x != y) std::memcpy(y, x, outer_ * whole);
    if (part == 0) return {};
    for (std::size_t i = 0; i < outer_; ++i) std::memcpy(y + i * whole + start * row_, update + i * part, part);
    return {};
  }
  bool can_overwrite(int input, int) const override { return input == 0; }

 private:
  std::size_t outer_, size_, length_, row_;
};

std::unique_ptr<Kernel> make_update_slice(const Request& request, std::string&) {
  return std::make_unique<UpdateSlice>(request.inputs[0], request.inputs[1], request.op.as<DynamicUpdateSlice>()->axis);
}

std::unique_ptr<Kernel> make_broadcast(const Request& request, std::string&) {
  const Shape &from = request.inputs[0].shape, &to = request.outputs[0].shape;
  const Strides dense = row_major_strides(from);
  const int extra = to.rank() - from.rank();
  Strides strides{};
  for (int axis = 0; axis < from.rank(); ++axis) {
    const bool repeats = from[axis] == 1 && to[axis + extra] != 1;
    strides[static_cast<std::size_t>(axis + extra)] = repeats ? 0 : dense[static_cast<std::size_t>(axis)];
  }
  return strided_copy(request, strides, 0);
}

}  // namespace

std::vector<Implementation> view_kernels() {
  return {{"reshape", "reference", make_reshape},
          {"redirect", "reference", make_copies},
          {"barrier", "reference", make_copies},
          {"permute", "reference", make_permute},
          {"slice", "reference", make_slice},
          {"flip", "reference", make_flip},
          {"broadcast_to", "reference", make_broadcast},
          {"dynamic_update_slice", "reference", make_update_slice}};
}

}  // namespace gradus::kernel
