#include "bench/workload.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "bench/numbers.h"
#include "gradus/base/error.h"
#include "gradus/engine/precision.h"

namespace gradus::bench {
namespace {

using nlohmann::json;

/// Losses before the first and the second step, as PyTorch 2.13 gives them: torch_bench.py --warmup 1 --steps 1.
struct Expected {
  const char* workload;
  double first, second;
  const char* needs = "";  ///< a file
};

constexpr const char* images = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

constexpr Expected training[] = {
    {"tiny", 0.021565567702054977, 0.31995436549186707},
    {"mlp", 2.316419839859009, 2.262307643890381, images},
    {"lenet", 2.3026044368743896, 2.289501667022705, images},
    {"lstm", 4.5643086433410645, 4.554884433746338, "/usr/share/common-licenses/GPL-3"},
};

/// The line that the program prints, read back.
json line_of(const std::string& workload) {
  return json::parse(run({.workload = workload, .threads = 1, .steps = 1, .warmup = 1}).dump());
}

TEST(Workloads, TrainTheSameThingAsPyTorch) {
  for (const Expected& expected : training) {
    if (*expected.needs != '\0' && !std::filesystem::exists(expected.needs)) continue;
    SCOPED_TRACE(expected.workload);
    const json line = line_of(expected.workload);
    ASSERT_EQ(line["available"], true) << line;
    EXPECT_NEAR(line["first_loss"], expected.first, 1e-5 * expected.first) << line;
    EXPECT_NEAR(line["final_loss"], expected.second, 1e-5 * expected.second) << line;
    EXPECT_EQ(line["losses"][1][0], 2);
    EXPECT_EQ(line["losses"][1][1], line["final_loss"]);
    EXPECT_EQ(line["steps"], 1);
    for (const char* key : {"step_ms_median", "step_ms_p90", "step_ms_min", "step_cpu_ms", "peak_rss_mb", "startup_s",
                            "gflop", "parameter_mb", "parameters"}) {
      EXPECT_GT(line[key].get<double>(), 0) << key;
    }
  }
}

TEST(Workloads, InferenceAnswersAsPyTorch) {
  const json image = line_of("lenet_infer");
  EXPECT_NEAR(image["output_sum"], 0.01618799939751625, 1e-6) << image;
  EXPECT_EQ(image["parameters"], 61706);
  EXPECT_EQ(line_of("gpt_decode")["output_sum"], 7787);  // the second token behind token 1
}

TEST(Workloads, SayWhenTheyCannotRun) {
  EXPECT_THROW(run({.workload = "nothing"}), Error);
  EXPECT_THROW(run({.workload = "tiny", .dtype = "f8"}), Error);
  const precision::Scope scope(precision::bf16);
  const bool pays = precision::current() == Precision::bf16;
  const json line = run({.workload = "tiny", .dtype = "bf16"});
  EXPECT_EQ(line["available"], pays);
  EXPECT_EQ(line.contains("reason"), !pays);
}

TEST(Workloads, ArithmeticOfAStep) {
  const auto gflop = [](std::string_view name) {
    for (const Workload& workload : workloads()) {
      if (workload.name == name) return flops(workload.work, workload.training) / 1e9;
    }
    return 0.0;
  };
  EXPECT_NEAR(gflop("mlp"), 2e-9 * 128 * (2 * 784 * 512 + 3 * 512 * 512 + 3 * 512 * 10), 1e-12);
  EXPECT_NEAR(gflop("lenet_infer"), 2e-9 * (784 * 150 + 100 * 2400 + 400 * 120 + 120 * 84 + 84 * 10), 1e-12);
  const double block = 4 * 384 * 384 + 2 * 384 * 128.5 + 8 * 384 * 384;
  EXPECT_NEAR(gflop("gpt"), 6e-9 * 2048 * (6 * block + 384 * 8192), 1e-9);
  EXPECT_NEAR(gflop("resnet18"), 213.055832064, 1e-9);
}

TEST(Numbers, CounterBased) {
  const std::vector<double> numbers = uniform(7, 1000);
  double sum = 0;
  for (const double number : numbers) {
    EXPECT_GE(number, -1);
    EXPECT_LT(number, 1);
    sum += number;
  }
  EXPECT_NEAR(sum / 1000, 0, 0.06);                                          // three deviations of the mean
  EXPECT_EQ(uniform(0, 1)[0], (0xE220A8397B1DCDAFu >> 40) / 8388608.0 - 1);  // SplitMix64's first output from state 0
  EXPECT_EQ(uniform(7, 3), std::vector<double>(numbers.begin(), numbers.begin() + 3));
  std::vector<bool> seen(100);
  for (const std::int64_t row : shuffled(3, 100)) seen[static_cast<std::size_t>(row)] = true;
  EXPECT_EQ(seen, std::vector<bool>(100, true));
  for (const std::int64_t token : zipf_tokens(5, 17, {200}).to_vector<std::int64_t>()) {
    EXPECT_GE(token, 0);
    EXPECT_LT(token, 17);
  }
}

}  // namespace
}  // namespace gradus::bench
