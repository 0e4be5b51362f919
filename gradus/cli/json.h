// How the commands write JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gradus::cli {

/// JSON is UTF-8, and names of files and classes need not be: U+FFFD stands for each byte that is none. `indent` as in dump.
inline std::string text_of(const nlohmann::ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace gradus::cli
