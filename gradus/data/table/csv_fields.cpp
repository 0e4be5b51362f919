#include "gradus/data/table/csv_fields.h"

#include <fmt/format.h>

#include <deque>

namespace gradus::data::detail {
namespace {

/// Walks over the text once. What it points at is always the next byte.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name, char delimiter, bool trim)
      : text_(text), name_(name), delimiter_(delimiter), trim_(trim) {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = line_start_ = 3;
    if (text_.starts_with("\xff\xfe") || text_.starts_with("\xfe\xff")) {
      throw csv_error(name_, 1, 1, "this is UTF-16").hint("convert it: iconv -f UTF-16 -t UTF-8");
    }
  }

  CsvFields run() {
    CsvFields out;
    while (!at_end()) {
      if (skip_blank_line()) continue;
      const std::size_t before = out.fields.size();
      const std::int64_t line = line_;
      do out.fields.push_back(field());
      while (take_delimiter());
      const std::size_t count = out.fields.size() - before;
      if (out.width == 0) out.width = count;
      if (count != out.width) throw ragged(out, before, count, line);
      end_line();
    }
    out.storage.assign(std::make_move_iterator(unquoted_.begin()), std::make_move_iterator(unquoted_.end()));
    std::size_t next = 0;  // short strings moved with their objects
    for (CsvField& field : out.fields) {
      if (field.quoted) field.text = out.storage[next++];
    }
    return out;
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  bool at_line_end() const { return at_end() || peek() == '\n' || text_.substr(at_, 2) == "\r\n"; }
  std::int64_t column() const { return static_cast<std::int64_t>(at_ - line_start_) + 1; }
  Error error(std::string summary) const { return csv_error(name_, line_, column(), std::move(summary)); }

  void end_line() {
    if (at_end()) return;
    at_ += peek() == '\r' ? 2 : 1;
    ++line_;
    line_start_ = at_;
  }

  bool skip_blank_line() {
    if (!at_line_end()) return false;
    end_line();
    return true;
  }

  bool take_delimiter() {
    if (at_end() || peek() != delimiter_) return false;
    ++at_;
    return true;
  }

  void skip_blanks() {
    while (trim_ && !at_end() && (peek() == ' ' || peek() == '\t') && peek() != delimiter_) ++at_;
  }

  CsvField field() {
    const std::size_t begin = at_;
    skip_blanks();
    if (!at_end() && peek() == '"') return quoted();
    at_ = begin;
    CsvField out{{}, line_, column(), false};
    while (!at_line_end() && peek() != delimiter_) {
      if (peek() == '"') {
        throw error("a quote inside a field that does not begin with one")
            .hint("put the whole field into quotes, and double those inside: \"5\"\" disk\"");
      }
      if (peek() == '\0') throw error("a zero byte: this is not text");
      if (peek() == '\r') throw error("a carriage return without a line feed").hint("lines end with LF or CRLF");
      ++at_;
    }
    out.text = text_.substr(begin, at_ - begin);
    if (trim_) {
      constexpr std::string_view blanks = " \t";
      const std::size_t first = out.text.find_first_not_of(blanks);
      if (first == out.text.npos) {
        out.text = {};
      } else {
        out.text = out.text.substr(first, out.text.find_last_not_of(blanks) - first + 1);
      }
    }
    return out;
  }

  CsvField quoted() {
    CsvField out{{}, line_, column(), true};
    std::string content;
    for (++at_;; ++at_) {
      if (at_end()) {
        throw csv_error(name_, out.line, out.column, "the quote that opens here is never closed");
      }
      const char c = peek();
      if (c == '\0') throw error("a zero byte: this is not text");
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        ++at_;
      }
      content.push_back(c);
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      }
    }
    ++at_;
    skip_blanks();
    if (!at_line_end() && peek() != delimiter_) {
      throw error("text behind a closing quote").hint("double the quotes inside a quoted field: \"5\"\" disk\"");
    }
    unquoted_.push_back(std::move(content));
    return out;
  }

  Error ragged(const CsvFields& out, std::size_t before, std::size_t count, std::int64_t line) const {
    const std::int64_t column = count > out.width ? out.fields[before + out.width].column : this->column();
    Error error = csv_error(name_, count > out.width ? out.fields[before + out.width].line : line, column,
                            fmt::format("{} fields, where the first line has {}", count, out.width));
    if (out.width == 1 || count == 1) error.hint("is the delimiter the right one? (option delimiter)");
    return error;
  }

  std::string_view text_;
  const std::string& name_;
  char delimiter_;
  bool trim_;
  std::size_t at_ = 0, line_start_ = 0;
  std::int64_t line_ = 1;
  std::deque<std::string> unquoted_;
};

}  // namespace

Error csv_error(const std::string& name, std::int64_t line, std::int64_t column, std::string summary) {
  return Error(ErrorKind::format, "read_csv", std::move(summary)).context(fmt::format("{}:{}:{}", name, line, column));
}

CsvFields split_csv(std::string_view text, const std::string& name, char delimiter, bool trim) {
  return Scanner(text, name, delimiter, trim).run();
}

}  // namespace gradus::data::detail
