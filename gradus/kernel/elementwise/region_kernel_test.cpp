// Random regions: tiles against the plain interpreter, bit for bit; any number of threads; in place.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "gradus/base/buffer.h"
#include "gradus/base/parallel.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/elementwise/program.h"
#include "gradus/kernel/registry.h"

namespace gradus::kernel {
namespace {

using Code = ElementwiseCode;

/// A region with the memory that it reads.
struct Case {
  Region region;
  std::vector<TensorSpec> inputs;
  std::vector<Ref<Buffer>> memory;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Case make(std::int64_t largest_axis) {
    Case c;
    const int rank = pick(0, 4);
    for (int axis = 0; axis < rank; ++axis) c.region.space.push_back(pick(0, 9) == 0 ? 1 : pick(2, largest_axis));
    const int inputs = pick(1, 5);
    for (int i = 0; i < inputs; ++i) add_input(c);
    for (const RegionInput& input : c.region.inputs) types_.push_back(input.dtype);
    const int instructions = pick(0, 14);
    for (int i = 0; i < instructions; ++i) add_instruction(c.region);
    const int outputs = pick(1, 3);
    for (int i = 0; i < outputs; ++i) {
      // Mostly what was computed last; sometimes an input, a constant, or the same value twice.
      const auto last = static_cast<int>(types_.size()) - 1;
      const int value = pick(0, 3) == 0 ? pick(0, last) : std::max(0, last - pick(0, 2));
      c.region.outputs.push_back(value);
      c.region.specs.push_back({types_[static_cast<std::size_t>(value)], c.region.space});
    }
    return c;
  }

 private:
  int pick(std::int64_t low, std::int64_t high) {
    return static_cast<int>(std::uniform_int_distribution<std::int64_t>(low, high)(random_));
  }

  /// Dense, broadcast, permuted, strided, or shifted.
  void add_input(Case& c) {
    constexpr DType types[] = {DType::f32, DType::f32, DType::f64, DType::i32, DType::boolean, DType::u8, DType::i64};
    RegionInput input;
    input.dtype = types[pick(0, 6)];
    const int rank = c.region.space.rank();
    std::vector<int> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    if (pick(0, 2) == 0) std::shuffle(order.begin(), order.end(), random_);
    const bool broadcasts = pick(0, 2) == 0;
    std::int64_t stride = pick(0, 4) == 0 ? 2 : 1;
    for (std::size_t i = order.size(); i-- > 0;) {
      if (broadcasts && pick(0, 1) == 0) continue;
      input.strides[static_cast<std::size_t>(order[i])] = stride;
      stride *= c.region.space[order[i]];
    }
    input.offset = pick(0, 3) == 0 ? pick(1, 7) : 0;
    const std::int64_t numel = stride + input.offset;
    c.inputs.push_back({input.dtype, Shape{numel}});
    c.memory.push_back(Buffer::allocate(c.inputs.back().bytes()));
    visit_dtype(input.dtype, [&](auto zero) {
      using T = decltype(zero);
      auto* to = reinterpret_cast<T*>(c.memory.back()->data());
      for (std::int64_t i = 0; i < numel; ++i) {
        if constexpr (std::is_same_v<T, BFloat16>) {
          to[i] = T(1.f);
        } else if constexpr (std::is_same_v<T, bool>) {
          to[i] = pick(0, 1) != 0;
        } else if constexpr (std::is_integral_v<T>) {
          to[i] = static_cast<T>(pick(0, 100));
        } else {
          to[i] = static_cast<T>(pick(1, 4000)) / static_cast<T>(64) - static_cast<T>(30.5);
        }
      }
    });
    c.region.inputs.push_back(input);
  }

  int value_of(DType dtype) {
    std::vector<int> fitting;
    for (std::size_t i = 0; i < types_.size(); ++i) {
      if (types_[i] == dtype) fitting.push_back(static_cast<int>(i));
    }
    return fitting.empty() ? -1
                           : fitting[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(fitting.size()) - 1))];
  }

  void add(Region& region, const RegionInstruction& instruction) {
    region.instructions.push_back(instruction);
    types_.push_back(instruction.out);
  }

