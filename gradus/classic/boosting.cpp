#include "gradus/classic/boosting.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/shared_library.h"

#ifdef GRADUS_WITH_XGBOOST
#include <xgboost/c_api.h>
#endif

namespace gradus::classic {
namespace {

#ifdef GRADUS_WITH_XGBOOST

struct XgBoost {
  gradus::detail::SharedLibrary library{"libxgboost.so.0", "libxgboost.so"};
  decltype(&XGBoostVersion) version = nullptr;
  decltype(&XGBGetLastError) last_error = nullptr;
  decltype(&XGDMatrixCreateFromMat) matrix_create = nullptr;
  decltype(&XGDMatrixSetFloatInfo) matrix_set = nullptr;
  decltype(&XGDMatrixFree) matrix_free = nullptr;
  decltype(&XGBoosterCreate) create = nullptr;
  decltype(&XGBoosterFree) free = nullptr;
  decltype(&XGBoosterSetParam) set = nullptr;
  decltype(&XGBoosterUpdateOneIter) update = nullptr;
  decltype(&XGBoosterPredictFromDMatrix) predict = nullptr;
  decltype(&XGBoosterSaveModelToBuffer) save = nullptr;

  XgBoost() {
    library.find(version, "XGBoostVersion");
    library.find(last_error, "XGBGetLastError");
    library.find(matrix_create, "XGDMatrixCreateFromMat");
    library.find(matrix_set, "XGDMatrixSetFloatInfo");
    library.find(matrix_free, "XGDMatrixFree");
    library.find(create, "XGBoosterCreate");
    library.find(free, "XGBoosterFree");
    library.find(set, "XGBoosterSetParam");
    library.find(update, "XGBoosterUpdateOneIter");
    library.find(predict, "XGBoosterPredictFromDMatrix");
    library.find(save, "XGBoosterSaveModelToBuffer");
  }
};

const XgBoost& xgboost() {
  static const XgBoost loaded;
  return loaded;
}

void check(int code) {
  if (code == 0) return;
  throw Error(ErrorKind::state, "gradient_boosting", "XGBoost refused").note(xgboost().last_error());
}

/// Rows as XGBoost keeps them. No element counts as missing: samples have none.
struct Matrix {
  DMatrixHandle handle = nullptr;

  Matrix(std::span<const float> x, std::int64_t rows, std::int64_t columns) {
    check(
        xgboost().matrix_create(x.data(), static_cast<bst_ulong>(rows), static_cast<bst_ulong>(columns), NAN, &handle));
  }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;
  ~Matrix() { xgboost().matrix_free(handle); }
};

struct Booster {
  BoosterHandle handle = nullptr;

  explicit Booster(const Matrix& train) { check(xgboost().create(&train.handle, 1, &handle)); }
  Booster(const Booster&) = delete;
  Booster& operator=(const Booster&) = delete;
  ~Booster() { xgboost().free(handle); }

  void set(const char* name, const std::string& value) const { check(xgboost().set(handle, name, value.c_str())); }
  std::int64_t bytes() const {
    bst_ulong length = 0;
    const char* data = nullptr;
    check(xgboost().save(handle, R"({"format": "ubj"})", &length, &data));
    return static_cast<std::int64_t>(length);
  }
  std::vector<double> predict(const Query& asked, std::int64_t classes) const {
    const Matrix rows(asked.x, asked.rows, asked.columns);
    const bst_ulong* shape = nullptr;
    bst_ulong rank = 0;
    const float* found = nullptr;
    check(xgboost().predict(
        handle, rows.handle,
        R"({"type": 0, "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": false})", &shape,
        &rank, &found));
    std::vector<double> out;
    for (std::int64_t i = 0; i < asked.rows * (classes > 2 ? classes : 1); ++i) {
      if (classes == 2) out.push_back(1 - static_cast<double>(found[i]));
      out.push_back(static_cast<double>(found[i]));
    }
    return out;
  }
};

/// Mean and deviation of targets. XGBoost computes in f32, and takes questions that gain less than 1e-6 for useless.
struct Scale {
  double mean = 0, deviation = 0;

