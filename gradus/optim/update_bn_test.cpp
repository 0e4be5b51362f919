// Statistics taken anew against their closed form: means over batches of means and of unbiased variances.
#include "gradus/optim/update_bn.h"

#include <gtest/gtest.h>

#include <utility>

#include "gradus/base/error.h"
#include "gradus/nn/init.h"
#include "gradus/nn/layers/dropout.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/mode.h"
#include "gradus/nn/sequential.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/averaging.h"

namespace gradus::optim {
namespace {

struct Net {
  nn::BatchNorm1d first{3, {.momentum = 0.5}};
  nn::Linear fc{3, 2};
  nn::Sequential rest{nn::BatchNorm1d(2), nn::Dropout{0.5}};
  Tensor operator()(const Tensor& x) { return rest(fc(first(x))); }
};

Tensors batches(int count = 3) {
  Tensors list;
  for (int i = 0; i < count; ++i) {
    list.push_back(nn::init::uniform({4 + i, 3}, -1, i + 1.0, Key{static_cast<std::uint64_t>(i)}));
  }
  return list;
}

void expect_near(const Tensor& actual, const Tensor& expected) {
  const std::vector<double> a = actual.to_vector<double>(), b = expected.to_vector<double>();
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6) << i;
}

std::vector<double> values(const Net& net) {
  std::vector<double> all;
  for (const auto& [name, tensor] : nn::state_dict(net)) {
    for (const double value : tensor.to_vector<double>()) all.push_back(value);
  }
  return all;
}

TEST(UpdateBn, AveragesTheStatisticsOfAllBatches) {
  Net net;
  net(batches()[2]);  // statistics that must not enter
  nn::eval_mode(net);
  net.first.training = true;
  EXPECT_EQ(update_bn(batches(), net), 2);

  Tensor mean = zeros({3}), variance = zeros({3}), mean_after = zeros({2}), variance_after = zeros({2});
  for (const Tensor& x : batches()) {
    const Tensor m = gradus::mean(x, 0), v = var(x, 0);
    mean = mean + m / 3;
    variance = variance + v / 3;
    const Tensor y = net.fc((x - m) / sqrt(var(x, 0, {.correction = 0}) + 1e-5));
    mean_after = mean_after + gradus::mean(y, 0) / 3;
    variance_after = variance_after + var(y, 0) / 3;
  }
  expect_near(net.first.running_mean, mean);
  expect_near(net.first.running_var, variance);
  const auto& second = *net.rest.get<nn::BatchNorm1d>(0);
  expect_near(second.running_mean, mean_after);
  expect_near(second.running_var, variance_after);
  EXPECT_EQ(second.num_batches_tracked.tensor().item<std::int64_t>(), 3);
  EXPECT_TRUE(second.running_var.tensor().evaluated());

  EXPECT_TRUE(net.first.training);  // each as it was
  EXPECT_FALSE(second.training);
  EXPECT_EQ(net.first.options.momentum, 0.5);
  EXPECT_EQ(second.options.momentum, 0.1);
}

TEST(UpdateBn, TakesWhatALoaderGives) {
  Net net, of_pairs, of_structs;
  of_pairs = of_structs = net;
  struct Batch {
    Tensor inputs, labels;
  };
  std::vector<std::pair<Tensor, Tensor>> pairs;
  std::vector<Batch> structs;
  for (const Tensor& x : batches()) {
    pairs.emplace_back(x, Tensor());
    structs.push_back({x, Tensor()});
  }
  update_bn(batches(), net);
  update_bn(pairs, of_pairs);
  update_bn(structs, of_structs);
  EXPECT_EQ(values(of_pairs), values(net));
  EXPECT_EQ(values(of_structs), values(net));

  AveragedModel average(net);
  average.update(net);
  EXPECT_EQ(update_bn(batches(1), average.model()), 2);
  EXPECT_NE(values(average.model()), values(net));
}

TEST(UpdateBn, LeavesTheModelAloneWhenItFails) {
  Net net;
  nn::eval_mode(net);
  update_bn(batches(), net);
  const std::vector<double> before = values(net);
  EXPECT_THROW(update_bn(Tensors{}, net), Error);
  EXPECT_THROW(update_bn(Tensors{batches()[0], ones({1, 3})}, net), Error);  // one value per channel
  EXPECT_EQ(values(net), before);
  EXPECT_FALSE(net.first.training);
  EXPECT_EQ(net.first.options.momentum, 0.5);

  nn::Linear plain(3, 2);
  EXPECT_EQ(update_bn(Tensors{ones({1, 7})}, plain), 0);  // not even run
  nn::BatchNorm1d untracked(3, {.track_running_stats = false});
  EXPECT_EQ(update_bn(batches(), untracked), 0);
}

}  // namespace
}  // namespace gradus::optim
