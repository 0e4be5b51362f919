#include "gradus/nn/fields.h"

#include <fmt/format.h>

#include "gradus/base/error.h"

namespace gradus::nn {
namespace {

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

}  // namespace

void FieldRef::assign(Tensor value) const {
  if (parameter) {
    *parameter = std::move(value);
  } else {
    *buffer = Buffer(std::move(value));
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

void FieldWalk::found(Buffer& buffer) { found_.push_back({path_, nullptr, &buffer}); }

namespace detail {

std::vector<Parameter*> parameters(std::span<const FieldRef> fields) {
  std::vector<Parameter*> found;
  for (const FieldRef& field : fields) {
    if (field.parameter && field.parameter->defined()) found.push_back(field.parameter);
  }
  return found;
}

std::int64_t num_parameters(std::span<const FieldRef> fields, bool trainable_only) {
  std::int64_t count = 0;
  for (const Parameter* parameter : parameters(fields)) {
    if (parameter->trainable() || !trainable_only) count += parameter->numel();
  }
  return count;
}

int set_trainable(std::span<const FieldRef> fields, std::string_view pattern, bool trainable, std::string_view op,
                  SourceLocation where) {
  int count = 0;
  std::vector<std::string> paths;
  for (const FieldRef& field : fields) {
    if (!field.parameter || !field.parameter->defined()) continue;
    paths.push_back(field.path);
    if (!matches(pattern, field.path)) continue;
    field.parameter->set_trainable(trainable);
    ++count;
  }
  if (count > 0) return count;
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

}  // namespace detail
}  // namespace gradus::nn
