// One GET request. Only http.cpp knows libcurl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gradus::data::detail {

struct HttpRequest {
  std::string url;         ///< http or https
  std::uint64_t from = 0;  ///< first byte that is wanted; 0: no range is asked for
  double connect_seconds = 20;
  double stall_seconds = 60;  ///< the longest time without a byte
  int most_redirects = 5;
};

/// What stands before the body of the last reply (not of redirects). Lengths are -1, texts empty, when the server does not say.
struct HttpHead {
  long status = 0;
  std::int64_t length = -1;       ///< of the body to come
  std::int64_t range_begin = -1;  ///< the range that it is, of a file
  std::int64_t range_total = -1;  ///< of so many bytes
  std::string etag, last_modified;
};

/// Who takes a reply. What its functions throw ends the transfer and comes out of http_get.
class HttpSink {
 public:
  virtual ~HttpSink() = default;
  /// Once, before the body. False: the body is not wanted.
  virtual bool head(const HttpHead& head) = 0;
  virtual void body(std::string_view bytes) = 0;
  /// Again and again while the transfer runs, before the head as well.
  virtual void tick() = 0;
};

struct HttpFailure {
  std::string summary, hint;
  bool cut = false;  ///< a connection that ended too early: another try may help
};

/// Nothing when the reply came as a whole (whatever its status), or was not wanted. Throws Error(io) in a build without
/// libcurl.
std::optional<HttpFailure> http_get(const HttpRequest& request, HttpSink& sink);

/// "https" of "HTTPS://HOST/PATH": in lower case; the whole text where there is no "://".
std::string scheme_of(std::string_view url);

/// "curl 7.88.1"; "" in a build without.
std::string http_library();

}  // namespace gradus::data::detail
