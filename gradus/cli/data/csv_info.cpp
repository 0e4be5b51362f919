#include "gradus/cli/data/csv_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "gradus/data/statistics.h"
#include "gradus/data/table/csv.h"

namespace gradus::cli {
namespace {

using Json = nlohmann::ordered_json;

/// How often each category occurs, the commonest first; at most 20 of them.
Json category_counts(const data::Column& column) {
  std::vector<std::pair<std::int64_t, std::size_t>> counts;
  for (std::size_t code = 0; code < column.categories.size(); ++code) counts.emplace_back(0, code);
  for (std::size_t row = 0; row < column.integers.size(); ++row) {
    if (column.missing[row] == 0) --counts[static_cast<std::size_t>(column.integers[row])].first;
  }
  std::sort(counts.begin(), counts.end());
  if (counts.size() > 20) counts.resize(20);
  Json found = Json::object();
  for (const auto& [count, code] : counts) found[column.categories[code]] = -count;
  return found;
}

Json column_info(const data::Column& column) {
  Json info = {{"name", column.name}, {"type", data::name_of(column.type)}, {"missing", column.missing_count()}};
  if (column.type == data::ColumnType::category) {
    info["categories"] = column.categories.size();
    info["counts"] = category_counts(column);
  }
  if (!column.is_numeric()) return info;
  std::vector<double> numbers;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.missing[static_cast<std::size_t>(row)] == 0) numbers.push_back(column.number(row));
  }
  const data::NumberStatistics s = data::number_statistics(numbers);
  info["missing"] = column.missing_count() + s.missing;
  if (s.infinite > 0) info["infinite"] = s.infinite;
  if (s.count > 0) info.update({{"min", s.min}, {"max", s.max}, {"mean", s.mean}, {"std", s.std}});
  return info;
}

/// Rows that are equal to an earlier one, field by field.
std::int64_t duplicate_rows(const data::Table& table) {
  const auto text_of = [&](std::int64_t row) {
    std::vector<std::string> fields;
    for (const data::Column& column : table.columns) fields.push_back(column.text(row));
    return fields;
  };
  std::vector<std::pair<std::size_t, std::int64_t>> hashes;  // and the row: 16 bytes a row, whatever is in it
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    std::size_t hash = 0;
    for (const data::Column& column : table.columns) {
      hash = hash * 0x9e3779b97f4a7c15u + std::hash<std::string>()(column.text(row));
      hash ^= hash >> 29;
    }
    hashes.emplace_back(hash, row);
  }
  std::sort(hashes.begin(), hashes.end());
  std::int64_t twice = 0;
  for (std::size_t begin = 0, end = 0; begin < hashes.size(); begin = end) {
    std::vector<std::vector<std::string>> rows;
    for (; end < hashes.size() && hashes[end].first == hashes[begin].first; ++end) {
      if (end == begin && (end + 1 == hashes.size() || hashes[end + 1].first != hashes[begin].first)) continue;
      std::vector<std::string> fields = text_of(hashes[end].second);
      if (std::find(rows.begin(), rows.end(), fields) != rows.end()) {
        ++twice;
      } else {
        rows.push_back(std::move(fields));
      }
    }
  }
  return twice;
}

}  // namespace

Json csv_info(const std::string& path, char delimiter) {
  const data::Table table = data::read_csv(path, {.delimiter = delimiter});
  Json columns = Json::array();
  for (const data::Column& column : table.columns) columns.push_back(column_info(column));
  return {{"kind", "csv"},
          {"path", path},
          {"rows", table.rows()},
          {"duplicates", duplicate_rows(table)},
          {"columns", std::move(columns)}};
}

void print_csv_info(const Json& info) {
  fmt::print("{}: CSV, {} rows, {} of them equal to an earlier one\n\n", info["path"].get<std::string>(),
             info["rows"].get<std::int64_t>(), info["duplicates"].get<std::int64_t>());
  fmt::print("{:<24} {:<9} {:>8} {:>12} {:>12} {:>12} {:>12} {:>10}\n", "column", "type", "missing", "min", "max",
             "mean", "std", "categories");
  for (const Json& column : info["columns"]) {
    const auto number = [&](const char* key) {
      return column.contains(key) ? fmt::format("{:.6g}", column[key].get<double>()) : std::string("-");
    };
    fmt::print("{:<24} {:<9} {:>8} {:>12} {:>12} {:>12} {:>12} {:>10}\n", column["name"].get<std::string>(),
               column["type"].get<std::string>(), column["missing"].get<std::int64_t>(), number("min"), number("max"),
               number("mean"), number("std"), number("categories"));
  }
  for (const Json& column : info["columns"]) {
    const std::string name = column["name"].get<std::string>();
    if (column.contains("infinite")) fmt::print("\n{}: {} infinite\n", name, column["infinite"].get<std::int64_t>());
    if (!column.contains("counts")) continue;
    fmt::print("\n{}:", name);
    for (const auto& [category, count] : column["counts"].items())
      fmt::print("  {} {}", category, count.get<std::int64_t>());
    fmt::print("{}\n", column["counts"].size() < column["categories"].get<std::size_t>() ? "  ..." : "");
  }
}

}  // namespace gradus::cli
