#include "gradus/data/fetch/known.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>

#include "gradus/data/fetch/tar.h"
#include "gradus/data/read/cifar.h"
#include "gradus/data/sources.h"
#include "tests/support/files.h"
#include "tests/support/http_server.h"

namespace gradus::data {
namespace {

using ::testing::HasSubstr;
using testing::HttpRequest;
using testing::HttpServer;
using testing::message_of;
using testing::read_bytes;
using testing::TemporaryFolder;
using testing::write_bytes;

/// One header of POSIX's ustar.
std::string header(const std::string& name, std::size_t size, char type, const std::string& prefix = "") {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { block.replace(at, text.size(), text); };
  const auto octal = [](std::size_t value, int digits) {
    std::string text;
    for (int i = 0; i < digits; ++i, value /= 8) text.insert(text.begin(), static_cast<char>('0' + value % 8));
    return text;
  };
  put(0, name);
  put(100, "0000644");
  put(124, octal(size, 11));
  put(148, "        ");
  block[156] = type;
  put(257, "ustar");
  put(263, "00");
  put(345, prefix);
  std::size_t sum = 0;
  for (const char c : block) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + '\0');
  return block;
}

std::string entry(const std::string& name, const std::string& content, char type = '0',
                  const std::string& prefix = "") {
  std::string text = header(name, content.size(), type, prefix) + content;
  text.resize((text.size() + 511) / 512 * 512);
  return text;
}

const std::string end_mark(1024, '\0');

std::string compressed(const std::string& text) {
  z_stream s{};
  deflateInit2(&s, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&s, text.size()), '\0');
  s.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  s.avail_in = static_cast<uInt>(text.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  deflate(&s, Z_FINISH);
  out.resize(s.total_out);
  deflateEnd(&s);
  return out;
}

TEST(Untar, FilesFoldersAndLongNames) {
  const TemporaryFolder folder;
  const std::string long_name = "b/" + std::string(120, 'n') + ".txt";
  const std::string record = "path=b/" + std::string(130, 'p');
  const std::string archive = entry("a/", "", '5') + entry("a/one.txt", "1") + entry("two.bin", std::string(512, '2')) +
                              entry("pre.txt", "3", '0', "c/d") + entry("././@LongLink", long_name + '\0', 'L') +
                              entry("b/nn", "4") +
                              entry("x", std::to_string(record.size() + 5) + " " + record + "\n", 'x') +
                              entry("short", "5") + entry("x", "9 size=4\n", 'x') + header("sized", 0, '0') +
                              entry("", "sixx").substr(512) + entry("empty", "") + end_mark;
  for (const bool packed : {false, true}) {
    const std::string path = folder / (packed ? "t.tar.gz" : "t.tar");
    const std::string out = folder / (packed ? "packed" : "plain");
    write_bytes(path, packed ? compressed(archive) : archive);
    untar(path, out);
    EXPECT_EQ(read_bytes(out + "/a/one.txt"), "1");
    EXPECT_EQ(read_bytes(out + "/two.bin"), std::string(512, '2'));
    EXPECT_EQ(read_bytes(out + "/c/d/pre.txt"), "3");
    EXPECT_EQ(read_bytes(out + "/" + long_name), "4");
    EXPECT_EQ(read_bytes(out + "/b/" + std::string(130, 'p')), "5");
    EXPECT_EQ(read_bytes(out + "/sized"), "sixx");  // of the record, for this entry alone
    EXPECT_TRUE(std::filesystem::is_empty(out + "/empty"));
  }
  EXPECT_EQ(folder.files(), 4u);
}

// A process that is killed leaves what it unpacked; one of the same number comes often enough where processes are few.
TEST(Untar, NothingOfAKilledProcessComesAlong) {
  const TemporaryFolder folder;
  const std::string left = folder / "out." + std::to_string(::getpid()) + ".tmp";
  std::filesystem::create_directory(left);
  write_bytes(left + "/stale", "1");
  write_bytes(folder / "t.tar", entry("a", "1") + entry("b", "2") + end_mark);
  untar(folder / "t.tar", folder / "out");
  EXPECT_FALSE(std::filesystem::exists(folder / "out/stale"));
  EXPECT_EQ(read_bytes(folder / "out/b"), "2");
}

TEST(Untar, OneFolderInItIsTheFolder) {
  const TemporaryFolder folder;
  write_bytes(folder / "t.tar", entry("set/", "", '5') + entry("set/a", "1") + end_mark);
  untar(folder / "t.tar", folder / "out");
  EXPECT_EQ(read_bytes(folder / "out/a"), "1");
}

TEST(Untar, RefusesWhatIsHostileOrDamagedAndLeavesNothing) {
  const TemporaryFolder folder;
  const std::string sound = entry("a", "1");
  std::string wrong_sum = sound;
  wrong_sum[0] = 'b';
  const std::string packed = compressed(sound + end_mark);
  std::string wrong_checksum = packed;
  wrong_checksum[packed.size() - 5] ^= 1;  // CRC-32, and then 4 bytes of the length
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "cut off"},
      {sound, "cut off"},
      {sound.substr(0, 700), "cut off"},
      {compressed(sound + end_mark).substr(0, 40), "cut off"},
      {end_mark, "the archive is empty"},
      {std::string(1024, 'x'), "this is not a tar archive"},
      {wrong_sum + end_mark, "this is not a tar archive"},
      {entry("../a", "1") + end_mark, "\"../a\" leaves the folder"},
      {entry("/etc/a", "1") + end_mark, "leaves the folder"},
      {entry("b/../../a", "1") + end_mark, "leaves the folder"},
      {entry("link", "", '2') + end_mark, "\"link\" is neither a file nor a folder (type '2')"},
      {entry("link", "", '1') + end_mark, "type '1'"},
      {entry("pipe", "", '6') + end_mark, "type '6'"},
      {entry("x", "99 path=a\n", 'x') + sound + end_mark, "a record is damaged"},
      {entry("x", "path=a\n", 'x') + sound + end_mark, "a record is damaged"},
      {entry("x", "7 path=9 path=b\n", 'x') + sound + end_mark, "a record is damaged"},
      {entry("x", "22 GNU.sparse.major=1\n", 'x') + sound + end_mark, "a file with holes"},
      {packed.substr(0, packed.size() - 5), "cut off"},
      {wrong_checksum, "the compressed stream is corrupted"},
      {compressed(sound + std::string(2 << 20, '\0')), "more bytes than are allowed"},
      {header("big", std::size_t{1} << 32, '0') + end_mark, "more bytes than are allowed"},
  };
  for (const auto& [bytes, text] : cases) {
    write_bytes(folder / "t.tar", bytes);
    EXPECT_THAT(message_of(ErrorKind::format, [&] { untar(folder / "t.tar", folder / "out", 1 << 20); }),
                HasSubstr(text));
    EXPECT_EQ(folder.files(), 1u) << text;
  }
  write_bytes(folder / "t.tar", sound + end_mark);
  EXPECT_THAT(message_of(ErrorKind::io, [&] { untar(folder / "t.tar", folder.path()); }), HasSubstr("exists already"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { untar(folder / "none.tar", folder / "out"); }), HasSubstr("cannot open"));
}

