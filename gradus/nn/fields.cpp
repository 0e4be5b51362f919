#include "gradus/nn/fields.h"

#include <fmt/format.h>

#include "gradus/base/error.h"

namespace gradus::nn {
namespace {

/// The error for a pattern that selects nothing.
[[noreturn]] void refuse_pattern(std::string_view op, std::string_view pattern, const std::vector<std::string>& paths,
                                 SourceLocation where) {
  Error error(ErrorKind::value, std::string(op), fmt::format("no parameter matches \"{}\"", pattern));
  error.at(where);
  const std::string nearest = nearest_name(pattern, paths);
  if (!nearest.empty()) {
    error.hint(fmt::format("the nearest name is {}", nearest));
  } else if (!paths.empty()) {
    error.hint(fmt::format("names look like {}; * stands for any characters", paths.front()));
  } else {
    error.hint("the model has no parameters");
  }
  throw error;
}

std::vector<std::string> paths_of_parameters(std::span<const FieldRef> fields) {
  std::vector<std::string> paths;
  for (const FieldRef& field : fields) {
    if (field.parameter && field.parameter->defined()) paths.push_back(field.path);
  }
  return paths;
}

}  // namespace

std::string LayerType::str() const {
  std::string text(name);
  const std::size_t size = text.size();
  if (size > 3 && text[size - 3] == '<' && text.back() == '>') text = text.substr(0, size - 3) + text[size - 2] + 'd';
  return text;
}

void FieldRef::assign(Tensor value) const {
  if (parameter) {
    *parameter = std::move(value);
  } else {
    *buffer = std::move(value);
  }
}

std::size_t FieldWalk::enter(std::string_view name) {
  const std::size_t outer = path_.size();
  if (!path_.empty() && !name.empty()) path_ += '.';
  path_ += name;
  return outer;
}

void FieldWalk::found(Parameter& parameter) {
  parameter.set_name(path_);
  found_.push_back({path_, &parameter, nullptr});
}

void FieldWalk::found(Buffer& buffer) {
  buffer.set_name(path_);
  found_.push_back({path_, nullptr, &buffer});
}

namespace detail {

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {  // let the last star take one more
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<Parameter*> parameters(std::span<const FieldRef> fields) {
  std::vector<Parameter*> found;
  for (const FieldRef& field : fields) {
    if (field.parameter && field.parameter->defined()) found.push_back(field.parameter);
  }
  return found;
}

std::vector<Parameter*> parameters(std::span<const FieldRef> fields, std::string_view pattern, SourceLocation where) {
  std::vector<Parameter*> found;
  for (const FieldRef& field : fields) {
    if (field.parameter && field.parameter->defined() && matches(pattern, field.path)) found.push_back(field.parameter);
  }
  if (found.empty()) refuse_pattern("nn::parameters", pattern, paths_of_parameters(fields), where);
  return found;
}

std::int64_t num_parameters(std::span<const FieldRef> fields, const CountOptions& options) {
  std::int64_t count = 0;
  for (const FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined() || !matches(options.pattern, field.path)) continue;
    if (field.parameter->trainable() || !options.trainable_only) count += field.parameter->numel();
  }
  return count;
}

std::vector<std::pair<std::string, std::int64_t>> parameter_counts(std::span<const FieldRef> fields, int depth) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined()) continue;
    std::size_t end = 0;
    for (int i = 0; i < depth && end != std::string::npos; ++i) end = field.path.find('.', end + (i > 0 ? 1 : 0));
    const std::string group = field.path.substr(0, end);
    if (counts.empty() || counts.back().first != group) counts.emplace_back(group, 0);
    counts.back().second += field.parameter->numel();
  }
  return counts;
}

int set_trainable(std::span<const FieldRef> fields, std::string_view pattern, bool trainable, std::string_view op,
                  SourceLocation where) {
  int count = 0;
  for (const FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined() || !matches(pattern, field.path)) continue;
    field.parameter->set_trainable(trainable);
    ++count;
  }
  if (count == 0) refuse_pattern(op, pattern, paths_of_parameters(fields), where);
  return count;
}

}  // namespace detail
}  // namespace gradus::nn
