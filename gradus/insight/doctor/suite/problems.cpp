#include "gradus/insight/doctor/suite/problems.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "gradus/base/random.h"
#include "gradus/data/embedded/embedded.h"
#include "gradus/data/embedded/friedman.h"

namespace gradus::insight::doctor::detail {
namespace {

std::vector<double> uniform(std::size_t count, Key key, double low = 0, double high = 1) {
  std::vector<double> draws(count);
  fill_uniform(std::span<double>(draws), key, low, high);
  return draws;
}

std::vector<double> normal(std::size_t count, Key key) {
  std::vector<double> draws(count);
  fill_normal(std::span<double>(draws), key, 0, 1);
  return draws;
}

/// `all` in another order, the first `training` rows of it and the `test` rows after them.
void deal(const Rows& all, std::size_t training, std::size_t test, Draft& draft) {
  const auto order = random_permutation(static_cast<std::int64_t>(all.size()), Key{draft.seed}.fold(1));
  for (std::size_t i = 0; i < training + test; ++i) {
    Rows& part = i < training ? draft.train : draft.test;
    part.inputs.push_back(all.inputs[static_cast<std::size_t>(order[i])]);
    part.targets.push_back(all.targets[static_cast<std::size_t>(order[i])]);
  }
}

Rows rows_of(const data::Dataset& dataset) {
  Rows rows;
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(dataset.size()));
  std::iota(numbers.begin(), numbers.end(), std::int64_t{0});
  const data::Batch all = dataset.batch(numbers);
  const std::vector<float> values = all.inputs.to_vector<float>();
  rows.targets = all.labels.to_vector<double>();
  const std::size_t width = values.size() / rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto start = values.begin() + static_cast<std::ptrdiff_t>(i * width);
    rows.inputs.emplace_back(start, start + static_cast<std::ptrdiff_t>(width));
  }
  return rows;
}

std::string perceptron(const char* hidden, int outputs, const char* activation) {
  return std::string("name = \"mlp\"\ninputs = INPUTS\nhidden = ") + hidden + "\noutputs = " + std::to_string(outputs) +
         "\nactivation = \"" + activation + "\"\n";
}

Draft table(std::uint64_t seed, std::int64_t classes, std::string model, std::vector<std::string> changes) {
  Draft draft;
  draft.seed = seed;
  draft.classes = classes;
  draft.numbers = classes == 0;
  draft.model = std::move(model);
  draft.changes = std::move(changes);
  return draft;
}

// Development.

Draft digits(std::uint64_t seed) {
  Draft draft = table(seed, 10, perceptron("[48]", 10, "relu"), {"optimizer.lr=0.01", "train.epochs=12"});
  deal(rows_of(data::digits()), 800, 300, draft);
  return draft;
}

/// Three clouds in eight columns.
Draft clouds(std::uint64_t seed) {
  Draft draft = table(seed, 3, perceptron("[24, 24]", 3, "tanh"), {"optimizer.lr=0.005", "train.epochs=12"});
  const Key key = Key{seed}.fold(2);
  const std::vector<double> centres = normal(24, key.fold(0)), noise = normal(900 * 8, key.fold(1));
  Rows all;
  for (std::size_t i = 0; i < 900; ++i) {
    std::vector<double> row(8);
    for (std::size_t c = 0; c < 8; ++c) row[c] = 1.2 * centres[i % 3 * 8 + c] + noise[i * 8 + c];
    all.inputs.push_back(row);
    all.targets.push_back(static_cast<double>(i % 3));
  }
  deal(all, 600, 300, draft);
  return draft;
}

Draft waves(std::uint64_t seed) {
  Draft draft = table(seed, 0, perceptron("[32]", 1, "silu"), {"optimizer.lr=0.01", "train.epochs=15"});
  const Key key = Key{seed}.fold(3);
  const std::vector<double> x = normal(900 * 5, key.fold(0)), noise = normal(900, key.fold(1));
  Rows all;
  for (std::size_t i = 0; i < 900; ++i) {
    all.inputs.emplace_back(x.begin() + static_cast<std::ptrdiff_t>(5 * i),
                            x.begin() + static_cast<std::ptrdiff_t>(5 * i + 5));
    const std::vector<double>& row = all.inputs.back();
    all.targets.push_back(2 * std::sin(row[0]) + row[1] * row[2] / 2 + row[3] + 0.2 * noise[i]);
  }
  deal(all, 600, 300, draft);
  return draft;
}

Draft digit_pictures(std::uint64_t seed) {
  Draft draft = table(seed, 10,
                      "name = \"layers\"\n"
                      "[[model.layers]]\ntype = \"conv2d\"\nin_channels = 1\nout_channels = 8\nkernel_size = 3\n"
                      "[[model.layers]]\ntype = \"batch_norm2d\"\nnum_features = 8\nmomentum = MOMENTUM\n"
                      "[[model.layers]]\ntype = \"relu\"\n[[model.layers]]\ntype = \"max_pool2d\"\nkernel_size = 2\n"
                      "[[model.layers]]\ntype = \"flatten\"\n"
                      "[[model.layers]]\ntype = \"linear\"\nin_features = 72\nout_features = 10\n",
                      {"optimizer.lr=0.01", "train.epochs=10"});
  draft.side = 8;
  deal(rows_of(data::digits()), 800, 300, draft);
  return draft;
}

