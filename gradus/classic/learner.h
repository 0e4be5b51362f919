// Learners behind one interface: settings, `fit`, `predict`, `score`. A network is one of them (perceptron.h), so that what is
// measured of the others can be measured of it in the same way.
//
//   const classic::Learner forest = classic::random_forest({.trees = 300});
//   const classic::Model model = forest.fit(train, 1);
//   model.score(test)                   // accuracy; of numbers R2
//   model.predict(test.batch(rows).inputs)
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/graph/tensor.h"

namespace gradus::classic {

/// Examples as learners read them: rows of numbers, one behind the other, with a class or a number for each.
struct Sample {
  std::int64_t rows = 0, columns = 0;
  std::vector<float> x;              ///< [rows, columns]
  std::int64_t classes = 0;          ///< 0: numbers are to be predicted
  std::vector<std::int64_t> labels;  ///< [rows], when there are classes
  std::vector<double> targets;       ///< [rows], when there are none

  std::span<const float> row(std::int64_t i) const {
    return std::span(x).subspan(static_cast<std::size_t>(i * columns), static_cast<std::size_t>(columns));
  }
};
/// The scaled examples of a data set, flattened. Throws Error(value) when it is empty or an example holds NaN or infinity.
Sample sample_of(const data::Dataset& dataset, SourceLocation where = SourceLocation::current());

/// Query of numbers that a model is asked about.
struct Query {
  std::span<const float> x;  ///< [rows, columns]
  std::int64_t rows = 0, columns = 0;

  std::span<const float> row(std::int64_t i) const {
    return x.subspan(static_cast<std::size_t>(i * columns), static_cast<std::size_t>(columns));
  }
};

/// What a learner made of its training examples. A value; copies share what was learned.
class Model {
 public:
  /// For each row one number, or one for each class: higher is likelier. Row-major.
  using Answer = std::function<std::vector<double>(const Query&)>;
  /// `bytes`: memory that the answers need, which is what would have to be kept. `parameters`: numbers that were fitted; 0 where
  /// what was learned are no such numbers (stored examples, trees, support vectors).
  Model(const Sample& train, std::int64_t bytes, Answer answer, std::int64_t parameters = 0);

  /// f64 [N, classes]: probabilities, or margins of learners that have none; f64 [N] when numbers are predicted. `inputs`:
  /// f32 [N, ...] with as many elements as the training examples. Throws Error(shape), Error(dtype).
  Tensor scores(const Tensor& inputs, SourceLocation where = SourceLocation::current()) const;
  /// i64 [N]: the class with the highest score, the first of equals; f64 [N] when numbers are predicted.
  Tensor predict(const Tensor& inputs, SourceLocation where = SourceLocation::current()) const;
  /// Accuracy, or R2 (which is negative for predictions that are worse than the mean). Throws Error(value) for labels of the
  /// other kind.
  double score(const data::Dataset& examples, SourceLocation where = SourceLocation::current()) const;
  /// The same on plain rows: [rows, classes], or [rows].
  std::vector<double> answer(const Query& asked) const { return answer_(asked); }
  std::int64_t bytes() const { return bytes_; }
  std::int64_t parameters() const { return parameters_; }
  /// 0 when numbers are predicted.
  std::int64_t classes() const { return classes_; }

 private:
  std::vector<double> answers(const Tensor& inputs, SourceLocation where) const;

  std::int64_t columns_, classes_, bytes_, parameters_;
  Answer answer_;
};

/// A way to learn, with its settings.
struct Learner {
  std::string name;      ///< "random forest"
  std::string settings;  ///< those that differ between its variants: "trees 300"; may be empty
  std::function<Model(const Sample& train, std::uint64_t seed)> learn;
  bool network = false;       ///< learns by descent through layers
  bool probabilities = true;  ///< scores of classes are such, and not margins

  /// Equal examples and seeds give equal models, bit for bit. Throws Error(value) when the learner cannot learn what the data
  /// set asks for (classes or numbers), and as sample_of().
  Model fit(const data::Dataset& train, std::uint64_t seed = 0, SourceLocation where = SourceLocation::current()) const;
};

/// Predicts the commonest class (with the shares of the classes as scores), or the mean: what others have to beat.
Learner baseline();

/// The learner on columns of mean 0 and variance 1 (of its training examples; constant columns become 0).
Learner standardised(Learner learner);

namespace detail {
/// Error(value) unless the sample has classes, or has numbers.
void require_classes(const Sample& sample, const char* learner);
void require_numbers(const Sample& sample, const char* learner);
/// All labels are the same: there is nothing to tell apart.
bool has_one_class(const Sample& sample);
/// The place of the first largest one of `count` scores.
std::int64_t best_of(const double* scores, std::int64_t count);
}  // namespace detail

}  // namespace gradus::classic
