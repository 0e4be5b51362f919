#include "gradus/data/fetch/tar.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "gradus/data/file.h"

namespace gradus::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_size = 512;
using Block = std::array<char, block_size>;

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// A text that ends with the first zero byte, or fills its field.
std::string text_of(const Block& block, std::size_t at, std::size_t count) {
  const auto begin = block.begin() + static_cast<std::ptrdiff_t>(at);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  return {begin, std::find(begin, end, '\0')};
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; });
}

class Archive {
 public:
  Archive(const std::string& path, std::uint64_t most) : path_(path), left_(most) {
    file_size(path, "untar");
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw Error(ErrorKind::io, "untar", "cannot open the file: " + system_message(errno)).context(path);
    gzbuffer(file_.get(), 1u << 17);
  }
  void unpack(const fs::path& folder);

 private:
  Error refusal(const std::string& summary) const { return Error(ErrorKind::format, "untar", summary).context(path_); }
  /// The next block. An archive ends with blocks of zeros: one without them is cut off.
  void read(Block& block);
  std::optional<std::uint64_t> number(const Block& block, std::size_t at, std::size_t count) const;
  void check_sum(const Block& block) const;
  /// So many bytes more of content.
  void take(std::uint64_t size) {
    if (size > left_) throw refusal("the content has more bytes than are allowed");
    left_ -= size;
  }
  void read_rest();
  std::string read_text(std::uint64_t size);
  void read_records(std::uint64_t size);
  void write_file(const fs::path& path, std::uint64_t size);
  fs::path inside(const fs::path& folder, const std::string& name) const;

  const std::string& path_;
  std::uint64_t left_;
  std::unique_ptr<gzFile_s, CloseGz> file_;
  std::string long_name_;                   ///< of the next entry, when it does not fit into its header
  std::optional<std::uint64_t> long_size_;  ///< the same
};

void Archive::read(Block& block) {
  const int got = gzread(file_.get(), block.data(), block_size);
  if (got == static_cast<int>(block_size)) return;
  int code = Z_OK;
  gzerror(file_.get(), &code);
  if (got < 0 && code != Z_BUF_ERROR) throw refusal("the compressed stream is corrupted");
  throw refusal("the archive is cut off").hint("get the file once more");
}

/// What follows the end of the archive is of no interest, but for the checksum of gzip behind it.
void Archive::read_rest() {
  std::array<char, 1u << 14> piece;
  int got = 0;
  while ((got = gzread(file_.get(), piece.data(), piece.size())) > 0) take(static_cast<std::uint64_t>(got));
  int code = Z_OK;
  gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR) throw refusal("the archive is cut off").hint("get the file once more");
  if (code != Z_OK) throw refusal("the compressed stream is corrupted");
}

std::optional<std::uint64_t> Archive::number(const Block& block, std::size_t at, std::size_t count) const {
  std::uint64_t value = 0;
  for (const char c : text_of(block, at, count)) {
    if (c == ' ') continue;
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

/// The sum of the header's bytes, with spaces in place of the sum.
void Archive::check_sum(const Block& block) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block_size; ++i) {
    sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(block[i]);
  }
  if (number(block, 148, 8) != sum) throw refusal("this is not a tar archive, or it is damaged");
}

std::string Archive::read_text(std::uint64_t size) {
  if (size > (1u << 20)) throw refusal(fmt::format("a name of {} bytes", size));
  std::string text;
  for (Block block; text.size() < size;) {
    read(block);
    text.append(block.data(), std::min<std::size_t>(block_size, size - text.size()));
  }
  return text;
}

