// Random graphs of all types, of odd sizes and with strided views, over numbers for which f32 arithmetic is exact (multiples of a
// quarter, infinities, NaN): plans give the numbers of the reference, and the bits of plans without passes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/engine/eval.h"
#include "gradus/engine/interpret.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/graph/graph.h"
#include "gradus/graph/node.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

constexpr const char* passes[] = {"simplify", "fuse", "repeat", "reductions", "schedule", "in_place", "donate"};
constexpr std::int64_t most_elements = 6000;

class OddGraph {
 public:
  explicit OddGraph(std::uint64_t seed) : key_{seed} {
    for (std::int64_t i = 0, n = 2 + pick(4); i < n; ++i) values_.push_back(make_leaf(make_shape(), make_type()));
    leaves = values_;
    for (std::int64_t i = 0, n = 3 + pick(35); i < n; ++i) {
      const Tensor made = next();
      if (made.numel() <= 4 * most_elements) values_.push_back(made);
    }
  }
  /// The last value, and a few that the user holds.
  Tensors roots() {
    Tensors chosen{values_.back()};
    for (std::int64_t i = 0, n = pick(4); i < n; ++i) chosen.push_back(any());
    return chosen;
  }
  void forget() { values_.clear(); }

  Tensors leaves;

 private:
  std::int64_t pick(std::int64_t n) {
    return static_cast<std::int64_t>(philox(key_, counter_++)[0] % static_cast<std::uint64_t>(n));
  }
  /// Often one of the last, so that operations follow each other.
  Tensor any() {
    const auto count = static_cast<std::int64_t>(values_.size());
    return values_[static_cast<std::size_t>(pick(2) == 0 ? pick(count)
                                                         : count - 1 - pick(std::min<std::int64_t>(count, 3)))];
  }
  int axis_of(const Tensor& x) { return static_cast<int>(pick(x.rank())); }

