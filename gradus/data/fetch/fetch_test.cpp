#include "gradus/data/fetch/fetch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <future>

#include "gradus/data/fetch/http.h"
#include "gradus/data/fetch/sha256.h"
#include "tests/support/files.h"
#include "tests/support/http_server.h"

namespace gradus::data {
namespace {

using testing::file_reply;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using testing::message_of;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::write_bytes;

std::string sum_of(const std::string& text) {
  Sha256 sum;
  sum.update(text);
  return sum.hex();
}

/// 300,000 bytes that differ everywhere.
std::string content() {
  std::string text;
  for (int i = 0; text.size() < 300000; ++i) text += std::to_string(i) + ",";
  text.resize(300000);
  return text;
}

// The values of FIPS 180-4's examples, and of every length around a block by pieces against the whole.
TEST(Sha256, KnownSumsAndPieces) {
  EXPECT_EQ(sum_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sum_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sum_of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string text = content().substr(0, 200);
  for (std::size_t length = 0; length <= text.size(); ++length) {
    Sha256 sum;
    for (std::size_t at = 0; at < length; at += 7) sum.update(text.substr(at, std::min<std::size_t>(7, length - at)));
    EXPECT_EQ(sum.hex(), sum_of(text.substr(0, length))) << length;
  }
}

TEST(FetchNames, OfAddresses) {
  EXPECT_EQ(file_name_of("https://a.org/b/set.npz?x=/y#z"), "set.npz");
  EXPECT_EQ(file_name_of("https://a.org"), "");
  EXPECT_EQ(file_name_of("https://a.org/"), "");
  EXPECT_EQ(file_name_of("https://a.org/b/.."), "");
}

TEST(FetchNames, OfProtocolsInAnyCase) {
  EXPECT_EQ(detail::scheme_of("HTTPS://a.org/b"), "https");
  EXPECT_EQ(detail::scheme_of("http://a.org/?x=https://b"), "http");
  EXPECT_EQ(detail::scheme_of("set.bin"), "set.bin");
}

TEST(FetchLibrary, IsNamedOrMissed) {
  if (!fetch_library().empty()) {
    EXPECT_THAT(fetch_library(), HasSubstr("curl"));
    return;
  }
  const TemporaryFolder folder;
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch("http://127.0.0.1:1/a", folder / "a"); }),
              HasSubstr("apt-get install libcurl4-openssl-dev"));
}

class Fetch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (fetch_library().empty()) GTEST_SKIP() << "built without libcurl";
  }
  /// The only file in the folder besides `path`.
  std::string part() const {
    std::string found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().string() != path_) found = entry.path().string();
    }
    return found;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "set.bin";
  const std::string content_ = content();
};

TEST_F(Fetch, BringsTheFileWithItsSumAndReportsProgress) {
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  bool answered = false;
  std::uint64_t last = 0;
  FetchOptions options{.sha256 = sum_of(content_), .progress = [&](const FetchProgress& progress) {
                         EXPECT_GE(progress.done, last);
                         answered = answered || progress.total != 0 || progress.done != 0;
                         EXPECT_EQ(progress.total, answered ? content_.size() : 0);
                         last = progress.done;
                         return true;
                       }};
  options.sha256[0] = static_cast<char>(std::toupper(options.sha256[0]));
  const Fetched fetched = fetch(server.url("/set.bin"), path_, options);
  EXPECT_EQ(read_bytes(path_), content_);
  EXPECT_EQ(fetched.sha256, sum_of(content_));
  EXPECT_EQ(fetched.bytes, content_.size());
  EXPECT_EQ(fetched.resumed, 0u);
  EXPECT_FALSE(fetched.was_there);
  EXPECT_EQ(last, content_.size());
  EXPECT_EQ(folder_.files(), 1u);

  EXPECT_TRUE(fetch(server.url("/set.bin"), path_, options).was_there);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(Fetch, AnEmptyFileAndOneWithoutALength) {
  HttpServer server([&](const HttpRequest& request) {
    if (request.path == "/empty") return HttpReply{};
    return HttpReply{200, {{"Transfer-Encoding", "chunked"}}, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};
  });
  EXPECT_EQ(fetch(server.url("/empty"), path_).bytes, 0u);
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_EQ(fetch(server.url("/pieces"), folder_ / "pieces").bytes, 5u);
  EXPECT_EQ(read_bytes(folder_ / "pieces"), "abcde");
}

TEST_F(Fetch, GoesOnByItselfWhenTheConnectionIsCut) {
  HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, content_);
    reply.cut_after = 130000;
    return reply;
  });
  fetch(server.url("/set.bin"), path_);
  EXPECT_EQ(read_bytes(path_), content_);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].headers.count("range"), 0u);
  EXPECT_EQ(requests[1].headers.at("range"), "bytes=130000-");
  EXPECT_EQ(requests[2].headers.at("range"), "bytes=260000-");
}

