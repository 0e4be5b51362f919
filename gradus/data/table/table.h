// Tables: named columns of one type each, as CSV files hold them.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/location.h"

namespace gradus::data {

/// What the fields of a column are. `category`: few different texts, kept as codes and a dictionary.
enum class ColumnType { i64, f64, boolean, category, text };
/// "i64", "f64", "bool", "category", "text"
std::string_view name_of(ColumnType type);

/// One column. Exactly one of `integers`, `numbers` and `texts` holds its rows.
struct Column {
  std::string name = {};
  ColumnType type = ColumnType::text;
  std::vector<std::int64_t> integers = {};   ///< i64: the values; boolean: 0 or 1; category: index into `categories`
  std::vector<double> numbers = {};          ///< f64
  std::vector<std::string> texts = {};       ///< text
  std::vector<std::string> categories = {};  ///< the dictionary, sorted by bytes
  std::vector<std::uint8_t> missing = {};    ///< 1 where the row has no value (which then is 0 or empty)

  std::int64_t size() const { return static_cast<std::int64_t>(missing.size()); }
  std::int64_t missing_count() const;
  bool is_numeric() const { return type != ColumnType::category && type != ColumnType::text; }
  /// The row's value as a number: i64, f64, boolean; of a category its code.
  double number(std::int64_t row) const;
  /// The row's value as text, as it would be written; "" when it is missing.
  std::string text(std::int64_t row) const;
};

/// Columns of equal length. A plain value.
struct Table {
  std::string name = {};  ///< the file, for messages
  std::vector<Column> columns = {};
  std::vector<std::int64_t> lines = {};  ///< the line of the file where each row begins; may be empty

  std::int64_t rows() const { return columns.empty() ? 0 : columns.front().size(); }
  /// Throws Error(value) with the nearest name when there is no such column.
  const Column& column(std::string_view name, SourceLocation where = SourceLocation::current()) const;
  std::vector<std::string> column_names() const;
  /// The types by name, to read another file in the same way (CsvOptions::types).
  std::map<std::string, ColumnType> types() const;
  /// These rows, in this order; categories keep their dictionaries. Throws Error(index).
  Table select(std::span<const std::int64_t> rows, SourceLocation where = SourceLocation::current()) const;
  /// "file.csv:17" for messages, or "file.csv, row 15" when the lines are not known.
  std::string place(std::int64_t row) const;
};

}  // namespace gradus::data
