#include "gradus/io/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <set>

#include "gradus/base/error.h"

namespace gradus::io {
namespace {

constexpr std::uint32_t local_mark = 0x04034b50, entry_mark = 0x02014b50, end_mark = 0x06054b50;
constexpr std::uint32_t end64_mark = 0x06064b50, locator_mark = 0x07064b50;
constexpr std::uint64_t limit32 = 0xffffffff;

Error refusal(const std::string& path, std::string summary) {
  return Error(ErrorKind::format, "load_npz", std::move(summary)).context(path);
}

/// Little-endian numbers at places that are checked.
class Bytes {
 public:
  Bytes(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}
  std::uint64_t size() const { return bytes_.size(); }

  std::span<const std::byte> range(std::uint64_t at, std::uint64_t count) const {
    if (at > size() || count > size() - at) throw refusal(path_, "the archive points outside of itself");
    return bytes_.subspan(at, count);
  }
  std::uint64_t number(std::uint64_t at, unsigned count) const {
    const auto bytes = range(at, count);
    std::uint64_t value = 0;
    for (unsigned i = count; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
    return value;
  }
  std::string text(std::uint64_t at, std::uint64_t count) const {
    const auto bytes = range(at, count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  bool is(std::uint64_t at, std::uint32_t mark) const {
    return at <= size() && size() - at >= 4 && number(at, 4) == mark;
  }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
};

struct Directory {
  std::uint64_t begin = 0, entries = 0;
};

Directory find_directory(const Bytes& bytes, const std::string& path) {
  constexpr std::uint64_t fixed = 22, longest_comment = 65535;
  if (bytes.size() < fixed) throw refusal(path, "this is not a zip archive");
  const std::uint64_t last = bytes.size() - fixed, first = last > longest_comment ? last - longest_comment : 0;
  std::uint64_t end = last + 1;
  while (end-- > first) {
    if (bytes.is(end, end_mark) && bytes.number(end + 20, 2) == bytes.size() - end - fixed) break;
  }
  if (end + 1 == first || !bytes.is(end, end_mark)) {
    throw refusal(path, "this is not a zip archive, or its end is cut off").hint("get or write the file once more");
  }
  Directory directory{bytes.number(end + 16, 4), bytes.number(end + 10, 2)};
  if (bytes.number(end + 4, 4) != 0) throw refusal(path, "an archive of several parts is not supported");
  if (end >= 20 && bytes.is(end - 20, locator_mark)) {
    const std::uint64_t end64 = bytes.number(end - 12, 8);
    if (!bytes.is(end64, end64_mark)) throw refusal(path, "the archive points to a directory that is not there");
    directory = {bytes.number(end64 + 48, 8), bytes.number(end64 + 32, 8)};
  }
  return directory;
}

struct Sizes {
  std::uint64_t stored, size, offset;
};

/// What a 32-bit field could not hold stands in the extra field, in this order.
void read_zip64(const Bytes& bytes, std::uint64_t at, std::uint64_t length, Sizes& sizes, const std::string& path) {
  for (const std::uint64_t end = at + length; at + 4 <= end;) {
    const std::uint64_t id = bytes.number(at, 2), count = bytes.number(at + 2, 2);
    if (id == 1) {
      std::uint64_t next = at + 4;
      for (std::uint64_t* field : {&sizes.size, &sizes.stored, &sizes.offset}) {
        if (*field != limit32) continue;
        if (next + 8 > at + 4 + count) throw refusal(path, "a ZIP64 field is too short");
        *field = bytes.number(next, 8);
        next += 8;
      }
    }
    at += 4 + count;
  }
}

ZipEntry read_entry(const Bytes& bytes, std::uint64_t& at, std::uint64_t& data_begin, const std::string& path) {
  if (!bytes.is(at, entry_mark)) throw refusal(path, "the directory of the archive is damaged");
  const std::uint64_t flags = bytes.number(at + 8, 2), method = bytes.number(at + 10, 2);
  const std::uint64_t name = bytes.number(at + 28, 2), extra = bytes.number(at + 30, 2),
                      comment = bytes.number(at + 32, 2);
  ZipEntry entry;
  entry.name = bytes.text(at + 46, name);
  entry.crc = static_cast<std::uint32_t>(bytes.number(at + 16, 4));
  Sizes sizes{bytes.number(at + 20, 4), bytes.number(at + 24, 4), bytes.number(at + 42, 4)};
  bytes.range(at + 46, name + extra + comment);
  read_zip64(bytes, at + 46 + name, extra, sizes, path);
  if ((flags & 1) != 0) throw refusal(path, fmt::format("\"{}\" is encrypted", entry.name));
  if (method != 0 && method != 8) {
    throw refusal(path, fmt::format("\"{}\" is compressed by method {}", entry.name, method))
        .field("known", "0 (stored), 8 (deflated)");
  }
  entry.deflated = method == 8;
  entry.size = sizes.size;
  if (!bytes.is(sizes.offset, local_mark)) throw refusal(path, fmt::format("\"{}\" has no header", entry.name));
  data_begin = sizes.offset + 30 + bytes.number(sizes.offset + 26, 2) + bytes.number(sizes.offset + 28, 2);
  entry.data = bytes.range(data_begin, sizes.stored);
  if (!entry.deflated && sizes.stored != sizes.size) {
    throw refusal(
        path, fmt::format("\"{}\" is stored in {} bytes, and should have {}", entry.name, sizes.stored, sizes.size));
  }
  constexpr std::uint64_t ratio = 1032;  // of deflate, at best
  if (entry.deflated && sizes.size / ratio > sizes.stored) {
    throw refusal(
        path, fmt::format("\"{}\" claims {} bytes out of {} compressed ones", entry.name, sizes.size, sizes.stored));
  }
  at += 46 + name + extra + comment;
  return entry;
}

std::string little_endian(std::initializer_list<std::pair<std::uint64_t, int>> numbers) {
  std::string out;
  for (const auto& [value, count] : numbers) {
    for (int i = 0; i < count; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 255));
  }
  return out;
}

struct Deflater {
  z_stream stream{};
  bool open = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  Deflater() = default;
  ~Deflater() {
    if (open) deflateEnd(&stream);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
};

std::string deflated(const std::vector<std::span<const std::byte>>& pieces) {
  Deflater deflater;
  GRADUS_ASSERT(deflater.open);
  std::string out;
  std::vector<char> chunk(std::size_t{1} << 17);
  const auto run = [&](std::span<const std::byte> input, int flush) {
    z_stream& s = deflater.stream;
    s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
    s.avail_in = static_cast<uInt>(input.size());
    do {
      s.next_out = reinterpret_cast<Bytef*>(chunk.data());
      s.avail_out = static_cast<uInt>(chunk.size());
      deflate(&s, flush);
      out.append(chunk.data(), chunk.size() - s.avail_out);
    } while (s.avail_out == 0);
  };
  constexpr std::size_t most = std::size_t{1} << 30;
  for (std::span<const std::byte> piece : pieces) {
    for (; !piece.empty(); piece = piece.subspan(std::min(piece.size(), most)))
      run(piece.first(std::min(piece.size(), most)), Z_NO_FLUSH);
  }
  run({}, Z_FINISH);
  return out;
}

}  // namespace

std::vector<ZipEntry> read_zip(std::span<const std::byte> archive, const std::string& path) {
  const Bytes bytes(archive, path);
  const Directory directory = find_directory(bytes, path);
  std::vector<ZipEntry> entries;
  std::set<std::string> names;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  std::uint64_t at = directory.begin;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    std::uint64_t begin = 0;
    entries.push_back(read_entry(bytes, at, begin, path));
    if (!names.insert(entries.back().name).second) {
      throw refusal(path, fmt::format("the name \"{}\" occurs twice", entries.back().name));
    }
    if (!entries.back().data.empty()) ranges.emplace_back(begin, begin + entries.back().data.size());
  }
  std::sort(ranges.begin(), ranges.end());  // entries that share bytes make a bomb of a small file
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first < ranges[i - 1].second) throw refusal(path, "two entries share bytes");
  }
  return entries;
}

std::string unzipped(const ZipEntry& entry, const std::string& path) {
  std::string content;
  if (entry.deflated) {
    content.resize(entry.size + 1);  // one more, to notice a stream that goes on
    z_stream s{};
    GRADUS_ASSERT(inflateInit2(&s, -15) == Z_OK);
    int code = Z_OK;
    std::size_t in = 0, out = 0;
    while (code == Z_OK) {
      constexpr std::size_t most = std::size_t{1} << 30;
      s.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(entry.data.data() + in));
      s.avail_in = static_cast<uInt>(std::min(entry.data.size() - in, most));
      s.next_out = reinterpret_cast<Bytef*>(content.data() + out);
      s.avail_out = static_cast<uInt>(std::min(content.size() - out, most));
      const uInt given = s.avail_in, room = s.avail_out;
      code = inflate(&s, Z_NO_FLUSH);
      in += given - s.avail_in;
      out += room - s.avail_out;
    }
    inflateEnd(&s);
    content.resize(out);
    if (code != Z_STREAM_END || out != entry.size || in != entry.data.size()) {
      throw refusal(path, fmt::format("\"{}\" is corrupted: its stream is not sound", entry.name));
    }
  } else {
    content.assign(reinterpret_cast<const char*>(entry.data.data()), entry.data.size());
  }
  if (crc32(std::as_bytes(std::span(content))) != entry.crc) {
    throw refusal(path, fmt::format("\"{}\" is corrupted: its checksum differs", entry.name));
  }
  return content;
}

