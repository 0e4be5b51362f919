// How the cost of a training step grows with what is asked of it, as fitted curves: bench.sh --scaling.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <exception>
#include <nlohmann/json.hpp>

#include "bench/measure.h"
#include "bench/runner/table.h"
#include "bench/scaling/curve.h"
#include "bench/scaling/sweeps.h"
#include "gradus/base/parallel.h"
#include "gradus/engine/plan_cache.h"
#include "gradus/engine/precision.h"
#include "gradus/graph/graph.h"
#include "gradus/io/atomic_file.h"

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string docs, json;
  double seconds = 0.4;  ///< of each point
};

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// Median milliseconds by `clock` of five calls at least, after three that are not counted.
template <class Function>
double median_ms(const Function& function, double (*clock)(), double seconds) {
  for (int i = 0; i < 3; ++i) function();
  std::vector<double> times;
  for (const double begin = now(); times.size() < 5 || now() - begin < seconds;) {
    const double before = clock();
    function();
    times.push_back((clock() - before) * 1e3);
  }
  return median_of(std::move(times));
}

/// What is measured now, for who looks on.
void say(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K{}", what);
}

std::string milliseconds(double value) { return fmt::format("{:.3g}", value); }

std::string curve_text(const Curve& curve) {
  return fmt::format("{:.3g} + {:.3g} x^{:.2f}", curve.fixed, curve.factor, curve.exponent);
}

std::string curves(const char* dtype, double seconds, ordered_json& record) {
  std::string table =
      "| net | x | points | ms there | fitted curve, ms | exponent | of arithmetic | worst point |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Sweep& sweep : sweeps()) {
    std::vector<double> x, t;
    std::string points, times;
    for (const std::int64_t value : sweep.values) {
      say(fmt::format("{} {} {} {}", dtype, sweep.net, sweep.quantity, value));
      const std::unique_ptr<Task> task = sweep.make(value);
      x.push_back(static_cast<double>(value));
      t.push_back(median_ms([&] { task->step(); }, processor_seconds, seconds));
      points += fmt::format("{}{}", points.empty() ? "" : ", ", value);
      times += (times.empty() ? "" : ", ") + milliseconds(t.back());
    }
    const Curve curve = fit_curve(x, t);
    table += fmt::format("| {} | {} | {} | {} | {} | {:.2f} +- {:.2f} | {} | {:.0f} % |\n", sweep.net, sweep.quantity,
                         points, times, curve_text(curve), curve.exponent, curve.exponent_error, sweep.expected,
                         curve.worst * 100);
    record.push_back({{"dtype", dtype}, {"net", sweep.net}, {"quantity", sweep.quantity}, {"x", x}, {"ms", t}});
  }
  say("");
  return table;
}

/// Wall time with 1, 2, 4, ... threads, and the share of the work that Amdahl's law then calls parallel.
std::string thread_table(double seconds, ordered_json& record) {
  const int cores = num_threads();
  std::string table = "| net | threads | ms | times faster | parallel share |\n|---|---|---|---|---|\n";
  for (const auto& [name, make] : {std::pair("mlp", &usual_mlp), std::pair("gpt", &usual_gpt)}) {
    double one = 0;
    for (int threads = 1; threads <= cores; threads *= 2) {
      set_num_threads(threads);
      const std::unique_ptr<Task> task = make();
      const double ms = median_ms([&] { task->step(); }, now, seconds);
      if (threads == 1) one = ms;
      const double parallel = threads == 1 ? 0 : (1 - ms / one) / (1 - 1.0 / threads);
      table += fmt::format("| {} | {} | {} | {:.2f} | {} |\n", name, threads, milliseconds(ms), one / ms,
                           threads == 1 ? "" : fmt::format("{:.2f}", parallel));
      record.push_back({{"net", name}, {"threads", threads}, {"ms", ms}});
    }
  }
  set_num_threads(1);
  return table;
}

/// What a step costs before any arithmetic: recording, finding its plan, making it.
std::string plan_table(double seconds, ordered_json& record) {
  std::string table =
      "| layers | nodes | record a node, ns | find the plan, ns a node | make the plan, ms for 100 nodes |\n"
      "|---|---|---|---|---|\n";
  for (const std::int64_t layers : {1, 2, 4, 8, 16}) {
    Recorder recorder(layers);
    const Graph graph = LiveGraph(recorder.record()).value();
    const auto nodes = static_cast<double>(graph.vertices.size());
    const double recording = median_ms([&] { recorder.record(); }, processor_seconds, seconds);
    const double making = median_ms([&] { engine::make_plan(graph); }, processor_seconds, seconds);
    const Tensors roots = recorder.record();
    const double finding = median_ms([&] { engine::find_plan(LiveGraph(roots)); }, processor_seconds, seconds);
    table += fmt::format("| {} | {} | {:.0f} | {:.0f} | {:.2f} |\n", layers, graph.vertices.size(),
                         recording * 1e6 / nodes, finding * 1e6 / nodes, making * 100 / nodes);
    record.push_back(
        {{"layers", layers}, {"nodes", nodes}, {"record_ms", recording}, {"find_ms", finding}, {"make_ms", making}});
  }
  return table;
}

void measure(const Options& options) {
  ordered_json record;
  std::string text = fmt::format("Threads, f32, wall time:\n\n{}", thread_table(options.seconds, record["threads"]));
  set_num_threads(1);
  text += fmt::format("\nOne thread, f32:\n\n{}", curves("f32", options.seconds, record["curves"]));
  {
    const precision::Scope scope(precision::bf16);
    if (precision::current() == Precision::bf16) {
      text += fmt::format("\nOne thread, bf16:\n\n{}", curves("bf16", options.seconds, record["curves"]));
    }
  }
  text += fmt::format("\nBefore any arithmetic, gpt of width 256:\n\n{}", plan_table(options.seconds, record["plans"]));
  fmt::print("{}", text);
  if (!options.json.empty()) io::write_file(options.json, record.dump(1) + "\n");
  if (!options.docs.empty()) {
    io::write_file(options.docs, with_figures(io::read_file(options.docs), text, "scaling"));
  }
}

}  // namespace
}  // namespace gradus::bench

int main(int argc, char** argv) try {
  gradus::bench::Options options;
  CLI::App app("Measures how the cost of a training step grows, and fits curves.", "gradus_bench_scaling");
  app.add_option("--docs", options.docs, "put the tables into this document");
  app.add_option("--json", options.json, "write every point to this file");
  app.add_option("--seconds", options.seconds, "time for each point")->check(CLI::Range(0.01, 60.0));
  CLI11_PARSE(app, argc, argv);
  gradus::bench::measure(options);
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
