// gradus compare: should I use deep learning here?
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/compare/held_out.h"
#include "gradus/cli/compare/prepare.h"
#include "gradus/cli/compare/show.h"
#include "gradus/cli/json.h"
#include "gradus/io/atomic_file.h"

namespace gradus::cli {
namespace {

/// The network, the best of the others, and the simplest.
std::vector<insight::Contender> curve_contenders(const std::vector<insight::Contender>& all,
                                                 const insight::Comparison& comparison) {
  std::set<std::string> wanted = {"logistic regression", "ridge regression"};
  for (const bool network : {false, true})
    if (const insight::Standing* best = comparison.best(network)) wanted.insert(best->name);
  std::vector<insight::Contender> chosen;
  for (const insight::Contender& each : all)
    if (wanted.contains(each.name)) chosen.push_back(each);
  return chosen;
}

std::vector<double> corrected(const insight::Comparison& comparison) {
  std::vector<double> p;
  for (std::size_t i = 1; i < comparison.standings.size(); ++i)
    p.push_back(comparison.difference(comparison.standings[i].name, comparison.standings[0].name).p);
  std::vector<double> all = {1};
  for (const double each : insight::holm(p)) all.push_back(each);
  return all;
}

}  // namespace

int compare(const CompareCommand& command) {
  // One thread: so the times can be compared, and the small networks are not slowed down by waiting for each other.
  if (command.threads == 0) set_num_threads(1);
  if (compares_held_out(command)) return compare_held_out(command);
  if (command.target.empty())
    throw Error(ErrorKind::usage, "compare", "--target is required: the column to predict")
        .hint("only a data set with a test part, such as fashion-mnist, goes without");
  if (!command.draws.empty() || command.test_rows > 0)
    throw Error(ErrorKind::usage, "compare", "--seeds and --test-rows are for data sets with a test part")
        .hint("a table is split into --folds");
  const bool live = isatty(STDERR_FILENO) != 0 && !command.json;
  const auto progress = [&](const std::string& what) {
    if (live) fmt::print(stderr, "\r\033[K{}", what);
  };
  progress("reading " + command.data);
  PreparedTable prepared = prepare(read_compared(command), command);
  for (const std::string& missing : insight::missing_contenders())
    prepared.notes.push_back(
        fmt::format("this build is without {}: a comparison without it is kinder to the network", missing));
  insight::CompareOptions options{.folds = command.folds, .repeats = command.quick ? 1 : 2, .seed = command.seed};
  if (!command.metric.empty()) options.metric = insight::metric_of(command.metric);
  const bool probabilities = options.metric == insight::Metric::log_loss;
  if (probabilities) prepared.notes.push_back("support vector machines were left out: log-loss asks for probabilities");
  const std::vector<insight::Contender> all = insight::usual_contenders(
      prepared.problem, {.quick = command.quick,
                         .probabilities = probabilities,
                         .rows = prepared.problem.rows * (command.folds - 1) / command.folds});
  const insight::Comparison comparison = insight::compare(prepared.problem, all, options, progress);
  std::vector<insight::CurvePoint> curve;
  if (!command.quick || !command.sizes.empty()) {
    std::vector<std::int64_t> sizes = command.sizes;
    for (const std::int64_t size : sizes)
      if (size > comparison.train_rows)
        throw Error(
            ErrorKind::usage, "compare",
            fmt::format("--learning-curve asks for {} rows, and a split trains on {}", size, comparison.train_rows));
    for (const std::int64_t part : {8, 4, 2, 1})
      if (command.sizes.empty() && comparison.train_rows / part >= 20) sizes.push_back(comparison.train_rows / part);
    options.repeats = 1;
    curve = insight::learning_curve(prepared.problem, curve_contenders(all, comparison), sizes, options, progress);
  }
  progress("");
  const ComparedTable found{command,          std::move(prepared),  comparison, insight::advise(comparison),
                            std::move(curve), corrected(comparison)};
  if (!command.out.empty()) io::write_file(command.out, page_of_comparison(found));
  if (command.json) {
    fmt::print("{}\n", text_of(json_of_comparison(found)));
  } else {
    fmt::print("{}", text_of_comparison(found));
    if (!command.out.empty()) fmt::print("\npage: {}\n", command.out);
  }
  return exit_ok;
}

}  // namespace gradus::cli