  /// Only rows whose results are exact, so that double and float arithmetic round to the same bits.
  void add_instruction(Region& region) {
    constexpr Code numeric[] = {Code::add, Code::sub,  Code::mul,    Code::neg,
                                Code::abs, Code::sign, Code::square, Code::relu};
    constexpr Code comparison[] = {Code::equal,      Code::not_equal, Code::less,
                                   Code::less_equal, Code::greater,   Code::greater_equal};
    const DType in = types_[static_cast<std::size_t>(pick(0, static_cast<std::int64_t>(types_.size()) - 1))];
    RegionInstruction i{.code = Code::cast, .in = in, .out = in, .args = {value_of(in), -1, -1}};
    const int kind = pick(0, 9);
    const int condition = value_of(DType::boolean);
    if (kind == 0) {
      i = {.code = Code::constant, .in = in, .out = in, .immediate = in == DType::boolean ? 1.0 : 3.0};
    } else if (kind == 1) {
      constexpr DType types[] = {DType::f32, DType::f64,     DType::i32, DType::i64,
                                 DType::u8,  DType::boolean, DType::bf16};
      i.out = types[pick(0, in == DType::f32 ? 6 : 5)];
    } else if (in == DType::bf16) {
      i.out = DType::f32;
    } else if (kind == 2 && condition >= 0) {
      i.code = Code::where;
      i.args = {condition, value_of(in), value_of(in)};
    } else if (kind <= 4) {
      i.code = comparison[pick(0, 5)];
      i.out = DType::boolean;
      i.args[1] = value_of(in);
    } else if (in == DType::boolean) {
      i.code = pick(0, 1) ? Code::logical_and : Code::logical_or;
      i.args[1] = value_of(in);
    } else if (kind == 5 && (in == DType::f32 || in == DType::f64)) {
      i.code = pick(0, 1) ? Code::floor : Code::sqrt;
    } else {
      i.code = numeric[pick(0, 7)];
      if (info(i.code).arity == 2) i.args[1] = value_of(in);
    }
    add(region, i);
  }

  std::mt19937 random_;
  std::vector<DType> types_;
};

struct Ran {
  std::vector<std::vector<std::byte>> outputs;
  std::unique_ptr<Kernel> kernel;
};

/// Runs a case; `overwrites[o]` is the input whose memory output o takes, or -1.
Ran run(const Case& c, Maker make, std::vector<int> overwrites = {}) {
  const Op op = c.region;
  std::string reason;
  Ran ran{{}, make({op, c.inputs, c.region.specs}, reason)};
  EXPECT_TRUE(ran.kernel) << reason;
  std::vector<Ref<Buffer>> inputs, outputs;
  std::vector<const std::byte*> from;
  std::vector<std::byte*> to;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    inputs.push_back(Buffer::allocate(c.inputs[i].bytes()));
    std::memcpy(inputs[i]->data(), c.memory[i]->data(), c.inputs[i].bytes());
    from.push_back(inputs[i]->data());
  }
  overwrites.resize(c.region.specs.size(), -1);
  for (std::size_t o = 0; o < c.region.specs.size(); ++o) {
    const int input = overwrites[o];
    outputs.push_back(input >= 0 ? inputs[static_cast<std::size_t>(input)]
                                 : Buffer::allocate(c.region.specs[o].bytes()));
    to.push_back(outputs.back()->data());
  }
  // Exactly the scratch that was asked for, so that a sanitizer sees a step too far.
  const Ref<Buffer> scratch = Buffer::allocate(ran.kernel->scratch_bytes());
  EXPECT_TRUE(ran.kernel->run({from, to, scratch->data()}).ok);
  for (std::size_t o = 0; o < to.size(); ++o) ran.outputs.emplace_back(to[o], to[o] + c.region.specs[o].bytes());
  return ran;
}

template <class T>
bool same_number(T a, T b) {
  return a == b || (a != a && b != b);
}

void expect_same(const Case& c, const Ran& a, const Ran& b) {
  for (std::size_t o = 0; o < a.outputs.size(); ++o) {
    visit_dtype(c.region.specs[o].dtype, [&](auto zero) {
      using T = decltype(zero);
      const auto* x = reinterpret_cast<const T*>(a.outputs[o].data());
      const auto* y = reinterpret_cast<const T*>(b.outputs[o].data());
      for (std::int64_t i = 0; i < c.region.space.numel(); ++i) {
        bool same = false;
        if constexpr (std::is_same_v<T, BFloat16>) {
          same = same_number(static_cast<float>(x[i]), static_cast<float>(y[i]));
        } else {
          same = same_number(x[i], y[i]);
        }
        if (!same) {
          ADD_FAILURE() << "output " << o << " element " << i << " of " << Op(c.region).str();
          return;
        }
      }
    });
  }
}

TEST(RegionKernels, TilesMatchTheReference) {
  for (unsigned seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    const Case c = Generator(seed).make(seed % 3 == 0 ? 24 : 7);
    expect_same(c, run(c, &make_tiles), run(c, &make_elementwise_reference));
    if (HasFailure()) return;
  }
}

