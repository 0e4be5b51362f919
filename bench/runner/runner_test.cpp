#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "bench/runner/process.h"
#include "bench/runner/rounds.h"
#include "bench/runner/summary.h"
#include "bench/runner/table.h"
#include "gradus/base/error.h"

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

ordered_json run_of(double step_ms, std::vector<std::pair<int, double>> losses, double megabytes = 10) {
  return {{"available", true},         {"step_ms_median", step_ms},   {"peak_rss_mb", megabytes},
          {"startup_s", 0.5},          {"parameters", 100},           {"gflop", 2.0},
          {"parameter_mb", 8.0},       {"losses", std::move(losses)}, {"foreign_cores", 0.25},
          {"step_cpu_ms", 2 * step_ms}};
}

/// Three rounds of two contenders.
ordered_json measurement_of(std::vector<double> gradus, std::vector<double> torch) {
  ordered_json contenders = {{{"name", "gradus"}, {"runs", ordered_json::array()}},
                             {{"name", "torch"}, {"runs", ordered_json::array()}}};
  for (const double ms : gradus) contenders[0]["runs"].push_back(run_of(ms, {{1, 2.0}}));
  for (const double ms : torch) contenders[1]["runs"].push_back(run_of(ms, {{1, 2.0}}, 50));
  return {
      {"machine",
       {{"date", "today"}, {"processor", "p"}, {"architecture", "a"}, {"cores", 2}, {"gradus", "g"}, {"onednn", "o"}}},
      {"rounds", 3},
      {"results",
       {{{"workload", "mlp"},
         {"dtype", "f32"},
         {"threads", 2},
         {"limits", {{"f32_product", 400.0}, {"memory_gb_s", 20.0}}},
         {"contenders", contenders}}}}};
}

TEST(Summary, PairsRoundsAndComparesWithLimits) {
  const auto found = summarize(measurement_of({10, 20, 40}, {30, 40, 80}));
  ASSERT_EQ(found.size(), 1);
  const Outcome& gradus = found[0].outcomes[0];
  EXPECT_EQ(gradus.step_ms.median, 20);
  EXPECT_EQ(gradus.step_ms.low, 10);
  EXPECT_EQ(gradus.step_ms.high, 40);
  EXPECT_FALSE(gradus.ratio);
  EXPECT_EQ(found[0].outcomes[1].ratio->median, 2);  // 30 / 10, 40 / 20, 80 / 40
  EXPECT_EQ(found[0].outcomes[1].ratio->high, 3);
  EXPECT_EQ(found[0].best_peer(), &found[0].outcomes[1]);
  EXPECT_DOUBLE_EQ(found[0].gflops, 100);
  EXPECT_DOUBLE_EQ(found[0].product_share, 0.25);
  EXPECT_DOUBLE_EQ(found[0].memory_share, 0.02);
  EXPECT_EQ(spread({4, 1}).median, 2.5);
}

TEST(Summary, FailuresLeaveTheOthersStanding) {
  ordered_json measurement = measurement_of({10}, {});
  measurement["results"][0]["contenders"][1]["reason"] = "ended by signal 9";
  measurement["results"][0]["contenders"][1]["failed"] = true;
  const auto found = summarize(measurement);
  EXPECT_EQ(found[0].best_peer(), nullptr);
  EXPECT_TRUE(found[0].outcomes[1].failed);
  EXPECT_NE(to_text(found).find("ended by signal 9"), std::string::npos);
  EXPECT_NE(to_markdown(measurement, found).find("- torch mlp: ended by signal 9"), std::string::npos);
}

