#include "gradus/classic/svm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/base/shared_library.h"
#include "gradus/classic/linear.h"

#ifdef GRADUS_WITH_LIBLINEAR
#include <linear.h>
#endif
#ifdef GRADUS_WITH_LIBSVM
#include <libsvm/svm.h>
#endif

namespace gradus::classic {
namespace {

[[maybe_unused]] void ignore(const char*) {}

[[maybe_unused]] Error without(const char* library, const char* package) {
  return Error(ErrorKind::state, "fit", fmt::format("{} is not there", library))
      .hint(fmt::format("apt-get install {}, and build with it (gradus doctor --build shows what is in)", package));
}

/// Rows as lists of the elements that are not 0, with an end mark: what both libraries read.
template <class Node>
class SparseRows {
 public:
  /// `bias`: an element of 1 in one more column.
  SparseRows(std::span<const float> x, std::int64_t rows, std::int64_t columns, bool bias) {
    nodes_.reserve(x.size() + static_cast<std::size_t>(2 * rows));
    std::vector<std::size_t> starts;
    for (std::int64_t i = 0; i < rows; ++i) {
      starts.push_back(nodes_.size());
      for (std::int64_t j = 0; j < columns; ++j)
        if (const float value = x[static_cast<std::size_t>(i * columns + j)]; value != 0)
          nodes_.push_back({static_cast<int>(j + 1), static_cast<double>(value)});
      if (bias) nodes_.push_back({static_cast<int>(columns + 1), 1.0});
      nodes_.push_back({-1, 0.0});
    }
    for (const std::size_t start : starts) rows_.push_back(&nodes_[start]);
  }
  Node** data() { return rows_.data(); }
  const Node* operator[](std::int64_t i) const { return rows_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<Node> nodes_;
  std::vector<Node*> rows_;
};

#ifdef GRADUS_WITH_LIBLINEAR

struct LibLinear {
  gradus::detail::SharedLibrary library{"liblinear.so.4", "liblinear.so.5", "liblinear.so.3"};
  decltype(&::train) train = nullptr;
  decltype(&::free_and_destroy_model) destroy = nullptr;
  decltype(&::set_print_string_function) set_print = nullptr;

  LibLinear() {
    library.find(train, "train");
    library.find(destroy, "free_and_destroy_model");
    library.find(set_print, "set_print_string_function");
    if (library.usable()) set_print(ignore);
  }
};

const LibLinear& liblinear() {
  static const LibLinear loaded;
  return loaded;
}

Model learn_linear(const Sample& train, double C, std::uint64_t seed) {
  detail::require_classes(train, "linear SVM");
  if (!liblinear().library.usable()) throw without("LIBLINEAR", "liblinear-dev");
  if (detail::has_one_class(train)) return baseline().learn(train, seed);
  SparseRows<feature_node> rows(train.x, train.rows, train.columns, true);
  std::vector<double> y(train.labels.begin(), train.labels.end());
  problem all = {};
  all.l = static_cast<int>(train.rows);
  all.n = static_cast<int>(train.columns + 1);
  all.y = y.data();
  all.x = rows.data();
  all.bias = 1;
  parameter how = {};
  how.solver_type = L2R_L2LOSS_SVC;
  how.eps = 1e-4;
  how.C = C;
  how.p = 0.1;
  ::model* found = liblinear().train(&all, &how);
  // For two classes there is one row of weights, of the class that came first.
  const int classes = found->nr_class, stored = classes == 2 ? 1 : classes;
  const std::size_t outputs = static_cast<std::size_t>(train.classes);
  constexpr double never = -1e300;
  std::vector<double> weight(static_cast<std::size_t>(train.columns) * outputs), bias(outputs, never);
  for (int k = 0; k < classes; ++k) {
    const int from = classes == 2 ? 0 : k;
    const double sign = classes == 2 && k == 1 ? -1 : 1;
    const std::size_t to = static_cast<std::size_t>(found->label[k]);
    for (std::int64_t j = 0; j <= train.columns; ++j) {
      const double w = sign * found->w[j * stored + from];
      (j < train.columns ? weight[static_cast<std::size_t>(j) * outputs + to] : bias[to]) = w;
    }
  }
  liblinear().destroy(&found);
  return Model(train, static_cast<std::int64_t>(8 * (weight.size() + bias.size())),
               [weight, bias](const Query& asked) { return detail::linear_scores(asked, weight, bias); });
}

#else

Model learn_linear(const Sample&, double, std::uint64_t) { throw without("LIBLINEAR", "liblinear-dev"); }

#endif

#ifdef GRADUS_WITH_LIBSVM

struct LibSvm {
  gradus::detail::SharedLibrary library{"libsvm.so.3", "libsvm.so.4", "libsvm.so.2"};
  decltype(&svm_train) train = nullptr;
  decltype(&svm_predict_values) values = nullptr;
  decltype(&svm_free_and_destroy_model) destroy = nullptr;
  decltype(&svm_set_print_string_function) set_print = nullptr;

  LibSvm() {
    library.find(train, "svm_train");
    library.find(values, "svm_predict_values");
    library.find(destroy, "svm_free_and_destroy_model");
    library.find(set_print, "svm_set_print_string_function");
    if (library.usable()) set_print(ignore);
  }
};

const LibSvm& libsvm() {
  static const LibSvm loaded;
  return loaded;
}

/// The machine points into the rows that it was trained on.
struct Machine {
  SparseRows<svm_node> rows;
  svm_model* model = nullptr;
  std::int64_t classes;
  double mean = 0, scale = 1;  ///< of the numbers

