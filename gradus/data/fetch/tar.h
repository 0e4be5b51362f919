// Tar archives: unpacked, as much of them as data sets use.
#pragma once

#include <cstdint>
#include <string>

namespace gradus::data {

/// Unpacks a tar archive, plain or compressed by gzip, to the new folder `folder`; whole or not at all. When everything in
/// it lies in one folder, `folder` gets the content of that one. Files and folders only, ustar with the long names of
/// GNU and of POSIX; what is written stays inside `folder` whatever the names say.
///
/// Throws Error(io) when `folder` is there, or cannot be written; Error(format) for what is no tar archive, damaged or cut off,
/// for links and devices in it, a name that leaves the folder, and more than `most` bytes of content.
void untar(const std::string& archive, const std::string& folder, std::uint64_t most = std::uint64_t{1} << 40);

}  // namespace gradus::data
