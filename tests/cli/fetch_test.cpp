// `gradus data fetch` and `gradus data info` of files, as a user meets them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/cli/data/fetch_bar.h"
#include "gradus/data/fetch/fetch.h"
#include "gradus/data/idx.h"
#include "gradus/data/png.h"
#include "gradus/data/read/jpeg.h"
#include "gradus/io/npy.h"
#include "gradus/ops/factory.h"
#include "tests/command.h"
#include "tests/support/files.h"
#include "tests/support/http_server.h"

namespace gradus {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::write_bytes;
using testing_help::Outcome;
using testing_help::run_gradus;

class CliFetch : public ::testing::Test {
 protected:
  void SetUp() override {
    if (data::fetch_library().empty()) GTEST_SKIP() << "built without libcurl";
  }
  Outcome fetch(std::vector<std::string> arguments, const testing_help::StartOptions& options = {}) {
    arguments.insert(arguments.begin(), {"data", "fetch"});
    return run_gradus(out_.path(), std::move(arguments), options);
  }

  TemporaryFolder out_, folder_;
};

TEST(CliFetchBar, SaysHowFar) {
  EXPECT_EQ(cli::fetch_bar_text("a.npz", {76300000, 0, 169000000}, 7),
            "a.npz   45%  76.3 MB of 169.0 MB  10.9 MB/s  time left 0:09");
  EXPECT_EQ(cli::fetch_bar_text("a.npz", {2000, 1000, 2000}, 2), "a.npz  100%  2.0 kB of 2.0 kB  500 B/s");
  EXPECT_EQ(cli::fetch_bar_text("a.npz", {1500, 0, 0}, 0), "a.npz  1.5 kB  0 B/s");
  EXPECT_EQ(cli::bytes_text(2340000000), "2.34 GB");
}

TEST_F(CliFetch, AnAddressToAFileOrAFolder) {
  HttpServer server([&](const HttpRequest& request) { return testing::file_reply(request, "abc"); });
  const std::string sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const Outcome outcome = fetch({server.url("/set.csv"), "--out", folder_.path(), "--sha256", sum});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, folder_ / "set.csv" + ": 3 B, SHA-256 " + sum + "\n");
  EXPECT_EQ(read_bytes(folder_ / "set.csv"), "abc");
  EXPECT_THAT(fetch({server.url("/set.csv"), "--out", folder_ / "set.csv", "--sha256", sum}).out,
              HasSubstr("(was there already)"));
  const json other = json::parse(fetch({server.url("/x"), "--out", folder_ / "other.csv", "--json"}).out);
  EXPECT_EQ(other["path"], folder_ / "other.csv");
  EXPECT_EQ(other["sha256"], sum);
}