  DType make_type() {
    constexpr DType types[] = {DType::f64, DType::bf16, DType::i32, DType::i64, DType::u8, DType::boolean};
    const std::int64_t i = pick(14);
    return i < 6 ? types[i] : DType::f32;
  }
  /// Around the widths of vectors and tiles; now and then nothing.
  std::int64_t make_size() {
    constexpr std::int64_t sizes[] = {1,  1,  2,  2,  3,  3,  4,  5,   7,   8,   9,   15, 16,
                                      17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 257};
    return pick(100) == 0 ? 0 : sizes[pick(std::size(sizes))];
  }
  Shape make_shape() {
    while (true) {
      Shape shape;
      for (std::int64_t rank = pick(5); rank > 0; --rank) shape.push_back(make_size());
      if (shape.numel() <= most_elements) return shape;
    }
  }
  Tensor make_leaf(const Shape& shape, DType type) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float special[] = {-0.f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN()};
    const bool odd = pick(3) == 0;
    std::vector<float> numbers(static_cast<std::size_t>(shape.numel()));
    for (float& x : numbers) x = odd && pick(12) == 0 ? special[pick(4)] : static_cast<float>(pick(33) - 16) / 4;
    const Tensor x = cast(leaf<float>(shape, std::span<const float>(numbers)), type);
    eval(x);
    return x;
  }
  /// Small enough for exact sums and products.
  static Tensor tame(const Tensor& x) {
    return is_floating(x.dtype()) ? clamp(round(x * 4) * 0.25f, -4, 4) : remainder(cast(x, DType::i64), 5);
  }

  Tensor next() {
    const Tensor x = any();
    switch (pick(10)) {
      case 0:
      case 1: return unary(x);
      case 2:
      case 3:
      case 4: return binary(x);
      case 5:
      case 6: return view(x);
      case 7: return folded(x);
      case 8: return moved(x);
      default: break;
    }
    if (!is_floating(x.dtype()) || x.rank() < 2) return view(x);
    const Tensor t = tame(x);
    return pick(2) == 0 ? matmul(t, transpose(t, -1, -2)) : matmul(transpose(t, -1, -2), t);
  }

  /// bool takes no part in arithmetic.
  static Tensor number(const Tensor& x) { return x.dtype() == DType::boolean ? cast(x, DType::u8) : x; }

  Tensor unary(const Tensor& given) {
    const Tensor x = number(given);
    switch (pick(12)) {
      case 0: return -x;
      case 1: return abs(x);
      case 2: return square(tame(x));
      case 3: return sign(x);
      case 4: return relu(x);
      case 5: return floor(x);
      case 6: return trunc(x);
      case 7: return round(x);
      case 8: return isnan(x);
      case 9: return clamp(x, -1.5, 2.25);
      default: return cast(x, make_type());
    }
  }

  Tensor binary(const Tensor& x) {
    Tensor y = x;
    Shape common;
    for (int i = 0; i < 5; ++i) {
      const Tensor other = any();
      if (broadcast_shapes(x.shape(), other.shape(), common) && common.numel() <= most_elements) y = other;
    }
    switch (pick(12)) {
      case 0: return tame(x) + tame(y);
      case 1: return tame(x) - tame(y);
      case 2: return tame(x) * tame(y);
      case 3: return maximum(number(x), y);
      case 4: return minimum(number(x), y);
      case 5: return less(x, y);
      case 6: return greater_equal(x, y);
      case 7: return equal(x, y);
      case 8: return where(greater(x, 0.25), x, y);
      case 9: return where(y, x, number(x) * 2);
      case 10: return logical_and(x, y);
      default: return is_floating(x.dtype()) ? not_equal(x, y) : floor_divide(number(x), y);
    }
  }

  Tensor view(const Tensor& x) {
    if (x.rank() == 0) return unsqueeze(x, 0);
    const int axis = axis_of(x);
    const std::int64_t size = x.shape()[axis], begin = pick(size + 1);
    switch (pick(7)) {
      case 0: {
        std::vector<int> order(static_cast<std::size_t>(x.rank()));
        std::iota(order.begin(), order.end(), 0);
        for (std::size_t i = order.size(); i-- > 1;)
          std::swap(order[i], order[static_cast<std::size_t>(pick(static_cast<std::int64_t>(i) + 1))]);
        return permute(x, std::span<const int>(order));
      }
      case 1:
      case 2: return slice(x, axis, begin, begin + pick(size - begin + 1), 1 + pick(4));
      case 3: {
        Shape shape = x.shape();
        if (shape.rank() < 5) shape.insert(0, 1 + pick(4));
        for (int i = 0; i < shape.rank(); ++i)
          if (shape[i] == 1 && pick(2) == 0) shape.set(i, make_size());
        return shape.numel() <= most_elements ? broadcast_to(x, shape) : x;
      }
      case 4: return reshape(x, Shape{x.numel()});
      case 5: return squeeze(x);
      default: return x.rank() < 5 ? unsqueeze(x, axis) : x;
    }
  }

  Tensor folded(const Tensor& x) {
    std::vector<int> axes;
    for (int i = 0; i < x.rank(); ++i)
      if (pick(2) == 0) axes.push_back(i);
    const ReduceOptions options{.keepdim = pick(2) == 0};
    const Axes some(axes);
    if (x.numel() == 0) return sum(tame(x), some, options);
    switch (pick(6)) {
      case 0: return max(number(x), some, options);
      case 1: return min(number(x), some, options);
      case 2: return any_or_all(x, some, options);
      case 3: return x.rank() > 0 ? argmax(number(x), axis_of(x), options) : x;
      default: return sum(tame(x), some, options);
    }
  }
  Tensor any_or_all(const Tensor& x, const Axes& axes, const ReduceOptions& options) {
    return pick(2) == 0 ? gradus::any(x, axes, options) : all(x, axes, options);
  }

  Tensor moved(const Tensor& given) {
    const Tensor x = number(given);
    if (x.rank() == 0 || x.numel() == 0) return -x;
    const int axis = axis_of(x);
    switch (pick(6)) {
      case 0: {
        std::vector<Padding> padding;
        for (int i = 0; i < x.rank(); ++i) padding.push_back({pick(3), pick(3)});
        return pad(x, std::span<const Padding>(padding), static_cast<double>(pick(2)));
      }
      case 1: return concat({x, -x, x}, axis);
      case 2: return flip(x, axis);
      case 3: return roll(x, pick(9) - 4, axis);
      case 4: return take(x, tensor({pick(x.shape()[axis]), pick(x.shape()[axis])}), axis);
      default: return x.rank() > 1 ? tril(x, pick(5) - 2) : x;
    }
  }

  Key key_;
  std::uint64_t counter_ = 0;
  Tensors values_;
};

