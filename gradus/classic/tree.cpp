#include "gradus/classic/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"

namespace gradus::classic {
namespace {

/// A question (go left when x[column] <= threshold) or an answer (column < 0).
struct TreeNode {
  std::int32_t column = -1;
  float threshold = 0;
  std::int32_t left = 0, right = 0;  ///< nodes; of an answer `left` is its place among the values
};

struct Tree {
  std::vector<TreeNode> nodes;
  std::vector<double> values;  ///< [answers, outputs]

  const double* answer(std::span<const float> x, std::size_t outputs) const {
    const TreeNode* node = nodes.data();
    while (node->column >= 0)
      node = &nodes[static_cast<std::size_t>(
          x[static_cast<std::size_t>(node->column)] <= node->threshold ? node->left : node->right)];
    return &values[static_cast<std::size_t>(node->left) * outputs];
  }
  std::int64_t bytes() const { return static_cast<std::int64_t>(nodes.size() * sizeof(TreeNode) + 8 * values.size()); }
};

/// How impure a set of examples is, times their number, while examples come and go. Numbers count from their mean in the node
/// that is being parted, so that neither their size nor their offset matters: of equal ones nothing is left.
class Impurity {
 public:
  explicit Impurity(const Sample& train) : train_(&train), counts_(static_cast<std::size_t>(train.classes)) {}

  /// The examples `rows`, and their mean as what numbers count from.
  void reset(std::span<const std::int64_t> rows) {
    clear(0);
    if (train_->classes == 0) {
      const double first = target(rows[0]);
      double sum = 0;
      for (const std::int64_t row : rows) sum += target(row) - first;
      origin_ = first + sum / static_cast<double>(rows.size());
    }
    for (const std::int64_t row : rows) add(row);
  }
  void clear(double origin) {
    count_ = squares_ = sum_ = 0;
    origin_ = origin;
    std::fill(counts_.begin(), counts_.end(), 0.0);
  }
  void add(std::int64_t row, double sign = 1) {
    count_ += sign;
    if (train_->classes > 0) {
      double& n = counts_[static_cast<std::size_t>(train_->labels[static_cast<std::size_t>(row)])];
      squares_ += sign * (2 * n) + 1;  // (n + sign)^2 - n^2
      n += sign;
    } else {
      const double y = target(row) - origin_;
      sum_ += sign * y;
      squares_ += sign * y * y;
    }
  }
  /// Gini: n (1 - sum p^2); numbers: sum of squared deviations.
  double value() const {
    if (count_ <= 0) return 0;
    return train_->classes > 0 ? count_ - squares_ / count_ : squares_ - sum_ * sum_ / count_;
  }
  double origin() const { return origin_; }
  /// Shares of the classes, or the mean.
  void append_answer(std::vector<double>& values) const {
    if (train_->classes == 0) values.push_back(origin_ + sum_ / count_);
    for (const double n : counts_) values.push_back(n / count_);
  }

 private:
  double target(std::int64_t row) const { return train_->targets[static_cast<std::size_t>(row)]; }

  const Sample* train_;
  std::vector<double> counts_;
  double count_ = 0, squares_ = 0, sum_ = 0, origin_ = 0;
};

struct Question {
  double gain = 0;
  std::int64_t column = -1;
  float threshold = 0;
};

class Grower {
 public:
  Grower(const Sample& train, const TreeOptions& options, Key key)
      : train_(train), options_(options), key_(key), left_(train), right_(train), whole_(train) {
    columns_.resize(static_cast<std::size_t>(train.columns));
    std::iota(columns_.begin(), columns_.end(), std::int64_t{0});
  }

