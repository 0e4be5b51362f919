// gradus data split: the rows of a CSV file as files of their own.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/data/delimiter.h"
#include "gradus/cli/json.h"
#include "gradus/data/split/split.h"
#include "gradus/data/table/csv.h"
#include "gradus/io/atomic_file.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// A number for each different text of a column, in the order of their first rows.
std::vector<std::int64_t> numbered(const data::Table& table, const std::string& name) {
  const data::Column& column = table.column(name);
  std::map<std::string, std::int64_t> known;
  std::vector<std::int64_t> numbers;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.missing[static_cast<std::size_t>(row)] != 0) {
      throw Error(ErrorKind::value, "data split", fmt::format("column \"{}\" has no value", name))
          .context(table.place(row));
    }
    numbers.push_back(known.try_emplace(column.text(row), static_cast<std::int64_t>(known.size())).first->second);
  }
  return numbers;
}

/// The same rows with every field as it stands in the file: 007 is not 7, nor is 1e3 1000.
data::Table as_written(const data::Table& table, const DataSplitCommand& command, char delimiter) {
  data::CsvOptions options{.delimiter = delimiter};
  for (const data::Column& column : table.columns) options.types[column.name] = data::ColumnType::text;
  return data::read_csv(command.csv, options);
}

std::vector<data::Rows> parts_of(const data::Table& table, const DataSplitCommand& command) {
  if (!command.stratify.empty()) {
    return data::stratified_split(numbered(table, command.stratify), command.fractions, command.seed);
  }
  if (!command.group.empty()) {
    return data::grouped_split(numbered(table, command.group), command.fractions, command.seed);
  }
  return data::random_split(table.rows(), command.fractions, command.seed);
}

/// Writes all files or none: each under another name first, and only then do they get theirs.
void write_all(const std::vector<std::string>& paths, const std::vector<std::string>& contents) {
  std::deque<io::AtomicFile> files;
  for (std::size_t i = 0; i < paths.size(); ++i) files.emplace_back(paths[i]).write(contents[i]);
  std::size_t done = 0;
  try {
    for (io::AtomicFile& file : files) file.commit(), ++done;
  } catch (...) {
    std::error_code ignored;
    for (std::size_t i = 0; i < done; ++i) fs::remove(paths[i], ignored);
    throw;
  }
}

}  // namespace

int data_split(const DataSplitCommand& command) {
  const char delimiter = delimiter_of(command.delimiter);
  if (command.fractions.size() < 2 || command.fractions.size() > 3) {
    throw Error(ErrorKind::usage, "data split", fmt::format("{} fractions, expected 2 or 3", command.fractions.size()));
  }
  const data::Table table = data::read_csv(command.csv, {.delimiter = delimiter});
  const std::vector<data::Rows> parts = parts_of(table, command);
  const bool three = parts.size() == 3;
  const std::vector<std::string> names =
      three ? std::vector<std::string>{"train", "validation", "test"} : std::vector<std::string>{"train", "test"};
  std::string stem = fs::path(command.csv).filename().string();
  stem.resize(std::min(stem.find('.'), stem.size()));
  const fs::path folder = command.out.empty() ? fs::path(command.csv).parent_path() : fs::path(command.out);
  std::vector<std::string> paths;
  for (const std::string& name : names) {
    paths.push_back((folder / (stem + "-" + name + ".csv")).string());
    if (fs::exists(paths.back())) {
      throw Error(ErrorKind::io, "data split", "the file exists already")
          .context(paths.back())
          .hint("remove it, or choose another folder with --out");
    }
  }
  const data::Table fields = as_written(table, command, delimiter);
  std::vector<std::string> contents;
  for (const data::Rows& rows : parts) contents.push_back(data::csv_text(fields.select(rows), delimiter));
  write_all(paths, contents);
  Json written = Json::array();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    written.push_back({{"part", names[i]}, {"path", paths[i]}, {"rows", parts[i].size()}});
    if (!command.json) fmt::print("{}: {} rows\n", paths[i], parts[i].size());
  }
  if (command.json) fmt::print("{}\n", text_of(written, 2));
  return exit_ok;
}

}  // namespace gradus::cli
