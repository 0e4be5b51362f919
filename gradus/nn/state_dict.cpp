#include "gradus/nn/state_dict.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"

namespace gradus::nn::detail {
namespace {

/// Everything that can be wrong between a model and a state dict.
struct Comparison {
  std::vector<std::pair<const FieldRef*, const Tensor*>> loadable;
  std::vector<const FieldRef*> missing;
  std::vector<const std::pair<std::string, Tensor>*> unexpected;
  std::vector<std::string> repeated;
  std::vector<std::pair<const FieldRef*, const Tensor*>> misfits;  ///< of another shape, or of a type of another kind
};

bool fits(const TensorSpec& have, const TensorSpec& want) {
  return have.shape == want.shape && (have.dtype == want.dtype || (is_floating(have.dtype) && is_floating(want.dtype)));
}

Comparison compare(std::span<const FieldRef> fields, const StateDict& dict) {
  Comparison result;
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : dict) {
    if (!given.emplace(name, &tensor).second) result.repeated.push_back(name);
  }
  std::unordered_set<std::string_view> wanted;
  for (const FieldRef& field : fields) {
    if (!field.tensor().defined()) continue;
    wanted.insert(field.path);
    const auto found = given.find(field.path);
    if (found == given.end() || !found->second->defined()) {
      result.missing.push_back(&field);
    } else if (!fits(found->second->spec(), field.tensor().spec())) {
      result.misfits.emplace_back(&field, found->second);
    } else {
      result.loadable.emplace_back(&field, found->second);
    }
  }
  for (const auto& entry : dict) {
    if (!wanted.contains(entry.first)) result.unexpected.push_back(&entry);
  }
  return result;
}

/// The prefix that all names of the dict carry and the model's do not ("module."), or "".
std::string common_prefix(const Comparison& c) {
  if (c.missing.empty() || c.unexpected.empty()) return {};
  const std::string& wanted = c.missing.front()->path;
  for (const auto* entry : c.unexpected) {
    if (entry->first.size() <= wanted.size() || !entry->first.ends_with("." + wanted)) continue;
    const std::string prefix = entry->first.substr(0, entry->first.size() - wanted.size());
    for (const auto* other : c.unexpected) {
      if (!other->first.starts_with(prefix)) return {};
    }
    return prefix;
  }
  return {};
}

std::string nearest_remark(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? std::string() : fmt::format("   did you mean {}?", nearest);
}

[[noreturn]] void refuse(const Comparison& c, bool strict, std::size_t total, SourceLocation where,
                         const LoadWords& words) {
  std::vector<std::string> missing_names, unexpected_names;
  for (const FieldRef* field : c.missing) missing_names.push_back(field->path);
  for (const auto* entry : c.unexpected) unexpected_names.push_back(entry->first);

  Error error(
      ErrorKind::state, words.op,
      fmt::format("{} missing, {} unexpected, {} of another shape or type, {} repeated; {} has {} tensors; "
                  "nothing was loaded",
                  c.missing.size(), c.unexpected.size(), c.misfits.size(), c.repeated.size(), words.whole, total));
  error.at(where);
  if (strict) {
    for (const FieldRef* field : c.missing) {
      error.field("missing", fmt::format("{}  {}{}", field->path, field->tensor().spec().str(),
                                         nearest_remark(field->path, unexpected_names)));
    }
    for (const auto* entry : c.unexpected) {
      error.field("unexpected", fmt::format("{}  {}{}", entry->first,
                                            entry->second.defined() ? entry->second.spec().str() : "undefined",
                                            nearest_remark(entry->first, missing_names)));
    }
  }
  for (const auto& [field, tensor] : c.misfits) {
    error.field("mismatch",
                fmt::format("{}  {}, expected {}", field->path, tensor->spec().str(), field->tensor().spec().str()));
  }
  for (const std::string& name : c.repeated) error.field("repeated", name);
  if (const std::string prefix = common_prefix(c); !prefix.empty()) {
    error.hint(fmt::format("all unexpected names begin with \"{}\": strip it", prefix));
  } else if (c.misfits.empty() && c.repeated.empty()) {
    error.hint(words.hint);
  }
  throw error;
}

}  // namespace

StateDict state_dict(std::span<const FieldRef> fields) {
  StateDict dict;
  for (const FieldRef& field : fields) {
    if (field.tensor().defined()) dict.emplace_back(field.path, field.tensor());
  }
  return dict;
}

LoadReport load_state_dict(std::span<const FieldRef> fields, const StateDict& dict, LoadOptions options,
                           SourceLocation where, const LoadWords& words) {
  const Comparison c = compare(fields, dict);
  const bool complete = c.missing.empty() && c.unexpected.empty();
  if (!c.misfits.empty() || !c.repeated.empty() || (options.strict && !complete)) {
    refuse(c, options.strict, c.missing.size() + c.misfits.size() + c.loadable.size(), where, words);
  }
  for (const auto& [field, tensor] : c.loadable)
    field->assign(cast(TensorArg(*tensor, where), field->tensor().dtype()));
  LoadReport report;
  for (const FieldRef* field : c.missing) report.missing.push_back(field->path);
  for (const auto* entry : c.unexpected) report.unexpected.push_back(entry->first);
  return report;
}

}  // namespace gradus::nn::detail
