// The picture of a model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "gradus/models/activations.h"
#include "gradus/models/summary.h"

namespace gradus::models {
namespace {

/// "BatchNorm2d" and "batch_norm2d" are the same: "batchnorm2d".
std::string plain_name(std::string_view operation) {
  std::string name;
  for (const char c : operation) {
    if (c != '_') name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

bool holds(std::string_view name, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return name.find(part) != name.npos; });
}

bool is_activation(std::string_view name) {
  const auto& known = activation_names();
  return holds(name, {"softmax", "glu"}) ||
         std::any_of(known.begin(), known.end(), [&](std::string_view one) { return plain_name(one) == name; });
}

BoxKind kind_of(const SummaryRow& row) {
  const std::string name = plain_name(row.operation);
  if (row.macs > 0 || holds(name, {"embedding"})) return BoxKind::contraction;
  if (holds(name, {"norm"})) return BoxKind::norm;
  if (holds(name, {"pool"})) return BoxKind::pooling;
  if (is_activation(name)) return BoxKind::activation;
  if (row.activation_bytes == 0) return BoxKind::view;  // dropout, too: it does nothing here
  return BoxKind::plain;
}

std::string by(const Shape& shape) {
  return shape.rank() == 0 ? "one number" : fmt::format("{}", fmt::join(shape.sizes(), " \u00d7 "));
}

}  // namespace

Drawing drawing_of(const Summary& summary, const std::string& title) {
  Drawing drawing{title, {}, {}};
  drawing.boxes.push_back({.title = "input", .lines = {by(summary.input.shape)}, .kind = BoxKind::data});
  const auto shape_of = [&](int row) -> const Shape& {
    return row < 0 ? summary.input.shape : summary.rows[static_cast<std::size_t>(row)].output;
  };
  for (const SummaryRow& row : summary.rows) {
    DrawnBox box{.title = row.operation, .name = row.layer, .kind = kind_of(row)};
    const bool same_shape =
        std::all_of(row.inputs.begin(), row.inputs.end(), [&](int from) { return shape_of(from) == row.output; });
    if (!same_shape || row.parameters > 0) box.lines.push_back(by(row.output));
    if (row.parameters > 0) {
      box.lines.push_back(fmt::format("{} parameter{}", thousands(row.parameters), row.parameters == 1 ? "" : "s"));
    }
    const auto to = static_cast<int>(drawing.boxes.size());
    for (const int from : row.inputs) drawing.arrows.emplace_back(from + 1, to);
    drawing.boxes.push_back(std::move(box));
  }
  return drawing;
}

}  // namespace gradus::models
