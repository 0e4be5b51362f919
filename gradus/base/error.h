// The one exception of the library: what a user did wrong, or what the outside world refused.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/base/location.h"
#include "gradus/base/shape.h"

namespace gradus {

enum class ErrorKind { shape, dtype, axis, value, index, state, io, format, config, usage };

std::string_view name_of(ErrorKind kind);

/// Thrown for everything that a user can mend. The message has one head line and one indented line per fact:
///
///   shape error in linear (encoder.fc1: 784 -> 64), called at train.cpp:57
///     input   f32 [32, 756]   axis 1 is 756, expected 784
///     weight  f32 [64, 784]   encoder.fc1.weight
///     hint: 28 x 28 = 784; the images are 28 x 27
///
/// Built by chaining: `throw Error(ErrorKind::shape, "linear").operand("input", spec, "...").hint("...");`
/// What Gradus itself did wrong is an assertion (GRADUS_ASSERT), never an Error.
class Error : public std::exception {
 public:
  /// `op`: the function or reader that refused. `summary`: continues the head line after a colon, may be empty.
  explicit Error(ErrorKind kind, std::string op, std::string summary = {});

  /// In parentheses behind the op: "encoder.fc1: 784 -> 64".
  Error&& context(std::string text) &&;
  Error& context(std::string text) &;
  /// Sets the user's location unless one is set already.
  Error&& at(SourceLocation where) &&;
  Error& at(SourceLocation where) &;
  /// One operand: its role, its type and shape, and what is wrong with it (may be empty).
  Error&& operand(std::string role, const TensorSpec& spec, std::string remark = {}) &&;
  Error& operand(std::string role, const TensorSpec& spec, std::string remark = {}) &;
  /// Any other "name  value" line.
  Error&& field(std::string name, std::string value) &&;
  Error& field(std::string name, std::string value) &;
  /// A free line.
  Error&& note(std::string text) &&;
  Error& note(std::string text) &;
  /// The last line: how to mend it.
  Error&& hint(std::string text) &&;
  Error& hint(std::string text) &;

  ErrorKind kind() const { return kind_; }
  const std::string& op() const { return op_; }
  SourceLocation location() const { return where_; }
  /// Every "name  value" line of the message, operands included.
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  struct Operand {
    std::string role, spec, remark;
  };
  void render();

  ErrorKind kind_;
  std::string op_, summary_, context_, hint_;
  SourceLocation where_;
  std::vector<Operand> operands_;
  std::vector<std::pair<std::string, std::string>> fields_;
  std::vector<std::string> notes_;
  std::string text_;
};

/// The candidate nearest to `name` by edit distance, or "" when none is near enough to be a typing error.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace gradus

/// A promise of Gradus to itself; checked in every build, because a wrong answer is worse than a stop.
#define GRADUS_ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::gradus::assertion_failed(#condition, __FILE__, __LINE__))
