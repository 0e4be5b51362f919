// Parity with PyTorch, from the file that tools/golden/everyday.py writes: operations that the other files leave out.
#include "golden.h"

namespace gradus {
namespace {

using namespace testing;

using Row = std::pair<const char*, std::function<Tensor(const Tensors&)>>;

Tensor range(const Tensors& x) {
  const MinMax found = aminmax(x[0], 1);
  return found.max - found.min;
}

TEST(GoldenEveryday, ValuesAndGradients) {
  const GoldenFile file = golden("everyday");
  const Tensor at = tensor<std::int64_t>({{0, 2, 1}, {1, 1, 0}});
  const std::vector<Row> one = {
      {"gather", [&](const Tensors& x) { return gather(x[0], 1, at); }},
      {"index_select", [&](const Tensors& x) { return index_select(x[0], 1, select(at, 0, 0)); }},
      {"take_along_dim", [](const Tensors& x) { return take_along_dim(x[0], argsort(x[0], 1), 1); }},
      {"chunk", [](const Tensors& x) { return chunk(x[0], 3, 1)[1]; }},
      {"split",
       [](const Tensors& x) {
         return split(x[0], {1, 4, 2}, 1)[1];
       }},
      {"unbind", [](const Tensors& x) { return unbind(x[0], 1)[2]; }},
      {"movedim", [](const Tensors& x) { return movedim(x[0], 0, 2); }},
      {"swapaxes", [](const Tensors& x) { return swapaxes(x[0], 0, 2); }},
      {"permute",
       [](const Tensors& x) {
         return permute(x[0], {2, 0, 1});
       }},
      {"expand",
       [](const Tensors& x) {
         return expand(x[0], {4, -1, 3});
       }},
      {"unflatten",
       [](const Tensors& x) {
         return unflatten(x[0], 1, {2, 3});
       }},
      {"diag", [](const Tensors& x) { return diag(x[0], 1); }},
      {"trace", [](const Tensors& x) { return trace(x[0]); }},
      {"maxout", [](const Tensors& x) { return maxout(x[0], 2, 1); }},
      {"sparsemax", [](const Tensors& x) { return sparsemax(x[0]); }},
      {"aminmax", range},
      {"stop_gradient", [](const Tensors& x) { return stop_gradient(x[0]) * x[0]; }},
      {"adaptive_avg_pool1d", [](const Tensors& x) { return adaptive_avg_pool1d(x[0], 4); }},
      {"adaptive_max_pool3d",
       [](const Tensors& x) {
         return adaptive_max_pool3d(x[0], {2, 2, 3});
       }},
      {"global_max_pool", [](const Tensors& x) { return global_max_pool(x[0]); }},
      {"global_avg_pool", [](const Tensors& x) { return global_avg_pool(x[0]); }},
      {"lp_pool1d", [](const Tensors& x) { return lp_pool1d(abs(x[0]) + 0.1, 2, 3, {.stride = 2}); }},
      {"lp_pool3d", [](const Tensors& x) { return lp_pool3d(abs(x[0]) + 0.1, 3, 2); }},
  };
  const std::vector<Row> two = {
      {"sub", [](const Tensors& x) { return x[0] - x[1]; }},
      {"div", [](const Tensors& x) { return x[0] / x[1]; }},
      {"where", [](const Tensors& x) { return where(greater(x[0], x[1]), x[0], x[1]); }},
      {"mm", [](const Tensors& x) { return mm(x[0], x[1]); }},
      {"bmm", [](const Tensors& x) { return bmm(x[0], x[1]); }},
      {"mv", [](const Tensors& x) { return mv(x[0], x[1]); }},
      {"dot", [](const Tensors& x) { return dot(x[0], x[1]); }},
      {"outer", [](const Tensors& x) { return outer(x[0], x[1]); }},
      {"scatter_add", [&](const Tensors& x) { return scatter_add(x[0], 1, at, x[1]); }},
  };
  for (const auto& [name, function] : one) both(file, name, 1, function);
  for (const auto& [name, function] : two) both(file, name, 2, function);
}

/// Every element is the same number, and the type is PyTorch's.
void expect_same(const GoldenFile& file, const std::string& name,
                 const std::function<Tensor(const Tensors&)>& function) {
  SCOPED_TRACE(name);
  Tensors inputs;
  for (int i = 0; file.contains(name + ".x" + std::to_string(i)); ++i)
    inputs.push_back(file.at(name + ".x" + std::to_string(i)));
  const Tensor actual = function(inputs), expected = file.at(name + ".y");
  EXPECT_EQ(actual.dtype(), expected.dtype());
  EXPECT_EQ(actual.shape(), expected.shape());
  EXPECT_EQ(actual.to_vector<double>(), expected.to_vector<double>());
}

TEST(GoldenEveryday, ComparisonsAndPositions) {
  const GoldenFile file = golden("everyday");
  const Tensor edges = tensor({-2.f, 0.f, 1.f, 1.f, 3.f});
  const std::vector<Row> rows = {
      {"eq", [](const Tensors& x) { return equal(x[0], x[1]); }},
      {"ne", [](const Tensors& x) { return not_equal(x[0], x[1]); }},
      {"lt", [](const Tensors& x) { return less(x[0], x[1]); }},
      {"le", [](const Tensors& x) { return less_equal(x[0], x[1]); }},
      {"gt", [](const Tensors& x) { return greater(x[0], x[1]); }},
      {"ge", [](const Tensors& x) { return greater_equal(x[0], x[1]); }},
      {"logical_and", [](const Tensors& x) { return logical_and(x[0], x[1]); }},
      {"logical_or", [](const Tensors& x) { return logical_or(x[0], x[1]); }},
      {"logical_xor", [](const Tensors& x) { return logical_xor(x[0], x[1]); }},
      {"logical_not", [](const Tensors& x) { return logical_not(x[0]); }},
      {"isnan", [](const Tensors& x) { return isnan(x[0]); }},
      {"isinf", [](const Tensors& x) { return isinf(x[0]); }},
      {"isfinite", [](const Tensors& x) { return isfinite(x[0]); }},
      {"eq_odd", [](const Tensors& x) { return equal(unsqueeze(x[0], 1), unsqueeze(x[0], 0)); }},
      {"nan_to_num", [](const Tensors& x) { return nan_to_num(x[0]); }},
      {"nan_to_num_as", [](const Tensors& x) { return nan_to_num(x[0], {.nan = 1, .posinf = 2, .neginf = -3}); }},
      {"argmin", [](const Tensors& x) { return argmin(x[0], 1); }},
      {"argsort", [](const Tensors& x) { return argsort(x[0], 1); }},
      {"argsort_down", [](const Tensors& x) { return argsort(x[0], 0, {.descending = true}); }},
      {"one_hot", [](const Tensors& x) { return one_hot(x[0], 5); }},
      {"searchsorted", [&](const Tensors& x) { return searchsorted(edges, x[0]); }},
      {"searchsorted_right", [&](const Tensors& x) { return searchsorted(edges, x[0], {.right = true}); }},
      {"bucketize", [&](const Tensors& x) { return bucketize(x[0], edges); }},
      {"histc", [](const Tensors& x) { return histc(x[0], 5); }},
      {"histc_range", [](const Tensors& x) { return histc(x[0], 4, {.min = -2, .max = 2}); }},
      {"max_pool1d_at",
       [](const Tensors& x) { return max_pool1d_with_indices(x[0], 3, {.stride = 2, .padding = 1}).indices; }},
      {"max_pool2d_at",
       [](const Tensors& x) { return max_pool2d_with_indices(x[0], 3, {.stride = 2, .padding = 1}).indices; }},
      {"max_pool3d_at",
       [](const Tensors& x) { return max_pool3d_with_indices(x[0], 3, {.stride = 2, .padding = 1}).indices; }},
      {"adaptive_max_pool1d_at", [](const Tensors& x) { return adaptive_max_pool1d_with_indices(x[0], 4).indices; }},
      {"adaptive_max_pool2d_at", [](const Tensors& x) { return adaptive_max_pool2d_with_indices(x[0], 4).indices; }},
      {"adaptive_max_pool3d_at", [](const Tensors& x) { return adaptive_max_pool3d_with_indices(x[0], 4).indices; }},
  };
  for (const auto& [name, function] : rows) expect_same(file, name, function);
}

}  // namespace
}  // namespace gradus
