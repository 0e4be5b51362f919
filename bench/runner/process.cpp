#include "bench/runner/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"

namespace gradus::bench {
namespace {

using nlohmann::ordered_json;

/// A file without a name.
class Output {
 public:
  Output() : file_(std::tmpfile()) {
    if (file_ == nullptr) throw Error(ErrorKind::io, "bench", "cannot make a temporary file");
  }
  ~Output() { std::fclose(file_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  int descriptor() const { return fileno(file_); }
  std::string text() const {
    std::string all;
    std::rewind(file_);
    char block[4096];
    while (const std::size_t count = std::fread(block, 1, sizeof block, file_)) all.append(block, count);
    return all;
  }

 private:
  std::FILE* file_;
};

[[noreturn]] void become(const std::vector<std::string>& words, int threads, unsigned most_seconds, int out, int err) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  setenv("GRADUS_BENCH_BEGIN", fmt::format("{}", time.tv_sec * 1'000'000'000 + time.tv_nsec).c_str(), 1);
  setenv("OMP_NUM_THREADS", fmt::format("{}", threads).c_str(), 1);
  alarm(most_seconds);  // lives on in the program, and ends it
  execvp(arguments[0], arguments.data());
  std::fprintf(stderr, "cannot start %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

ordered_json failure(const std::string& reason) { return {{"available", false}, {"failed", true}, {"reason", reason}}; }

}  // namespace

ordered_json run_program(const std::vector<std::string>& words, int threads, unsigned most_seconds) {
  const Output out, err;
  std::fflush(nullptr);
  const pid_t process = fork();
  if (process < 0) throw Error(ErrorKind::io, "bench", fmt::format("cannot start {}", words[0]));
  if (process == 0) become(words, threads, most_seconds, out.descriptor(), err.descriptor());
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) return failure(fmt::format("not done in {} s", most_seconds));
  if (WIFSIGNALED(status)) return failure(fmt::format("ended by signal {}", WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) return failure(last_line(err.text()));
  const ordered_json line = ordered_json::parse(last_line(out.text()), nullptr, false);
  return line.is_object() ? line : failure("printed no JSON");
}

}  // namespace gradus::bench
