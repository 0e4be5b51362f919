#include "gradus/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace gradus {

std::string SourceLocation::str() const {
  if (!known()) return "an unknown place";
  const std::string_view path(file);
  const std::size_t slash = path.find_last_of('/');
  return fmt::format("{}:{}", slash == path.npos ? path : path.substr(slash + 1), line);
}

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::shape: return "shape error";
    case ErrorKind::dtype: return "dtype error";
    case ErrorKind::axis: return "axis error";
    case ErrorKind::value: return "value error";
    case ErrorKind::index: return "index error";
    case ErrorKind::state: return "state error";
    case ErrorKind::io: return "input/output error";
    case ErrorKind::format: return "format error";
    case ErrorKind::config: return "configuration error";
    case ErrorKind::usage: return "usage error";
  }
  return "error";
}

Error::Error(ErrorKind kind, std::string op, std::string summary)
    : kind_(kind), op_(std::move(op)), summary_(std::move(summary)) {
  render();
}

Error& Error::context(std::string text) & {
  if (context_.empty()) context_ = std::move(text);
  render();
  return *this;
}
Error& Error::at(SourceLocation where) & {
  if (!where_.known()) where_ = where;
  render();
  return *this;
}
Error& Error::operand(std::string role, const TensorSpec& spec, std::string remark) & {
  fields_.emplace_back(role, remark.empty() ? spec.str() : spec.str() + "   " + remark);
  operands_.push_back({std::move(role), spec.str(), std::move(remark)});
  render();
  return *this;
}
Error& Error::field(std::string name, std::string value) & {
  operands_.push_back({name, value, {}});
  fields_.emplace_back(std::move(name), std::move(value));
  render();
  return *this;
}
Error& Error::note(std::string text) & {
  notes_.push_back(std::move(text));
  render();
  return *this;
}
Error& Error::hint(std::string text) & {
  if (hint_.empty()) hint_ = std::move(text);
  render();
  return *this;
}
Error&& Error::context(std::string text) && { return std::move(context(std::move(text))); }
Error&& Error::at(SourceLocation where) && { return std::move(at(where)); }
Error&& Error::operand(std::string role, const TensorSpec& spec, std::string remark) && {
  return std::move(operand(std::move(role), spec, std::move(remark)));
}
Error&& Error::field(std::string name, std::string value) && {
  return std::move(field(std::move(name), std::move(value)));
}
Error&& Error::note(std::string text) && { return std::move(note(std::move(text))); }
Error&& Error::hint(std::string text) && { return std::move(hint(std::move(text))); }

void Error::render() {
  text_ = fmt::format("{} in {}", name_of(kind_), op_);
  if (!context_.empty()) text_ += fmt::format(" ({})", context_);
  if (where_.known()) text_ += fmt::format(", called at {}", where_.str());
  if (!summary_.empty()) text_ += ": " + summary_;
  std::size_t roles = 0, specs = 0;
  for (const Operand& o : operands_) {
    roles = std::max(roles, o.role.size());
    if (!o.remark.empty()) specs = std::max(specs, o.spec.size());
  }
  for (const Operand& o : operands_) {
    text_ += fmt::format("\n  {:<{}}  ", o.role, roles);
    text_ += o.remark.empty() ? o.spec : fmt::format("{:<{}}   {}", o.spec, specs, o.remark);
  }
  for (const std::string& note : notes_) text_ += "\n  " + note;
  if (!hint_.empty()) text_ += "\n  hint: " + hint_;
}

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  std::vector<std::size_t> row;
  for (const std::string& candidate : candidates) {
    row.resize(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < name.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i + 1);
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t changed = diagonal + (name[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "gradus: broken promise at %s:%d: %s\nThis is a defect of Gradus; please report it.\n", file,
               line, condition);
  std::abort();
}

}  // namespace gradus
