// gradus data list: which data sets there are.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/data/fetch/known.h"
#include "gradus/data/sources.h"

namespace gradus::cli {

using Json = nlohmann::ordered_json;

int data_list(const DataListCommand& command) {
  Json all = Json::array();
  for (const data::SourceInfo& info : data::source_infos()) {
    all.push_back({{"name", info.name},
                   {"description", info.description},
                   {"licence", info.licence},
                   {"origin", info.origin},
                   {"addresses", data::source_addresses(info.name)}});
  }
  if (command.json) {
    fmt::print("{}\n", text_of(all, 2));
    return exit_ok;
  }
  for (const data::SourceInfo& info : data::source_infos()) {
    fmt::print("{:<14} {}\n{:<14} from: {}{}{}\n", info.name, info.description, "", info.origin,
               info.licence.empty() ? "" : "; licence: ", info.licence);
  }
  return exit_ok;
}

}  // namespace gradus::cli