/// The values of graph number `seed`, and of some their gradients.
Tensors build(std::uint64_t seed, bool gradients, Tensors* held = nullptr) {
  OddGraph graph(seed);
  Tensors roots = graph.roots(), floating;
  graph.forget();
  for (std::size_t i = 0; i < graph.leaves.size(); ++i) {
    if (is_floating(graph.leaves[i].dtype())) floating.push_back(graph.leaves[i]);
    if (held && i % 2 == 0) held->push_back(graph.leaves[i]);
  }
  if (!gradients || floating.empty() || !is_floating(roots[0].dtype())) return roots;
  for (const Tensor& g : grad(sum(cast(roots[0], DType::f32)), floating))
    if (g.defined()) roots.push_back(g);
  return roots;
}

/// Equal numbers with equal signs; NaN is NaN.
bool same(const Tensor& a, const Tensor& b, bool zeros_have_signs) {
  const std::vector<double> x = a.to_vector<double>(), y = b.to_vector<double>();
  return a.spec() == b.spec() && std::equal(x.begin(), x.end(), y.begin(), [&](double u, double v) {
           if (std::isnan(u) || std::isnan(v)) return std::isnan(u) && std::isnan(v);
           return u == v && (!zeros_have_signs || std::signbit(u) == std::signbit(v));
         });
}

TEST(OddGraphs, PassesChangeNoBit) {
  for (std::uint64_t seed = 0; seed < 1200; ++seed) {
    Tensors held;
    const Tensors some = build(seed, true, &held), none = build(seed, true);
    std::vector<std::vector<double>> before;
    for (const Tensor& leaf : held) before.push_back(leaf.to_vector<double>());
    // A half of the graphs gets all passes, the others some.
    for (std::size_t i = 0; i < std::size(passes); ++i)
      engine::set_pass_enabled(passes[i], seed % 2 == 0 || (philox(Key{seed}, 0)[0] >> i & 1) != 0);
    eval(std::span<const Tensor>(some));
    for (const char* pass : passes) engine::set_pass_enabled(pass, false);
    eval(std::span<const Tensor>(none));
    for (const char* pass : passes) engine::set_pass_enabled(pass, true);
    for (std::size_t i = 0; i < some.size(); ++i)
      ASSERT_TRUE(same(some[i], none[i], true)) << "graph " << seed << ", root " << i << ' ' << some[i].spec().str();
    for (std::size_t i = 0; i < held.size(); ++i) {
      const std::vector<double> after = held[i].to_vector<double>();
      if (after.empty()) continue;
      ASSERT_EQ(std::memcmp(after.data(), before[i].data(), 8 * after.size()), 0) << "graph " << seed << ", leaf " << i;
    }
    engine::clear_plan_cache();
  }
}

TEST(OddGraphs, PlansGiveTheNumbersOfTheReference) {
  for (std::uint64_t seed = 10'000; seed < 11'200; ++seed) {
    const Tensors roots = build(seed, false);
    const Capture captured = capture(roots);
    const Tensors expected = engine::interpret(captured, true);
    eval(std::span<const Tensor>(roots));
    std::size_t next = 0;
    for (Node* node : captured.results) {
      for (int output = 0; output < static_cast<int>(node->specs.size()); ++output, ++next) {
        ASSERT_TRUE(same(Tensor(Ref<Node>(node), output), expected[next], false))
            << "graph " << seed << ", " << node->op.str();
      }
    }
    engine::clear_plan_cache();
  }
}

}  // namespace
}  // namespace gradus