/// A first call that ends with 100,000 bytes in a part, and what a second call makes of it.
class FetchResumed : public Fetch {
 protected:
  std::string break_off(const std::string& etag, const FetchOptions& options = {.retries = 0}) {
    HttpServer server([&](const HttpRequest& request) {
      HttpReply reply = file_reply(request, content_, etag);
      reply.cut_after = 100000;
      return reply;
    });
    return message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path_, options); });
  }
};

TEST_F(FetchResumed, FromThePartThatTheMessageNames) {
  const std::string message = break_off("\"1\"");
  EXPECT_THAT(message, HasSubstr("the connection was cut"));
  EXPECT_THAT(message, HasSubstr("100000 of 300000 bytes"));
  EXPECT_THAT(message, HasSubstr("100000 bytes in " + part()));
  EXPECT_FALSE(std::filesystem::exists(path_));
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  bool answered = false;
  const FetchOptions watched{.progress = [&](const FetchProgress& progress) {
    EXPECT_EQ(progress.resumed, 100000u);
    answered = answered || progress.total != 0 || progress.done != 100000;
    EXPECT_EQ(progress.total, answered ? content_.size() : 0);
    return true;
  }};
  EXPECT_EQ(fetch(server.url("/set.bin"), path_, watched).resumed, 100000u);
  EXPECT_EQ(read_bytes(path_), content_);
  EXPECT_EQ(server.requests().at(0).headers.at("range"), "bytes=100000-");
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(FetchResumed, NotWhenTheServerHasAnotherVersion) {
  break_off("\"1\"");
  const std::string other(content_.rbegin(), content_.rend());
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, other, "\"2\""); });
  EXPECT_EQ(fetch(server.url("/set.bin"), path_).resumed, 0u);
  EXPECT_EQ(read_bytes(path_), other);
  EXPECT_EQ(server.requests().size(), 2u);
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(FetchResumed, NotFromAServerWithoutRangesOrWithAWrongOne) {
  for (const bool wrong : {false, true}) {
    break_off("\"1\"");
    HttpServer server([&](const HttpRequest& request) {
      if (wrong && request.headers.count("range") != 0) {
        return HttpReply{
            206, {{"ETag", "\"1\""}, {"Content-Range", "bytes 99999-299999/300000"}}, content_.substr(99999)};
      }
      return file_reply({request.path, {}}, content_);
    });
    EXPECT_EQ(fetch(server.url("/set.bin"), path_).resumed, 0u);
    EXPECT_EQ(read_bytes(path_), content_);
    EXPECT_EQ(folder_.files(), 1u);
    std::filesystem::remove(path_);
  }
}

// A range may be shorter than the one that was asked for: what came is not the file yet.
TEST_F(FetchResumed, ByRangesThatEndTooSoon) {
  const auto piece = [&](const HttpRequest& request, std::size_t most, const std::string& total) {
    const std::size_t from = std::stoul(request.headers.at("range").substr(6));
    const std::string bytes = content_.substr(from, most);
    return HttpReply{206,
                     {{"ETag", "\"1\""},
                      {"Content-Range",
                       "bytes " + std::to_string(from) + "-" + std::to_string(from + bytes.size() - 1) + "/" + total}},
                     bytes};
  };
  break_off("\"1\"");
  HttpServer pieces([&](const HttpRequest& request) { return piece(request, 70000, "300000"); });
  EXPECT_EQ(fetch(pieces.url("/set.bin"), path_).resumed, 100000u);
  EXPECT_EQ(read_bytes(path_), content_);
  EXPECT_EQ(pieces.requests().size(), 3u);
  std::filesystem::remove(path_);

  break_off("\"1\"");
  HttpServer unknown([&](const HttpRequest& request) {
    return request.headers.count("range") != 0 ? piece(request, 70000, "*") : file_reply(request, content_);
  });
  EXPECT_EQ(fetch(unknown.url("/set.bin"), path_).resumed, 0u);
  EXPECT_EQ(read_bytes(path_), content_);
  std::filesystem::remove(path_);

  break_off("\"1\"");
  HttpServer longer([&](const HttpRequest& request) { return piece(request, 200000, "150000"); });
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(longer.url("/set.bin"), path_); }),
              HasSubstr("the server sent another number of bytes than it said"));
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(FetchResumed, AFileThatCameMeanwhileStays) {
  HttpServer server([&](const HttpRequest& request) {
    write_bytes(path_, "mine");
    return file_reply(request, content_);
  });
  const std::string message = message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path_); });
  EXPECT_THAT(message, HasSubstr("a file of this name came meanwhile"));
  EXPECT_THAT(message, HasSubstr("300000 bytes in " + part()));
  EXPECT_EQ(read_bytes(path_), "mine");
}

