// Reading of state dicts that are not a model's: a list of what must be there, loaded strictly.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "gradus/nn/fields.h"

namespace gradus::optim::detail {

/// The entries that a dict must have. What expect() returns holds the entry after load().
///
///   Entries entries("optim::Lookahead", "a Lookahead", "it continues from the state of a Lookahead with the same k");
///   const nn::Buffer& step = entries.expect("step", {DType::i64, {}});
///   entries.load(dict, where);
class Entries {
 public:
  /// `op` heads the message of a refusal, `whole` has the entries, `hint` says what would be accepted.
  Entries(std::string op, std::string whole, std::string hint)
      : op_(std::move(op)), whole_(std::move(whole)), hint_(std::move(hint)) {}

  const nn::Buffer& expect(std::string path, const TensorSpec& spec);
  /// Another one, whose value load() replaces; for what already has a place.
  void expect(nn::FieldRef field) { fields_.push_back(std::move(field)); }

  /// Fills all entries, cast to their type where both are floating, and evaluated. Throws Error(state) that lists all that
  /// is missing, unexpected, repeated or of another shape, and then changes nothing.
  void load(const NamedTensors& dict, SourceLocation where);
  /// The entry at `path`, which was expected.
  const Tensor& at(std::string_view path) const;

 private:
  std::string op_, whole_, hint_;
  std::deque<nn::Buffer> buffers_;  // stable addresses
  std::vector<nn::FieldRef> fields_;
};

/// A whole number after `prefix` and before "." or the end: 12 in "state.12.step"; -1 where there is none.
std::int64_t index_after(std::string_view name, std::string_view prefix);

}  // namespace gradus::optim::detail
