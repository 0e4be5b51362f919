// gradus data: which data sets there are, what they hold, and CSV files in parts.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/data/sources.h"
#include "gradus/data/split/split.h"
#include "gradus/data/statistics.h"
#include "gradus/data/table/csv.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

char delimiter_of(const std::string& text) {
  if (text.size() == 1) return text.front();
  throw Error(ErrorKind::usage, "data", fmt::format("--delimiter is \"{}\", expected one character", text));
}

Json column_info(const data::Column& column) {
  Json info = {{"name", column.name}, {"type", data::name_of(column.type)}, {"missing", column.missing_count()}};
  if (!column.is_numeric()) {
    if (column.type == data::ColumnType::category) info["categories"] = column.categories.size();
    return info;
  }
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0;
  const std::int64_t count = column.size() - column.missing_count();
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.missing[static_cast<std::size_t>(row)] != 0) continue;
    const double value = column.number(row);
    low = std::min(low, value), high = std::max(high, value), sum += value;
  }
  if (count > 0) info.update({{"min", low}, {"max", high}, {"mean", sum / static_cast<double>(count)}});
  return info;
}

/// The text of all fields of each row; equal rows have equal ones.
std::int64_t duplicate_rows(const data::Table& table) {
  std::map<std::vector<std::string>, std::int64_t> seen;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    std::vector<std::string> fields;
    for (const data::Column& column : table.columns) fields.push_back(column.text(row));
    ++seen[fields];
  }
  return table.rows() - static_cast<std::int64_t>(seen.size());
}

int csv_info(const DataInfoCommand& command) {
  const data::Table table = data::read_csv(command.what, {.delimiter = delimiter_of(command.delimiter)});
  Json columns = Json::array();
  for (const data::Column& column : table.columns) columns.push_back(column_info(column));
  const std::int64_t twice = duplicate_rows(table);
  if (command.json) {
    const Json all = {
        {"kind", "csv"}, {"path", command.what}, {"rows", table.rows()}, {"duplicates", twice}, {"columns", columns}};
    fmt::print("{}\n", all.dump(2));
    return exit_ok;
  }
  fmt::print("{}: CSV, {} rows, {} of them equal to an earlier one\n\n", command.what, table.rows(), twice);
  fmt::print("{:<24} {:<9} {:>8} {:>12} {:>12} {:>12} {:>10}\n", "column", "type", "missing", "min", "max", "mean",
             "categories");
  for (const Json& column : columns) {
    const auto number = [&](const char* key) {
      return column.contains(key) ? fmt::format("{:.6g}", column[key].get<double>()) : std::string("-");
    };
    fmt::print("{:<24} {:<9} {:>8} {:>12} {:>12} {:>12} {:>10}\n", column["name"].get<std::string>(),
               column["type"].get<std::string>(), column["missing"].get<std::int64_t>(), number("min"), number("max"),
               number("mean"), number("categories"));
  }
  return exit_ok;
}

Json split_info(const data::Dataset& set) {
  const auto channels = data::channel_statistics(set);
  Json list = Json::array();
  for (const auto& channel : channels) {
    list.push_back({{"mean", channel.mean}, {"std", channel.std}, {"min", channel.min}, {"max", channel.max}});
  }
  return {{"examples", set.size()},
          {"shape", fmt::format("{}", set.example_shape().str())},
          {"classes", set.num_classes()},
          {"class_counts", data::class_counts(set)},
          {"duplicates", data::duplicates(set).size()},
          {"channels", list}};
}

int source_info(const DataInfoCommand& command) {
  Json all = {{"kind", "data set"}, {"name", command.what}};
  for (const data::Split split : {data::Split::train, data::Split::test}) {
    all[std::string(data::name_of(split))] = split_info(data::load(command.what, split));
  }
  if (command.json) {
    fmt::print("{}\n", all.dump(2));
    return exit_ok;
  }
  for (const char* split : {"train", "test"}) {
    const Json& part = all[split];
    fmt::print("{}, {}: {} examples of shape {}, {} classes, {} examples equal to an earlier one\n", command.what,
               split, part["examples"].get<std::int64_t>(), part["shape"].get<std::string>(),
               part["classes"].get<std::int64_t>(), part["duplicates"].get<std::int64_t>());
    fmt::print("  examples of each class: {}\n", fmt::join(part["class_counts"].get<std::vector<std::int64_t>>(), " "));
    std::int64_t index = 0;
    for (const Json& channel : part["channels"]) {
      fmt::print("  channel {:>3}: mean {:<10.5g} std {:<10.5g} min {:<10.5g} max {:<10.5g}\n", index++,
                 channel["mean"].get<double>(), channel["std"].get<double>(), channel["min"].get<double>(),
                 channel["max"].get<double>());
    }
  }
  return exit_ok;
}

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

std::vector<data::Rows> parts_of(const data::Table& table, const DataSplitCommand& command) {
  if (!command.stratify.empty()) {
    return data::stratified_split(numbered(table, command.stratify), command.fractions, command.seed);
  }
  if (!command.group.empty()) {
    return data::grouped_split(numbered(table, command.group), command.fractions, command.seed);
  }
  return data::random_split(table.rows(), command.fractions, command.seed);
}

}  // namespace

int data_list(const DataListCommand& command) {
  Json all = Json::array();
  for (const data::SourceInfo& info : data::source_infos()) {
    all.push_back(
        {{"name", info.name}, {"description", info.description}, {"licence", info.licence}, {"origin", info.origin}});
  }
  if (command.json) {
    fmt::print("{}\n", all.dump(2));
    return exit_ok;
  }
  for (const data::SourceInfo& info : data::source_infos()) {
    fmt::print("{:<14} {}\n{:<14} from: {}{}{}\n", info.name, info.description, "", info.origin,
               info.licence.empty() ? "" : "; licence: ", info.licence);
  }
  return exit_ok;
}

int data_info(const DataInfoCommand& command) {
  return fs::exists(command.what) || command.what.find('.') != std::string::npos ? csv_info(command)
                                                                                 : source_info(command);
}

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
  Json written = Json::array();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    data::write_csv(paths[i], table.select(parts[i]), delimiter);
    written.push_back({{"part", names[i]}, {"path", paths[i]}, {"rows", parts[i].size()}});
    if (!command.json) fmt::print("{}: {} rows\n", paths[i], parts[i].size());
  }
  if (command.json) fmt::print("{}\n", written.dump(2));
  return exit_ok;
}

}  // namespace gradus::cli
