// What a CSV file holds, column by column.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gradus::cli {

nlohmann::ordered_json csv_info(const std::string& path, char delimiter);
void print_csv_info(const nlohmann::ordered_json& info);

}  // namespace gradus::cli
