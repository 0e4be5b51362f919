#include "gradus/optim/adamw.h"

#include "gradus/ops/elementwise.h"
#include "gradus/optim/moments.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

AdamW::AdamW(ParameterList parameters, const AdamWOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::AdamW", where), options_(options) {
  std::vector<Setting> settings = settings_of(options_);
  settings.push_back(fixed_setting("decoupled_weight_decay", true, "1: optim::Adam is an optimizer of its own"));
  start(options.lr, options.skip_nonfinite, std::move(settings), where);
}

std::vector<StateField> AdamW::state_fields(const Tensor& parameter, double) const {
  if (options_.amsgrad) return zeros_like(parameter, {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"});
  return zeros_like(parameter, {"exp_avg", "exp_avg_sq"});
}

Tensor AdamW::update(const Update& u) { return adam_step(u, u.decayed_parameter(), u.gradient, options_); }

}  // namespace gradus::optim