TEST(RegionKernels, AnyNumberOfThreadsGivesTheSameBits) {
  const int before = num_threads();
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const Case c = Generator(seed).make(40);
    set_num_threads(1);
    const Ran one = run(c, &make_tiles);
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      EXPECT_EQ(run(c, &make_tiles).outputs, one.outputs);
    }
  }
  set_num_threads(before);
}

TEST(RegionKernels, RunsInPlaceWhereItSaysSo) {
  int tried = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    const Case c = Generator(seed).make(12);
    const Ran apart = run(c, &make_tiles);
    std::vector<int> overwrites(c.region.specs.size(), -1);
    for (std::size_t o = 0; o < overwrites.size(); ++o) {
      for (int i = 0; i < static_cast<int>(c.inputs.size()); ++i) {
        const bool free = std::find(overwrites.begin(), overwrites.end(), i) == overwrites.end();
        const bool fits = c.inputs[static_cast<std::size_t>(i)].bytes() >= c.region.specs[o].bytes();
        if (free && fits && apart.kernel->can_overwrite(i, static_cast<int>(o))) overwrites[o] = i;
      }
      tried += overwrites[o] >= 0;
    }
    EXPECT_EQ(run(c, &make_tiles, overwrites).outputs, apart.outputs);
  }
  EXPECT_GT(tried, 100);
}

/// p - lr * (g + wd * p), the shape of an optimizer's update; lr is a scalar that is broadcast.
Case update(std::int64_t count) {
  Case c;
  c.region.space = Shape{count};
  c.region.inputs = {{DType::f32, {1}, 0}, {DType::f32, {1}, 0}, {DType::f32, {0}, 0}};
  const auto f32 = DType::f32;
  c.region.instructions = {{Code::constant, f32, f32, {-1, -1, -1}, 0.01},
                           {Code::mul, f32, f32, {0, 3, -1}, 0},
                           {Code::add, f32, f32, {1, 4, -1}, 0},
                           {Code::mul, f32, f32, {2, 5, -1}, 0},
                           {Code::sub, f32, f32, {0, 6, -1}, 0}};
  c.region.outputs = {7};
  c.region.specs = {{f32, Shape{count}}};
  for (const std::int64_t numel : {count, count, std::int64_t{1}}) {
    c.inputs.push_back({f32, Shape{numel}});
    c.memory.push_back(Buffer::allocate(c.inputs.back().bytes()));
    auto* to = reinterpret_cast<float*>(c.memory.back()->data());
    for (std::int64_t i = 0; i < numel; ++i) to[i] = static_cast<float>(i % 17) - 8;
  }
  return c;
}

TEST(RegionKernels, AnUpdateTakesTheParametersMemory) {
  const Case c = update(5000);
  const Ran ran = run(c, &make_tiles);
  EXPECT_TRUE(ran.kernel->can_overwrite(0, 0));
  EXPECT_TRUE(ran.kernel->can_overwrite(1, 0));
  EXPECT_FALSE(ran.kernel->can_overwrite(2, 0));
  EXPECT_EQ(ran.kernel->flops(), 5000 * 4);
  EXPECT_EQ(run(c, &make_tiles, {0}).outputs, ran.outputs);
  expect_same(c, ran, run(c, &make_elementwise_reference));
}

TEST(RegionKernels, TilesAreFewAndSmall) {
  std::string reason;
  const Case c = update(1 << 20);
  const auto program = compile(c.region, reason);
  ASSERT_TRUE(program);
  const auto tiles = std::count_if(program->places.begin(), program->places.end(),
                                   [](const Place& p) { return p.kind == Place::Kind::tile; });
  EXPECT_EQ(tiles,
            3);  // the constant, the learning rate, and one register that every intermediate result takes in turn
  EXPECT_EQ(program->prologue.size(), 2u);
  EXPECT_EQ(program->steps.size(), 4u);
  EXPECT_LE(program->tile_bytes, 24u * 1024);
  EXPECT_EQ(program->tile % 64, 0);
}

TEST(RegionKernels, MergesAxesThatAreReadAsOne) {
  const Shape space{2, 3, 4};
  EXPECT_EQ(merged_axes(space, {DType::f32, {12, 4, 1}, 0}).size(), 1u);
  EXPECT_EQ(merged_axes(space, {DType::f32, {0, 0, 0}, 0}).size(), 1u);
  EXPECT_EQ(merged_axes(space, {DType::f32, {0, 4, 1}, 0}).size(), 2u);
  EXPECT_EQ(merged_axes(space, {DType::f32, {1, 2, 6}, 0}).size(), 3u);
  EXPECT_TRUE(merged_axes(Shape{1, 1}, {DType::f32, {5, 7}, 0}).empty());
}

}  // namespace
}  // namespace gradus::kernel
