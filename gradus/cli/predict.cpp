#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/cli/commands.h"
#include "gradus/cli/json.h"
#include "gradus/data/read/image.h"
#include "gradus/data/scaling.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"
#include "gradus/ops/softmax.h"
#include "gradus/train/numbers/task.h"
#include "gradus/train/setup.h"
#include "gradus/train/tables/encoder_file.h"

namespace gradus::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The image as the model reads it: resized where the training did, colour becomes grey with a note, another size is refused.
Tensor read_picture(const std::string& path, const Shape& expected, const std::vector<std::int64_t>& resize) {
  if (expected.rank() != 3 || (expected[0] != 1 && expected[0] != 3)) {
    throw Error(ErrorKind::shape, "predict",
                fmt::format("the model of this run reads {}, which is no image", expected.str()));
  }
  data::ImageOptions options;
  if (resize.size() == 2) options.resize = {resize[0], resize[1]};
  Tensor image = data::read_image(path, options);
  if (image.shape()[0] != expected[0]) {
    fmt::print(stderr, "note: {} has {} channels; {}\n", path, image.shape()[0],
               expected[0] == 1 ? "its brightness is used" : "it is read as RGB");
    options.channels = static_cast<int>(expected[0]);
    image = data::read_image(path, options);
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

std::vector<Answer> best_of(std::span<const double> probabilities, int top) {
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < probabilities.size(); ++i) answers.push_back({i, probabilities[i]});
  std::stable_sort(answers.begin(), answers.end(),
                   [](const Answer& a, const Answer& b) { return a.probability > b.probability; });
  answers.resize(std::min(answers.size(), static_cast<std::size_t>(top)));
  return answers;
}

std::string class_name(const std::vector<std::string>& names, std::size_t i) {
  return i < names.size() ? names[i] : fmt::format("{}", i);
}

/// What the model says of rows of inputs: probabilities [n, classes] in f64, or numbers [n].
struct Answers {
  bool numbers = false;
  std::size_t width = 1;  ///< classes
  std::vector<double> values;

  std::size_t rows() const { return values.size() / width; }
  std::span<const double> row(std::size_t i) const { return std::span(values).subspan(i * width, width); }
};

/// A large file is answered some hundreds of rows at a time.
Answers answers_of(models::AnyModel& model, const train::Recipe& recipe, const data::Dataset& inputs) {
  constexpr std::int64_t some = 500;
  const train::NumberTask task = train::number_task(recipe);
  Answers answers{.numbers = predicts_numbers(recipe), .width = 1, .values = {}};
  for (std::int64_t first = 0; first < inputs.size(); first += some) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(std::min(some, inputs.size() - first)));
    std::iota(rows.begin(), rows.end(), first);
    const Tensor answer = model(inputs.batch(rows).inputs);
    const Tensor values = answers.numbers ? task.numbers(answer) : softmax(cast(answer, DType::f64), 1);
    eval(values);
    if (!answers.numbers) answers.width = static_cast<std::size_t>(values.size(1));
    const std::vector<double> found = values.to_vector<double>();
    answers.values.insert(answers.values.end(), found.begin(), found.end());
  }
  return answers;
}

Json row_json(const Answers& answers, std::size_t row, const std::vector<std::string>& classes) {
  if (answers.numbers) return {{"row", row}, {"prediction", answers.values[row]}};
  Json json = {{"row", row}, {"prediction", class_name(classes, best_of(answers.row(row), 1)[0].index)}};
  for (std::size_t c = 0; c < answers.width; ++c) json["probabilities"][class_name(classes, c)] = answers.row(row)[c];
  return json;
}

/// A field of a CSV line, quoted where it has to be.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

std::string csv_text(const Answers& answers, const std::vector<std::string>& classes) {
  std::string text = "prediction";
  for (std::size_t c = 0; !answers.numbers && c < answers.width; ++c)
    text += "," + field("probability of " + class_name(classes, c));
  text += '\n';
  for (std::size_t row = 0; row < answers.rows(); ++row) {
    if (answers.numbers) {
      text += fmt::format("{:.9g}\n", answers.values[row]);
      continue;
    }
    text += field(class_name(classes, best_of(answers.row(row), 1)[0].index));
    for (const double p : answers.row(row)) text += fmt::format(",{:.9g}", p);
    text += '\n';
  }
  return text;
}

std::string json_text(const Answers& answers, const std::vector<std::string>& classes) {
  Json json = Json::array();
  for (std::size_t row = 0; row < answers.rows(); ++row) json.push_back(row_json(answers, row, classes));
  return text_of(json) + "\n";
}

std::string predict_table(const PredictCommand& command, const train::RunFolder& run, models::AnyModel& model) {
  const train::Recipe recipe = run.recipe();
  if (command.files.size() != 1)
    throw Error(ErrorKind::usage, "predict", fmt::format("{} files, expected one CSV file", command.files.size()));
  const data::TableEncoder encoder = train::load_encoder_file(run.encoder_path());
  const char delimiter = recipe.data.name == "csv" ? recipe.data.delimiter.at(0) : ',';
  const data::Table table = train::read_rows(command.files[0], encoder, delimiter);
  if (table.rows() == 0) throw Error(ErrorKind::value, "predict", "there are no rows to predict").context(table.name);
  const Tensor inputs = encoder.inputs(table);
  const data::Dataset rows(table.name, inputs, zeros({table.rows()}, DType::i64),
                           {.scaling = {.mean = recipe.data.mean, .std = recipe.data.std}});
  const Answers answers = answers_of(model, recipe, rows);
  return command.json ? json_text(answers, encoder.classes()) : csv_text(answers, encoder.classes());
}

std::string predict_pictures(const PredictCommand& command, const train::RunFolder& run, models::AnyModel& model) {
  const train::Recipe recipe = run.recipe();
  const train::ExampleInfo info = train::example_info(recipe.data);
  Tensors pictures;
  for (const std::string& path : command.files) pictures.push_back(read_picture(path, info.shape, recipe.data.resize));
  const data::Dataset rows("pictures", data::stack(pictures),
                           zeros({static_cast<std::int64_t>(pictures.size())}, DType::i64),
                           {.scaling = {.scale = 1 / 255.0, .mean = recipe.data.mean, .std = recipe.data.std}});
  const Answers answers = answers_of(model, recipe, rows);
  Json json = Json::array();
  std::string text;
  for (std::size_t i = 0; i < command.files.size(); ++i) {
    Json entry = {{"image", command.files[i]}, {"predictions", Json::array()}};
    text += command.files[i] + "\n";
    for (const Answer& answer : best_of(answers.row(i), command.top)) {
      const std::string name = class_name(info.class_names, answer.index);
      entry["predictions"].push_back({{"class", name}, {"probability", answer.probability}});
      text += fmt::format("  {:.4f}  {}\n", answer.probability, name);
    }
    json.push_back(std::move(entry));
  }
  return command.json ? text_of(json) + "\n" : text;
}

}  // namespace

int predict(const PredictCommand& command) {
  const train::RunFolder run = train::RunFolder::open(command.run);
  models::AnyModel model = train::load_model(run, command.checkpoint);
  const bool table = std::filesystem::exists(run.encoder_path());
  const std::string text = table ? predict_table(command, run, model) : predict_pictures(command, run, model);
  if (command.out.empty()) {
    fmt::print("{}", text);
  } else {
    io::write_file(command.out, text);
  }
  return exit_ok;
}

}  // namespace gradus::cli
