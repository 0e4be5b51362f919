// Learning curves on a data set that comes with a test part of its own, as those of images do: the same test examples for every size
// and every draw.
//
//   const std::vector<insight::HeldOutPoint> curve =
//       insight::held_out_curve(train, test, insight::image_contenders(train), {{100, 3}, {1000, 2}, {10000, 1}});
//   curve[0].of("random forest").scores           // accuracy of each draw
//   insight::verdict_of(curve[0]).sentence        // who leads, and whom these data cannot tell from it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/insight/compare/protocol.h"

namespace gradus::insight {

/// Settings that are fixed beforehand: logistic regression (C 1), 5 nearest neighbours, a forest of 100 trees, an RBF SVM (C 10, where
/// this build has LIBSVM), and the network of classic::convolutional; for examples that are no images of 8 x 8 at least, a
/// perceptron. Each reads the examples as the data set scales them.
std::vector<Contender> image_contenders(const data::Dataset& train);

struct CurveSize {
  std::int64_t rows = 0;   ///< to train on
  std::int64_t draws = 1;  ///< of such rows, each with a start of its own for those that start at random
};

struct HeldOutOptions {
  std::int64_t test_rows = 0;  ///< drawn with the classes in their shares; 0: all
  std::uint64_t seed = 0;
};

/// One contender at one size.
struct HeldOutStanding {
  std::string name, settings;
  bool network = false;
  std::vector<double> scores;  ///< accuracy of each draw
  std::vector<double> right;   ///< of each test example: the share of the draws in which it was named rightly
  double mean = 0;
  Interval interval;       ///< 95 %, for the choice of the test examples and, with several draws, of the training rows
  double fit_seconds = 0;  ///< of a draw
  double predict_seconds = 0;              ///< of 1,000 rows
  std::int64_t bytes = 0, parameters = 0;  ///< mean over the draws; see classic::Model
};

struct HeldOutPoint {
  std::int64_t rows = 0, test_rows = 0;
  std::vector<HeldOutStanding> standings;  ///< best mean first

  const HeldOutStanding& of(std::string_view name) const;
  /// Accuracy of one minus that of another, paired by draws and by test examples; see crossed_test().
  PairedTest difference(std::string_view name, std::string_view other) const;
};

/// Draws are seeded by `options.seed` and their number alone: all contenders see the same rows, and those of a smaller size begin those
/// of a larger one. Equal seeds give equal scores, bit for bit. Contenders have one variant: nothing is tuned. Throws
/// Error(value) for numbers to predict, a size out of range, contenders with variants, and as the learners.
std::vector<HeldOutPoint> held_out_curve(const data::Dataset& train, const data::Dataset& test,
                                         const std::vector<Contender>& contenders, const std::vector<CurveSize>& sizes,
                                         const HeldOutOptions& options = {}, const CompareProgress& progress = {});

/// Who leads at one size, by more than noise or not.
struct HeldOutVerdict {
  std::string leader;
  std::vector<std::string> behind;    ///< with Holm's correction surely worse than the leader
  std::vector<std::string> together;  ///< not told from it
  std::string sentence;
};
HeldOutVerdict verdict_of(const HeldOutPoint& point);

}  // namespace gradus::insight