TEST_F(FetchResumed, NotWhatAnotherProcessFetches) {
  break_off("\"1\"");
  const std::string mine = part();
  const int other = ::open(mine.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path_); }),
              HasSubstr("another process fetches this file"));
  EXPECT_EQ(read_bytes(mine), content_.substr(0, 100000));
  EXPECT_TRUE(server.requests().empty());
  ::close(other);
  EXPECT_EQ(fetch(server.url("/set.bin"), path_).resumed, 100000u);
}

TEST_F(FetchResumed, NothingStaysOfAServerThatSaysNothingOfItsVersion) {
  for (const char* etag : {"", "W/\"1\""}) {
    EXPECT_THAT(break_off(etag), HasSubstr("the connection was cut"));
    EXPECT_EQ(folder_.files(), 0u) << etag;
  }
}

TEST_F(FetchResumed, ByTheSumThatIsWantedWhateverTheServerSays) {
  const FetchOptions options{.sha256 = sum_of(content_), .retries = 0};
  break_off("", options);
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_, "\"7\""); });
  EXPECT_EQ(fetch(server.url("/elsewhere"), path_, options).resumed, 100000u);
  EXPECT_EQ(read_bytes(path_), content_);
}

TEST_F(FetchResumed, APartThatIsWholeAlready) {
  const FetchOptions options{.sha256 = sum_of(content_), .retries = 0};
  break_off("", options);
  write_bytes(part(), content_);
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  EXPECT_EQ(fetch(server.url("/set.bin"), path_, options).resumed, content_.size());
  EXPECT_EQ(server.requests().size(), 1u);
  std::filesystem::remove(path_);

  break_off("\"1\"");
  write_bytes(part(), content_);
  HttpServer tagged([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, content_);
    if (reply.status == 416) reply.headers.emplace_back("ETag", "\"1\"");
    return reply;
  });
  EXPECT_EQ(fetch(tagged.url("/set.bin"), path_).resumed, content_.size());
  EXPECT_EQ(tagged.requests().size(), 1u);
  std::filesystem::remove(path_);

  break_off("\"1\"");
  write_bytes(part(), content_ + "too long");
  EXPECT_EQ(fetch(server.url("/set.bin"), path_).resumed, 0u);
  EXPECT_EQ(read_bytes(path_), content_);
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(FetchResumed, AnotherSumLeavesNothing) {
  const FetchOptions options{.sha256 = std::string(64, 'a'), .retries = 0};
  break_off("\"1\"", options);
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  const std::string message = message_of(ErrorKind::format, [&] { fetch(server.url("/set.bin"), path_, options); });
  EXPECT_THAT(message, HasSubstr("expected  SHA-256 " + options.sha256));
  EXPECT_THAT(message, HasSubstr("found     SHA-256 " + sum_of(content_) + " of 300000 bytes"));
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(FetchResumed, AfterAStop) {
  HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, content_);
    if (reply.status == 200) reply.cut_after = 100000, reply.stall = true;
    return reply;
  });
  FetchOptions options{.progress = [](const FetchProgress& progress) { return progress.done == 0; }};
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path_, options); }), HasSubstr("stopped"));
  EXPECT_THAT(part(), HasSubstr("set.bin."));
  EXPECT_GT(fetch(server.url("/set.bin"), path_).resumed, 0u);
  EXPECT_EQ(read_bytes(path_), content_);
}

