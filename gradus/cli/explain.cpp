#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/book/explain.h"
#include "gradus/book/page_parts.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/io/atomic_file.h"

namespace gradus::cli {
namespace {

using book::Effort;

int seconds_of(const book::Chapter& chapter, Effort effort) {
  return effort == Effort::quick  ? chapter.quick_seconds
         : effort == Effort::full ? chapter.full_seconds
                                  : chapter.standard_seconds;
}

int list(bool json) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const book::Entry& entry : book::entries()) {
    const std::optional<book::Chapter> chapter = book::find_chapter(entry);
    if (json) {
      rows.push_back({{"number", entry.number},
                      {"chapter", entry.slug},
                      {"title", entry.title},
                      {"request", entry.request},
                      {"written", chapter.has_value()}});
      if (chapter) rows.back()["summary"] = chapter->summary;
      continue;
    }
    fmt::print("{:>2}  {:<22} {}\n", entry.number, entry.slug,
               chapter ? fmt::format("{} (about {} s, --quick {} s, --full {} s)", chapter->summary,
                                     seconds_of(*chapter, Effort::standard), seconds_of(*chapter, Effort::quick),
                                     seconds_of(*chapter, Effort::full))
                       : "not written yet");
  }
  if (json) fmt::print("{}\n", text_of(rows));
  return exit_ok;
}

int terminal_width() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 90;
}

void open_in_browser(const std::string& path, const std::string& fragment = "") {
  const std::string file = "file://" + std::filesystem::absolute(path).string() + fragment;
  const pid_t child = fork();
  if (child == 0) {
    execlp("xdg-open", "xdg-open", file.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
}

/// Measures a chapter, with live progress on a terminal.
book::Explanation measured(const book::Entry& entry, const ExplainCommand& command) {
  const Effort effort = command.quick ? Effort::quick : command.full ? Effort::full : Effort::standard;
  const bool live = isatty(STDERR_FILENO) != 0 && !command.json;
  book::Explanation explanation = book::explain(entry, effort, [&](const std::string& what) {
    if (live) fmt::print(stderr, "\r\033[K{}: {}", entry.slug, what);
  });
  if (live) fmt::print(stderr, "\r\033[K");
  return explanation;
}

/// The page and the ledger of a chapter.
std::string write(const book::Explanation& explanation, const std::string& folder, bool in_book = false) {
  std::string path = fmt::format("{}/{}.html", folder, explanation.entry->slug), ledger;
  io::write_file(path, book::page(explanation, in_book));
  for (const insight::ClaimResult& result : explanation.claims)
    ledger += insight::ledger_line(std::string(explanation.entry->slug), result, explanation.provenance) + "\n";
  io::write_file(fmt::format("{}/{}.claims.jsonl", folder, explanation.entry->slug), ledger);
  return path;
}

void make_folder(const std::string& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorKind::io, "explain", "cannot make the folder")
        .field("folder", folder)
        .field("reason", failure.message())
        .hint("--out names another one");
  }
}

/// The section that answers a question in words; empty for a name, or where the chapter as a whole does.
std::string section_for(const ExplainCommand& command) {
  return command.what.find(' ') == std::string::npos ? "" : book::find_answer(command.what).section;
}

int code_of(const book::Explanation& explanation) {
  for (const train::OracleResult& oracle : explanation.oracles)
    if (!oracle.passed) return exit_failed;
  return exit_ok;
}

void summarise(const book::Explanation& explanation, const std::string& path) {
  fmt::print("{}  {}\n", explanation.entry->title, path);
  for (const insight::ClaimResult& result : explanation.claims)
    fmt::print("  {:<9}  {}\n", insight::name_of(result.verdict), result.claim.sentence);
}

int explain_all(const ExplainCommand& command, const std::string& folder) {
  std::vector<book::Explanation> explanations;
  int code = exit_ok;
  make_folder(folder);
  for (const book::Entry& entry : book::entries()) {
    if (!book::find_chapter(entry)) continue;
    explanations.push_back(measured(entry, command));
    const std::string path = write(explanations.back(), folder, true);
    code = std::max(code, code_of(explanations.back()));
    if (command.json) {
      fmt::print("{}\n", book::json_text(explanations.back()));
    } else {
      summarise(explanations.back(), path);
    }
  }
  const std::string path = folder + "/index.html";
  io::write_file(path, book::index_page(explanations));
  if (!command.json) fmt::print("index: {}\n", path);
  if (command.open) open_in_browser(path);
  return code;
}

}  // namespace

int explain(const ExplainCommand& command) {
  // The networks of the book are small: a second thread would only wait, and one gives the same bits everywhere.
  if (command.threads == 0) set_num_threads(1);
  if (!command.on.empty() || !command.model.empty()) return explain_on(command);
  const std::string folder = command.out.empty() ? "reports" : command.out;
  if (command.all) return explain_all(command, folder);
  if (command.what.empty()) return list(command.json);
  const book::Entry& entry = book::entry_for(command.what);
  book::require_written(entry);
  make_folder(folder);  // before the experiments: what they find must not be lost for want of a place
  const book::Explanation explanation = measured(entry, command);
  const std::string path = write(explanation, folder), section = section_for(command);
  const std::string fragment = section.empty() ? "" : "#" + book::address_of(section);
  if (command.json) {
    fmt::print("{}\n", book::json_text(explanation));
  } else {
    const bool colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    fmt::print("{}", book::terminal_text(explanation, terminal_width(), colour));
    if (!section.empty()) fmt::print("your question: see the section \"{}\"\n", section);
    fmt::print("page: {}{}\n", path, fragment);
  }
  if (command.open) open_in_browser(path, fragment);
  return code_of(explanation);
}

}  // namespace gradus::cli
