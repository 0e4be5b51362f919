// A small HTTP server on the loopback, for tests: says what it is told to, badly if it is told so.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gradus::testing {

struct HttpRequest {
  std::string path;                            ///< "/set.npz"
  std::map<std::string, std::string> headers;  ///< names in lower case
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Content-Length comes by itself
  std::string body = {};
  /// Bytes of the body after which the connection is cut.
  std::size_t cut_after = std::numeric_limits<std::size_t>::max();
  /// At the cut the server says nothing more, but keeps the connection until the client closes it.
  bool stall = false;
};

/// Answers one request after the other on a free port of 127.0.0.1, each on a connection of its own, in a thread.
class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_, 16) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        ::pipe(stop_.data()) != 0) {
      throw std::runtime_error("cannot open a server on the loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpServer() {
    ::close(stop_[1]);  // wakes every poll
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:PORT" + path
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  /// False when the server has to stop.
  bool wait_for(int descriptor) const {
    std::array<pollfd, 2> waits = {{{descriptor, POLLIN, 0}, {stop_[0], POLLIN, 0}}};
    while (::poll(waits.data(), waits.size(), -1) < 0) continue;
    return waits[1].revents == 0;
  }

  void run() {
    while (wait_for(listener_)) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      serve(connection);
      ::close(connection);
    }
  }

  void serve(int connection) {
    std::string text;
    while (text.find("\r\n\r\n") == text.npos) {
      if (!wait_for(connection)) return;
      std::array<char, 4096> piece;
      const ssize_t got = ::recv(connection, piece.data(), piece.size(), 0);
      if (got <= 0) return;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    const HttpRequest request = parse(text);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const HttpReply reply = handler_(request);
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " -\r\nConnection: close\r\n";
    bool has_length = false;
    for (const auto& [name, value] : reply.headers) {
      has_length = has_length || name == "Content-Length" || name == "Transfer-Encoding";
      head += name + ": " + value + "\r\n";
    }
    if (!has_length) head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    if (!send(connection, head + "\r\n" + reply.body.substr(0, reply.cut_after)) || !reply.stall) return;
    for (std::array<char, 64> ignored; wait_for(connection);) {
      if (::recv(connection, ignored.data(), ignored.size(), 0) <= 0) return;
    }
  }

  static bool send(int connection, std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  static HttpRequest parse(const std::string& text) {
    HttpRequest request;
    const std::size_t begin = text.find(' ') + 1;
    request.path = text.substr(begin, text.find(' ', begin) - begin);
    for (std::size_t at = text.find("\r\n") + 2; at < text.size();) {
      const std::size_t end = text.find("\r\n", at), colon = text.find(": ", at);
      if (colon < end) {
        std::string name = text.substr(at, colon - at);
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        request.headers[name] = text.substr(colon + 2, end - colon - 2);
      }
      at = end + 2;
    }
    return request;
  }

  Handler handler_;
  int listener_ = -1, port_ = 0;
  std::array<int, 2> stop_ = {-1, -1};
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::thread thread_;
};

/// How a well-behaved server answers for a file: whole, or the range that is asked for; with an ETag unless it is "".
inline HttpReply file_reply(const HttpRequest& request, const std::string& content, const std::string& etag = "\"1\"") {
  HttpReply reply;
  if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
  reply.body = content;
  const auto range = request.headers.find("range");
  if (range == request.headers.end()) return reply;
  const std::size_t from = std::stoul(range->second.substr(6));  // bytes=N-
  const std::string total = std::to_string(content.size());
  if (from >= content.size()) return {416, {{"Content-Range", "bytes */" + total}}};
  reply.status = 206;
  reply.headers.emplace_back("Content-Range",
                             "bytes " + std::to_string(from) + "-" + std::to_string(content.size() - 1) + "/" + total);
  reply.body = content.substr(from);
  return reply;
}

}  // namespace gradus::testing