TEST_F(Fetch, FollowsRedirectsAsFarAsItMay) {
  HttpServer server([&](const HttpRequest& request) {
    if (request.path == "/set.bin") return file_reply(request, content_);
    const int left = std::stoi(request.path.substr(1));
    const std::string next = left == 1 ? "/set.bin" : "/" + std::to_string(left - 1);
    return HttpReply{302, {{"Location", next}, {"ETag", "\"not this one\""}}, "a page that says: over there"};
  });
  EXPECT_EQ(fetch(server.url("/5"), path_).bytes, content_.size());
  EXPECT_EQ(read_bytes(path_), content_);
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(server.url("/6"), folder_ / "b"); }),
              HasSubstr("more than 5 redirects"));
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(Fetch, RefusalsLeaveNothing) {
  HttpServer server([&](const HttpRequest& request) {
    if (request.path == "/file") return HttpReply{302, {{"Location", "file:///etc/passwd"}}};
    if (request.path == "/range") return HttpReply{206, {{"Content-Range", "bytes 0-1/9"}}, "ab"};
    return HttpReply{std::stoi(request.path.substr(1)), {}, "a page that says sorry"};
  });
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/404", "input/output error in fetch (" + server.url("/404") + "), called at"},
      {"/404", "the server answered 404 (not found)"},
      {"/503", "the server answered 503 (not available now)"},
      {"/418", "the server answered 418"},
      {"/204", "the server answered 204"},
      {"/file", "a redirect leads to another protocol"},
      {"/range", "a range that nobody asked for"},
  };
  for (const auto& [path, text] : cases) {
    EXPECT_THAT(message_of(ErrorKind::io, [&, p = path] { fetch(server.url(p), path_); }), HasSubstr(text));
  }
  std::string gone;
  {
    const HttpServer closed([](const HttpRequest&) { return HttpReply{}; });
    gone = closed.url("/a");
  }
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(gone, path_); }), HasSubstr("cannot connect to the host"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch("http://no.such.host.invalid/a", path_); }),
              HasSubstr("the host was not found"));
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(Fetch, AServerThatSaysNothing) {
  HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = file_reply(request, content_);
    reply.cut_after = 1000;
    reply.stall = true;
    return reply;
  });
  const std::string message =
      message_of(ErrorKind::io, [&] { fetch(server.url("/some"), path_, {.stall_seconds = 0.5, .retries = 0}); });
  EXPECT_THAT(message, HasSubstr("nothing came for 0.5 s"));
  EXPECT_THAT(message, HasSubstr("1000 bytes in " + part()));
}

TEST_F(Fetch, IsStoppedBeforeTheServerAnswers) {
  std::promise<void> enough;
  HttpServer server([&, wait = enough.get_future().share()](const HttpRequest& request) {
    wait.wait();
    return file_reply(request, content_);
  });
  const auto came = [&] { return !server.requests().empty(); };
  const std::string message = message_of(ErrorKind::io, [&] {
    fetch(server.url("/set.bin"), path_,
          {.progress = [&](const FetchProgress&) { return !came(); }, .stall_seconds = 5});
  });
  enough.set_value();
  EXPECT_THAT(message, HasSubstr("stopped"));
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(Fetch, WhatTheDiskRefuses) {
  HttpServer server([&](const HttpRequest& request) { return file_reply(request, content_); });
  const auto refused = [&](const std::string& path) {
    return message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path); });
  };
  EXPECT_THAT(refused(folder_ / "nowhere/set.bin"), HasSubstr("cannot create the file: No such file or directory"));
  EXPECT_THAT(refused(folder_.path()), HasSubstr("the file exists already"));
  write_bytes(path_, "mine");
  EXPECT_THAT(refused(path_), HasSubstr("the file exists already"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { fetch(server.url("/set.bin"), path_, {.sha256 = sum_of(content_)}); }),
              HasSubstr("its content has another sum"));
  EXPECT_EQ(read_bytes(path_), "mine");
  EXPECT_EQ(folder_.files(), 1u);
}

TEST_F(Fetch, WhatIsNoAddressAndNoSum) {
  for (const char* url : {"set.bin", "", "ftp://a/b", "file:///etc/passwd", "https:/a"}) {
    EXPECT_THAT(message_of(ErrorKind::usage, [&] { fetch(url, path_); }), HasSubstr("is no address of http or https"));
  }
  for (const std::string& sum : {std::string("abc"), std::string(64, 'g')}) {
    EXPECT_THAT(message_of(ErrorKind::usage, [&] { fetch("http://127.0.0.1:1/", path_, {.sha256 = sum}); }),
                HasSubstr("is no SHA-256 sum"));
  }
}

}  // namespace
}  // namespace gradus::data
