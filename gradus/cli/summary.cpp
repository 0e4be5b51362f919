#include "gradus/models/summary.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/io/atomic_file.h"
#include "gradus/models/registry.h"
#include "gradus/train/setup.h"

namespace gradus::cli {
namespace {

nlohmann::ordered_json dimensions(const Shape& shape) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::int64_t size : shape) list.push_back(size);
  return list;
}

/// Per axis behind the channels.
nlohmann::ordered_json field_json(const std::vector<models::ReceptiveField>& field) {
  nlohmann::ordered_json json;
  for (const models::ReceptiveField& along : field) {
    json["size"].push_back(along.size);
    json["stride"].push_back(along.stride);
    json["whole"].push_back(along.whole);
  }
  return json;
}

}  // namespace

int summary(const SummaryCommand& command) {
  const bool is_run = std::filesystem::is_directory(command.what);
  const train::Recipe recipe =
      is_run ? train::RunFolder::open(command.what).recipe() : train::read_recipe(command.what);
  models::AnyModel model = models::make(recipe.model);
  const models::Summary found = models::summarize(model, train::example_info(recipe.data).shape);
  const Drawing drawing = models::drawing_of(
      found, fmt::format("{}: {} parameters", recipe.model.name, models::thousands(found.parameters)));
  if (!command.dot.empty()) io::write_file(command.dot, to_dot(drawing));
  if (!command.svg.empty()) io::write_file(command.svg, to_svg(drawing));
  if (!command.json) {
    fmt::print("{}, for one example\n\n{}", recipe.model.name, models::to_text(found));
    return exit_ok;
  }
  nlohmann::ordered_json json = {{"model", recipe.model.name},
                                 {"input", dimensions(found.input.shape)},
                                 {"parameters", found.parameters},
                                 {"trainable", found.trainable},
                                 {"macs", found.macs},
                                 {"activation_bytes", found.activation_bytes}};
  for (const models::SummaryRow& row : found.rows) {
    json["layers"].push_back({{"layer", row.layer},
                              {"operation", row.operation},
                              {"inputs", row.inputs},
                              {"output", dimensions(row.output)},
                              {"parameters", row.parameters},
                              {"macs", row.macs},
                              {"activation_bytes", row.activation_bytes}});
    if (!row.field.empty()) json["layers"].back()["receptive_field"] = field_json(row.field);
  }
  fmt::print("{}\n", text_of(json));
  return exit_ok;
}

}  // namespace gradus::cli