  explicit Scale(const std::vector<double>& targets) {
    const double count = static_cast<double>(targets.size());
    for (const double y : targets) mean += y / count;
    for (const double y : targets) deviation += (y - mean) * (y - mean) / count;
    deviation = deviation > 0 ? std::sqrt(deviation) : 1;
  }
};

Model learn_boosting(const Sample& train, const BoostingOptions& options, std::uint64_t seed) {
  if (!xgboost().library.usable())
    throw Error(ErrorKind::state, "fit", "XGBoost is not there")
        .hint("apt-get install libxgboost-dev, and build with it (gradus doctor --build shows what is in)");
  if (detail::has_one_class(train)) return baseline().learn(train, seed);
  const Matrix rows(train.x, train.rows, train.columns);
  std::vector<float> y;
  for (const std::int64_t label : train.labels) y.push_back(static_cast<float>(label));
  const Scale scale(train.targets);
  for (const double target : train.targets) y.push_back(static_cast<float>((target - scale.mean) / scale.deviation));
  check(xgboost().matrix_set(rows.handle, "label", y.data(), static_cast<bst_ulong>(y.size())));
  const auto booster = std::make_shared<const Booster>(rows);
  booster->set("objective", train.classes == 0   ? "reg:squarederror"
                            : train.classes == 2 ? "binary:logistic"
                                                 : "multi:softprob");
  if (train.classes == 0) booster->set("base_score", "0");
  if (train.classes > 2) booster->set("num_class", fmt::format("{}", train.classes));
  booster->set("verbosity", "0");
  booster->set("tree_method", "hist");
  booster->set("nthread", fmt::format("{}", num_threads()));
  booster->set("seed", fmt::format("{}", seed % 2147483647));
  booster->set("eta", fmt::format("{}", options.learning_rate));
  booster->set("max_depth", fmt::format("{}", options.max_depth));
  booster->set("subsample", fmt::format("{}", options.subsample));
  for (std::int64_t round = 0; round < options.rounds; ++round)
    check(xgboost().update(booster->handle, static_cast<int>(round), rows.handle));
  return Model(train, booster->bytes(), [booster, scale, classes = train.classes](const Query& asked) {
    std::vector<double> found = booster->predict(asked, classes);
    if (classes == 0)
      for (double& number : found) number = scale.mean + scale.deviation * number;
    return found;
  });
}

#else

Model learn_boosting(const Sample&, const BoostingOptions&, std::uint64_t) {
  throw Error(ErrorKind::state, "fit", "this build of Gradus has no XGBoost")
      .hint("apt-get install libxgboost-dev and configure with -DGRADUS_WITH_XGBOOST=ON");
}

#endif

}  // namespace

Learner gradient_boosting(const BoostingOptions& options, SourceLocation where) {
  const auto share = [](double x) { return x > 0 && x <= 1; };
  if (options.rounds < 1 || options.max_depth < 1 || !share(options.learning_rate) || !share(options.subsample)) {
    throw Error(ErrorKind::value, "gradient_boosting",
                fmt::format("rounds {}, max_depth {}, learning_rate {}, subsample {}: the first two must be positive, "
                            "the others in (0, 1]",
                            options.rounds, options.max_depth, options.learning_rate, options.subsample))
        .at(where);
  }
  return {.name = "gradient boosting",
          .settings = fmt::format("rounds {}, depth {}", options.rounds, options.max_depth),
          .learn = [options](const Sample& train, std::uint64_t seed) { return learn_boosting(train, options, seed); }};
}

std::string boosting_library() {
#ifdef GRADUS_WITH_XGBOOST
  if (!xgboost().library.usable()) return {};
  int major = 0, minor = 0, patch = 0;
  xgboost().version(&major, &minor, &patch);
  return fmt::format("XGBoost {}.{}.{}", major, minor, patch);
#else
  return {};
#endif
}

}  // namespace gradus::classic
