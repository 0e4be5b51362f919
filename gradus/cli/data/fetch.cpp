// gradus data fetch: a data set by its name, or any file by its address.
#include "gradus/data/fetch/fetch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/data/fetch_bar.h"
#include "gradus/cli/json.h"
#include "gradus/data/fetch/known.h"
#include "gradus/train/interrupt.h"
#include "gradus/train/progress.h"

namespace gradus::cli {

std::string bytes_text(std::uint64_t bytes) {
  const auto count = static_cast<double>(bytes);
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1000000) return fmt::format("{:.1f} kB", count / 1e3);
  if (bytes < 1000000000) return fmt::format("{:.1f} MB", count / 1e6);
  return fmt::format("{:.2f} GB", count / 1e9);
}

std::string fetch_bar_text(const std::string& file, const data::FetchProgress& progress, double seconds) {
  const double came = static_cast<double>(progress.done - std::min(progress.resumed, progress.done));
  const double rate = seconds > 0 ? came / seconds : 0;
  std::string text = file + "  ";
  if (progress.total > 0) {
    text += fmt::format("{:3.0f}%  {} of {}",
                        100 * static_cast<double>(progress.done) / static_cast<double>(progress.total),
                        bytes_text(progress.done), bytes_text(progress.total));
  } else {
    text += bytes_text(progress.done);
  }
  text += fmt::format("  {}/s", bytes_text(static_cast<std::uint64_t>(rate)));
  if (progress.total > progress.done && rate > 0) {
    const double left = static_cast<double>(progress.total - progress.done) / rate;
    text += "  time left " + train::duration_text(left);
  }
  return text;
}

namespace {

namespace fs = std::filesystem;

/// One line on a terminal that is drawn again and again; nothing elsewhere.
class Bar {
 public:
  explicit Bar(bool visible) : visible_(visible && isatty(STDOUT_FILENO) != 0) {}
  ~Bar() { clear(); }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  /// Draws, and says whether to go on.
  bool operator()(const std::string& file, const data::FetchProgress& progress) {
    if (train::InterruptGuard::signal() != 0) return false;
    const auto now = Clock::now();
    if (file != file_) file_ = file, begin_ = now, last_ = {};
    if (!visible_ || now - last_ < std::chrono::milliseconds(100)) return true;
    last_ = now;
    std::string text = fetch_bar_text(file, progress, std::chrono::duration<double>(now - begin_).count());
    const std::size_t width = text.size();
    text.resize(std::max(width, drawn_), ' ');
    drawn_ = width;
    fmt::print("\r{}", text);
    std::fflush(stdout);
    return true;
  }
  void clear() {
    if (drawn_ > 0) fmt::print("\r{}\r", std::string(drawn_, ' '));
    drawn_ = 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  bool visible_;
  std::size_t drawn_ = 0;
  std::string file_;
  Clock::time_point begin_, last_;
};

int fetch_name(const DataFetchCommand& command, Bar& bar) {
  if (!command.sha256.empty())
    throw Error(ErrorKind::usage, "data fetch", "--sha256 is for an address, not for a name");
  const std::string folder = data::fetch_source(
      command.what,
      {.folder = command.out,
       .mirror = command.mirror,
       .progress = [&](const std::string& file, const data::FetchProgress& progress) { return bar(file, progress); }},
      {});
  bar.clear();
  if (command.json) {
    fmt::print("{}\n", text_of({{"name", command.what}, {"folder", folder}}));
  } else {
    fmt::print("{}: {}\n", command.what, folder);
  }
  return exit_ok;
}

int fetch_address(const DataFetchCommand& command, Bar& bar) {
  if (!command.mirror.empty())
    throw Error(ErrorKind::usage, "data fetch", "--mirror is for a name, not for an address");
  const std::string name = data::file_name_of(command.what);
  fs::path path = command.out.empty() ? fs::path(name) : fs::path(command.out);
  if (fs::is_directory(path) && !name.empty()) path /= name;
  if (path.empty()) {
    throw Error(ErrorKind::usage, "data fetch", "the address has no name for the file").hint("choose one with --out");
  }
  const data::Fetched fetched = data::fetch(
      command.what, path.string(),
      {.sha256 = command.sha256, .progress = [&](const data::FetchProgress& progress) { return bar(name, progress); }},
      {});
  bar.clear();
  if (command.json) {
    fmt::print("{}\n", text_of({{"path", fetched.path},
                                {"bytes", fetched.bytes},
                                {"sha256", fetched.sha256},
                                {"resumed", fetched.resumed},
                                {"was_there", fetched.was_there}}));
    return exit_ok;
  }
  fmt::print("{}: {}{}, SHA-256 {}\n", fetched.path, bytes_text(fetched.bytes),
             fetched.was_there     ? " (was there already)"
             : fetched.resumed > 0 ? fmt::format(" ({} from an earlier download)", bytes_text(fetched.resumed))
                                   : std::string(),
             fetched.sha256);
  return exit_ok;
}

}  // namespace

int data_fetch(const DataFetchCommand& command) {
  const train::InterruptGuard guard;
  Bar bar(!command.json);
  try {
    return command.what.find("://") == std::string::npos ? fetch_name(command, bar) : fetch_address(command, bar);
  } catch (const Error& error) {
    bar.clear();
    if (train::InterruptGuard::signal() == 0) throw;
    fmt::print(stderr, "{}\n", error.what());
    return 128 + train::InterruptGuard::signal();
  }
}

}  // namespace gradus::cli
