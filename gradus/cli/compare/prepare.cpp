#include "gradus/cli/compare/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/cli/data/delimiter.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"
#include "gradus/data/split/sampler.h"
#include "gradus/data/table/csv.h"

namespace gradus::cli {
namespace {

using data::Column;
using data::ColumnType;

constexpr std::size_t most_classes = 20;  ///< different whole numbers of a target; more are taken for a quantity

Error refusal(const data::Table& table, std::string summary) {
  return Error(ErrorKind::value, "compare", std::move(summary)).context(table.name);
}

bool present(const Column& column, std::int64_t row) { return column.missing[static_cast<std::size_t>(row)] == 0; }

/// Different values of a column that are there, at most `most` of them.
std::set<std::string> values_of(const Column& column, std::size_t most) {
  std::set<std::string> values;
  for (std::int64_t row = 0; row < column.size() && values.size() < most; ++row)
    if (present(column, row)) values.insert(column.text(row));
  return values;
}

bool predicts_numbers(const data::Table& table, const Column& target, const std::string& task) {
  if (target.type == ColumnType::text) {
    throw refusal(table,
                  fmt::format("column \"{}\" holds free text, or more than 1,000 different classes", target.name))
        .hint("a target is a class or a number");
  }
  const bool number = target.type == ColumnType::f64 ||
                      (target.type == ColumnType::i64 && values_of(target, most_classes + 1).size() > most_classes);
  if (task.empty()) return number;
  const bool wanted = task == "regression";
  if (wanted && !target.is_numeric()) {
    throw refusal(table,
                  fmt::format("column \"{}\" holds no numbers, and --task regression predicts numbers", target.name))
        .hint("--task classification, or none, which decides by the column");
  }
  if (!wanted && target.type == ColumnType::f64) {
    throw refusal(table,
                  fmt::format("column \"{}\" holds numbers with fractions, and --task classification predicts classes",
                              target.name))
        .hint("--task regression, or none, which decides by the column");
  }
  return wanted;
}

/// Why a column is of no use, or "".
std::string uselessness(const Column& column) {
  if (column.type == ColumnType::text) return "free text";
  if (column.missing_count() == column.size()) return "no values";
  const std::size_t rows = static_cast<std::size_t>(column.size());
  const bool gaps = column.missing_count() > 0;
  if (!gaps && values_of(column, 2).size() == 1) return "constant";
  if (gaps || rows < 10) return {};
  if (column.type == ColumnType::category && values_of(column, rows).size() == rows) return "a name for every row";
  if (column.type != ColumnType::i64) return {};
  for (std::size_t row = 1; row < rows; ++row)
    if (column.integers[row] != column.integers[row - 1] + 1) return {};
  return "row numbers";
}

/// The rows that have a target.
data::Table with_target(const data::Table& table, const Column& target, std::vector<std::string>& notes) {
  data::Rows rows;
  for (std::int64_t row = 0; row < table.rows(); ++row)
    if (present(target, row)) rows.push_back(row);
  if (rows.size() == static_cast<std::size_t>(table.rows())) return table;
  notes.push_back(fmt::format("{} rows without a value of \"{}\" were left out",
                              static_cast<std::size_t>(table.rows()) - rows.size(), target.name));
  return table.select(rows);
}

data::Table drawn(const data::Table& table, std::int64_t most, std::uint64_t seed, std::vector<std::string>& notes) {
  if (table.rows() <= most) return table;
  data::Rows rows = random_permutation(table.rows(), Key{seed}.fold(11));
  rows.resize(static_cast<std::size_t>(most));
  std::sort(rows.begin(), rows.end());
  notes.push_back(fmt::format("{} of {} rows were drawn at random; --rows says how many", most, table.rows()));
  return table.select(rows);
}

/// Columns of `table` that are of no use, in it or, as row numbers are, in the file that it is from.
std::vector<std::string> dropped(const data::Table& table, const data::Table& file, const CompareCommand& command,
                                 std::vector<std::string>& notes) {
  std::vector<std::string> drop = command.drop;
  for (const std::string& name : drop) table.column(name, {});
  std::int64_t gaps = 0;
  for (const Column& column : table.columns) {
    if (column.name == command.target || std::find(drop.begin(), drop.end(), column.name) != drop.end()) continue;
    std::string why = uselessness(file.column(column.name, {}));
    if (why.empty()) why = uselessness(column);
    if (!why.empty()) {
      notes.push_back(fmt::format("column \"{}\" was left out: {}", column.name, why));
      drop.push_back(column.name);
    } else {
      gaps += column.missing_count();
    }
  }
  if (gaps > 0) {
    notes.push_back(
        fmt::format("{} missing values were filled in: numbers by the mean of the training rows, with a column that "
                    "says so; categories by "
                    "the commonest",
                    gaps));
  }
  return drop;
}

void check_classes(const data::Table& table, const PreparedTable& prepared, const CompareCommand& command,
                   std::int64_t folds) {
  const std::int64_t classes =
      std::count_if(prepared.counts.begin(), prepared.counts.end(), [](std::int64_t n) { return n > 0; });
  if (classes < 2) {
    throw refusal(
        table, fmt::format("column \"{}\" has the same value in all rows: there is nothing to learn", command.target));
  }
  for (std::size_t c = 0; c < prepared.counts.size(); ++c) {
    if (prepared.counts[c] == 0 || prepared.counts[c] >= folds) continue;
    throw refusal(table, fmt::format("class \"{}\" has {} rows, fewer than the {} folds", prepared.classes[c],
                                     prepared.counts[c], folds))
        .hint(prepared.counts[c] < 2
                  ? "leave out its rows, or put it together with another class"
                  : fmt::format("leave out rare classes, put them together, or say --folds {}", prepared.counts[c]));
  }
}

}  // namespace

data::Table read_compared(const CompareCommand& command) {
  const char delimiter = delimiter_of(command.delimiter);
  if (!std::filesystem::exists(command.data)) {
    if (command.data == "german-credit") return data::german_credit_table();
    if (command.data == "breast-cancer") return data::breast_cancer_table();
    if (command.data == "digits") return data::digits_table();
    if (command.data == "friedman") return data::friedman_table(data::Split::train);
  }
  return data::read_csv(command.data, {.delimiter = delimiter});
}

PreparedTable prepare(const data::Table& table, const CompareCommand& command) {
  PreparedTable prepared;
  const Column& target = table.column(command.target, {});
  const bool numbers = predicts_numbers(table, target, command.task);
  const data::Table used =
      drawn(with_target(table, target, prepared.notes), command.rows, command.seed, prepared.notes);
  if (used.rows() < 4 * command.folds) {
    throw refusal(table, fmt::format("{} rows are too few for {} folds", used.rows(), command.folds))
        .hint("a comparison needs four rows for each fold at least, and says little below some hundred");
  }
  data::EncoderOptions options{.target = command.target, .drop = dropped(used, table, command, prepared.notes)};
  options.missing = data::Missing::indicator;
  if (options.drop.size() + 1 >= used.columns.size())
    throw refusal(table, fmt::format("no column is left to predict \"{}\" from", command.target))
        .field("left out", fmt::format("{}", fmt::join(options.drop, ", ")));
  prepared.columns = used.columns.size() - 1 - options.drop.size();
  prepared.problem = insight::problem_of(used, options, numbers);
  if (numbers) {
    if (values_of(used.column(command.target), 2).size() < 2)
      throw refusal(table, fmt::format("column \"{}\" has the same value in all rows: there is nothing to learn",
                                       command.target));
    return prepared;
  }
  prepared.classes = data::TableEncoder(used, options).classes();
  prepared.counts.resize(prepared.classes.size());
  for (const std::int64_t label : prepared.problem.labels) ++prepared.counts[static_cast<std::size_t>(label)];
  check_classes(table, prepared, command, command.folds);
  return prepared;
}

}  // namespace gradus::cli
