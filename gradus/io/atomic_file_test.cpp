#include "gradus/io/atomic_file.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "tests/support/files.h"

namespace gradus::io {
namespace {

using gradus::testing::message_of;
using gradus::testing::read_bytes;
using gradus::testing::TemporaryFolder;
using gradus::testing::write_bytes;
using ::testing::HasSubstr;
using ::testing::Not;

/// While it lives, no file of this process can grow beyond `bytes`: what a full disk does to a writer.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("cannot limit the size of files");
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  rlimit old_;
};

TEST(AtomicFile, ReplacesTheFileOnCommit) {
  const TemporaryFolder folder;
  write_bytes(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new ");
    file.write(std::string(100000, 'n'));
    EXPECT_EQ(read_bytes(folder / "x"), "old");
    file.commit();
  }
  EXPECT_EQ(read_bytes(folder / "x"), "new " + std::string(100000, 'n'));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(AtomicFile, LeavesNothingWithoutACommit) {
  const TemporaryFolder folder;
  write_bytes(folder / "x", "old");
  {
    AtomicFile file(folder / "x");
    file.write("new");
    EXPECT_EQ(folder.files(), 2u);
  }
  EXPECT_EQ(read_bytes(folder / "x"), "old");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(AtomicFile, KeepsTheEarlierFileOnAFullDisk) {
  const TemporaryFolder folder;
  write_file(folder / "x", "old");
  const std::string message = message_of(ErrorKind::io, [&] {
    const FullDisk limit(4096);
    write_file(folder / "x", std::string(10000, 'n'));
  });
  EXPECT_THAT(message, HasSubstr(folder / "x"));
  EXPECT_THAT(message, HasSubstr("File too large"));
  EXPECT_THAT(message, HasSubstr("the earlier file is unchanged"));
  EXPECT_EQ(read_bytes(folder / "x"), "old");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(AtomicFile, OverwritesWhatAKilledWriterLeft) {
  const TemporaryFolder folder;
  write_bytes(folder / "x.tmp", "the first half of something that is longer than what comes now");
  write_file(folder / "x", "whole");
  EXPECT_EQ(read_bytes(folder / "x"), "whole");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(AtomicFile, RefusesASecondWriter) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "x");
  first.write("first");
  EXPECT_THAT(message_of(ErrorKind::io, [&] { AtomicFile second(folder / "x"); }), HasSubstr("another writer"));
  first.commit();
  EXPECT_EQ(read_bytes(folder / "x"), "first");
}

TEST(AtomicFile, IsAlwaysWholeForReaders) {
  const TemporaryFolder folder;
  write_file(folder / "x", std::string(5000, 'a'));
  const auto write_many = [&] {
    for (int i = 0; i < 50; ++i) {
      try {
        write_file(folder / "x", std::string(5000, static_cast<char>('a' + i % 26)));
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("another writer"));
      }
    }
  };
  std::thread one(write_many), two(write_many);
  for (int i = 0; i < 200; ++i) {
    const std::string content = read_bytes(folder / "x");
    ASSERT_EQ(content, std::string(5000, content.empty() ? '?' : content[0]));
  }
  one.join();
  two.join();
  EXPECT_EQ(folder.files(), 1u);
}

TEST(AtomicFile, RefusesUnwritablePlaces) {
  const TemporaryFolder folder;
  write_bytes(folder / "file", "");
  const std::string message = message_of(ErrorKind::io, [&] { AtomicFile(folder / "none/x"); });
  EXPECT_THAT(message, HasSubstr("No such file or directory"));
  EXPECT_THAT(message, Not(HasSubstr("unchanged")));
  message_of(ErrorKind::io, [&] { AtomicFile(folder / "file/x"); });
  message_of(ErrorKind::io, [&] { AtomicFile("/proc/x"); });
  EXPECT_THAT(message_of(ErrorKind::io, [&] { AtomicFile{folder.path()}; }), HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo((folder / "x.tmp").c_str(), 0600), 0);
  message_of(ErrorKind::io, [&] { AtomicFile(folder / "x"); });
}

TEST(AtomicFile, NeverReplacesADevice) {
  message_of(ErrorKind::io, [] { write_file("/dev/null", "x"); });
  struct stat status;
  EXPECT_TRUE(::stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode));
}

TEST(AtomicFile, WritesRelativePaths) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write_file("x", "here");
  std::filesystem::current_path(before);
  EXPECT_EQ(read_bytes(folder / "x"), "here");
}

TEST(Crc32, IsThatOfZlib) {
  const TemporaryFolder folder;
  const std::string check = "123456789";
  EXPECT_EQ(write_file(folder / "x", check), 0xcbf43926u);
  EXPECT_EQ(crc32_of_file(folder / "x"), 0xcbf43926u);
  const auto bytes = std::as_bytes(std::span(check.data(), check.size()));
  EXPECT_EQ(crc32(bytes.subspan(4), crc32(bytes.first(4))), 0xcbf43926u);
  EXPECT_EQ(crc32({}), 0u);
  EXPECT_EQ(crc32({}, 7), 7u);
  const std::string large(200000, 'x');
  const std::uint32_t written = write_file(folder / "y", large);
  EXPECT_EQ(crc32_of_file(folder / "y"), written);
}

TEST(ReadFile, ReadsAndRefuses) {
  const TemporaryFolder folder;
  write_bytes(folder / "x", std::string("a\0b", 3));
  EXPECT_EQ(read_file(folder / "x"), std::string("a\0b", 3));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_file(folder / "x", 2); }), HasSubstr("at most 2 bytes"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_file(folder / "none"); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of(ErrorKind::io, [&] { read_file(folder.path()); }), HasSubstr("not a regular file"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  message_of(ErrorKind::io, [&] { read_file(folder / "pipe"); });
}

}  // namespace
}  // namespace gradus::io
