// What the readers of data files share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gradus/base/error.h"

namespace gradus::data {

/// Bytes of the regular file at `path`. Throws Error(io) on behalf of `op` when it is missing or is no regular file (a
/// folder, a pipe, a device).
std::uint64_t file_size(const std::string& path, const std::string& op);

/// Deflate packs at most 258 bytes into 2 bits: what `compressed` bytes can hold at most. A file that claims more lies.
std::uint64_t most_inflated(std::uint64_t compressed);

/// Deletes what a failed writer left at `path`, if that is a regular file (never a device).
void remove_partial(const std::string& path) noexcept;

/// Writes "PATH.tmp", makes it durable, and renames it to PATH: the earlier PATH stays whole whatever happens. Throws
/// Error(io) on behalf of `op`; nothing half-written is left.
void write_whole_file(const std::string& path, std::string_view content, const std::string& op);

/// Where data sets that are fetched by name stand: $GRADUS_DATA_DIR, else $XDG_CACHE_HOME/gradus, else ~/.cache/gradus.
std::string data_folder();

/// "No such file or directory"
std::string system_message(int error_number);

}  // namespace gradus::data
