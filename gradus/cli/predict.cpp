#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/data/png.h"
#include "gradus/data/scaling.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/softmax.h"
#include "gradus/train/setup.h"

namespace gradus::cli {
namespace {

/// The image as the model reads it: colour becomes grey with a note, another size is refused.
Tensor read_image(const std::string& path, const Shape& expected) {
  if (expected.rank() != 3 || (expected[0] != 1 && expected[0] != 3)) {
    throw Error(ErrorKind::shape, "predict",
                fmt::format("the model of this run reads {}, which is no image", expected.str()));
  }
  Tensor image = data::read_png(path);
  if (image.shape()[0] != expected[0]) {
    fmt::print(stderr, "note: {} has {} channels; {}\n", path, image.shape()[0],
               expected[0] == 1 ? "its brightness is used" : "it is read as RGB");
    image = data::read_png(path, {.channels = static_cast<int>(expected[0])});
  }
  if (image.shape() == expected) return image;
  throw Error(ErrorKind::shape, "predict", fmt::format("{} has another size than the images of the training", path))
      .operand("image", image.spec(), fmt::format("expected u8 {}", expected.str()))
      .hint(fmt::format("scale it first, for example: convert {} -resize {}x{}\\! scaled.png", path, expected[2],
                        expected[1]));
}

struct Answer {
  std::size_t index = 0;
  double probability = 0;
};

std::vector<Answer> best_of(std::span<const float> probabilities, int top) {
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < probabilities.size(); ++i) answers.push_back({i, static_cast<double>(probabilities[i])});
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return a.probability > b.probability; });
  answers.resize(std::min(answers.size(), static_cast<std::size_t>(top)));
  return answers;
}

std::string class_name(const train::ExampleInfo& info, std::size_t i) {
  return i < info.class_names.size() ? info.class_names[i] : fmt::format("{}", i);
}

}  // namespace

int predict(const PredictCommand& command) {
  const train::RunFolder run = train::RunFolder::open(command.run);
  const train::Recipe recipe = run.recipe();
  models::AnyModel model = train::load_model(run, command.checkpoint);
  const train::ExampleInfo info = train::example_info(recipe.data);
  Tensors images;
  for (const std::string& path : command.images) images.push_back(read_image(path, info.shape));
  const Tensor inputs =
      data::scaled(data::stack(images), {.scale = 1 / 255.0, .mean = recipe.data.mean, .std = recipe.data.std});
  const Tensor probabilities = softmax(model(inputs), 1);
  eval(probabilities);
  const auto classes = static_cast<std::size_t>(probabilities.size(1));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < command.images.size(); ++i) {
    nlohmann::ordered_json entry = {{"image", command.images[i]}, {"predictions", nlohmann::ordered_json::array()}};
    if (!command.json) fmt::print("{}\n", command.images[i]);
    for (const Answer& answer : best_of(probabilities.data<float>().subspan(i * classes, classes), command.top)) {
      entry["predictions"].push_back({{"class", class_name(info, answer.index)}, {"probability", answer.probability}});
      if (!command.json) fmt::print("  {:.4f}  {}\n", answer.probability, class_name(info, answer.index));
    }
    json.push_back(std::move(entry));
  }
  if (command.json) fmt::print("{}\n", json.dump());
  return exit_ok;
}

}  // namespace gradus::cli
