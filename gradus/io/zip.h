// Zip archives: as much of them as NumPy's .npz files use (stored and deflated entries, sizes beyond 4 GiB by ZIP64).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradus/io/atomic_file.h"

namespace gradus::io {

struct ZipEntry {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::uint64_t size = 0;           ///< of the content
  std::span<const std::byte> data;  ///< as stored, in the archive
};

/// The entries of an archive in memory, in the order of its directory. Nothing is unpacked. Throws Error(format) for what is
/// not sound: offsets, sizes, names that occur twice, two entries that share bytes, encryption, other compressions.
std::vector<ZipEntry> read_zip(std::span<const std::byte> archive, const std::string& path);

/// The content of one entry. Throws Error(format) when it is not of the size and checksum that the archive says.
std::string unzipped(const ZipEntry& entry, const std::string& path);

/// Writes an archive to a file that is open.
class ZipWriter {
 public:
  ZipWriter(AtomicFile& file, std::string path) : file_(file), path_(std::move(path)) {}
  /// One entry, made of `pieces` one behind the other.
  void add(const std::string& name, const std::vector<std::span<const std::byte>>& pieces, bool deflate);
  /// The directory, at the end.
  void finish();

 private:
  struct Written {
    std::string name;
    bool deflated;
    std::uint32_t crc;
    std::uint64_t stored, size, offset;
  };
  void write(std::string_view bytes);

  AtomicFile& file_;
  std::string path_;
  std::uint64_t at_ = 0;
  std::vector<Written> entries_;
};

}  // namespace gradus::io
