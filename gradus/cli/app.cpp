#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/version.h"
#include "gradus/cli/commands.h"
#include "gradus/train/recipe.h"

namespace gradus::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 done; 1 failed (data, disk, training); 2 wrong usage, a mistake in a recipe included; 128 + n "
    "stopped by\n"
    "signal n (130: Ctrl-C), saved.";

std::string footer(const std::string& examples) { return fmt::format("\nExamples:\n{}\n{}", examples, exit_codes); }

struct Options {
  TrainCommand train;
  EvalCommand eval;
  PredictCommand predict;
  SummaryCommand summary;
  RunsCommand runs;
  LrFindCommand lr_find;
  SurfaceCommand surface;
  DataListCommand data_list;
  DataInfoCommand data_info;
  DataFetchCommand data_fetch;
  DataSplitCommand data_split;
  SelftestCommand selftest;
  ExplainCommand explain;
  CompareCommand compare;
  DoctorCommand doctor;
  int threads = 0;
  bool help_recipe = false;
};

void add_threads(CLI::App& command, Options& options) {
  command.add_option("--threads", options.threads, "threads of the computation (default: all cores)")
      ->check(CLI::Range(1, 1024));
}

/// A flag that may be followed by a file for the trace.
void add_profile(CLI::App& command, bool& tables, std::string& trace) {
  command
      .add_option_function<std::string>(
          "--profile",
          [&](const std::string& file) {
            tables = true;
            trace = file == "-" ? "" : file;
          },
          "show where the time went, by operation and by module; with FILE.json also write every kernel call there, "
          "for "
          "chrome://tracing")
      ->expected(0, 1)
      ->default_str("-")
      ->type_name("[FILE.json]")
      ->check(CLI::Validator(
          [](const std::string& file) {
            return file == "-" || file.ends_with(".json")
                       ? std::string()
                       : fmt::format("the trace file {} must end in .json; --profile alone goes to the end", file);
          },
          ""));
}

void add_checkpoint(CLI::App& command, std::string& which) {
  command.add_option("--checkpoint", which, "best (by validation accuracy; the default) or last")
      ->check(CLI::IsMember({"best", "last"}));
}

CLI::App* add_train(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("train", "train a model as a recipe says, or continue a run");
  TrainCommand& o = options.train;
  CLI::Option* recipe = command->add_option("recipe", o.recipe, "recipe in TOML");
  CLI::Option* set = command->add_option("--set", o.changes, "change a key of the recipe: KEY=VALUE (may be repeated)");
  set->allow_extra_args(false);
  CLI::Option* seed = command->add_option("--seed", o.seed, "the same as --set seed=N")->check(CLI::NonNegativeNumber);
  CLI::Option* limit =
      command->add_option("--memory-limit", o.memory_limit, "MB of a step: the same as --set train.memory_limit=MB")
          ->check(CLI::PositiveNumber);
  CLI::Option* run = command->add_option("--run", o.run, "run folder to make (default: runs/<recipe>-<date>-<time>)");
  CLI::Option* resume = command->add_option("--resume", o.resume, "continue the run in this folder, bit for bit");
  for (CLI::Option* option : {recipe, set, seed, limit, run}) resume->excludes(option);
  add_profile(*command, o.profile, o.trace);
  command->add_flag("--json", o.json, "print the result as one JSON object, and nothing else");
  command->add_flag("--help-recipe", options.help_recipe, "list the keys of a recipe and exit");
  add_threads(*command, options);
  command->footer(
      footer("  gradus train recipes/fashion-lenet5.toml\n"
             "  gradus train recipes/fashion-lenet5.toml --set train.epochs=3 --set optimizer.lr=1e-3 --seed 7\n"
             "  gradus train recipes/fashion-mlp.toml --run runs/mlp --threads 2\n"
             "  gradus train --resume runs/mlp\n\n"
             "Ctrl-C saves and stops; --resume goes on from there.\n"));
  return command;
}

CLI::App* add_eval(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("eval", "loss and accuracy of a trained model");
  EvalCommand& o = options.eval;
  command->add_option("run", o.run, "run folder")->required();
  add_checkpoint(*command, o.checkpoint);
  command->add_option("--split", o.split, "test (the default), validation or train")
      ->check(CLI::IsMember({"test", "validation", "train"}));
  command->add_flag("--int8", o.int8, "measure again with linear layers quantised to 8 bits");
  add_profile(*command, o.profile, o.trace);
  command->add_flag("--json", o.json, "print JSON");
  add_threads(*command, options);
  command->footer(
      footer("  gradus eval runs/mlp\n  gradus eval runs/mlp --int8\n  gradus eval runs/mlp --split validation "
             "--checkpoint last --json\n"));
  return command;
}

