// What `gradus data info` finds in files and folders, as JSON and as text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace gradus::cli {

/// What a file holds, told by its first bytes (CIFAR by its length and the ending .bin): NPY, NPZ, PNG, JPEG, IDX, CIFAR, else CSV.
/// Throws as the readers.
nlohmann::ordered_json file_info(const std::string& path, char delimiter);

/// The pictures of a folder with one folder for each class. Pictures that cannot be read are listed, not thrown.
nlohmann::ordered_json image_folder_info(const std::string& path);

/// Either of them for people, on stdout.
void print_info(const nlohmann::ordered_json& info);

}  // namespace gradus::cli
