#include <optional>

#include "bench/numbers.h"
#include "bench/training.h"
#include "bench/workloads/workloads.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/layers/norm.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/reduce.h"
#include "gradus/optim/sgd.h"

namespace gradus::bench {
namespace {

struct Downsample {
  nn::Conv2d conv;
  nn::BatchNorm2d norm;
  static constexpr int field_count = 2;

  Downsample(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv(in, out, 1, {.stride = stride, .bias = false}), norm(out) {}
  Tensor operator()(const Tensor& x) { return norm(conv(x)); }
};

struct BasicBlock {
  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  std::optional<Downsample> down;
  static constexpr int field_count = 5;

  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(in, out, 3, {.stride = stride, .padding = 1, .bias = false}),
        bn1(out),
        conv2(out, out, 3, {.padding = 1, .bias = false}),
        bn2(out) {
    if (stride != 1 || in != out) down.emplace(in, out, stride);
  }
  Tensor operator()(const Tensor& x) {
    const Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
    return relu(y + (down ? (*down)(x) : x));
  }
};

/// ResNet-18 (He, Zhang, Ren and Sun, 2016) as it is used for images of 32 x 32: a stem of 3 x 3 and no pooling behind it.
struct ResNet18 {
  nn::Conv2d conv{3, 64, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn{64};
  std::vector<BasicBlock> blocks;
  nn::Linear head{512, 10};
  static constexpr int field_count = 4;

  ResNet18() {
    std::int64_t in = 64;
    for (const std::int64_t out : {64, 128, 256, 512}) {
      blocks.emplace_back(in, out, out == 64 ? 1 : 2);
      blocks.emplace_back(out, out, 1);
      in = out;
    }
  }
  Tensor operator()(const Tensor& images) {
    Tensor x = relu(bn(conv(images)));
    for (BasicBlock& block : blocks) x = block(x);
    return head(mean(x, {2, 3}));
  }
};

Work resnet18_work(std::int64_t images) {
  const auto n = static_cast<double>(images);
  Work work = {{n * 1024 * 64 * 27, false}};
  double in = 64, size = 32;
  for (const double out : {64., 128., 256., 512.}) {
    const bool halves = out != 64;
    if (halves) size /= 2;
    const double pixels = size * size * n;
    work.push_back({pixels * out * in * 9, true});
    for (int i = 0; i < 3; ++i) work.push_back({pixels * out * out * 9, true});
    if (halves) work.push_back({pixels * out * in, true});
    in = out;
  }
  work.push_back({n * 512 * 10, true});
  return work;
}

std::unique_ptr<Task> make_resnet18() {
  ResNet18 model;
  init_parameters(model);
  std::vector<data::Batch> batches;
  for (std::uint64_t i = 0; i < 4; ++i) {
    batches.push_back({uniform_tensor(10 + i, {64, 3, 32, 32}), integers(50 + i, 10, {64})});
  }
  return std::make_unique<Training<ResNet18>>(
      std::move(model), cycle(std::move(batches)),
      [](const Tensor& logits, const Tensor& labels) { return cross_entropy(logits, labels); },
      [](ResNet18& m) { return std::make_unique<optim::SGD>(m, optim::SGDOptions{.lr = 0.01, .momentum = 0.9}); });
}

}  // namespace

Workload resnet18() {
  return {.name = "resnet18",
          .unit = "samples",
          .per_step = 64,
          .warmup = 2,
          .steps = 6,
          .work = resnet18_work(64),
          .parameter_bytes = 32,
          .make = make_resnet18};
}

}  // namespace gradus::bench
