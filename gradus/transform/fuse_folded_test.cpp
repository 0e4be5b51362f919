#include "gradus/transform/fuse_folded.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gradus/engine/eval.h"
#include "gradus/engine/plan.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/region.h"
#include "gradus/transform/fuse.h"
#include "gradus/transform/simplify.h"

namespace gradus {
namespace {

Tensor filled(const Shape& shape, double salt) {
  const Tensor x = reshape(cast(sin(arange(static_cast<double>(shape.numel())) * salt), DType::f32), shape);
  eval(x);
  return x;
}

const Tensor& rows() {
  static const Tensor x = filled({40, 256}, 1.3);
  return x;
}
const Tensor& others() {
  static const Tensor y = filled({40, 256}, 0.7);
  return y;
}

/// exp(x), which is stored, and sums of it and of its product with what is read from elsewhere.
Tensors sums(const Axes& first, const Axes& second, const Tensor& elsewhere) {
  const Tensor g = exp(rows());
  return {sum(g, first), sum(g * elsewhere, second), tanh(g)};
}

std::ptrdiff_t regions(const Tensors& roots) {
  const Graph g = transform::fuse_folded(transform::fuse(transform::simplify(capture(roots).graph)));
  EXPECT_EQ(verify(g), "");
  return std::count_if(g.vertices.begin(), g.vertices.end(), [](const Vertex& v) { return v.op.as<Region>(); });
}

TEST(FuseFolded, JoinsWhatIsFoldedAlike) {
  const std::ptrdiff_t joined = regions(sums(Axes{0}, Axes{0}, others()));
  EXPECT_EQ(regions(sums(Axes{0}, Axes{1}, others())), joined + 1);  // other axes
  const Tensor late = matmul(others(), filled({256, 256}, 0.3));
  EXPECT_EQ(regions(sums(Axes{0}, Axes{0}, late)), joined + 1);  // not there in time
}

TEST(FuseFolded, ChangesNoBit) {
  for (const int axis : {0, 1}) {
    const Tensors on = sums(Axes{axis}, Axes{axis}, others()), off = sums(Axes{axis}, Axes{axis}, others());
    eval(std::span<const Tensor>(on));
    engine::set_pass_enabled("reductions", false);
    engine::clear_plan_cache();
    eval(std::span<const Tensor>(off));
    engine::set_pass_enabled("reductions", true);
    engine::clear_plan_cache();
    for (std::size_t i = 0; i < on.size(); ++i) {
      EXPECT_EQ(std::memcmp(on[i].buffer()->data(), off[i].buffer()->data(), on[i].spec().bytes()), 0) << i;
    }
  }
}

TEST(FuseFolded, OneTensorInTwoOrdersIsReadTwice) {
  const Tensor x = filled({160, 160}, 0.9);
  const auto sums = [&] {
    const Tensor g = exp(x);
    return Tensors{sum(g, 0), sum(g * transpose(x, 0, 1), 0), tanh(g)};
  };
  const Tensors on = sums(), off = sums();
  eval(std::span<const Tensor>(on));
  engine::set_pass_enabled("reductions", false);
  eval(std::span<const Tensor>(off));
  engine::set_pass_enabled("reductions", true);
  for (std::size_t i = 0; i < on.size(); ++i) EXPECT_EQ(on[i].to_vector<float>(), off[i].to_vector<float>()) << i;
}

}  // namespace
}  // namespace gradus