CLI::App* add_predict(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("predict", "what a trained model says of pictures, or of the rows of a table");
  PredictCommand& o = options.predict;
  command->add_option("run", o.run, "run folder")->required();
  command
      ->add_option(
          "files", o.files,
          "PNG or JPEG files of the size that the model was trained on (Fashion-MNIST: 28 x 28, light on dark), or "
          "one CSV file with the columns of the training")
      ->required();
  command->add_option("--top", o.top, "classes to show of a picture (default 3)")->check(CLI::Range(1, 1000000));
  add_checkpoint(*command, o.checkpoint);
  command->add_option("--out", o.out, "write the answers to this file (default: print them)");
  command->add_flag("--json", o.json, "JSON, not text (pictures) or CSV (tables)");
  add_threads(*command, options);
  command->footer(
      footer("  gradus predict runs/mlp shirt.png boot.jpg\n  gradus predict runs/mlp shirt.png --top 10 --json\n"
             "  gradus predict runs/credit new-customers.csv --out answers.csv\n"));
  return command;
}

CLI::App* add_summary(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("summary", "layers of a model: shapes, parameters, multiplications, memory, receptive field");
  command->add_option("what", options.summary.what, "a recipe or a run folder")->required();
  command->add_option("--svg", options.summary.svg, "write a picture of the model to this file");
  command->add_option("--dot", options.summary.dot, "the same for Graphviz");
  command->add_flag("--json", options.summary.json, "print JSON");
  command->footer(
      footer("  gradus summary recipes/fashion-lenet5.toml --svg lenet5.svg\n  gradus summary runs/mlp --json\n"));
  return command;
}

CLI::App* add_explain(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("explain", "chapters that explain deep learning, and measure what they say");
  ExplainCommand& o = options.explain;
  CLI::Option* what =
      command->add_option("what", o.what, "a chapter, its number, or a question in words; nothing lists the chapters");
  command->add_flag("--all", o.all, "the whole book: every chapter that is written, and an index of the pages")
      ->excludes(what);
  CLI::Option* quick = command->add_flag("--quick", o.quick, "fewer seeds and shorter runs: under 20 s");
  command->add_flag("--full", o.full, "more seeds and longer runs")->excludes(quick);
  command->add_option("--out", o.out, "folder for the page and the ledger of claims (default: reports)");
  command->add_flag("--open", o.open, "open the page in a browser");
  command->add_flag("--json", o.json, "print JSON");
  CLI::Option* on =
      command->add_option("--on", o.on, "try the claims of the chapter on the network and the data of this run")
          ->needs(what);
  CLI::Option* model = command->add_option("--model", o.model, "the same for this recipe")->needs(what)->excludes(on);
  command->add_option("--data", o.data, "a data set in place of the recipe's: --set data.name=NAME")->needs(model);
  command->add_option("--set", o.changes, "change a key of the recipe: KEY=VALUE (may be repeated)")
      ->allow_extra_args(false)
      ->needs(model);
  add_threads(*command, options);
  command->footer(
      footer("  gradus explain\n  gradus explain gradient-descent --quick\n  gradus explain --all --quick --out book\n "
             " gradus explain \"why does a large learning "
             "rate diverge?\"\n  gradus explain vanishing-gradients --on runs/mlp\n  gradus explain gradient-descent "
             "--model recipes/fashion-mlp.toml --quick\n"));
  return command;
}