TEST_F(CliFetch, ExitCodesAndMessages) {
  HttpServer server([&](const HttpRequest&) { return HttpReply{404}; });
  const std::vector<std::tuple<int, std::vector<std::string>, std::string>> cases = {
      {2, {}, "what is required"},
      {2, {"cifar"}, "there is no data set \"cifar\" to fetch"},
      {2, {"cifar-10", "--sha256", std::string(64, 'a')}, "--sha256 is for an address"},
      {2, {server.url("/a"), "--mirror", "http://b"}, "--mirror is for a name"},
      {2, {server.url("/")}, "the address has no name for the file"},
      {2, {server.url("/a"), "--sha256", "12"}, "\"12\" is no SHA-256 sum"},
      {2, {"ftp://a/b"}, "is no address of http or https"},
      {1, {server.url("/a"), "--out", folder_ / "a"}, "the server answered 404 (not found)"},
      {1, {"cifar-10", "--out", folder_.path(), "--mirror", server.url("")}, "404 (not found)"},
  };
  for (const auto& [code, arguments, text] : cases) {
    const Outcome outcome = fetch(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_THAT(outcome.err, ::testing::Not(HasSubstr("called at")));
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(CliFetch, AFullDiskKeepsWhatFits) {
  const std::string content(300000, 'a');
  HttpServer server([&](const HttpRequest& request) { return testing::file_reply(request, content); });
  const Outcome full = fetch({server.url("/set"), "--out", folder_ / "set"}, {.largest_file = 100000});
  EXPECT_EQ(full.code, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write the file: File too large"));
  EXPECT_THAT(full.err, HasSubstr("100000 bytes in " + folder_ / "set."));
  const Outcome again = fetch({server.url("/set"), "--out", folder_ / "set"});
  EXPECT_THAT(again.out, HasSubstr("set: 300.0 kB (100.0 kB from an earlier download), SHA-256"));
  EXPECT_EQ(read_bytes(folder_ / "set"), content);
}

TEST_F(CliFetch, GoesOnAfterCtrlCAndAfterKill) {
  const std::string content(300000, 'a');
  HttpServer server([&](const HttpRequest& request) {
    HttpReply reply = testing::file_reply(request, content);
    if (request.path == "/slow") reply.cut_after = 50000, reply.stall = true;
    return reply;
  });
  for (const int signal : {SIGINT, SIGKILL}) {
    testing_help::Command command(out_.path(), {"data", "fetch", server.url("/slow"), "--out", folder_ / "set"});
    std::string part;
    while (part.empty() && command.running()) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
        if (std::filesystem::file_size(entry.path()) == 50000) part = entry.path().string();
      }
    }
    const Outcome stopped = command.finish(signal);
    EXPECT_EQ(stopped.code, 128 + signal) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr(signal == SIGINT ? "50000 bytes in " + part : ""));
    const Outcome again = fetch({server.url("/fast"), "--out", folder_ / "set", "--json"});
    EXPECT_EQ(json::parse(again.out)["resumed"], 50000) << again.err;
    EXPECT_EQ(read_bytes(folder_ / "set"), content);
    std::filesystem::remove(folder_ / "set");
  }
}

Tensor bytes(const Shape& shape, const std::vector<std::uint8_t>& values) {
  return leaf<std::uint8_t>(shape, std::span<const std::uint8_t>(values));
}

class CliDataInfo : public ::testing::Test {
 protected:
  json info(const std::string& path) {
    const Outcome plain = run_gradus(out_.path(), {"data", "info", path});
    EXPECT_EQ(plain.code, 0) << plain.err;
    EXPECT_NE(plain.out, "");
    const Outcome outcome = run_gradus(out_.path(), {"data", "info", path, "--json"});
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out);
  }

  TemporaryFolder out_, folder_;
};

TEST_F(CliDataInfo, Arrays) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  io::save_npz(folder_ / "a.npz",
               {{"x", tensor({1.f, 3.f, nan, infinity, nan})}, {"labels", tensor<std::int64_t>({2, 0, 2})}});
  const json npz = info(folder_ / "a.npz");
  EXPECT_EQ(npz["kind"], "npz");
  EXPECT_EQ(
      npz["arrays"][0].dump(),
      R"({"dtype":"f32","infinite":1,"max":3.0,"mean":2.0,"min":1.0,"missing":2,"name":"x","shape":"[5]","std":1.0})");
  EXPECT_EQ(npz["arrays"][1]["counts"].dump(), R"({"0":1,"2":2})");
  io::save_npy(folder_ / "a.npy", zeros({2, 3}, DType::boolean));
  EXPECT_EQ(info(folder_ / "a.npy")["arrays"][0]["shape"], "[2, 3]");
  io::save_npy(folder_ / "b.npy", zeros({0, 3}));
  EXPECT_FALSE(info(folder_ / "b.npy")["arrays"][0].contains("mean"));
  for (const char* name : {"b-ubyte", "b-ubyte.gz"}) {
    data::write_idx(folder_ / name, bytes({3}, {1, 2, 3}));
    EXPECT_EQ(info(folder_ / name)["kind"], "idx");
    EXPECT_EQ(info(folder_ / name)["arrays"][0]["mean"], 2.0);
  }
}

