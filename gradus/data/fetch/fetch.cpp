#include "gradus/data/fetch/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/data/fetch/http.h"
#include "gradus/data/fetch/part.h"
#include "gradus/data/fetch/sha256.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;
using detail::HttpFailure;
using detail::HttpHead;
using detail::PartFile;

bool is_hexadecimal(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// "404 (not found)"
std::string status_text(long status) {
  for (const auto& [code, meaning] : {std::pair(400L, "bad request"),
                                      {401L, "needs a login"},
                                      {403L, "forbidden"},
                                      {404L, "not found"},
                                      {410L, "gone"},
                                      {429L, "too many requests"},
                                      {500L, "its own error"},
                                      {502L, "bad gateway"},
                                      {503L, "not available now"},
                                      {504L, "gateway timeout"}}) {
    if (status == code) return fmt::format("{} ({})", status, meaning);
  }
  return fmt::format("{}", status);
}

/// One download, of as many requests as it takes.
class Download : public detail::HttpSink {
 public:
  Download(const std::string& url, const std::string& path, const FetchOptions& options)
      : url_(url), path_(path), options_(options), wanted_(lower_case(options.sha256)) {}

  Fetched run();

 private:
  bool head(const HttpHead& head) override;
  void body(std::string_view bytes) override { part_.write(bytes); }
  void tick() override;

  void open_left();
  void receive();
  std::string version_of(const HttpHead& head) const;
  std::string part_path(const std::string& version) const;
  bool goes_on(const HttpHead& head) const;
  void finish();
  void leave(Error& error);

  const std::string &url_, &path_;
  const FetchOptions& options_;
  std::string wanted_;
  PartFile part_;
  std::uint64_t resumed_ = 0, total_ = 0;
  std::int64_t whole_ = -1;  ///< bytes of the whole file, as the last range said; -1: it was no range
  bool resumable_ = false;   ///< what is in the part is of use to a later call
  bool again_ = false;       ///< the reply was no use: a request for the whole file has to follow
};

/// What names the content: the sum that it has to have, or what the server says about its version; "" when it says nothing.
/// A weak ETag (W/"...") stands for contents that may differ in bytes.
std::string Download::version_of(const HttpHead& head) const {
  if (!wanted_.empty()) return wanted_;
  if (!head.etag.empty() && !head.etag.starts_with("W/")) return head.etag;
  return head.last_modified;
}

std::string Download::part_path(const std::string& version) const {
  if (!wanted_.empty()) return fmt::format("{}.{}.part", path_, wanted_.substr(0, 8));
  Sha256 sum;
  sum.update(version);
  return fmt::format("{}.{}.part", path_, sum.hex().substr(0, 8));
}

void Download::open_left() {
  const std::optional<std::string> left = PartFile::left_of(path_);
  if (!left) return;
  part_.open(*left, true);
  resumable_ = true;
  if (part_.size() == 0 || (!wanted_.empty() && *left != part_path({}))) part_.remove();
}

/// True when a reply continues the part: a range that begins where it ends, of the same version, and says of how many bytes.
bool Download::goes_on(const HttpHead& head) const {
  const std::string version = version_of(head);
  return part_.is_open() && part_.size() > 0 && !version.empty() && part_.path() == part_path(version) &&
         head.range_begin == static_cast<std::int64_t>(part_.size()) && head.range_total > head.range_begin;
}

bool Download::head(const HttpHead& head) {
  whole_ = head.status == 206 ? head.range_total : -1;
  const bool whole_already =
      head.status == 416 && part_.is_open() && head.range_total == static_cast<std::int64_t>(part_.size());
  if ((head.status == 206 || head.status == 416) && !goes_on(head)) {
    const std::string version = version_of(head);
    if (whole_already && !version.empty() && part_.path() == part_path(version)) return false;
    if (!part_.is_open()) throw Error(ErrorKind::io, "fetch", "the server answered with a range that nobody asked for");
    part_.remove();
    again_ = true;
    return false;
  }
  if (head.status != 200 && head.status != 206) {
    throw Error(ErrorKind::io, "fetch", "the server answered " + status_text(head.status));
  }
  if (head.status == 200) {
    part_.remove();
    resumed_ = 0;
    const std::string version = version_of(head);
    part_.open(part_path(version), false);
    resumable_ = !version.empty();
  }
  total_ = head.length < 0 ? 0 : part_.size() + static_cast<std::uint64_t>(head.length);
  tick();
  return true;
}

void Download::tick() {
  if (!options_.progress || options_.progress({part_.size(), resumed_, total_})) return;
  throw Error(ErrorKind::io, "fetch", "stopped");
}

void Download::receive() {
  for (int cuts = 0;;) {
    const std::uint64_t before = part_.is_open() ? part_.size() : 0;
    again_ = false;
    const std::optional<HttpFailure> failure = detail::http_get({.url = url_,
                                                                 .from = before,
                                                                 .connect_seconds = options_.connect_seconds,
                                                                 .stall_seconds = options_.stall_seconds,
                                                                 .most_redirects = options_.most_redirects},
                                                                *this);
    if (again_) continue;
    const bool came = part_.is_open() && part_.size() > before;
    const std::uint64_t whole = whole_ < 0 ? part_.size() : static_cast<std::uint64_t>(whole_);
    if (!failure && part_.size() == whole) return;
    if (!failure && came && part_.size() < whole) continue;  // a range may end sooner than it was asked for
    if (!failure) {
      resumable_ = part_.size() < whole;
      throw Error(ErrorKind::io, "fetch", "the server sent another number of bytes than it said")
          .field("expected", fmt::format("{} bytes", whole))
          .field("found", fmt::format("{} bytes", part_.size()));
    }
    if (failure->cut && came && resumable_ && cuts++ < options_.retries) continue;
    Error error(ErrorKind::io, "fetch", failure->summary);
    if (failure->cut && total_ > 0) error.field("got", fmt::format("{} of {} bytes", part_.size(), total_));
    if (!failure->hint.empty()) error.hint(failure->hint);
    throw error;
  }
}

void Download::finish() {
  const std::string sum = part_.sha256();
  if (!wanted_.empty() && sum != wanted_) {
    resumable_ = false;
    throw Error(ErrorKind::format, "fetch", "the content is not the one that was meant")
        .field("expected", "SHA-256 " + wanted_)
        .field("found", fmt::format("SHA-256 {} of {} bytes", sum, part_.size()))
        .hint("nothing was kept; is it another version, or a page that says sorry?");
  }
  part_.commit(path_);
}

/// Keeps what a later call can go on from, and says so.
void Download::leave(Error& error) {
  if (!part_.is_open()) return;
  if (!resumable_ || part_.size() == 0) {
    part_.remove();
    return;
  }
  error.field("kept", fmt::format("{} bytes in {}", part_.size(), part_.path()))
      .hint("the same call goes on from there; delete that file to start again");
}

Fetched Download::run() {
  try {
    open_left();
    resumed_ = part_.is_open() ? part_.size() : 0;
    receive();
    const Fetched fetched{path_, part_.sha256(), part_.size(), resumed_, false};
    finish();
    return fetched;
  } catch (Error& error) {
    leave(error);
    throw;
  }
}

Error usage(const std::string& summary, SourceLocation where) {
  return Error(ErrorKind::usage, "fetch", summary).at(where);
}

}  // namespace

