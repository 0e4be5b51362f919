#include "gradus/optim/plateau.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/state/entries.h"

namespace gradus::optim {
namespace {

constexpr const char* name = "optim::ReduceOnPlateau";

template <class T>
void require(bool holds, const char* setting, T value, const char* rule, SourceLocation where) {
  if (!holds) throw Error(ErrorKind::value, name, fmt::format("{} is {}, must be {}", setting, value, rule)).at(where);
}

}  // namespace

ReduceOnPlateau::ReduceOnPlateau(const ReduceOnPlateauOptions& o, SourceLocation where)
    : options_(o),
      lr_(o.lr),
      best_(o.mode == Better::less ? std::numeric_limits<double>::infinity()
                                   : -std::numeric_limits<double>::infinity()) {
  require(std::isfinite(o.lr) && o.lr >= 0, "lr", o.lr, "finite and >= 0", where);
  require(o.factor > 0 && o.factor < 1, "factor", o.factor, "in (0, 1)", where);
  require(o.patience >= 0, "patience", o.patience, ">= 0", where);
  require(std::isfinite(o.threshold) && o.threshold >= 0, "threshold", o.threshold, "finite and >= 0", where);
  require(o.cooldown >= 0, "cooldown", o.cooldown, ">= 0", where);
  require(std::isfinite(o.min_lr) && o.min_lr >= 0, "min_lr", o.min_lr, "finite and >= 0", where);
  require(o.eps >= 0, "eps", o.eps, ">= 0", where);
}

bool ReduceOnPlateau::is_better(double metric) const {
  const double sign = options_.mode == Better::less ? -1 : 1;
  const double bar = options_.threshold_mode == Threshold::relative ? best_ * (1 + sign * options_.threshold)
                                                                    : best_ + sign * options_.threshold;
  return options_.mode == Better::less ? metric < bar : metric > bar;
}

double ReduceOnPlateau::step(double metric) {
  if (is_better(metric)) {
    best_ = metric;
    bad_ = 0;
  } else {
    ++bad_;
  }
  if (cooldown_ > 0) {
    --cooldown_;
    bad_ = 0;
  }
  if (bad_ <= options_.patience) return lr_;
  const double reduced = std::max(lr_ * options_.factor, options_.min_lr);
  if (lr_ - reduced > options_.eps) lr_ = reduced;
  cooldown_ = options_.cooldown;
  bad_ = 0;
  return lr_;
}

NamedTensors ReduceOnPlateau::state_dict() const {
  return {{"lr", tensor(lr_)},
          {"best", tensor(best_)},
          {"num_bad_epochs", tensor(bad_)},
          {"cooldown_counter", tensor(cooldown_)}};
}

void ReduceOnPlateau::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  detail::Entries entries(name, "its state", "it continues from what state_dict() of an optim::ReduceOnPlateau gave");
  std::vector<const nn::Buffer*> values;
  for (const auto& [key, value] : state_dict()) values.push_back(&entries.expect(key, value.spec()));
  entries.load(dict, where);
  const auto lr = values[0]->tensor().item<double>(where), best = values[1]->tensor().item<double>(where);
  const auto bad = values[2]->tensor().item<std::int64_t>(where),
             cooldown = values[3]->tensor().item<std::int64_t>(where);
  require(std::isfinite(lr) && lr >= 0, "lr", lr, "finite and >= 0", where);
  require(bad >= 0, "num_bad_epochs", bad, ">= 0", where);
  require(cooldown >= 0, "cooldown_counter", cooldown, ">= 0", where);
  lr_ = lr;
  best_ = best;
  bad_ = bad;
  cooldown_ = cooldown;
}

}  // namespace gradus::optim