  /// Rows may repeat.
  Tree grow(std::vector<std::int64_t> rows) {
    rows_ = std::move(rows);
    struct Open {
      std::size_t begin, end;
      std::int64_t depth;
      std::size_t node;
    };
    std::vector<Open> open = {{0, rows_.size(), 0, 0}};
    tree_.nodes.emplace_back();
    while (!open.empty()) {
      const Open next = open.back();
      open.pop_back();
      whole_.reset(std::span(rows_).subspan(next.begin, next.end - next.begin));
      const Question question = best_question(next.begin, next.end, next.depth);
      if (question.column < 0) {
        tree_.nodes[next.node].left = static_cast<std::int32_t>(answers_++);
        whole_.append_answer(tree_.values);
        continue;
      }
      const std::size_t column = static_cast<std::size_t>(question.column);
      const auto first = rows_.begin() + static_cast<std::ptrdiff_t>(next.begin);
      const auto middle =
          std::stable_partition(first, rows_.begin() + static_cast<std::ptrdiff_t>(next.end),
                                [&](std::int64_t row) { return train_.row(row)[column] <= question.threshold; });
      const std::size_t half = static_cast<std::size_t>(middle - rows_.begin()), left = tree_.nodes.size();
      tree_.nodes[next.node] = {static_cast<std::int32_t>(column), question.threshold, static_cast<std::int32_t>(left),
                                static_cast<std::int32_t>(left + 1)};
      tree_.nodes.resize(left + 2);
      open.push_back({half, next.end, next.depth + 1, left + 1});
      open.push_back({next.begin, half, next.depth + 1, left});
    }
    return std::move(tree_);
  }

 private:
  Question best_question(std::size_t begin, std::size_t end, std::int64_t depth) {
    Question best;
    const std::size_t least = static_cast<std::size_t>(options_.min_samples_leaf);
    const double impurity = whole_.value();
    if (end - begin < 2 * least || impurity <= 0) return best;
    if (options_.max_depth > 0 && depth >= options_.max_depth) return best;
    const std::size_t wanted =
        options_.max_features > 0 ? static_cast<std::size_t>(options_.max_features) : columns_.size();
    std::size_t looked_at = 0;
    // Constant columns do not count: a node is given up only when no column can part it.
    for (std::size_t i = 0; i < columns_.size() && looked_at < wanted; ++i) {
      if (wanted < columns_.size()) std::swap(columns_[i], columns_[i + draw(columns_.size() - i)]);
      looked_at += look_at(columns_[i], begin, end, impurity, best);
    }
    return best;
  }

  /// Tries all thresholds of a column; false when it is constant here.
  bool look_at(std::int64_t column, std::size_t begin, std::size_t end, double impurity, Question& best) {
    sorted_.clear();
    for (std::size_t i = begin; i < end; ++i)
      sorted_.emplace_back(train_.row(rows_[i])[static_cast<std::size_t>(column)], rows_[i]);
    std::sort(sorted_.begin(), sorted_.end());
    if (sorted_.front().first == sorted_.back().first) return false;
    left_.clear(whole_.origin());
    right_ = whole_;
    const std::size_t least = static_cast<std::size_t>(options_.min_samples_leaf);
    for (std::size_t i = 0; i + 1 < sorted_.size(); ++i) {
      left_.add(sorted_[i].second);
      right_.add(sorted_[i].second, -1);
      const float here = sorted_[i].first, next = sorted_[i + 1].first;
      if (here == next || i + 1 < least || sorted_.size() - i - 1 < least) continue;
      const double gain = impurity - left_.value() - right_.value();
      // Rounding must not decide between equal gains, nor make one of none.
      if (gain <= best.gain + 1e-12 * impurity) continue;
      const float half = here + (next - here) / 2;
      best = {gain, column, half < next ? half : here};
    }
    return true;
  }

  std::size_t draw(std::size_t below) {
    if (at_ == 4) {
      words_ = philox(key_, counter_++);
      at_ = 0;
    }
    return static_cast<std::size_t>(static_cast<std::uint64_t>(words_[at_++]) * below >> 32);
  }

