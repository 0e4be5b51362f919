#include "gradus/data/fetch/http.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gradus/base/error.h"

#ifdef GRADUS_WITH_CURL
#include <curl/curl.h>

#include <array>
#include <charconv>
#include <chrono>
#include <exception>
#include <memory>

#include "gradus/base/shared_library.h"
#include "gradus/base/version.h"
#endif

namespace gradus::data::detail {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

}  // namespace

std::string scheme_of(std::string_view url) { return lower_case(url.substr(0, url.find("://"))); }

#ifndef GRADUS_WITH_CURL

std::optional<HttpFailure> http_get(const HttpRequest& request, HttpSink&) {
  throw Error(ErrorKind::io, "fetch", "this build of Gradus cannot fetch: it was configured without libcurl")
      .context(request.url)
      .hint(
          "apt-get install libcurl4-openssl-dev and configure with -DGRADUS_WITH_CURL=ON, or get the file by other "
          "means: curl -L -o FILE URL");
}

std::string http_library() { return {}; }

#else

namespace {

/// libcurl, loaded when something is fetched for the first time: it and its twenty libraries would otherwise make every start
/// of a program slower.
struct Curl {
  gradus::detail::SharedLibrary library{"libcurl.so.4"};
  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_version_info) version_info = nullptr;
  bool usable = false;

  Curl() {
    library.find(global_init, "curl_global_init");
    library.find(easy_init, "curl_easy_init");
    library.find(easy_cleanup, "curl_easy_cleanup");
    library.find(easy_setopt, "curl_easy_setopt");
    library.find(easy_perform, "curl_easy_perform");
    library.find(easy_strerror, "curl_easy_strerror");
    library.find(version_info, "curl_version_info");
    usable = library.usable() && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }
};

const Curl& loaded() {
  static const Curl curl;
  return curl;
}

struct Cleanup {
  void operator()(CURL* handle) const { loaded().easy_cleanup(handle); }
};

using Clock = std::chrono::steady_clock;

struct Transfer {
  HttpSink& sink;
  std::chrono::duration<double> patience;
  HttpHead head = {};
  bool told = false, refused = false, stalled = false;
  Clock::time_point last_byte = Clock::now();
  std::exception_ptr error = nullptr;

  /// Runs what may throw between libcurl's C frames; false when the transfer has to end.
  template <class Body>
  bool guarded(Body&& body) noexcept {
    try {
      if (!refused) body();
      return !refused;
    } catch (...) {
      error = std::current_exception();
      return false;
    }
  }
  /// The head comes before the first bytes.
  bool take(std::string_view bytes) noexcept {
    return guarded([&] {
      if (!told) {
        told = true;
        refused = !sink.head(head);
      }
      if (!refused && !bytes.empty()) sink.body(bytes);
    });
  }
};

std::int64_t number(std::string_view text) {
  std::int64_t value = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value >= 0 ? value : -1;
}

/// "bytes 100-199/200", "bytes */200"
void read_range(std::string_view text, HttpHead& head) {
  if (!text.starts_with("bytes ")) return;
  text.remove_prefix(6);
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return;
  head.range_total = number(text.substr(slash + 1));
  head.range_begin = number(text.substr(0, std::min(text.find('-'), slash)));
}

void read_header(std::string_view line, HttpHead& head) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n' || line.back() == ' ')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // of another reply: the one before was a redirect, or "go on"
    head = {};
    const std::size_t space = line.find(' ');
    if (space != line.npos) head.status = static_cast<long>(number(line.substr(space + 1, 3)));
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return;
  const std::string name = lower_case(line.substr(0, colon));
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (name == "content-length") head.length = number(value);
  if (name == "content-range") read_range(value, head);
  if (name == "etag") head.etag = value;
  if (name == "last-modified") head.last_modified = value;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* transfer) {
  read_header({data, size * count}, static_cast<Transfer*>(transfer)->head);
  static_cast<Transfer*>(transfer)->last_byte = Clock::now();
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.last_byte = Clock::now();
  return transfer.take({data, size * count}) ? size * count : 0;
}

