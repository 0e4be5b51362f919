#include "tests/support/browser.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/paths.h"

namespace gradus::testing {
namespace {

/// The full path of the browser; empty without.
std::string browser() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = folder + "/chromium";
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Starts a program in a group of its own, with all that it writes below `folder`.
pid_t start(std::vector<std::string> arguments, const std::string& folder) {
  std::vector<std::string> environment = {"DBUS_SESSION_BUS_ADDRESS=disabled:", "LC_ALL=C.UTF-8"};
  for (const char* name : {"HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"})
    environment.push_back(name + ("=" + folder));
  if (const char* path = std::getenv("PATH")) environment.push_back(std::string("PATH=") + path);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  for (const auto& [name, descriptor] : {std::pair("/out", STDOUT_FILENO), std::pair("/err", STDERR_FILENO)})
    posix_spawn_file_actions_addopen(&files, descriptor, (folder + name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int failure = posix_spawn(&child, arguments[0].c_str(), &files, &attributes, pointers_to(arguments).data(),
                                  pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (failure != 0) throw std::runtime_error("cannot start " + arguments[0]);
  return child;
}

/// False when it had to be killed.
bool run(const std::vector<std::string>& arguments, const std::string& folder, std::chrono::seconds patience) {
  const pid_t child = start(arguments, folder);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  int status = 0;
  bool ended = false;
  while (!ended && std::chrono::steady_clock::now() < deadline) {
    ended = waitpid(child, &status, WNOHANG) == child;
    if (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(-child, SIGKILL);  // and whatever it started
  if (!ended) {
    waitpid(child, &status, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));  // until the others are gone, too, and write no more
  }
  return ended;
}

/// The page with what watches it in front, and what looks at it at the end.
std::string watched(std::string page, const Look& look) {
  const std::string check = read_bytes(source_path("tests/support/page_check.js"));
  const nlohmann::json options = {{"print", look.print}, {"dark", look.dark}, {"scripts", look.scripts}};
  const std::string watch =
      "<script>window.faults=[];addEventListener('error',e=>faults.push('error: '+e.message));"
      "addEventListener('unhandledrejection',e=>faults.push('rejected: '+e.reason));"
      "addEventListener('securitypolicyviolation',e=>faults.push('policy: '+e.violatedDirective+' '+e.blockedURI));"
      "for(const n of['error','warn']){console[n]=(...w)=>faults.push('console: '+w.join(' '))}</script>";
  if (!look.scripts) {  // a page without scripts is one that does not know them as such
    for (std::size_t at = 0; (at = page.find("<script>", at)) != page.npos;)
      page.replace(at, 8, "<script type=\"text/none\">");
  }
  const std::size_t head = page.find("<head>"), end = page.rfind("</body>");
  if (head == page.npos || end == page.npos) throw std::runtime_error("not a page: no <head> or no </body>");
  page.insert(end, "<script>const look=" + options.dump() + ";\n" + check + "</script>");
  return page.insert(head + 6, watch);
}

/// The page in a frame as wide as the look: a window of Chromium is never narrower than 500 pixels, whatever it was told.
std::string framed(const std::string& page, int width) {
  std::string escaped;
  for (const char c : page) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '"')
      escaped += "&quot;";
    else
      escaped += c;
  }
  return "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body style=\"margin:0\"><iframe id=\"frame\" "
         "style=\"border:0;display:block;height:2400px;width:" +
         std::to_string(width) + "px\"></iframe><template id=\"page\" data-page=\"" + escaped +
         "\"></template><script>const frame=document.getElementById('frame'),kept=document.getElementById('page');"
         "frame.addEventListener('load',()=>{const sight=frame.contentDocument.getElementById('sight');"
         "if(sight)document.body.append(document.importNode(sight,true))});"
         "frame.srcdoc=kept.dataset.page;kept.remove()</script></body></html>";
}

/// What the check left in the page.
Sight sight_of(const std::string& document) {
  Sight sight;
  constexpr std::string_view mark = "<pre id=\"sight\" hidden=\"\">";
  const std::size_t begin = document.find(mark);
  if (begin == document.npos) {
    sight.faults.push_back("the check did not run: " + document.substr(0, 300));
    return sight;
  }
  const std::size_t from = begin + mark.size();
  const auto json = nlohmann::json::parse(document.substr(from, document.find("</pre>", from) - from));
  json.at("faults").get_to(sight.faults);
  sight.charts = json.at("charts");
  sight.marks = json.at("marks");
  sight.claims = json.at("claims");
  sight.answers = json.at("answers");
  return sight;
}

}  // namespace

bool has_browser() { return !browser().empty(); }

Sight look_at(const std::string& page, const Look& look) {
  const TemporaryFolder folder;
  write_bytes(folder / "page.html", framed(watched(page, look), look.width));
  std::vector<std::string> arguments = {browser(),
                                        "--headless",
                                        "--no-sandbox",
                                        "--disable-gpu",
                                        "--disable-quic",
                                        "--no-first-run",
                                        "--disable-background-networking",
                                        "--disable-component-update",
                                        "--disable-sync",
                                        "--disable-breakpad",
                                        "--disable-dev-shm-usage",
                                        "--hide-scrollbars",
                                        "--enable-logging=stderr",
                                        "--virtual-time-budget=2000",
                                        "--user-data-dir=" + folder / "profile",
                                        "--window-size=" + std::to_string(look.width) + ",2400",
                                        "--screenshot=" + folder / "shot.png",
                                        "--dump-dom"};
  if (look.dark) arguments.push_back("--blink-settings=preferredColorScheme=0");
  arguments.push_back("file://" + folder / "page.html");
  if (!run(arguments, folder.path(), look.patience))
    return {.faults = {"the browser did not answer within " + std::to_string(look.patience.count()) +
                       " s, and was killed"}};
  Sight sight = sight_of(read_bytes(folder / "out"));
  std::istringstream log(read_bytes(folder / "err"));
  for (std::string line; std::getline(log, line);)
    if (line.find("CONSOLE") != line.npos) sight.faults.push_back("console: " + line.substr(0, 400));
  sight.screenshot = read_bytes(folder / "shot.png");
  return sight;
}

}  // namespace gradus::testing