  const Sample& train_;
  TreeOptions options_;
  Key key_;
  Impurity left_, right_, whole_;
  std::vector<std::int64_t> columns_, rows_;
  std::vector<std::pair<float, std::int64_t>> sorted_;
  Tree tree_;
  std::int64_t answers_ = 0;
  std::array<std::uint32_t, 4> words_ = {};
  std::size_t at_ = 4;
  std::uint64_t counter_ = 0;
};

Model model_of(const Sample& train, std::vector<Tree> trees) {
  std::int64_t bytes = 0;
  for (const Tree& tree : trees) bytes += tree.bytes();
  const auto kept = std::make_shared<const std::vector<Tree>>(std::move(trees));
  const std::size_t outputs = static_cast<std::size_t>(std::max<std::int64_t>(train.classes, 1));
  return Model(train, bytes, [kept, outputs](const Query& asked) {
    std::vector<double> out(static_cast<std::size_t>(asked.rows) * outputs);
    for (std::int64_t i = 0; i < asked.rows; ++i) {
      double* sum = &out[static_cast<std::size_t>(i) * outputs];
      for (const Tree& tree : *kept) {
        const double* answer = tree.answer(asked.row(i), outputs);
        for (std::size_t k = 0; k < outputs; ++k) sum[k] += answer[k];
      }
      for (std::size_t k = 0; k < outputs; ++k) sum[k] /= static_cast<double>(kept->size());
    }
    return out;
  });
}

Model learn_forest(const Sample& train, const ForestOptions& options, std::uint64_t seed) {
  const double columns = static_cast<double>(train.columns);
  const std::int64_t features =
      options.max_features > 0
          ? std::min(options.max_features, train.columns)
          : std::max<std::int64_t>(1, static_cast<std::int64_t>(train.classes > 0 ? std::sqrt(columns) : columns / 3));
  std::vector<Tree> trees(static_cast<std::size_t>(options.trees));
  parallel_for(options.trees, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const Key key = Key{seed}.fold(static_cast<std::uint64_t>(t));
      std::vector<double> draws(static_cast<std::size_t>(train.rows));
      fill_uniform(std::span<double>(draws), key.fold(1), 0, 1);
      std::vector<std::int64_t> rows(draws.size());
      for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = std::min(train.rows - 1, static_cast<std::int64_t>(draws[i] * static_cast<double>(train.rows)));
      Grower grower(train, {.min_samples_leaf = options.min_samples_leaf, .max_features = features}, key.fold(2));
      trees[static_cast<std::size_t>(t)] = grower.grow(std::move(rows));
    }
  });
  return model_of(train, std::move(trees));
}

}  // namespace

Learner decision_tree(const TreeOptions& options, SourceLocation where) {
  if (options.max_depth < 0 || options.min_samples_leaf < 1 || options.max_features < 0) {
    throw Error(ErrorKind::value, "decision_tree",
                fmt::format("max_depth {}, min_samples_leaf {} and max_features {} must be at least 0, 1 and 0",
                            options.max_depth, options.min_samples_leaf, options.max_features))
        .at(where);
  }
  return {.name = "decision tree",
          .settings = fmt::format("leaf {}", options.min_samples_leaf),
          .learn = [options](const Sample& train, std::uint64_t seed) {
            TreeOptions bounded = options;
            bounded.max_features = std::min(options.max_features, train.columns);
            std::vector<std::int64_t> rows(static_cast<std::size_t>(train.rows));
            std::iota(rows.begin(), rows.end(), std::int64_t{0});
            std::vector<Tree> trees;
            trees.push_back(Grower(train, bounded, Key{seed}).grow(std::move(rows)));
            return model_of(train, std::move(trees));
          }};
}

Learner random_forest(const ForestOptions& options, SourceLocation where) {
  if (options.trees < 1 || options.min_samples_leaf < 1 || options.max_features < 0) {
    throw Error(ErrorKind::value, "random_forest",
                fmt::format("trees {}, min_samples_leaf {} and max_features {} must be at least 1, 1 and 0",
                            options.trees, options.min_samples_leaf, options.max_features))
        .at(where);
  }
  return {.name = "random forest",
          .settings = fmt::format("trees {}, leaf {}", options.trees, options.min_samples_leaf),
          .learn = [options](const Sample& train, std::uint64_t seed) { return learn_forest(train, options, seed); }};
}

}  // namespace gradus::classic