// Held out.

Draft tumours(std::uint64_t seed) {
  Draft draft = table(seed, 2, perceptron("[20]", 2, "relu"), {"optimizer.lr=0.01", "train.epochs=12"});
  deal(rows_of(data::breast_cancer()), 430, 139, draft);
  return draft;
}

Draft friedman(std::uint64_t seed) {
  Draft draft = table(seed, 0, perceptron("[32, 16]", 1, "gelu"), {"optimizer.lr=0.01", "train.epochs=15"});
  deal(rows_of(data::friedman(data::Split::train)), 700, 300, draft);
  return draft;
}

/// Three rings in the first two of six columns, widened by noise.
Draft rings(std::uint64_t seed) {
  Draft draft = table(seed, 3, perceptron("[40, 20]", 3, "relu"), {"optimizer.lr=0.01", "train.epochs=20"});
  const Key key = Key{seed}.fold(4);
  const std::vector<double> noise = normal(1000 * 6, key.fold(0)), angle = uniform(1000, key.fold(1));
  Rows all;
  for (std::size_t i = 0; i < 1000; ++i) {
    const double radius = 1 + static_cast<double>(i % 3) + 0.15 * noise[6 * i], turn = 2 * std::numbers::pi * angle[i];
    std::vector<double> row = {radius * std::cos(turn), radius * std::sin(turn)};
    for (std::size_t c = 2; c < 6; ++c) row.push_back(0.5 * noise[6 * i + c]);
    all.inputs.push_back(row);
    all.targets.push_back(static_cast<double>(i % 3));
  }
  deal(all, 700, 300, draft);
  return draft;
}

/// Stripes in four directions, shifted at random.
Draft stripes(std::uint64_t seed) {
  Draft draft = table(seed, 4,
                      "name = \"layers\"\n"
                      "[[model.layers]]\ntype = \"conv2d\"\nin_channels = 1\nout_channels = 6\nkernel_size = 5\n"
                      "[[model.layers]]\ntype = \"batch_norm2d\"\nnum_features = 6\nmomentum = MOMENTUM\n"
                      "[[model.layers]]\ntype = \"relu\"\n[[model.layers]]\ntype = \"max_pool2d\"\nkernel_size = 2\n"
                      "[[model.layers]]\ntype = \"conv2d\"\nin_channels = 6\nout_channels = 12\nkernel_size = 2\n"
                      "[[model.layers]]\ntype = \"relu\"\n[[model.layers]]\ntype = \"flatten\"\n"
                      "[[model.layers]]\ntype = \"linear\"\nin_features = 48\nout_features = 4\n",
                      {"optimizer.lr=0.005", "train.epochs=10"});
  draft.side = 10;
  const Key key = Key{seed}.fold(5);
  const std::vector<double> noise = normal(900 * 100, key.fold(0)), shift = uniform(900, key.fold(1));
  Rows all;
  for (std::size_t i = 0; i < 900; ++i) {
    const double angle = static_cast<double>(i % 4) * std::numbers::pi / 4;
    std::vector<double> row(100);
    for (std::size_t p = 0; p < 100; ++p) {
      const double along =
          static_cast<double>(p % 10) * std::cos(angle) + static_cast<double>(p / 10) * std::sin(angle);
      row[p] = std::clamp(
          0.5 + 0.4 * std::sin(1.6 * along + 2 * std::numbers::pi * shift[i]) + 0.1 * noise[100 * i + p], 0.0, 1.0);
    }
    all.inputs.push_back(row);
    all.targets.push_back(static_cast<double>(i % 4));
  }
  deal(all, 600, 300, draft);
  return draft;
}

}  // namespace

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all = {
      {"digits", Part::development, true, digits}, {"clouds", Part::development, false, clouds},
      {"waves", Part::development, false, waves},  {"digit pictures", Part::development, false, digit_pictures},
      {"tumours", Part::held_out, false, tumours}, {"friedman", Part::held_out, false, friedman},
      {"rings", Part::held_out, true, rings},      {"stripes", Part::held_out, false, stripes}};
  return all;
}

void scale_by_hand(Draft& draft) {
  const std::size_t width = draft.train.inputs.front().size();
  for (std::size_t c = 0; c < width; ++c) {
    double sum = 0, squares = 0;
    const double n = static_cast<double>(draft.train.size());
    for (const auto& row : draft.train.inputs) sum += row[c];
    for (const auto& row : draft.train.inputs) squares += std::pow(row[c] - sum / n, 2);
    const double deviation = squares > 0 ? std::sqrt(squares / n) : 1;
    for (Rows* rows : {&draft.train, &draft.test})
      for (auto& row : rows->inputs) row[c] = (row[c] - sum / n) / deviation;
  }
  draft.changes.emplace_back("data.standardize=false");
}

}  // namespace gradus::insight::doctor::detail
