// Adding an elementwise operation is one row of a table: extra_elementwise.def holds such a row, and this program, which is
// compiled with it (extra_elementwise.cmake), uses the function, its gradients and its kernels.
#ifdef GRADUS_EXTRA_ELEMENTWISE

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <string>

#include "gradus/kernel/kernel.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/reduce.h"
#include "gradus/transform/grad.h"

namespace gradus {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(std::string(GRADUS_SOURCE_DIR "/") + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ExtraElementwise, TheRowMakesAFunction) {
  const Tensor y = versine(tensor({0.f, 1.5707963f, 3.1415927f}));
  EXPECT_NEAR(y.to_vector<float>()[1], 1, 1e-6);
  EXPECT_NEAR(y.to_vector<float>()[2], 2, 1e-6);
  EXPECT_EQ(versine(tensor({1, 3})).dtype(), DType::f32);
  EXPECT_EQ(info(ElementwiseCode::versine).doc, "1 - cos(x)");
  EXPECT_EQ(y.node()->op.str(), "versine");
}

TEST(ExtraElementwise, TheRowMakesGradients) {
  const std::vector<double> at{-2.0, -0.3, 0.4, 5.0};
  const Tensor x = from_span(at);
  const Tensor slope = grad(sum(versine(x)), {x})[0];
  const std::vector<double> curvature = grad(sum(slope), {x})[0].to_vector<double>();
  const std::vector<double> first = slope.to_vector<double>();
  for (std::size_t i = 0; i < at.size(); ++i) {
    EXPECT_NEAR(first[i], std::sin(at[i]), 1e-14);
    EXPECT_NEAR(curvature[i], std::cos(at[i]), 1e-14);
  }
}

TEST(ExtraElementwise, TheRowMakesKernels) {
  const std::vector<kernel::Implementation> all = kernel::implementations("versine");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].implementation, "tiles");
  EXPECT_EQ(all[1].implementation, "reference");
}

TEST(ExtraElementwise, ContributingShowsExactlyThisRow) {
  std::istringstream rows(content("tests/extra_elementwise.def"));
  std::string row;
  for (std::string line; std::getline(rows, line);) {
    if (line.starts_with("UNARY(")) row = line;
  }
  ASSERT_FALSE(row.empty());
  EXPECT_NE(content("CONTRIBUTING.md").find(row), std::string::npos) << "CONTRIBUTING.md must show this row: " << row;
}

}  // namespace
}  // namespace gradus

#endif  // GRADUS_EXTRA_ELEMENTWISE
