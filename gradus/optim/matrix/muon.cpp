#include "gradus/optim/matrix/muon.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {

Muon::Muon(ParameterList parameters, const MuonOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Muon", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
  for (std::size_t i = 0; i < this->parameters().size(); ++i) {
    const Tensor& parameter = this->parameters()[i].tensor();
    if (parameter.rank() == 2) continue;
    throw Error(ErrorKind::shape, "optim::Muon", "parameters must be matrices")
        .at(where)
        .operand("parameter", parameter.spec(), this->parameters().path(i))
        .hint("give the others to an optimizer of their own: optim::AdamW");
  }
}

void Muon::check(SourceLocation where) const {
  const auto steps = static_cast<double>(options_.ns_steps);
  require(options_.ns_steps >= 0 && options_.ns_steps < 100, "ns_steps", steps, "in [0, 100)", where);
  require(options_.adjust_lr_fn <= MuonRate::match_rms_adamw, "adjust_lr_fn",
          static_cast<double>(options_.adjust_lr_fn), "0 (original) or 1 (match_rms_adamw)", where);
  require(options_.momentum <= 1, "momentum", options_.momentum, "in [0, 1]", where);
}

std::vector<StateField> Muon::state_fields(const Tensor& parameter, double) const {
  return zeros_like(parameter, {"momentum_buffer"});
}

Tensor Muon::update(const Update& u) {
  const Tensor buffer = u.average(u.state[0], u.gradient, "1 - momentum", 1 - options_.momentum);
  u.state[0] = buffer;
  Tensor x = options_.nesterov ? u.average(u.gradient, buffer, "momentum", options_.momentum) : buffer;

  const auto rows = static_cast<double>(x.shape()[0]), columns = static_cast<double>(x.shape()[1]);
  if (rows > columns) x = transpose(x, 0, 1);
  x = x / maximum(sqrt(sum(square(x))), u.number("eps", options_.eps));
  const auto& c = options_.ns_coefficients;
  const Tensor a = u.number("ns a", c[0]), b = u.number("ns b", c[1]), d = u.number("ns c", c[2]);
  for (std::int64_t i = 0; i < options_.ns_steps; ++i) {
    const Tensor gram = matmul(x, transpose(x, 0, 1));
    x = a * x + matmul(b * gram + d * matmul(gram, gram), x);
  }
  if (rows > columns) x = transpose(x, 0, 1);

  const double ratio = options_.adjust_lr_fn == MuonRate::original ? std::sqrt(std::max(1.0, rows / columns))
                                                                   : 0.2 * std::sqrt(std::max(rows, columns));
  return u.decayed_parameter() + u.number("step", -u.lr) * u.number("shape", ratio) * x;
}

}  // namespace gradus::optim
