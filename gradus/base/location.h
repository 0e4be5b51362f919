// Where in the user's program something was called.
#pragma once

#include <string>

namespace gradus {

/// std::source_location in the part that we need (Clang 14 lacks the standard one).
/// Take it as a defaulted last argument: `SourceLocation where = SourceLocation::current()`.
struct SourceLocation {
  const char* file = nullptr;
  int line = 0;

  static constexpr SourceLocation current(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
  bool known() const { return file != nullptr; }
  /// "train.cpp:57": the file without its folders.
  std::string str() const;
};

}  // namespace gradus