Fetched fetch(const std::string& url, const std::string& path, const FetchOptions& options, SourceLocation where) {
  const std::string scheme = detail::scheme_of(url);
  if (scheme != "http" && scheme != "https") {
    throw usage(fmt::format("\"{}\" is no address of http or https", url), where).hint("https://HOST/PATH");
  }
  if (!options.sha256.empty() && (options.sha256.size() != 64 || !is_hexadecimal(options.sha256))) {
    throw usage(fmt::format("\"{}\" is no SHA-256 sum", options.sha256), where).hint("64 hexadecimal digits");
  }
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(path, ignored))) {
    if (!options.sha256.empty() && fs::is_regular_file(path, ignored)) {
      const std::string sum = sha256_of_file(path, "fetch");
      if (sum == lower_case(options.sha256)) return {path, sum, fs::file_size(path), 0, true};
    }
    throw Error(ErrorKind::io, "fetch", "the file exists already")
        .context(path)
        .at(where)
        .hint(options.sha256.empty() ? "remove it, or choose another name"
                                     : "its content has another sum; remove it, or choose another name");
  }
  try {
    return Download(url, path, options).run();
  } catch (Error& error) {
    error.context(url).at(where);
    throw;
  }
}

std::string file_name_of(const std::string& url) {
  std::string name = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = name.find("://");
  if (host != name.npos) name.erase(0, host + 3);
  const std::size_t slash = name.rfind('/');
  if (slash == name.npos) return {};
  name.erase(0, slash + 1);
  return name == "." || name == ".." ? std::string() : name;
}

std::string fetch_library() { return detail::http_library(); }

}  // namespace gradus::data
