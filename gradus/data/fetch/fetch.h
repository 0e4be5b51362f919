// Files by HTTP: resumed where they broke off, checked before they get their name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "gradus/base/location.h"

namespace gradus::data {

struct FetchProgress {
  std::uint64_t done = 0;     ///< bytes that are there
  std::uint64_t resumed = 0;  ///< of them from an earlier download
  std::uint64_t total = 0;    ///< 0: the server does not say, or has not answered yet
};

struct FetchOptions {
  /// 64 hexadecimal digits that the content has to have; "": any.
  std::string sha256 = {};
  /// Called again and again on the calling thread, while the server does not answer as well; false stops the download.
  std::function<bool(const FetchProgress&)> progress = {};
  double connect_seconds = 20;
  /// The longest time without a byte (looked at about once a second).
  double stall_seconds = 60;
  int most_redirects = 5;
  /// How often a connection that was cut is made again, in the same call, as long as each brings some bytes.
  int retries = 3;
};

struct Fetched {
  std::string path, sha256;
  std::uint64_t bytes = 0;
  std::uint64_t resumed = 0;  ///< bytes that an earlier download had brought
  bool was_there = false;     ///< the file was there, and had the sum that is wanted: nothing was fetched
};

/// Fetches the file behind an http or https address to `path`, whose folder has to exist:
///
///   data::fetch("https://example.org/set.npz", "set.npz", {.sha256 = "9f86d0..."});
///
/// The content grows in "PATH.XXXXXXXX.part", of which the eight digits stand for the version (the sum that is wanted, or
/// the server's ETag or date): a download that broke off goes on with the next call, unless the server has another version by
/// then. A server that says nothing about its version, or knows no ranges, has to start again. `path` appears
/// when all bytes are there and have the sum. A file that is there already stays: with the sum that is wanted all is done.
///
/// Throws Error(usage) for an address or a sum that is none; Error(io) when `path` is there, for what the server, the network
/// and the disk refuse, and for a download that was stopped, naming the part that is kept; Error(format) with both
/// sums when the content is another (nothing is kept then). In a build without libcurl always Error(io) that says so.
Fetched fetch(const std::string& url, const std::string& path, const FetchOptions& options = {},
              SourceLocation where = SourceLocation::current());

/// The last part of an address, as a name for a file: "set.npz"; "" when it has none.
std::string file_name_of(const std::string& url);

/// "curl 7.88.1": what fetch is built on; "" in a build without.
std::string fetch_library();

}  // namespace gradus::data
