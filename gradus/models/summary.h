// What a model consists of and costs, read from the graph that it records.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/models/any_model.h"

namespace gradus::models {

/// One operation on the way from input to output; a layer's bias belongs to its product.
struct SummaryRow {
  std::string layer;                  ///< path of the module: "conv1"; empty for an operation without parameters
  std::string operation;              ///< "conv2d"
  Shape output;                       ///< for one example
  std::int64_t parameters = 0;        ///< elements; shared ones are counted where they are used first
  std::int64_t macs = 0;              ///< multiplications with addition
  std::int64_t activation_bytes = 0;  ///< of the output; 0 where it only renames elements
};

struct Summary {
  TensorSpec input;  ///< one example
  std::vector<SummaryRow> rows;
  std::int64_t parameters = 0, trainable = 0;  ///< of the whole model, also where the graph does not use them
  std::int64_t macs = 0, activation_bytes = 0;
};

/// Records (does not evaluate) the model's answer to one f32 example of shape `example`. Throws what the model throws when
/// the example does not fit.
Summary summarize(AnyModel& model, const Shape& example);

/// As a table for people.
std::string to_text(const Summary& summary);

}  // namespace gradus::models