  Machine(const Sample& train) : rows(train.x, train.rows, train.columns, false), classes(train.classes) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() {
    if (model != nullptr) libsvm().destroy(&model);
  }

  void append_scores(const svm_node* x, std::vector<double>& out) const {
    if (classes == 0) {
      double value = 0;
      libsvm().values(model, x, &value);
      out.push_back(mean + scale * value);
      return;
    }
    const std::size_t k = static_cast<std::size_t>(model->nr_class);
    std::vector<double> pairs(k * (k - 1) / 2), votes(k), sums(k);
    libsvm().values(model, x, pairs.data());
    for (std::size_t i = 0, p = 0; i < k; ++i) {
      for (std::size_t j = i + 1; j < k; ++j, ++p) {
        votes[pairs[p] > 0 ? i : j] += 1;
        sums[i] += pairs[p];
        sums[j] -= pairs[p];
      }
    }
    const std::size_t first = out.size();
    out.resize(first + static_cast<std::size_t>(classes), -1);
    for (std::size_t i = 0; i < k; ++i) {
      const double within = sums[i] / (3 * (std::abs(sums[i]) + 1));  // orders classes of equal votes
      out[first + static_cast<std::size_t>(model->label[i])] = k == 2 ? sums[i] : votes[i] + within;
    }
  }
};

/// Variance of all elements together.
double variance_of(const std::vector<float>& x) {
  double mean = 0, squares = 0;
  for (const float v : x) mean += v;
  mean /= static_cast<double>(x.size());
  for (const float v : x) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(x.size());
}

std::vector<double> standard_targets(const Sample& train, Machine& machine) {
  std::vector<double> y = train.targets;
  machine.mean = 0;
  for (const double v : y) machine.mean += v / static_cast<double>(y.size());
  double squares = 0;
  for (const double v : y) squares += (v - machine.mean) * (v - machine.mean);
  if (squares > 0) machine.scale = std::sqrt(squares / static_cast<double>(y.size()));
  for (double& v : y) v = (v - machine.mean) / machine.scale;
  return y;
}

Model learn_rbf(const Sample& train, const RbfSvmOptions& options, std::uint64_t seed) {
  if (!libsvm().library.usable()) throw without("LIBSVM", "libsvm-dev");
  if (train.classes > 0 && detail::has_one_class(train)) return baseline().learn(train, seed);
  const auto machine = std::make_shared<Machine>(train);
  std::vector<double> y = train.classes > 0 ? std::vector<double>(train.labels.begin(), train.labels.end())
                                            : standard_targets(train, *machine);
  svm_problem all = {};
  all.l = static_cast<int>(train.rows);
  all.y = y.data();
  all.x = machine->rows.data();
  svm_parameter how = {};
  how.svm_type = train.classes > 0 ? C_SVC : EPSILON_SVR;
  how.kernel_type = RBF;
  const double variance = variance_of(train.x);
  how.gamma =
      options.gamma > 0 ? options.gamma : 1 / (static_cast<double>(train.columns) * (variance > 0 ? variance : 1));
  how.cache_size = 200;
  how.eps = 1e-3;
  how.C = options.C;
  how.p = options.epsilon;
  how.shrinking = 1;
  machine->model = libsvm().train(&all, &how);
  const std::int64_t vectors = machine->model->l, outputs = std::max<std::int64_t>(train.classes - 1, 1);
  return Model(train, vectors * (train.columns * 4 + 8 * outputs), [machine](const Query& asked) {
    SparseRows<svm_node> rows(asked.x, asked.rows, asked.columns, false);
    std::vector<double> out;
    for (std::int64_t i = 0; i < asked.rows; ++i) machine->append_scores(rows[i], out);
    return out;
  });
}

#else

Model learn_rbf(const Sample&, const RbfSvmOptions&, std::uint64_t) { throw without("LIBSVM", "libsvm-dev"); }

#endif

void check_positive(const char* op, const char* name, double value, SourceLocation where) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(ErrorKind::value, op, fmt::format("{} is {}, must be positive", name, value)).at(where);
}

}  // namespace

Learner linear_svm(const LinearSvmOptions& options, SourceLocation where) {
  check_positive("linear_svm", "C", options.C, where);
  return {.name = "linear SVM",
          .settings = fmt::format("C {:g}", options.C),
          .learn = [options](const Sample& train, std::uint64_t seed) { return learn_linear(train, options.C, seed); },
          .probabilities = false};
}

Learner rbf_svm(const RbfSvmOptions& options, SourceLocation where) {
  check_positive("rbf_svm", "C", options.C, where);
  if (options.gamma != 0) check_positive("rbf_svm", "gamma", options.gamma, where);
  if (options.epsilon != 0) check_positive("rbf_svm", "epsilon", options.epsilon, where);
  return {.name = "RBF SVM",
          .settings = options.gamma > 0 ? fmt::format("C {:g}, gamma {:g}", options.C, options.gamma)
                                        : fmt::format("C {:g}", options.C),
          .learn = [options](const Sample& train, std::uint64_t seed) { return learn_rbf(train, options, seed); },
          .probabilities = false};
}

std::vector<std::string> svm_libraries() {
  std::vector<std::string> found;
#ifdef GRADUS_WITH_LIBLINEAR
  if (liblinear().library.usable())
    found.push_back(fmt::format("LIBLINEAR {}.{}", LIBLINEAR_VERSION / 100, LIBLINEAR_VERSION % 100));
#endif
#ifdef GRADUS_WITH_LIBSVM
  if (libsvm().library.usable())
    found.push_back(fmt::format("LIBSVM {}.{:02}", LIBSVM_VERSION / 100, LIBSVM_VERSION % 100));
#endif
  return found;
}

}  // namespace gradus::classic
