// What a model consists of and costs, read from the graph that it records.
//
//   AnyModel model = LeNet5();
//   print(to_text(summarize(model, {1, 28, 28})));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradus/graph/drawing.h"
#include "gradus/models/any_model.h"
#include "gradus/models/receptive_field.h"

namespace gradus::models {

/// One layer, or one operation outside of all layers, on the way from input to output. The bias that a function adds to its
/// product belongs to the product.
struct SummaryRow {
  std::string layer;                  ///< its path: "conv1"; empty for an operation without parameters
  std::string operation;              ///< "Conv2d" for a layer, "max_pool2d" for a function
  Shape output;                       ///< for one example
  std::int64_t parameters = 0;        ///< elements; shared ones are counted where they are used first
  std::int64_t macs = 0;              ///< multiplications with addition
  std::int64_t activation_bytes = 0;  ///< of the output; 0 where it only renames elements
  std::vector<int> inputs = {};       ///< the rows whose outputs it reads; -1: the input
  /// What one element of the output sees of the input, for each axis behind the channels; in models with convolutions or
  /// poolings.
  std::vector<ReceptiveField> field = {};
};

struct Summary {
  TensorSpec input;  ///< one example
  std::vector<SummaryRow> rows;
  std::int64_t parameters = 0, trainable = 0;  ///< of the whole model, also where the graph does not use them
  std::int64_t macs = 0, activation_bytes = 0;
};

/// Records (does not evaluate) the model's answer, in evaluation mode, to one example of this type and shape. Layers are those
/// that hooks see (nn/hooks.h), the innermost ones. Throws what the model throws when the example does not fit.
Summary summarize(AnyModel& model, const TensorSpec& example);
/// The same for f32.
Summary summarize(AnyModel& model, const Shape& example);

/// 61706 as "61,706".
std::string thousands(std::int64_t value);

/// As a table for people.
std::string to_text(const Summary& summary);

/// As a picture: one box per row, with shapes and parameters, for `to_svg` and `to_dot`.
Drawing drawing_of(const Summary& summary, const std::string& title);

}  // namespace gradus::models
