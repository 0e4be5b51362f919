#include "gradus/optim/matrix/shampoo.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/linalg/linalg.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/optim/settings.h"

namespace gradus::optim {
namespace {

/// A scalar is a vector of one.
int axes_of(const Tensor& parameter) { return std::max(parameter.rank(), 1); }

std::int64_t size_of(const Tensor& parameter, int axis) { return parameter.rank() == 0 ? 1 : parameter.size(axis); }

}  // namespace

Shampoo::Shampoo(ParameterList parameters, const ShampooOptions& options, SourceLocation where)
    : Optimizer(std::move(parameters), "optim::Shampoo", where), options_(options) {
  start(options.lr, options.skip_nonfinite, settings_of(options_), where);
}

void Shampoo::check(SourceLocation where) const {
  require(options_.epsilon > 0, "epsilon", options_.epsilon, "> 0", where);
  require(options_.update_freq >= 1, "update_freq", static_cast<double>(options_.update_freq), ">= 1", where);
}

std::vector<StateField> Shampoo::state_fields(const Tensor& parameter, double) const {
  std::vector<StateField> fields;
  const auto add = [&](const char* name) {
    for (int axis = 0; axis < axes_of(parameter); ++axis) {
      const std::int64_t n = size_of(parameter, axis);
      const Shape shape = n <= options_.max_matrix_size ? Shape{n, n} : Shape{n};
      fields.push_back({fmt::format("{}_{}", name, axis), shape, parameter.dtype()});
    }
  };
  add("precond");
  if (options_.update_freq > 1) add("inv_precond");
  if (options_.momentum != 0) fields.push_back(zeros_like(parameter, {"momentum_buffer"})[0]);
  return fields;
}

/// (sum + epsilon I)^(-1 / 2 axes) of a matrix, or of a diagonal.
Tensor Shampoo::root(const Update& u, const Tensor& sum, int axes) const {
  const double power = -0.5 / axes;
  const Tensor epsilon = u.number("epsilon", options_.epsilon);
  if (sum.rank() == 1) return pow(sum + epsilon, power);
  // A step that is to be refused must come so far: the factorisation throws for what is not finite.
  const Tensor matrix = skip_nonfinite() ? where(isfinite(sum), sum, constant(0, sum.dtype())) : sum;
  const linalg::Eigen eigen = linalg::eigh(cast(matrix, DType::f64));
  const Tensor values = clamp_min(eigen.values, 0) + cast(epsilon, DType::f64);  // below 0 by rounding only
  return cast(matmul(eigen.vectors * pow(values, power), transpose(eigen.vectors, 0, 1)), sum.dtype());
}

Tensor Shampoo::update(const Update& u) {
  const int axes = axes_of(u.parameter);
  const Tensor gradient = u.penalised_gradient();
  Tensor direction = gradient;
  if (options_.momentum != 0) {
    Tensor& buffer = u.state.back();
    direction = buffer = buffer * u.number("momentum", options_.momentum) + gradient;
  }
  const bool due = (u.step - 1) % options_.update_freq == 0;
  for (int axis = 0; axis < axes; ++axis) {
    const std::int64_t n = size_of(u.parameter, axis);
    const auto slices = [&](const Tensor& x) {
      return reshape(x.rank() == 0 ? x : transpose(x, 0, axis), {n, x.numel() / n});
    };
    const Tensor rows = slices(gradient);
    Tensor& sums = u.state[static_cast<std::size_t>(axis)];
    const bool full = sums.rank() == 2;
    sums = sums + (full ? matmul(rows, transpose(rows, 0, 1)) : sum(square(rows), 1));
    Tensor inverse_root;
    if (options_.update_freq == 1) {
      inverse_root = root(u, sums, axes);
    } else {
      Tensor& kept = u.state[static_cast<std::size_t>(axes + axis)];
      if (due) kept = root(u, sums, axes);
      inverse_root = kept;
    }
    const Tensor turned = slices(direction);
    direction = full ? matmul(inverse_root, turned) : unsqueeze(inverse_root, 1) * turned;
    if (u.parameter.rank() == 0) {
      direction = reshape(direction, Shape{});
      continue;
    }
    std::vector<std::int64_t> sizes(u.parameter.shape().begin(), u.parameter.shape().end());
    std::swap(sizes[0], sizes[static_cast<std::size_t>(axis)]);
    direction = transpose(reshape(direction, Shape(sizes)), 0, axis);
  }
  return u.parameter + u.number("step", -u.lr) * direction;
}

}  // namespace gradus::optim
