#include <unistd.h>

#include <cstdlib>

#include "gradus/cli/commands.h"

namespace {

/// Threads of OpenMP that wait for each other spin for milliseconds by default, which on a machine that has other work to do takes
/// the core from the thread that they wait for: a step can take 20 times as long. GCC's library reads how long to spin while it is
/// loaded, so the command sets it for itself and starts once more. Where that fails, it goes on as it is.
void spin_briefly(char** argv) {
  for (const char* chosen : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) {
    if (std::getenv(chosen)) return;
  }
  // 1000 rounds are some 20 us: longer than the gaps between most kernels of a step. Without the mark it would start for ever.
  if (setenv("GOMP_SPINCOUNT", "1000", 1) != 0) return;
  execv("/proc/self/exe", argv);
}

}  // namespace

int main(int argc, char** argv) {
  spin_briefly(argv);
  return gradus::cli::run(argc, argv);
}
