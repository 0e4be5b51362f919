#include "gradus/data/table/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus::data {

std::string_view name_of(ColumnType type) {
  constexpr std::string_view names[] = {"i64", "f64", "bool", "category", "text"};
  return names[static_cast<int>(type)];
}

std::int64_t Column::missing_count() const { return std::count(missing.begin(), missing.end(), std::uint8_t{1}); }

double Column::number(std::int64_t row) const {
  const auto at = static_cast<std::size_t>(row);
  if (type == ColumnType::f64) return numbers[at];
  GRADUS_ASSERT(type != ColumnType::text);
  return static_cast<double>(integers[at]);
}

std::string Column::text(std::int64_t row) const {
  const auto at = static_cast<std::size_t>(row);
  if (missing[at] != 0) return {};
  switch (type) {
    case ColumnType::i64: return fmt::format("{}", integers[at]);
    case ColumnType::f64: return fmt::format("{}", numbers[at]);
    case ColumnType::boolean: return integers[at] != 0 ? "true" : "false";
    case ColumnType::category: return categories[static_cast<std::size_t>(integers[at])];
    case ColumnType::text: break;
  }
  return texts[at];
}

const Column& Table::column(std::string_view wanted, SourceLocation where) const {
  for (const Column& column : columns) {
    if (column.name == wanted) return column;
  }
  const std::string nearest = nearest_name(wanted, column_names());
  throw Error(ErrorKind::value, "table", fmt::format("there is no column \"{}\"", wanted))
      .context(name)
      .at(where)
      .field("columns", fmt::format("{}", fmt::join(column_names(), ", ")))
      .hint(nearest.empty() ? "the first line of the file names the columns"
                            : fmt::format("did you mean \"{}\"?", nearest));
}

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

std::map<std::string, ColumnType> Table::types() const {
  std::map<std::string, ColumnType> found;
  for (const Column& column : columns) found[column.name] = column.type;
  return found;
}

namespace {

template <class T>
std::vector<T> picked(const std::vector<T>& values, std::span<const std::int64_t> rows) {
  std::vector<T> out;
  if (values.empty()) return out;
  out.reserve(rows.size());
  for (const std::int64_t row : rows) out.push_back(values[static_cast<std::size_t>(row)]);
  return out;
}

}  // namespace

Table Table::select(std::span<const std::int64_t> wanted, SourceLocation where) const {
  for (const std::int64_t row : wanted) {
    if (row >= 0 && row < rows()) continue;
    throw Error(ErrorKind::index, "select", fmt::format("row {} of {} rows", row, rows())).context(name).at(where);
  }
  Table out{name, {}, picked(lines, wanted)};
  for (const Column& column : columns) {
    out.columns.push_back({column.name, column.type, picked(column.integers, wanted), picked(column.numbers, wanted),
                           picked(column.texts, wanted), column.categories, picked(column.missing, wanted)});
  }
  return out;
}

std::string Table::place(std::int64_t row) const {
  if (lines.empty()) return fmt::format("{}, row {}", name, row);
  return fmt::format("{}:{}", name, lines[static_cast<std::size_t>(row)]);
}

}  // namespace gradus::data
