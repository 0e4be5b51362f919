#include "gradus/data/table/csv.h"

#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/data/file.h"
#include "gradus/data/gzip.h"
#include "gradus/data/table/csv_fields.h"

namespace gradus::data {
namespace {

using detail::CsvField;
using detail::CsvFields;

/// A whole field as a number. Infinite numbers are written "inf" or "infinity"; those beyond a double are infinite, too.
template <class T>
std::optional<T> parsed(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (code == std::errc::result_out_of_range) {
      // 0 or infinity. The point is a point, whatever the program's locale.
      static const locale_t plain = newlocale(LC_ALL_MASK, "C", nullptr);
      return strtod_l(std::string(text).c_str(), nullptr, plain);
    }
    if (std::isnan(value)) return std::nullopt;
  }
  return code == std::errc() ? std::optional<T>(value) : std::nullopt;
}

std::optional<bool> parsed_bool(std::string_view text) {
  const auto equal = [&](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  };
  if (equal("true")) return true;
  if (equal("false")) return false;
  return std::nullopt;
}

/// Makes one column out of its fields.
class ColumnReader {
 public:
  ColumnReader(const CsvFields& fields, std::size_t column, std::size_t first_row, const std::string& file,
               const CsvOptions& options)
      : fields_(fields), column_(column), first_row_(first_row), file_(file), options_(options) {}

  Column read(std::string name) {
    out_.name = std::move(name);
    mark_missing();
    const auto given = options_.types.find(out_.name);
    out_.type = given == options_.types.end() ? inferred() : given->second;
    switch (out_.type) {
      case ColumnType::i64: fill(out_.integers, parsed<std::int64_t>, "an integer"); break;
      case ColumnType::f64: fill(out_.numbers, parsed<double>, "a number"); break;
      case ColumnType::boolean: fill(out_.integers, parsed_bool, "true or false"); break;
      case ColumnType::category: fill_categories(); break;
      case ColumnType::text: fill_texts(); break;
    }
    return std::move(out_);
  }

 private:
  std::size_t rows() const { return fields_.rows() - first_row_; }
  const CsvField& field(std::size_t row) const { return fields_.at(first_row_ + row, column_); }

  void mark_missing() {
    out_.missing.resize(rows());
    for (std::size_t row = 0; row < rows(); ++row) {
      const CsvField& f = field(row);
      out_.missing[row] =
          !f.quoted && std::find(options_.missing.begin(), options_.missing.end(), f.text) != options_.missing.end();
    }
  }

  template <class Parse>
  bool all(Parse parse) const {
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] == 0 && !parse(field(row).text)) return false;
    }
    return true;
  }

  ColumnType inferred() const {
    if (out_.missing_count() == out_.size()) return ColumnType::f64;  // nothing is known: numbers that are missing
    if (all(parsed<std::int64_t>)) return ColumnType::i64;
    if (all(parsed<double>)) return ColumnType::f64;
    if (all(parsed_bool)) return ColumnType::boolean;
    std::set<std::string_view> different;
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] == 0) different.insert(field(row).text);
      if (static_cast<std::int64_t>(different.size()) > options_.most_categories) return ColumnType::text;
    }
    return ColumnType::category;
  }

  template <class T, class Parse>
  void fill(std::vector<T>& values, Parse parse, std::string_view expected) {
    values.resize(rows());
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] != 0) continue;
      const auto value = parse(field(row).text);
      if (!value) {
        throw detail::csv_error(file_, field(row).line, field(row).column,
                                fmt::format("\"{}\" in column \"{}\" is not {}", field(row).text, out_.name, expected));
      }
      values[row] = static_cast<T>(*value);
    }
  }

  void fill_categories() {
    std::set<std::string_view> different;
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] == 0) different.insert(field(row).text);
    }
    std::unordered_map<std::string_view, std::int64_t> codes;
    for (const std::string_view text : different) {
      codes[text] = static_cast<std::int64_t>(out_.categories.size());
      out_.categories.emplace_back(text);
    }
    out_.integers.resize(rows());
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] == 0) out_.integers[row] = codes[field(row).text];
    }
  }

  void fill_texts() {
    out_.texts.resize(rows());
    for (std::size_t row = 0; row < rows(); ++row) {
      if (out_.missing[row] == 0) out_.texts[row] = field(row).text;
    }
  }

  const CsvFields& fields_;
  std::size_t column_, first_row_;
  const std::string& file_;
  const CsvOptions& options_;
  Column out_;
};

