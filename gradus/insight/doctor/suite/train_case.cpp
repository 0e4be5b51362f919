#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/data/idx.h"
#include "gradus/insight/doctor/suite/cases.h"
#include "gradus/io/atomic_file.h"
#include "gradus/ops/factory.h"
#include "gradus/train/trainer.h"

namespace gradus::insight::doctor {
namespace {

std::string csv(const Rows& rows) {
  std::string text;
  for (std::size_t c = 0; c < rows.inputs.front().size(); ++c) text += fmt::format("x{},", c);
  text += "y\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const double x : rows.inputs[i]) text += fmt::format("{:.9g},", x);
    text += fmt::format("{:.9g}\n", rows.targets[i]);
  }
  return text;
}

void write_pictures(const std::string& stem, const Rows& rows, std::int64_t side) {
  std::vector<std::uint8_t> pixels, labels;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const double x : rows.inputs[i]) pixels.push_back(static_cast<std::uint8_t>(std::lround(255 * x)));
    labels.push_back(static_cast<std::uint8_t>(rows.targets[i]));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  data::write_idx(stem + "-images", leaf<std::uint8_t>({count, side, side}, std::span<const std::uint8_t>(pixels)));
  data::write_idx(stem + "-labels", leaf<std::uint8_t>({count}, std::span<const std::uint8_t>(labels)));
}

/// Writes the files, and says where they are.
std::string data_section(const Draft& draft, const std::string& folder) {
  if (draft.side > 0) {
    write_pictures(folder + "/train", draft.train, draft.side);
    write_pictures(folder + "/test", draft.test, draft.side);
    return fmt::format(
        "name = \"idx\"\ntrain_images = \"{0}/train-images\"\ntrain_labels = \"{0}/train-labels\"\n"
        "test_images = \"{0}/test-images\"\ntest_labels = \"{0}/test-labels\"\n",
        folder);
  }
  io::write_file(folder + "/train.csv", csv(draft.train));
  io::write_file(folder + "/test.csv", csv(draft.test));
  return fmt::format(
      "name = \"csv\"\ntrain_path = \"{0}/train.csv\"\ntest_path = \"{0}/test.csv\"\ntarget = \"y\"\ntask = \"{1}\"\n"
      "standardize = true\n",
      folder, draft.numbers ? "regression" : "classification");
}

void replace(std::string& text, const std::string& word, const std::string& by) {
  if (const std::size_t at = text.find(word); at != text.npos) text.replace(at, word.size(), by);
}

}  // namespace

std::string train_case(const Case& one, std::uint64_t seed, const std::string& folder) {
  Draft draft = one.make(seed);
  replace(draft.model, "INPUTS", std::to_string(draft.train.inputs.front().size()));
  replace(draft.model, "MOMENTUM", "0.1");
  const std::string text = fmt::format(
      "seed = {}\n[model]\n{}\n[data]\n{}validation = {}\nbatch_size = 32\n[optimizer]\nname = \"adamw\"\n[train]\n"
      "checkpoint_steps = 0\n[log]\nreport = false\n",
      seed, draft.model, data_section(draft, folder), draft.train.size() / 5);
  const train::Recipe recipe = train::parse_recipe(text, one.name, draft.changes);
  const std::string run = folder + "/run";
  try {
    train::start(recipe, {.run = run, .prepare = draft.prepare});
  } catch (const Error& error) {
    // Numbers that are not finite end a run and leave its folder; whatever else is wrong here is wrong with the suite.
    if (error.kind() != ErrorKind::value || error.op() != "train") throw;
  }
  return run;
}

}  // namespace gradus::insight::doctor
