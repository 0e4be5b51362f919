// Data sets of recipes that can be fetched by their names.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/data/fetch/fetch.h"

namespace gradus::data {

/// The addresses behind a name of source_names(); none for what cannot be fetched.
std::vector<std::string> source_addresses(std::string_view name);
/// Names that have some.
std::vector<std::string> fetchable_names();

struct SourceFetchOptions {
  /// Where the folder of the data set comes to stand; "": data_folder(), where `load` looks for it.
  std::string folder = {};
  /// An address under which the files of the same names lie, in place of their origin.
  std::string mirror = {};
  /// Of each file, as in fetch.
  std::function<bool(const std::string& file, const FetchProgress&)> progress = {};
};

/// Fetches a data set, unpacked where its reader needs that, and returns its folder. What is there already stays.
///
///   data::fetch_source("cifar-10");
///   const data::Dataset train = data::cifar10(data::Split::train);
///
/// The files come by https from the addresses of their authors, who publish no SHA-256 sums; readers check sizes, labels and
/// the checksums of gzip. Throws Error(usage) for a name that cannot be fetched, and as fetch and untar.
std::string fetch_source(const std::string& name, const SourceFetchOptions& options = {},
                         SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