int on_tick(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.stalled = Clock::now() - transfer.last_byte > transfer.patience;
  if (transfer.stalled) return 1;
  return transfer.guarded([&] { transfer.sink.tick(); }) ? 0 : 1;
}

HttpFailure failure(CURLcode code, const Transfer& transfer, const HttpRequest& request, const char* detail) {
  const char* try_later = "check the address and the network";
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return {"the host was not found", try_later};
    case CURLE_COULDNT_CONNECT: return {"cannot connect to the host", try_later};
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_OPERATION_TIMEDOUT:
      if (transfer.told) return {fmt::format("nothing came for {} s", request.stall_seconds), "", true};
      return {"the host did not answer in time", try_later};
    case CURLE_TOO_MANY_REDIRECTS:
      return {fmt::format("more than {} redirects", request.most_redirects), "the address leads in a circle"};
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {"a redirect leads to another protocol than http or https, or from https to http", ""};
    case CURLE_URL_MALFORMAT: return {"this is not an address", "http://HOST/PATH or https://HOST/PATH"};
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return {"the connection was cut", "", true};
    default: return {*detail == '\0' ? std::string(loaded().easy_strerror(code)) : std::string(detail), ""};
  }
}

}  // namespace

std::optional<HttpFailure> http_get(const HttpRequest& request, HttpSink& sink) {
  const Curl& library = loaded();
  const std::unique_ptr<CURL, Cleanup> handle(library.usable ? library.easy_init() : nullptr);
  if (!handle) return HttpFailure{"libcurl.so.4 cannot be used on this machine", "apt-get install libcurl4"};
  CURL* curl = handle.get();
  const auto set = library.easy_setopt;
  Transfer transfer{sink, std::chrono::duration<double>(request.stall_seconds)};
  std::array<char, CURL_ERROR_SIZE> detail{};
  const bool secure = scheme_of(request.url) == "https";
  const std::string range = fmt::format("{}-", request.from), agent = fmt::format("gradus/{}", version);
  set(curl, CURLOPT_URL, request.url.c_str());
  set(curl, CURLOPT_USERAGENT, agent.c_str());
  set(curl, CURLOPT_ERRORBUFFER, detail.data());
  set(curl, CURLOPT_NOSIGNAL, 1L);
  set(curl, CURLOPT_FOLLOWLOCATION, 1L);
  set(curl, CURLOPT_MAXREDIRS, static_cast<long>(request.most_redirects));
#if LIBCURL_VERSION_NUM >= 0x075500
  const bool limited = set(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                       set(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https") == CURLE_OK;
#else
  const long plain = CURLPROTO_HTTP | CURLPROTO_HTTPS, after = secure ? CURLPROTO_HTTPS : plain;
  const bool limited =
      set(curl, CURLOPT_PROTOCOLS, plain) == CURLE_OK && set(curl, CURLOPT_REDIR_PROTOCOLS, after) == CURLE_OK;
#endif
  // An older library than the one of the build would follow a redirect anywhere.
  if (!limited)
    return HttpFailure{"this machine's libcurl cannot be kept to http and https", "apt-get install libcurl4"};
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_seconds * 1000));
  if (request.from > 0) set(curl, CURLOPT_RANGE, range.c_str());
  set(curl, CURLOPT_HEADERFUNCTION, on_header);
  set(curl, CURLOPT_HEADERDATA, &transfer);
  set(curl, CURLOPT_WRITEFUNCTION, on_body);
  set(curl, CURLOPT_WRITEDATA, &transfer);
  set(curl, CURLOPT_XFERINFOFUNCTION, on_tick);
  set(curl, CURLOPT_XFERINFODATA, &transfer);
  set(curl, CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = library.easy_perform(curl);
  if (code == CURLE_OK) transfer.take({});  // a reply without a body
  if (transfer.error) std::rethrow_exception(transfer.error);
  if (code == CURLE_OK || transfer.refused) return std::nullopt;
  return failure(code, transfer, request, detail.data());
}

std::string http_library() {
  return loaded().usable ? fmt::format("curl {}", loaded().version_info(CURLVERSION_NOW)->version) : std::string();
}

#endif

}  // namespace gradus::data::detail
