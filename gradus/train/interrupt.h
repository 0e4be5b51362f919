// Ctrl-C: a first signal asks the training loop to save and stop, a second one ends the program at once.
#pragma once

#include <csignal>

namespace gradus::train {

/// While it lives, SIGINT and SIGTERM are only noted. One at a time in a process.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The signal that came, or 0. A shell expects a program that it stopped to exit with 128 + this number.
  static int signal();

 private:
  struct sigaction old_int_, old_term_;
};

}  // namespace gradus::train
