// The line that shows how far a download is.
#pragma once

#include <cstdint>
#include <string>

#include "gradus/data/fetch/fetch.h"

namespace gradus::cli {

/// "812 B", "45.1 kB", "169.0 MB", "1.20 GB": decimal units.
std::string bytes_text(std::uint64_t bytes);

/// "set.npz   45%  76.3 MB of 169.0 MB  12.3 MB/s  time left 0:07" after some seconds; without share and time when the
/// server does not say how long the file is.
std::string fetch_bar_text(const std::string& file, const data::FetchProgress& progress, double seconds);

}  // namespace gradus::cli
