// gradus explain CHAPTER --on RUN: the claims of a chapter on a network and data of the user's own.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "gradus/base/error.h"
#include "gradus/book/own/explain_on.h"
#include "gradus/cli/commands.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/run_folder.h"

namespace gradus::cli {
namespace {

namespace fs = std::filesystem;

train::Recipe recipe_of(const ExplainCommand& command) {
  if (!command.on.empty()) return train::RunFolder::open(command.on).recipe();
  std::vector<std::string> changes = command.changes;
  if (!command.data.empty()) changes.insert(changes.begin(), "data.name=" + command.data);
  return train::read_recipe(command.model, changes);
}

/// "mlp" for runs/mlp and recipes/mlp.toml.
std::string name_of(const ExplainCommand& command) {
  if (!command.model.empty()) return fs::path(command.model).stem().string();
  const fs::path run = fs::absolute(command.on).lexically_normal();
  return (run.has_filename() ? run : run.parent_path()).filename().string();
}

std::string make_folder(const ExplainCommand& command) {
  std::string folder = command.out.empty() ? "reports" : command.out;
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (!failure) return folder;
  throw Error(ErrorKind::io, "explain", "cannot make the folder")
      .field("folder", folder)
      .field("reason", failure.message())
      .hint("--out names another one");
}

}  // namespace

int explain_on(const ExplainCommand& command) {
  const book::Entry& entry = book::entry_for(command.what);
  book::require_own_claims(entry);
  const book::Effort effort = command.quick  ? book::Effort::quick
                              : command.full ? book::Effort::full
                                             : book::Effort::standard;
  const book::Setting setting(recipe_of(command), effort);
  const std::string stem = fmt::format("{}/{}.on.{}", make_folder(command), entry.slug, name_of(command));
  const bool live = isatty(STDERR_FILENO) != 0 && !command.json;
  const book::OwnExplanation explanation =
      book::explain_on(entry, setting, name_of(command), effort, [&](const std::string& what) {
        if (live) fmt::print(stderr, "\r\033[K{}: {}", entry.slug, what);
      });
  if (live) fmt::print(stderr, "\r\033[K");
  std::string ledger;
  for (const insight::ClaimResult& result : explanation.claims)
    ledger += insight::ledger_line(std::string(entry.slug), result, explanation.provenance) + "\n";
  io::write_file(stem + ".html", book::page_of(explanation));
  io::write_file(stem + ".claims.jsonl", ledger);
  if (command.json) {
    fmt::print("{}\n", book::json_of(explanation));
  } else {
    const bool colour = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
    fmt::print("{}page: {}.html\n", book::text_of(explanation, colour), stem);
  }
  return exit_ok;
}

}  // namespace gradus::cli
