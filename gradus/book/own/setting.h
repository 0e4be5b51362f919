// A reader's own network and data, on which the claims of a chapter can be tried.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gradus/book/chapter.h"
#include "gradus/book/lab.h"
#include "gradus/classic/learner.h"
#include "gradus/train/recipe.h"

namespace gradus::book {

/// One training of a variation of the recipe.
struct Trial {
  train::Recipe recipe;
  std::uint64_t seed = 0;
  std::int64_t examples = 0;     ///< trains on so many, chosen by the seed; 0: all
  bool shuffled_labels = false;  ///< the labels of the training examples, in random order
  int longer = 1;                ///< times as many steps
  std::int64_t shift = 0;        ///< pixels by which images are moved to the right for the score
  Start start = Start::pytorch;
  bool last_layer_only = false;  ///< all weights but the last layer's stay as they start
};

struct Outcome {
  double loss = 0;  ///< log10 of the mean training loss over the last tenth of the steps; 2 for a run that diverged
  double train_score = 0;  ///< accuracy, or R2 of numbers (-1 at least): at the end, on training examples ...
  double score = 0;        ///< ... and on validation examples
  double gap() const { return train_score - score; }
};

/// A recipe with its data. Trainings are as the recipe says, but as long as an effort allows (see steps()) with its schedule
/// drawn together, one step for each batch, and without averages of the weights.
class Setting {
 public:
  /// Loads the data. Throws as loading and check_fit do: what does not train cannot be asked.
  Setting(const train::Recipe& recipe, Effort effort);

  /// As given, with the model as a list of layers.
  const train::Recipe& recipe() const { return recipe_; }
  /// "lenet5 on fashion-mnist, 60 steps of 64".
  const std::string& description() const { return description_; }
  /// Of the training examples and their labels: "fashion-mnist 1f2e3d4c".
  const std::string& checksum() const { return checksum_; }
  std::int64_t steps() const { return steps_; }
  /// Training examples, without those held out.
  std::int64_t examples() const { return parts_.train.size(); }
  /// Of one example: [1, 28, 28].
  Shape example_shape() const { return parts_.train.example_shape(); }
  bool predicts_numbers() const { return parts_.train.is_regression(); }

  /// The recipe with another optimizer, its rate constant; `settings` in place of its defaults.
  train::Recipe with_optimizer(const std::string& name, double lr, const train::Settings& settings = {}) const;
  train::Recipe with_model(const models::ModelSettings& model) const;

  /// log10 of the gradient's norm over the weight's norm, of each weight in the order of the layers, at the start, on a batch of
  /// training examples; -45 is the least.
  std::vector<double> gradients_at_start(const train::Recipe& recipe, std::uint64_t seed, Start start) const;

  /// log10 of the relative error of central differences with step `h`, against reverse mode: the derivative of the loss in a
  /// random direction, at the start, on 16 training examples, in f64 and without what is random in training.
  double difference_error(std::uint64_t seed, double h) const;

  /// Equal trials give equal outcomes, bit for bit; one that was asked for before is not trained again.
  const Outcome& fit(const Trial& trial) const;
  /// The outcome with the rate that has the lowest training loss.
  const Outcome& best_fit(Trial trial, const std::vector<double>& rates) const;
  /// Validation score (accuracy, or R2, as in Outcome) of another learner, after the training examples that fit() would choose.
  double score(const classic::Learner& learner, std::uint64_t seed, std::int64_t examples) const;

 private:
  Outcome train(const Trial& trial) const;

  train::Recipe recipe_;
  data::TrainValidation parts_;
  std::int64_t steps_;
  std::string description_, checksum_;
  mutable std::map<std::string, Outcome> known_;
};

}  // namespace gradus::book
