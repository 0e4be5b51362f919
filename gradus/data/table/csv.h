// CSV files (RFC 4180) to tables and back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/table/table.h"

namespace gradus::data {

struct CsvOptions {
  char delimiter = ',';
  /// The first line names the columns; otherwise they are "0", "1", ...
  bool header = true;
  /// Unquoted fields that are no value. A quoted field always is one.
  std::vector<std::string> missing = {"", "NA", "NaN", "nan", "?"};
  /// Types that are known beforehand, by column; the others follow from the fields: i64 when all are integers, else f64,
  /// else boolean ("true" and "false", any case), else category, else text.
  std::map<std::string, ColumnType> types = {};
  /// A column of more different texts than this is text, not category.
  std::int64_t most_categories = 1000;
  /// Spaces and tabs around unquoted fields do not count.
  bool trim = true;
};

/// Reads a CSV file, plain or compressed by gzip: quoted fields with embedded delimiters, quotes and line breaks, lines
/// that end with LF or CRLF, an UTF-8 byte order mark, blank lines (which are skipped).
///
///   data::Table table = data::read_csv("credit.csv", {.delimiter = ';'});
///   table.column("age").type                                    // ColumnType::i64
///
/// Throws Error(io) when the file cannot be read; Error(format) that names line and column ("credit.csv:17:3") for a
/// line with more or fewer fields than the first, a quote that is not closed or stands inside an unquoted field, a
/// field that is not of the type that `types` says, a column name that is used twice or is empty, a file without
/// columns, or no text at all; Error(value) for options that mean nothing.
Table read_csv(const std::string& path, const CsvOptions& options = {});

/// The same for a text in memory; `name` stands for the file in messages.
Table parse_csv(std::string_view text, const std::string& name, const CsvOptions& options = {});

/// A table as a text that parse_csv makes an equal one of (given its types).
std::string csv_text(const Table& table, char delimiter = ',');
/// Writes csv_text to a file; whole or not at all. Throws Error(io).
void write_csv(const std::string& path, const Table& table, char delimiter = ',');

}  // namespace gradus::data
