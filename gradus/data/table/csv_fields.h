// The syntax of CSV: from a text to fields that know where they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::data::detail {

/// One field: its text without quotes, and where it began.
struct CsvField {
  std::string_view text;              ///< in CsvFields::storage or the text that was read
  std::int64_t line = 0, column = 0;  ///< from 1; the column counts bytes
  bool quoted = false;
};

/// All fields, row by row, each with `width` of them. Owns the texts that had to be unquoted.
struct CsvFields {
  std::vector<CsvField> fields;
  std::size_t width = 0;
  std::vector<std::string> storage;  ///< not moved once it is filled

  std::size_t rows() const { return width == 0 ? 0 : fields.size() / width; }
  const CsvField& at(std::size_t row, std::size_t column) const { return fields[row * width + column]; }
};

/// Error(format) in read_csv at one place of `name`.
Error csv_error(const std::string& name, std::int64_t line, std::int64_t column, std::string summary);

/// `text` must outlive the result. Throws as read_csv.
CsvFields split_csv(std::string_view text, const std::string& name, char delimiter, bool trim);

}  // namespace gradus::data::detail
