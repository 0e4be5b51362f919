#include "gradus/train/early_stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"

namespace gradus::train {

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options, SourceLocation where) : options_(options) {
  if (options.patience < 0) {
    throw Error(ErrorKind::value, "early_stopping", fmt::format("patience is {}, must be >= 0", options.patience))
        .at(where);
  }
  if (!(options.min_delta >= 0)) {
    throw Error(ErrorKind::value, "early_stopping", fmt::format("min_delta is {}, must be >= 0", options.min_delta))
        .at(where);
  }
}

bool EarlyStopping::update(double value) {
  const double gain = options_.mode == Mode::min ? best_value_ - value : value - best_value_;
  const bool better = best_ < 0 ? !std::isnan(value) : gain > options_.min_delta;
  if (better) {
    best_ = count_;
    best_value_ = value;
  }
  ++count_;
  return count_ - 1 - best_ >= std::max<std::int64_t>(options_.patience, 1);
}

void EarlyStopping::check_restorable(SourceLocation where) const {
  if (!weights_.empty()) return;
  throw Error(ErrorKind::state, "early_stopping", "no weights were remembered")
      .at(where)
      .hint("call update(value, model) after each epoch");
}

}  // namespace gradus::train