/// POSIX: lines "LENGTH key=value\n" about the next entry.
void Archive::read_records(std::uint64_t size) {
  const std::string text = read_text(size);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 0, digits = at;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && length < text.size(); ++digits) {
      length = length * 10 + static_cast<std::size_t>(text[digits] - '0');
    }
    const std::size_t equal = text.find('=', digits), end = at + length;
    if (length == 0 || end > text.size() || equal >= end || text[digits] != ' ' || text[end - 1] != '\n') {
      throw refusal("a record is damaged");
    }
    const std::string key = text.substr(digits + 1, equal - digits - 1);
    const std::string value = text.substr(equal + 1, end - equal - 2);
    if (key.starts_with("GNU.sparse.")) throw refusal("a file with holes, which is not unpacked");
    if (key == "path") long_name_ = value;
    if (key == "size") {
      std::uint64_t bytes = 0;
      for (const char c : value) {
        if (c < '0' || c > '9' || bytes > (std::uint64_t{1} << 55)) throw refusal("a record is damaged");
        bytes = bytes * 10 + static_cast<std::uint64_t>(c - '0');
      }
      long_size_ = bytes;
    }
    at = end;
  }
}

fs::path Archive::inside(const fs::path& folder, const std::string& name) const {
  const fs::path relative = fs::path(name).lexically_normal();
  const bool leaves = std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
  if (name.empty() || relative.is_absolute() || leaves || name.find('\0') != name.npos) {
    throw refusal(fmt::format("the name \"{}\" leaves the folder", name));
  }
  return folder / relative;
}

void Archive::write_file(const fs::path& path, std::uint64_t size) {
  take(size);
  fs::create_directories(path.parent_path());
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "wb"));
  bool good = file != nullptr;
  Block block;
  for (std::uint64_t done = 0; done < size && good; done += block_size) {
    read(block);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(block_size, size - done));
    good = std::fwrite(block.data(), 1, count, file.get()) == count;
  }
  if (!good || std::fflush(file.get()) != 0) {
    throw Error(ErrorKind::io, "untar", "cannot write the file: " + system_message(errno)).context(path.string());
  }
}

void Archive::unpack(const fs::path& folder) {
  std::size_t entries = 0;
  Block block;
  for (read(block); !is_zero(block); read(block), ++entries) {
    check_sum(block);
    const std::optional<std::uint64_t> in_header = number(block, 124, 12);
    const std::optional<std::uint64_t> size = long_size_ ? long_size_ : in_header;
    if (!size) throw refusal("a size is damaged, or beyond 8 GiB");
    std::string name = text_of(block, 0, 100);
    if (text_of(block, 257, 5) == "ustar" && block[263] == '0' && block[345] != '\0') {
      name = text_of(block, 345, 155) + "/" + name;
    }
    if (!long_name_.empty()) name = std::exchange(long_name_, {});
    switch (const char type = block[156]; type) {
      case 'L': long_name_ = read_text(*size); break;
      case 'x': read_records(*size); continue;  // its size is of the next entry
      case 'g': read_text(*size); break;
      case '5': fs::create_directories(inside(folder, name)); break;
      case '0':
      case '\0': write_file(inside(folder, name), *size); break;
      default: throw refusal(fmt::format("\"{}\" is neither a file nor a folder (type '{}')", name, type));
    }
    if (block[156] == 'L') long_name_.resize(std::min(long_name_.size(), long_name_.find('\0')));
    long_size_.reset();
  }
  read_rest();
  if (entries == 0) throw refusal("the archive is empty");
}

/// A folder that goes away with all that is in it.
struct Temporary {
  fs::path path;
  ~Temporary() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

}  // namespace

void untar(const std::string& archive, const std::string& folder, std::uint64_t most) {
  if (fs::exists(fs::symlink_status(folder))) {
    throw Error(ErrorKind::io, "untar", "the folder exists already").context(folder).hint("remove it, or name another");
  }
  const Temporary temporary{fs::path(fmt::format("{}.{}.tmp", folder, ::getpid()))};
  try {
    fs::remove_all(temporary.path);  // of an earlier process of this number, which was killed
    fs::create_directories(temporary.path);
    Archive(archive, most).unpack(temporary.path);
    const std::vector<fs::directory_entry> top(fs::directory_iterator(temporary.path), {});
    const bool one = top.size() == 1 && top.front().is_directory();
    fs::rename(one ? top.front().path() : temporary.path, folder);
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::io, "untar", "cannot write the folder: " + error.code().message()).context(folder);
  }
}

}  // namespace gradus::data
