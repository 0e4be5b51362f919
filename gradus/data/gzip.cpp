#include "gradus/data/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/data/file.h"

namespace gradus::data {
namespace {

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};

struct Inflater {
  z_stream stream{};
  bool open = false;

  Inflater() { open = inflateInit2(&stream, 15 + 16) == Z_OK; }
  ~Inflater() {
    if (open) inflateEnd(&stream);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

constexpr std::size_t chunk = std::size_t{1} << 18;

}  // namespace

std::string read_maybe_gzip(const std::string& path, const std::string& op, std::uint64_t most) {
  const std::uint64_t size = file_size(path, op);
  const std::unique_ptr<gzFile_s, CloseGz> file(gzopen(path.c_str(), "rb"));
  if (!file) throw Error(ErrorKind::io, op, "cannot open the file: " + system_message(errno)).context(path);
  gzbuffer(file.get(), 1u << 17);
  std::string content;
  for (int got = 1; got > 0;) {
    const std::size_t before = content.size();
    content.resize(before +
                   (before == 0 ? static_cast<std::size_t>(std::min<std::uint64_t>(size, 1u << 30)) + 1 : chunk));
    got = gzread(file.get(), content.data() + before, static_cast<unsigned>(content.size() - before));
    content.resize(before + static_cast<std::size_t>(std::max(got, 0)));
    if (content.size() > most) {
      throw Error(ErrorKind::format, op, fmt::format("the content has more than {} bytes", most)).context(path);
    }
    if (got >= 0) continue;
    int code = Z_OK;
    std::string text = gzerror(file.get(), &code);
    if (text.starts_with(path + ": ")) text.erase(0, path.size() + 2);
    if (code == Z_ERRNO) throw Error(ErrorKind::io, op, "cannot read the file: " + system_message(errno)).context(path);
    throw Error(ErrorKind::format, op, "the compressed stream is corrupted: " + text).context(path);
  }
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (code == Z_BUF_ERROR) throw Error(ErrorKind::format, op, "the compressed stream is cut off").context(path);
  return content;
}

std::string gunzip(std::span<const unsigned char> compressed, const std::string& op) {
  Inflater inflater;
  if (!inflater.open) throw Error(ErrorKind::io, op, "cannot start zlib");
  z_stream& s = inflater.stream;
  s.next_in = const_cast<Bytef*>(compressed.data());
  s.avail_in = static_cast<uInt>(compressed.size());
  std::string content;
  for (int code = Z_OK; code != Z_STREAM_END;) {
    const std::size_t before = content.size();
    content.resize(before + chunk);
    s.next_out = reinterpret_cast<Bytef*>(content.data() + before);
    s.avail_out = static_cast<uInt>(chunk);
    code = inflate(&s, Z_NO_FLUSH);
    content.resize(before + chunk - s.avail_out);
    if (code != Z_OK && code != Z_STREAM_END) throw Error(ErrorKind::format, op, "the compressed block is not sound");
  }
  return content;
}

}  // namespace gradus::data
