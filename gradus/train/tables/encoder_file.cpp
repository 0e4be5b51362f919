#include "gradus/train/tables/encoder_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/data/table/csv.h"
#include "gradus/io/atomic_file.h"

namespace gradus::train {
namespace {

using Json = nlohmann::ordered_json;
using data::ColumnType;

constexpr int version = 1;

/// The names of an enum's values, in their order.
constexpr std::array<const char*, 5> missing_names = {"error", "mean", "median", "constant", "indicator"};
constexpr std::array<const char*, 2> categories_names = {"one-hot", "codes"};
constexpr std::array<const char*, 5> type_names = {"i64", "f64", "bool", "category", "text"};

template <class Enum, std::size_t N>
Enum read_enum(const Json& json, const std::array<const char*, N>& names) {
  const std::string text = json.get<std::string>();
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) throw Error(ErrorKind::format, "load_encoder", fmt::format("unknown word \"{}\"", text));
  return static_cast<Enum>(found - names.begin());
}

template <class Enum, std::size_t N>
const char* written(Enum value, const std::array<const char*, N>& names) {
  return names.at(static_cast<std::size_t>(value));
}

data::EncoderState state_from(const Json& json) {
  data::EncoderState state;
  if (const int found = json.at("version").get<int>(); found != version) {
    throw Error(ErrorKind::format, "load_encoder",
                fmt::format("is of version {}, and this program reads version {}", found, version));
  }
  json.at("target").get_to(state.options.target);
  json.at("drop").get_to(state.options.drop);
  state.options.missing = read_enum<data::Missing>(json.at("missing"), missing_names);
  json.at("constant").get_to(state.options.constant);
  state.options.categories = read_enum<data::Categories>(json.at("categories"), categories_names);
  json.at("classes").get_to(state.classes);
  for (const Json& entry : json.at("columns")) {
    data::EncodedColumn column;
    entry.at("name").get_to(column.name);
    column.type = read_enum<ColumnType>(entry.at("type"), type_names);
    entry.at("indicated").get_to(column.indicated);
    entry.at("fill").get_to(column.fill);
    entry.at("categories").get_to(column.categories);
    const bool code =
        column.fill >= 0 && column.fill < static_cast<double>(std::max<std::size_t>(1, column.categories.size()));
    if (column.type == ColumnType::category && !code)
      throw Error(ErrorKind::format, "load_encoder", fmt::format("column \"{}\" has no such category", column.name));
    state.columns.push_back(std::move(column));
  }
  return state;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "agee (did you mean age?), x".
std::string with_nearest(const std::vector<std::string>& names, const std::vector<std::string>& candidates) {
  std::vector<std::string> texts;
  for (const std::string& name : names) {
    const std::string nearest = nearest_name(name, candidates);
    texts.push_back(nearest.empty() ? name : fmt::format("{} (did you mean {}?)", name, nearest));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

void check_columns(const std::string& path, const std::vector<std::string>& found, const data::EncoderState& state) {
  std::vector<std::string> wanted, missing, unknown;
  for (const data::EncodedColumn& column : state.columns) {
    wanted.push_back(column.name);
    if (!holds(found, column.name)) missing.push_back(column.name);
  }
  for (const std::string& name : found) {
    if (!holds(wanted, name) && !holds(state.options.drop, name) && name != state.options.target)
      unknown.push_back(name);
  }
  if (missing.empty() && unknown.empty()) return;
  Error error(ErrorKind::value, "predict", "the columns are not those of the training");
  error.context(path);
  if (!missing.empty()) error.field("missing", fmt::format("{}", fmt::join(missing, ", ")));
  if (!unknown.empty()) error.field("unknown", with_nearest(unknown, missing));
  throw error.field("trained on", fmt::format("{}", fmt::join(wanted, ", ")));
}

}  // namespace

std::string encoder_text(const data::TableEncoder& encoder) {
  const data::EncoderState& state = encoder.state();
  Json json = {{"version", version},
               {"target", state.options.target},
               {"drop", state.options.drop},
               {"missing", written(state.options.missing, missing_names)},
               {"constant", state.options.constant},
               {"categories", written(state.options.categories, categories_names)},
               {"classes", state.classes},
               {"columns", Json::array()}};
  for (const data::EncodedColumn& column : state.columns) {
    json["columns"].push_back({{"name", column.name},
                               {"type", written(column.type, type_names)},
                               {"indicated", column.indicated},
                               {"fill", column.fill},
                               {"categories", column.categories}});
  }
  try {
    return json.dump(1) + "\n";
  } catch (const Json::exception&) {
    throw Error(ErrorKind::format, "train", "a name or a category of the table is not UTF-8")
        .hint("iconv -f latin1 -t utf-8 converts a file");
  }
}

data::TableEncoder load_encoder_file(const std::string& path) {
  const std::string text = io::read_file(path);
  try {
    return data::TableEncoder(state_from(Json::parse(text)));
  } catch (Error& error) {
    throw error.context(path);
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::format, "load_encoder", "the file holds no encoder of a table")
        .context(path)
        .note(error.what());
  }
}

data::Table read_rows(const std::string& path, const data::TableEncoder& encoder, char delimiter) {
  data::CsvOptions options{.delimiter = delimiter};
  const std::vector<std::string> found = data::read_csv(path, options).column_names();
  check_columns(path, found, encoder.state());
  options.types = encoder.types();
  // What is not read must not fail to be read.
  for (const std::string& name : found) options.types.try_emplace(name, ColumnType::text);
  return data::read_csv(path, options);
}

}  // namespace gradus::train
