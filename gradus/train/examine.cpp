#include "gradus/train/examine.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/data/loader.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/softmax.h"
#include "gradus/train/mode.h"

namespace gradus::train {

Examination examine(models::AnyModel& model, const data::Dataset& dataset, std::size_t most_mistakes) {
  const EvaluationMode mode(model);
  // A model may have outputs that no label of the data set uses.
  const std::int64_t first = 0;
  const std::int64_t outputs = model(dataset.batch(std::span(&first, 1)).inputs).size(1);
  Examination result{metrics::Classification({.classes = std::max(outputs, dataset.num_classes())}), {}};
  std::int64_t row = 0;
  for (const auto& [inputs, labels] :
       data::loader(dataset, {.batch_size = std::min<std::int64_t>(500, dataset.size()), .workers = 1})) {
    const Tensor probabilities = softmax(cast(model(inputs), DType::f64), 1);
    result.figures.update(probabilities, labels);
    const auto p = probabilities.data<double>();
    const auto classes = static_cast<std::size_t>(probabilities.size(1));
    for (const std::int64_t label : labels.data<std::int64_t>()) {
      const auto at = p.subspan(static_cast<std::size_t>(row % 500) * classes, classes);
      const auto best = std::max_element(at.begin(), at.end());
      if (best - at.begin() != label) {
        result.mistakes.push_back({row, label, best - at.begin(), *best, at[static_cast<std::size_t>(label)]});
      }
      ++row;
    }
  }
  std::stable_sort(result.mistakes.begin(), result.mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.probability > b.probability; });
  if (result.mistakes.size() > most_mistakes) result.mistakes.resize(most_mistakes);
  return result;
}

std::string class_name(const data::Dataset& dataset, std::int64_t c) {
  const auto i = static_cast<std::size_t>(c);
  return i < dataset.class_names().size() ? dataset.class_names()[i] : fmt::format("{}", c);
}

}  // namespace gradus::train
