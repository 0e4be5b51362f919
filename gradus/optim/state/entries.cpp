#include "gradus/optim/state/entries.h"

#include <algorithm>
#include <charconv>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/factory.h"

namespace gradus::optim::detail {

const nn::Buffer& Entries::expect(std::string path, const TensorSpec& spec) {
  nn::Buffer& buffer = buffers_.emplace_back(zeros(spec.shape, spec.dtype));
  fields_.push_back({std::move(path), nullptr, &buffer});
  return buffer;
}

void Entries::load(const NamedTensors& dict, SourceLocation where) {
  nn::detail::load_state_dict(fields_, dict, {.strict = true}, where, {op_, whole_, hint_});
  Tensors loaded;
  for (const nn::FieldRef& field : fields_) loaded.push_back(field.tensor());
  eval(loaded, where);
}

const Tensor& Entries::at(std::string_view path) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const nn::FieldRef& field) { return field.path == path; });
  GRADUS_ASSERT(found != fields_.end());
  return found->tensor();
}

std::int64_t index_after(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return -1;
  std::int64_t index = -1;
  const char* const end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, index);
  return error == std::errc() && index >= 0 && (rest == end || *rest == '.') ? index : -1;
}

}  // namespace gradus::optim::detail