CLI::App* add_compare(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand(
      "compare", "should I use deep learning here? a network against simpler learners on the rows of a table");
  CompareCommand& o = options.compare;
  command
      ->add_option("data", o.data,
                   "CSV file, a table of the library (german-credit, breast-cancer, digits, friedman), or without "
                   "--target a data set that has a test part (gradus data list), such as fashion-mnist")
      ->required();
  command->add_option("--target", o.target, "column to predict");
  command->add_option("--task", o.task, "classification or regression (default: as the column is)")
      ->check(CLI::IsMember({"classification", "regression"}));
  command->add_option("--drop", o.drop, "columns to leave out: A,B")->delimiter(',')->allow_extra_args(false);
  command->add_option("--delimiter", o.delimiter, "of the fields (default ,)");
  command->add_option("--folds", o.folds, "parts of the rows, each of which is the test once (default 5)")
      ->check(CLI::Range(2, 100));
  command->add_option("--rows", o.rows, "use at most so many rows, drawn at random (default 10000)")
      ->check(CLI::Range(8, 100000000));
  command
      ->add_option("--metric", o.metric,
                   "what decides: accuracy, balanced-accuracy, auc, f1 or log-loss of classes (default accuracy); r2, "
                   "rmse or mae of numbers (default r2)")
      ->check(CLI::IsMember({"accuracy", "balanced-accuracy", "auc", "f1", "log-loss", "r2", "rmse", "mae"}));
  command->add_option("--learning-curve", o.sizes, "rows to train on: 100,1000,10000 (default: what suits the data)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(2, 100000000));
  command
      ->add_option("--seeds", o.draws,
                   "of a data set with a test part: draws of training rows for each size, 3,2,1 (the default), or one "
                   "number for all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1000));
  command->add_option("--test-rows", o.test_rows, "of a data set with a test part: use so many of it (default all)")
      ->check(CLI::Range(2, 100000000));
  command->add_flag("--quick", o.quick, "one repeat, fewer settings, no learning curve unless it is asked for");
  command->add_option("--seed", o.seed, "the same seed, the same scores (default 0)")->check(CLI::NonNegativeNumber);
  command->add_option("--out", o.out, "write a page to this file");
  command->add_flag("--json", o.json, "print JSON");
  add_threads(*command, options);
  command->footer(
      footer("  gradus compare customers.csv --target churned\n"
             "  gradus compare german-credit --target class --quick\n"
             "  gradus compare houses.csv --target price --drop id --out houses.html\n"
             "  gradus compare fashion-mnist --learning-curve 100,1000,10000 --seeds 3,2,1 --out curve.html\n\n"
             "It uses one thread unless --threads says otherwise, so that times can be compared.\n"));
  return command;
}

CLI::App* add_doctor(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("doctor", "what is wrong with a run, why, and what to try; or with this program's machine");
  DoctorCommand& o = options.doctor;
  CLI::Option* run = command->add_option("run", o.run, "run folder; without one: what this program was built with");
  CLI::Option* build =
      command->add_flag("--build", o.build, "the build and the processor only, not the data sets")->excludes(run);
  CLI::Option* trial = command
                           ->add_option_function<std::size_t>(
                               "--trial", [&o](const std::size_t& most) { o.trial = most; },
                               "run the recipe and up to K remedies on the same seeds; a gain has to be significant")
                           ->expected(0, 1)
                           ->default_str("3")
                           ->type_name("[K]")
                           ->check(CLI::Range(1, 20));
  command->add_option("--seeds", o.seeds, "of the trial (default 5)")->check(CLI::Range(2, 1000))->needs(trial);
  CLI::Option* suite = command->add_flag("--suite", o.suite, "train runs with known faults, and count what it finds");
  command->add_option("--seed", o.seed, "of the suite (default 1)")->needs(suite)->check(CLI::Range(0, 1000000));
  command->add_flag("--development", o.development, "the part of the suite that the rules were made on")->needs(suite);
  trial->needs(run);
  suite->excludes(run)->excludes(build);
  command->add_flag("--json", o.json, "print JSON");
  add_threads(*command, options);
  command->footer(
      footer(
          "  gradus doctor runs/mlp\n  gradus doctor runs/mlp --trial 2 --seeds 8\n  gradus doctor --suite\n  gradus "
          "doctor --build\n") +
      "\nOf a run: 3 when a fault of severity warning or above was found, 0 when it is healthy.");
  return command;
}

struct RunsApps {
  CLI::App *list, *compare, *show;
};

RunsApps add_runs(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("runs", "what was trained: list, compare and show runs");
  command->require_subcommand(1);
  RunsApps apps{command->add_subcommand("list", "one line per run"),
                command->add_subcommand("compare", "settings that differ, and figures, side by side"),
                command->add_subcommand("show", "recipe and epochs of a run")};
  for (CLI::App* each : {apps.list, apps.compare, apps.show}) {
    CLI::Option* folders = each->add_option("folders", options.runs.folders, "runs, or folders that hold runs");
    if (each != apps.list) folders->required();
    each->add_flag("--json", options.runs.json, "print JSON");
  }
  const std::string examples =
      footer("  gradus runs list\n  gradus runs compare runs/mlp runs/lenet5\n  gradus runs show runs/mlp --json\n");
  for (CLI::App* each : {command, apps.list, apps.compare, apps.show}) each->footer(examples);
  return apps;
}

CLI::App* add_lr_find(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("lr-find", "which learning rate? trains a moment with a rate that grows");
  LrFindCommand& o = options.lr_find;
  command->add_option("recipe", o.recipe, "recipe in TOML")->required();
  command->add_option("--set", o.changes, "change a key of the recipe: KEY=VALUE (may be repeated)")
      ->allow_extra_args(false);
  command->add_option("--from", o.lowest, "lowest rate (default 1e-7)")->check(CLI::PositiveNumber);
  command->add_option("--to", o.highest, "highest rate (default 10)")->check(CLI::PositiveNumber);
  command->add_option("--steps", o.steps, "steps between them (default 100)")->check(CLI::Range(10, 1000000));
  command->add_option("--svg", o.svg, "write a picture of the losses to this file");
  command->add_flag("--json", o.json, "print JSON");
  add_threads(*command, options);
  command->footer(footer("  gradus lr-find recipes/fashion-lenet5.toml --svg lr.svg\n"));
  return command;
}

CLI::App* add_surface(CLI::App& app, Options& options) {
  CLI::App* command = app.add_subcommand("surface", "the training loss around the weights of a run");
  SurfaceCommand& o = options.surface;
  command->add_option("run", o.run, "run folder")->required();
  add_checkpoint(*command, o.checkpoint);
  command->add_option("--points", o.points, "of each direction, an odd number (default 21)")
      ->check(CLI::Range(3, 1001));
  command->add_option("--range", o.range, "how far: 1 (the default) is as far as the weights are large")
      ->check(CLI::PositiveNumber);
  command->add_flag("--plane", o.plane, "along two directions instead of one");
  command->add_option("--examples", o.examples, "of the training part (default 1000)")
      ->check(CLI::Range(1, 1000000000));
  command->add_option("--seed", o.seed, "of the directions and the examples (default 0)")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", o.json, "print JSON");
  add_threads(*command, options);
  command->footer(footer("  gradus surface runs/mlp\n  gradus surface runs/mlp --plane --points 15 --range 0.5\n"));
  return command;
}

struct DataApps {
  CLI::App *list, *info, *fetch, *split;
};

void add_data_fetch(CLI::App& command, DataFetchCommand& o) {
  command.add_option("what", o.what, "name of a data set, or an address (http or https)")->required();
  command.add_option("--sha256", o.sha256, "sum that the file has to have, 64 hexadecimal digits");
  command.add_option("--out", o.out, "file or folder (default: the file's name here; of a data set the folder of all)");
  command.add_option("--mirror", o.mirror,
                     "address of a folder with the files of the data set, in place of its origin");
  command.add_flag("--json", o.json, "print JSON");
}

DataApps add_data(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("data", "data sets: which there are, what they hold, from where; CSV files in parts");
  command->require_subcommand(1);
  DataApps apps{
      command->add_subcommand("list", "data sets that recipes may name"),
      command->add_subcommand("info", "shapes, types, classes, statistics and duplicates"),
      command->add_subcommand("fetch", "get a data set by name, or a file by address; goes on where it broke off"),
      command->add_subcommand("split", "write a CSV file's rows as train, validation and test part")};
  apps.info
      ->add_option("what", options.data_info.what,
                   "name of a data set, or a file or folder: CSV, NPY, NPZ, IDX, PNG, JPEG, CIFAR")
      ->required();
  add_data_fetch(*apps.fetch, options.data_fetch);
  DataSplitCommand& o = options.data_split;
  apps.split->add_option("csv", o.csv, "CSV file")->required();
  apps.split
      ->add_option("--fractions", o.fractions, "shares of train, validation, test, or train, test (0.7,0.15,0.15)")
      ->delimiter(',')
      ->check(CLI::PositiveNumber);
  CLI::Option* stratify = apps.split->add_option("--stratify", o.stratify, "column: its values evenly in all parts");
  apps.split->add_option("--group", o.group, "column: rows with the same value stay together")->excludes(stratify);
  apps.split->add_option("--seed", o.seed, "the same seed, the same parts (default 0)")->check(CLI::NonNegativeNumber);
  apps.split->add_option("--out", o.out, "folder of the parts (default: that of the file)");
  apps.info->add_option("--delimiter", options.data_info.delimiter, "of the fields (default ,)");
  apps.split->add_option("--delimiter", o.delimiter, "of the fields (default ,)");
  apps.list->add_flag("--json", options.data_list.json, "print JSON");
  apps.info->add_flag("--json", options.data_info.json, "print JSON");
  apps.split->add_flag("--json", o.json, "print JSON");
  const std::string examples = footer(
      "  gradus data list\n  gradus data info digits\n  gradus data info credit.csv --json\n"
      "  gradus data fetch cifar-10\n  gradus data fetch https://example.org/set.npz --sha256 9f86d081...\n"
      "  gradus data split credit.csv --stratify defaulted --seed 1 --out parts\n");
  for (CLI::App* each : {command, apps.list, apps.info, apps.fetch, apps.split}) each->footer(examples);
  return apps;
}

CLI::App* add_selftest(CLI::App& app, Options& options) {
  CLI::App* command =
      app.add_subcommand("selftest", "compare this program with results that are known exactly; 1 when one differs");
  command->add_flag("--json", options.selftest.json, "print JSON");
  add_threads(*command, options);
  command->footer(footer("  gradus selftest\n  gradus selftest --json\n"));
  return command;
}

int usage(const std::string& message, const CLI::App& command) {
  fmt::print(stderr, "usage error: {}\n  hint: {} --help\n", message,
             command.get_parent() ? "gradus " + command.get_name() : "gradus");
  return exit_usage;
}

int run_train(const Options& options, const CLI::App& command) {
  if (options.help_recipe) {
    fmt::print("{}", train::recipe_help());
    return exit_ok;
  }
  if (options.train.recipe.empty() && options.train.resume.empty())
    return usage("which recipe? (or --resume RUN)", command);
  return train(options.train);
}

int guarded(const std::function<int()>& body) {
  try {
    const int code = body();
    if (std::fflush(stdout) == 0) return code;
    fmt::print(stderr, "the output could not be written\n");
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.kind() == ErrorKind::config || error.kind() == ErrorKind::usage ? exit_usage : exit_failed;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "out of memory\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
  }
  return exit_failed;
}

}  // namespace

int run(int argc, const char* const* argv) {
  CLI::App app("Gradus: deep learning in C++20. Trains, evaluates and applies neural networks.", "gradus");
  app.set_version_flag("--version", std::string("gradus ") + version);
  app.require_subcommand(1);
  app.footer(
      footer("  gradus train recipes/fashion-lenet5.toml\n  gradus eval runs/fashion-lenet5-20260131-120000\n"
             "  gradus train --help\n"));
  Options options;
  const CLI::App* train_app = add_train(app, options);
  const CLI::App* eval_app = add_eval(app, options);
  const CLI::App* predict_app = add_predict(app, options);
  const CLI::App* summary_app = add_summary(app, options);
  const RunsApps runs_apps = add_runs(app, options);
  const CLI::App* lr_find_app = add_lr_find(app, options);
  const CLI::App* surface_app = add_surface(app, options);
  const DataApps data_apps = add_data(app, options);
  const CLI::App* selftest_app = add_selftest(app, options);
  const CLI::App* explain_app = add_explain(app, options);
  const CLI::App* compare_app = add_compare(app, options);
  const CLI::App* doctor_app = add_doctor(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const auto chosen = app.get_subcommands();
    return usage(error.what(), chosen.empty() ? app : *chosen.front());
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is then an error like a full disk, not the end of the program
  return guarded([&] {
    if (options.threads > 0) set_num_threads(options.threads);
    if (train_app->parsed()) return run_train(options, *train_app);
    if (eval_app->parsed()) return eval(options.eval);
    if (predict_app->parsed()) return predict(options.predict);
    if (summary_app->parsed()) return summary(options.summary);
    if (runs_apps.list->parsed()) return runs_list(options.runs);
    if (runs_apps.compare->parsed()) return runs_compare(options.runs);
    if (runs_apps.show->parsed()) return runs_show(options.runs);
    if (lr_find_app->parsed()) return lr_find(options.lr_find);
    if (surface_app->parsed()) return surface(options.surface);
    if (data_apps.list->parsed()) return data_list(options.data_list);
    if (data_apps.info->parsed()) return data_info(options.data_info);
    if (data_apps.fetch->parsed()) return data_fetch(options.data_fetch);
    if (data_apps.split->parsed()) return data_split(options.data_split);
    if (selftest_app->parsed()) return selftest(options.selftest);
    if (explain_app->parsed()) {
      options.explain.threads = options.threads;
      return explain(options.explain);
    }
    if (compare_app->parsed()) {
      options.compare.threads = options.threads;
      return compare(options.compare);
    }
    GRADUS_ASSERT(doctor_app->parsed());
    return doctor(options.doctor);
  });
}

}  // namespace gradus::cli
