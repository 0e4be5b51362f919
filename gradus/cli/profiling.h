// --profile: where the time of a command went.
#pragma once

#include <string>

namespace gradus::cli {

/// Measures from its construction on, when asked to.
class Profiling {
 public:
  /// `tables`: print them at the end; `trace`: write every kernel call to this file, unless it is empty.
  Profiling(bool tables, std::string trace);
  /// Prints the tables, to stderr when stdout carries JSON, and writes the trace. Throws Error(io).
  void finish(bool json);

 private:
  bool tables_;
  std::string trace_;
};

}  // namespace gradus::cli