TEST(FetchSource, TheNamesAreThoseOfSources) {
  for (const std::string& name : fetchable_names()) {
    EXPECT_THAT(source_names(), ::testing::Contains(name));
    EXPECT_FALSE(source_addresses(name).empty());
  }
  EXPECT_TRUE(source_addresses("digits").empty());
  const std::string message = message_of(ErrorKind::usage, [] { fetch_source("cifar10"); });
  EXPECT_THAT(message, HasSubstr("known  fashion-mnist, cifar-10, cifar-100"));
  EXPECT_THAT(message, HasSubstr("did you mean \"cifar-10\"?"));
}

class FetchSourceFrom : public ::testing::Test {
 protected:
  void SetUp() override {
    if (fetch_library().empty()) GTEST_SKIP() << "built without libcurl";
  }
  TemporaryFolder folder_;
};

TEST_F(FetchSourceFrom, AnArchiveIsUnpackedAndRead) {
  std::string archive = entry("cifar-10-batches-bin/", "", '5');
  for (const char* name :
       {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"})
    archive += entry("cifar-10-batches-bin/" + std::string(name) + ".bin", std::string(3073, '\3'));
  archive = compressed(archive + end_mark);
  HttpServer server([&](const HttpRequest& request) { return testing::file_reply(request, archive); });
  const SourceFetchOptions options{.folder = folder_ / "sets", .mirror = server.url("/mirror")};
  const std::string found = fetch_source("cifar-10", options);
  EXPECT_EQ(found, folder_ / "sets/cifar-10-batches-bin");
  EXPECT_EQ(cifar10(Split::train, found).size(), 5);
  EXPECT_EQ(server.requests().at(0).path, "/mirror/cifar-10-binary.tar.gz");
  EXPECT_EQ(fetch_source("cifar-10", options), found);  // is there
  EXPECT_EQ(server.requests().size(), 1u);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "sets/cifar-10-binary.tar.gz"));
}

TEST_F(FetchSourceFrom, ADamagedArchiveIsRemoved) {
  HttpServer server([&](const HttpRequest& request) { return testing::file_reply(request, "a page that says sorry"); });
  const std::string message = message_of(
      ErrorKind::format, [&] { fetch_source("cifar-100", {.folder = folder_.path(), .mirror = server.url("")}); });
  EXPECT_THAT(message, HasSubstr("the archive was removed"));
  EXPECT_EQ(folder_.files(), 0u);
}

TEST_F(FetchSourceFrom, FilesThatAreThereAreNotFetchedAgain) {
  std::filesystem::create_directory(folder_ / "fashion-mnist");
  write_bytes(folder_ / "fashion-mnist/train-images-idx3-ubyte.gz", "mine");
  HttpServer server([&](const HttpRequest& request) { return testing::file_reply(request, request.path); });
  std::vector<std::string> files;
  const std::string found =
      fetch_source("fashion-mnist", {.folder = folder_.path(),
                                     .mirror = server.url("/m/"),
                                     .progress = [&](const std::string& file, const FetchProgress&) {
                                       if (files.empty() || files.back() != file) files.push_back(file);
                                       return true;
                                     }});
  EXPECT_THAT(files, ::testing::ElementsAre("train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
                                            "t10k-labels-idx1-ubyte.gz"));
  EXPECT_EQ(read_bytes(found + "/train-images-idx3-ubyte.gz"), "mine");
  EXPECT_EQ(read_bytes(found + "/t10k-labels-idx1-ubyte.gz"), "/m/t10k-labels-idx1-ubyte.gz");
}

}  // namespace
}  // namespace gradus::data