void check_options(const CsvOptions& options, const std::string& name) {
  const std::string_view refused("\"\r\n\0", 4);
  if (refused.find(options.delimiter) != refused.npos) {
    throw Error(ErrorKind::value, "read_csv", "the delimiter cannot be a quote, a line break or a zero byte")
        .context(name);
  }
  if (options.most_categories < 0) {
    throw Error(ErrorKind::value, "read_csv", fmt::format("most_categories is {}", options.most_categories))
        .context(name)
        .field("expected", "0 or more");
  }
}

std::vector<std::string> names_of(const CsvFields& fields, const std::string& file, bool header) {
  std::vector<std::string> names;
  for (std::size_t c = 0; c < fields.width; ++c) {
    if (!header) {
      names.push_back(fmt::format("{}", c));
      continue;
    }
    const CsvField& field = fields.at(0, c);
    if (field.text.empty()) {
      throw detail::csv_error(file, field.line, field.column, fmt::format("column {} has no name", c + 1))
          .hint("a file without a line of names: option header = false");
    }
    names.emplace_back(field.text);
  }
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (names[order[i]] != names[order[i - 1]]) continue;
    const CsvField& field = fields.at(0, order[i]);
    throw detail::csv_error(file, field.line, field.column,
                            fmt::format("the column name \"{}\" is used twice", field.text))
        .hint("a file without a line of names: option header = false");
  }
  return names;
}

/// A value as CSV writes it: in quotes where it would be read as something else without.
std::string written(const std::string& text, char delimiter) {
  const std::string special = std::string("\"\r\n \t") + delimiter;
  const std::vector<std::string> missing = CsvOptions().missing;
  const bool looks_missing = std::find(missing.begin(), missing.end(), text) != missing.end();
  if (text.find_first_of(special) == text.npos && !looks_missing) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

Table parse_csv(std::string_view text, const std::string& name, const CsvOptions& options) {
  check_options(options, name);
  const CsvFields fields = detail::split_csv(text, name, options.delimiter, options.trim);
  if (fields.width == 0) throw detail::csv_error(name, 1, 1, "the file holds no line");
  const std::vector<std::string> names = names_of(fields, name, options.header);
  for (const auto& [column, type] : options.types) {
    if (std::find(names.begin(), names.end(), column) != names.end()) continue;
    const std::string nearest = nearest_name(column, names);
    Error error(ErrorKind::value, "read_csv", fmt::format("types names a column \"{}\" that is not there", column));
    error.context(name).field("columns", fmt::format("{}", fmt::join(names, ", ")));
    if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
    throw error;
  }
  const std::size_t first = options.header ? 1 : 0;
  Table table{name, {}, {}};
  for (std::size_t c = 0; c < fields.width; ++c) {
    table.columns.push_back(ColumnReader(fields, c, first, name, options).read(names[c]));
  }
  for (std::size_t row = first; row < fields.rows(); ++row) table.lines.push_back(fields.at(row, 0).line);
  return table;
}

Table read_csv(const std::string& path, const CsvOptions& options) {
  return parse_csv(read_maybe_gzip(path, "read_csv"), path, options);
}

std::string csv_text(const Table& table, char delimiter) {
  std::string content;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) content += delimiter;
    content += written(table.columns[c].name, delimiter);
  }
  content += '\n';
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const Column& column = table.columns[c];
      if (c > 0) content += delimiter;
      if (column.missing[static_cast<std::size_t>(row)] != 0) {
        content += "NA";  // an empty line would not be a row
      } else {
        content += written(column.text(row), delimiter);
      }
    }
    content += '\n';
  }
  return content;
}

void write_csv(const std::string& path, const Table& table, char delimiter) {
  write_whole_file(path, csv_text(table, delimiter), "write_csv");
}

}  // namespace gradus::data
