#include "gradus/train/interrupt.h"

namespace gradus::train {
namespace {

volatile std::sig_atomic_t caught = 0;

extern "C" void note_signal(int number) {
  if (caught != 0) {  // the second one: as if there were no handler
    std::signal(number, SIG_DFL);
    std::raise(number);
    return;
  }
  caught = number;
}

}  // namespace

InterruptGuard::InterruptGuard() {
  caught = 0;
  struct sigaction action = {};
  action.sa_handler = note_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, &old_int_);
  sigaction(SIGTERM, &action, &old_term_);
}

InterruptGuard::~InterruptGuard() {
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
}

int InterruptGuard::signal() { return caught; }

}  // namespace gradus::train