TEST_F(CliDataInfo, PicturesAndFoldersOfThem) {
  const Tensor red = bytes({3, 1, 2}, {255, 255, 0, 0, 0, 0});
  data::write_png(folder_ / "red.png", red);
  const json png = info(folder_ / "red.png");
  EXPECT_EQ(png["arrays"][0]["shape"], "[3, 1, 2]");
  EXPECT_EQ(png["arrays"][1]["mean"], 255.0);
  EXPECT_EQ(png["arrays"][3]["mean"], 0.0);
  data::write_jpeg(folder_ / "grey.jpg", bytes({1, 8, 8}, std::vector<std::uint8_t>(64)));
  EXPECT_EQ(info(folder_ / "grey.jpg")["kind"], "jpeg");

  for (const char* name : {"set", "set/a", "set/b", "set/empty"}) std::filesystem::create_directory(folder_ / name);
  data::write_png(folder_ / "set/a/1.png", red);
  data::write_png(folder_ / "set/a/2.PNG", bytes({3, 4, 1}, std::vector<std::uint8_t>(12)));
  data::write_png(folder_ / "set/b/1.png", red);
  write_bytes(folder_ / "set/b/2.png", "no picture");
  const json set = info(folder_ / "set");
  EXPECT_EQ(set["pictures"], 3);
  EXPECT_EQ(set["classes"].dump(), R"({"a":2,"b":1,"empty":0})");
  EXPECT_EQ(set["height"].dump() + set["width"].dump(), "[1,4][1,2]");
  EXPECT_EQ(set["channels"][0]["mean"], 0.5);
  EXPECT_EQ(set["channels"][0]["std"], 0.5);
  EXPECT_EQ(set["unreadable"].size(), 1u);
}

TEST_F(CliDataInfo, CifarByFileAndFolder) {
  write_bytes(folder_ / "test_batch.bin", std::string(3073, '\3') + std::string(3073, '\1'));
  const json file = info(folder_ / "test_batch.bin");
  EXPECT_EQ(file["kind"], "CIFAR-10");
  EXPECT_EQ(file["arrays"][0]["counts"].dump(), R"({"1":1,"3":1})");
  EXPECT_EQ(file["arrays"][4]["mean"], 2.0);
  for (int i = 1; i <= 5; ++i) {
    write_bytes(folder_ / "data_batch_" + std::to_string(i) + ".bin", std::string(3073, '\2'));
  }
  const json set = info(folder_.path());
  EXPECT_EQ(set["train"]["examples"], 5);
  EXPECT_EQ(set["train"]["duplicates"], 4);
  EXPECT_EQ(set["test"]["class_counts"].dump(), "[0,1,0,1,0,0,0,0,0,0]");
}

TEST_F(CliDataInfo, TablesCountNaNInfinityAndCategories) {
  write_bytes(folder_ / "t.csv", "x,c\r\n1,a\r\ninf,b\r\nNaN,a\r\n3,a\r\n");
  const json table = info(folder_ / "t.csv");
  EXPECT_EQ(table["columns"][0].dump(),
            R"({"infinite":1,"max":3.0,"mean":2.0,"min":1.0,"missing":1,"name":"x","std":1.0,"type":"f64"})");
  EXPECT_EQ(table["columns"][1]["counts"].dump(), R"({"a":3,"b":1})");
}

TEST_F(CliDataInfo, WhatCannotBeRead) {
  std::filesystem::create_directory(folder_ / "empty");
  write_bytes(folder_ / "zeros", std::string(100, '\0') + "x");
  write_bytes(folder_ / "cut.npy", "\x93NUMPY");
  write_bytes(folder_ / "nothing", "");
  for (const auto& [name, text] : {std::pair("empty", "there is no data set in this folder"),
                                   {"zeros", "this is no file of a known kind"},
                                   {"cut.npy", "format error in load_npy"},
                                   {"nothing", "the file is empty"},
                                   {"none.csv", "No such file"}}) {
    const Outcome outcome = run_gradus(out_.path(), {"data", "info", folder_ / name});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_THAT(outcome.err, HasSubstr(text));
    EXPECT_EQ(outcome.out, "");
  }
}

}  // namespace
}  // namespace gradus
