// The commands of the program, free of how their options were written. Each prints to stdout, throws Error for what a user
// can mend, and returns the exit code.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gradus::cli {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;

struct TrainCommand {
  std::string recipe;                ///< file; empty with --resume
  std::vector<std::string> changes;  ///< "train.epochs=3"
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> memory_limit;  ///< MB
  std::string run;                           ///< folder to make; empty: runs/<recipe>-<date>-<time>
  std::string resume;                        ///< folder to continue
  bool profile = false;
  std::string trace;  ///< file for a trace of all kernel calls; empty: none
  bool json = false;
};
int train(const TrainCommand& command);

struct EvalCommand {
  std::string run;
  std::string checkpoint = "best";
  std::string split = "test";  ///< test, validation or train
  bool int8 = false;           ///< again with linear layers in 8 bits
  bool profile = false;
  std::string trace;  ///< as above
  bool json = false;
};
int eval(const EvalCommand& command);

struct PredictCommand {
  std::string run;
  std::vector<std::string> files;  ///< pictures, or one CSV file
  std::string checkpoint = "best";
  int top = 3;      ///< of a picture
  std::string out;  ///< file for the answers; empty: stdout
  bool json = false;
};
int predict(const PredictCommand& command);

struct SummaryCommand {
  std::string what;  ///< a recipe or a run
  std::string dot;   ///< file for a drawing as Graphviz reads it; empty: none
  std::string svg;   ///< file for a picture; empty: none
  bool json = false;
};
int summary(const SummaryCommand& command);

struct RunsCommand {
  std::vector<std::string> folders = {"runs"};  ///< runs, or folders that hold runs
  bool json = false;
};
int runs_list(const RunsCommand& command);
int runs_compare(const RunsCommand& command);
int runs_show(const RunsCommand& command);

struct LrFindCommand {
  std::string recipe;
  std::vector<std::string> changes;  ///< as in TrainCommand
  double lowest = 1e-7, highest = 10;
  std::int64_t steps = 100;
  std::string svg;  ///< file for the picture; empty: none
  bool json = false;
};
int lr_find(const LrFindCommand& command);

struct DataListCommand {
  bool json = false;
};
int data_list(const DataListCommand& command);

struct DataInfoCommand {
  std::string what;             ///< name of a data set, or a file or folder
  std::string delimiter = ",";  ///< of a CSV file
  bool json = false;
};
int data_info(const DataInfoCommand& command);

struct DataFetchCommand {
  std::string what;    ///< name of a data set, or an address
  std::string sha256;  ///< of the file behind the address; empty: any
  std::string out;     ///< file or folder; empty: the name of the file here, or where data sets are looked for
  std::string mirror;  ///< address under which the files of the name lie, too; empty: their origin
  bool json = false;
};
int data_fetch(const DataFetchCommand& command);

struct DataSplitCommand {
  std::string csv;
  std::vector<double> fractions = {0.7, 0.15, 0.15};  ///< train, validation, test; or train, test
  std::string stratify, group;                        ///< column; at most one of them
  std::uint64_t seed = 0;
  std::string out;  ///< folder; empty: that of the file
  std::string delimiter = ",";
  bool json = false;
};
/// Writes <file>-train.csv and so on, none of which may exist.
int data_split(const DataSplitCommand& command);

struct SelftestCommand {
  bool json = false;
};
int selftest(const SelftestCommand& command);

struct ExplainCommand {
  std::string what;                  ///< chapter, number or question; empty: the list
  bool all = false;                  ///< every chapter that is written, with an index
  bool quick = false, full = false;  ///< at most one of them
  std::string out;                   ///< folder for the page; empty: reports
  bool open = false;                 ///< in a browser
  bool json = false;
  int threads = 0;                   ///< 0: one
  std::string on;                    ///< a run whose network and data the claims are tried on ...
  std::string model, data;           ///< ... or a recipe, and a data set in place of its own
  std::vector<std::string> changes;  ///< of the recipe, KEY=VALUE
};
int explain(const ExplainCommand& command);
/// With `on` or `model`.
int explain_on(const ExplainCommand& command);

struct SurfaceCommand {
  std::string run;
  std::string checkpoint = "best";
  std::int64_t points = 21;
  double range = 1;
  bool plane = false;            ///< along two directions
  std::int64_t examples = 1000;  ///< of the training part
  std::int64_t seed = 0;         ///< of the directions and the examples
  bool json = false;
};
int surface(const SurfaceCommand& command);

inline constexpr int exit_faults = 3;  ///< of the doctor: it found a fault

struct CompareCommand {
  std::string data;               ///< CSV file, a table of the library, or a data set with a test part
  std::string target;             ///< column; empty: of a data set with a test part, its labels
  std::string task;               ///< classification or regression; empty: as the column is
  std::vector<std::string> drop;  ///< columns to leave out
  std::string delimiter = ",";
  std::int64_t folds = 5;
  std::int64_t rows = 10000;        ///< at most; more are drawn from
  std::string metric;               ///< empty: accuracy, or R2 of numbers
  std::vector<std::int64_t> sizes;  ///< training rows of the learning curve; empty: those that suit the data
  std::vector<std::int64_t> draws;  ///< of a data set with a test part: draws for each size, or one number for all
  std::int64_t test_rows = 0;       ///< of a data set with a test part; 0: all
  bool quick = false;               ///< one repeat, fewer variants, no learning curve
  std::uint64_t seed = 0;
  std::string out;  ///< file for the page; empty: none
  bool json = false;
  int threads = 0;  ///< 0: one
};
int compare(const CompareCommand& command);

struct DoctorCommand {
  bool build = false;
  std::string run;        ///< folder to examine; empty: the program itself
  std::size_t trial = 0;  ///< remedies to try; 0: none
  std::size_t seeds = 5;  ///< of the trial
  bool suite = false, development = false;
  std::uint64_t seed = 1;  ///< of the suite
  bool json = false;
};
int doctor(const DoctorCommand& command);
/// The parts of it that need no look at the program itself.
int doctor_run(const DoctorCommand& command);
int doctor_suite(const DoctorCommand& command);

/// Reads the command line, runs a command, and turns errors into messages on stderr and exit codes.
int run(int argc, const char* const* argv);

}  // namespace gradus::cli
