// Runs the `gradus` command as a user would, for tests.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "gradus/io/atomic_file.h"
#include "tests/support/paths.h"

namespace gradus::testing_help {

struct Outcome {
  int code = -1;  ///< exit code; 128 + n when signal n ended it
  std::string out, err;
};

struct StartOptions {
  std::uint64_t largest_file = 0;  ///< bytes that a file may grow to; 0: no limit
  int terminal = -1;               ///< descriptor that becomes stdout
};

/// A running command; its output goes to files in `folder`.
class Command {
 public:
  Command(const std::string& folder, std::vector<std::string> arguments, const StartOptions& options = {})
      : out_(folder + "/stdout"), err_(folder + "/stderr") {
    arguments.insert(arguments.begin(), "gradus");
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) become(words.data(), options);
  }
  ~Command() {
    if (pid_ > 0) finish(SIGKILL);
  }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  void send(int signal) const { kill(pid_, signal); }
  /// Sends a signal, if any, and waits for the end.
  Outcome finish(int signal = 0) {
    if (signal != 0) send(signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), io::read_file(out_), io::read_file(err_)};
  }
  bool running() const {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
  }

 private:
  [[noreturn]] void become(char** words, const StartOptions& options) const {
    const int mode = O_WRONLY | O_CREAT | O_TRUNC;
    dup2(open(out_.c_str(), mode, 0600), STDOUT_FILENO);
    dup2(open(err_.c_str(), mode, 0600), STDERR_FILENO);
    if (options.terminal >= 0) dup2(options.terminal, STDOUT_FILENO);
    if (options.largest_file > 0) {
      const rlimit limit = {options.largest_file, options.largest_file};
      setrlimit(RLIMIT_FSIZE, &limit);
    }
    execv(testing::command_path(), words);
    _exit(127);
  }

  std::string out_, err_;
  pid_t pid_ = -1;
};

inline Outcome run_gradus(const std::string& folder, std::vector<std::string> arguments,
                          const StartOptions& options = {}) {
  return Command(folder, std::move(arguments), options).finish();
}

/// Waits until `path` exists; false after a minute.
inline bool wait_for_file(const std::string& path) {
  for (int i = 0; i < 12000; ++i) {
    if (std::filesystem::exists(path)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

}  // namespace gradus::testing_help