void ZipWriter::write(std::string_view bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, const std::vector<std::span<const std::byte>>& pieces, bool deflate) {
  Written entry{name, deflate, 0, 0, 0, at_};
  for (const auto piece : pieces) {
    entry.crc = crc32(piece, entry.crc);
    entry.size += piece.size();
  }
  const std::string packed = deflate ? deflated(pieces) : std::string();
  entry.stored = deflate ? packed.size() : entry.size;
  // Sizes always in the ZIP64 field, as numpy.savez does: one layout for all.
  write(little_endian({{local_mark, 4},
                       {45, 2},
                       {0, 2},
                       {deflate ? 8 : 0, 2},
                       {0, 2},
                       {0x21, 2},
                       {entry.crc, 4},
                       {limit32, 4},
                       {limit32, 4},
                       {name.size(), 2},
                       {20, 2}}));
  write(name);
  write(little_endian({{1, 2}, {16, 2}, {entry.size, 8}, {entry.stored, 8}}));
  if (deflate) {
    write(packed);
  } else {
    for (const auto piece : pieces) write({reinterpret_cast<const char*>(piece.data()), piece.size()});
  }
  entries_.push_back(std::move(entry));
}

void ZipWriter::finish() {
  const std::uint64_t begin = at_;
  for (const Written& e : entries_) {
    write(little_endian({{entry_mark, 4},
                         {45, 2},
                         {45, 2},
                         {0, 2},
                         {e.deflated ? 8 : 0, 2},
                         {0, 2},
                         {0x21, 2},
                         {e.crc, 4},
                         {limit32, 4},
                         {limit32, 4},
                         {e.name.size(), 2},
                         {28, 2},
                         {0, 2},
                         {0, 2},
                         {0, 2},
                         {0, 4},
                         {limit32, 4}}));
    write(e.name);
    write(little_endian({{1, 2}, {24, 2}, {e.size, 8}, {e.stored, 8}, {e.offset, 8}}));
  }
  const std::uint64_t end = at_, count = entries_.size();
  write(little_endian({{end64_mark, 4},
                       {44, 8},
                       {45, 2},
                       {45, 2},
                       {0, 4},
                       {0, 4},
                       {count, 8},
                       {count, 8},
                       {end - begin, 8},
                       {begin, 8}}));
  write(little_endian({{locator_mark, 4}, {0, 4}, {end, 8}, {1, 4}}));
  const std::uint64_t few = std::min<std::uint64_t>(count, 0xffff);
  write(little_endian(
      {{end_mark, 4}, {0, 2}, {0, 2}, {few, 2}, {few, 2}, {std::min(end - begin, limit32), 4}, {limit32, 4}, {0, 2}}));
}

}  // namespace gradus::io