TEST(Summary, LossesMustAgreeMoreTheEarlier) {
  const ordered_json ours = run_of(1, {{1, 2.0}, {10, 1.5}, {200, 0.5}});
  EXPECT_EQ(disagreement(ours, ours, false), "");
  EXPECT_EQ(disagreement(ours, run_of(1, {{1, 2.0002}, {10, 1.52}, {200, 0.52}}), false), "");
  EXPECT_EQ(disagreement(ours, run_of(1, {{1, 2.002}}), false), "the loss of step 1 is 2 in Gradus and 2.002 here");
  EXPECT_EQ(disagreement(ours, run_of(1, {{1, 2.002}}), true), "");
  EXPECT_NE(disagreement(ours, run_of(1, {{1, 2.0}, {200, 0.6}}), false), "");
  EXPECT_NE(disagreement(ours, run_of(1, {{1, NAN}}), true), "");
  EXPECT_NE(disagreement(ours, run_of(1, {{3, 2.0}}), false), "");
  ordered_json larger = ours;
  larger["parameters"] = 101;
  EXPECT_NE(disagreement(ours, larger, false), "");
  const ordered_json answer = {{"parameters", 1}, {"output_sum", 3.0}};
  EXPECT_EQ(disagreement(answer, answer, false), "");
  EXPECT_NE(disagreement(answer, {{"parameters", 1}, {"output_sum", 3.1}}, false), "");
}

TEST(Table, GoesIntoTheDocument) {
  const ordered_json measurement = measurement_of({10, 20, 40}, {30, 40, 80});
  const std::string figures = to_markdown(measurement, summarize(measurement));
  EXPECT_NE(figures.find("| mlp | 20.0 (10.0-40.0) | 40.0 (30.0-80.0) | **2.00** (2.00-3.00) | 25 % | 2 % | 40.0 / "
                         "80.0 | 10.0 / 50.0 | "
                         "500 / 500 | 0.25 |\n"),
            std::string::npos)
      << figures;
  EXPECT_NE(figures.find("others used up to 0.2 of its cores"), std::string::npos) << figures;
  const std::string document = "before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nbehind\n";
  const std::string once = with_figures(document, figures);
  EXPECT_TRUE(once.starts_with("before\n") && once.ends_with("\nbehind\n")) << once;
  EXPECT_EQ(once.find("old"), std::string::npos);
  EXPECT_EQ(with_figures(once, figures), once);
  EXPECT_THROW(with_figures("nothing to replace", figures), Error);
}

TEST(Process, GivesTheLineOrTheReason) {
  const auto shell = [](const char* script) { return run_program({"sh", "-c", script}, 3, 60); };
  EXPECT_EQ(shell("echo noise; echo '{\"threads\": '$OMP_NUM_THREADS'}'")["threads"], 3);
  EXPECT_NE(shell("echo '{\"begin\": \"'$GRADUS_BENCH_BEGIN'\"}'")["begin"], "");
  const ordered_json failed = shell("echo first >&2; echo the reason >&2; exit 3");
  EXPECT_EQ(failed["available"], false);
  EXPECT_EQ(failed["failed"], true);
  EXPECT_EQ(failed["reason"], "the reason");
  EXPECT_EQ(shell("kill -9 $$")["reason"], "ended by signal 9");
  EXPECT_EQ(shell("echo text")["reason"], "printed no JSON");
  EXPECT_EQ(run_program({"/nothing/here"}, 1, 60)["failed"], true);
}

TEST(Rounds, MissingProgramsAreFailuresOfTheirContender) {
  const ordered_json measurement = measure({.workloads = {"tiny"},
                                            .dtypes = {"f32"},
                                            .threads = {1},
                                            .peers = {"torch"},
                                            .rounds = 2,
                                            .programs = "/nothing",
                                            .python = "/nothing/python",
                                            .torch_bench = "/nothing/script"});
  const auto found = summarize(measurement);
  ASSERT_EQ(found.size(), 1);
  ASSERT_EQ(found[0].outcomes.size(), 2);
  for (const Outcome& outcome : found[0].outcomes) EXPECT_TRUE(outcome.failed) << outcome.name;
}

}  // namespace
}  // namespace gradus::bench
