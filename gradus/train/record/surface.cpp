#include "gradus/train/record/surface.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/factory.h"

namespace gradus::train {
namespace {

/// A random direction for one weight: every entry of axis 0 as long as the weight's own.
Tensor direction_for(const Tensor& weight, Key key) {
  const std::vector<double> own = weight.to_vector<double>();
  std::vector<double> elements(own.size());
  fill_normal(elements, key, 0, 1);
  const auto filters = static_cast<std::size_t>(weight.size(0)), size = own.size() / std::max<std::size_t>(filters, 1);
  for (std::size_t f = 0; f < filters; ++f) {
    double mine = 0, drawn = 0;
    for (std::size_t i = f * size; i < (f + 1) * size; ++i) {
      mine += own[i] * own[i];
      drawn += elements[i] * elements[i];
    }
    const double factor = drawn > 0 ? std::sqrt(mine / drawn) : 0;
    for (std::size_t i = f * size; i < (f + 1) * size; ++i) elements[i] *= factor;
  }
  const Tensor direction = cast(leaf<double>(weight.shape(), std::span<const double>(elements)), weight.dtype());
  eval(direction);
  return direction;
}

/// One weight of the model and where it may go.
struct Moving {
  nn::FieldRef field;
  Tensor own, first, second;
};

std::vector<Moving> moving_weights(models::AnyModel& model, const SurfaceOptions& options) {
  std::vector<Moving> moving;
  std::uint64_t number = 0;
  for (const nn::FieldRef& field : nn::all_fields(model)) {
    if (!field.parameter || !field.parameter->defined() || field.tensor().rank() < 2) continue;
    Moving& m = moving.emplace_back(Moving{field, field.tensor(), {}, {}});
    m.first = direction_for(m.own, options.key.fold(0).fold(number));
    if (options.plane) m.second = direction_for(m.own, options.key.fold(1).fold(number));
    ++number;
  }
  return moving;
}

/// Puts the weights back whatever happens.
class Restored {
 public:
  explicit Restored(const std::vector<Moving>& moving) : moving_(moving) {}
  ~Restored() {
    for (const Moving& m : moving_) m.field.assign(m.own);
  }
  Restored(const Restored&) = delete;
  Restored& operator=(const Restored&) = delete;

 private:
  const std::vector<Moving>& moving_;
};

}  // namespace

Surface loss_surface(models::AnyModel& model, const std::function<Tensor(models::AnyModel&)>& loss,
                     const SurfaceOptions& options, SourceLocation where) {
  if (options.points < 3 || options.points % 2 == 0)
    throw Error(ErrorKind::value, "loss_surface", fmt::format("points is {}, must be odd and >= 3", options.points))
        .at(where);
  if (!(options.range > 0) || !std::isfinite(options.range))
    throw Error(ErrorKind::value, "loss_surface", fmt::format("range is {}, must be finite and > 0", options.range))
        .at(where);
  Surface surface;
  const auto middle = static_cast<double>(options.points / 2);
  for (std::int64_t i = 0; i < options.points; ++i)
    surface.steps.push_back((static_cast<double>(i) - middle) / middle * options.range);
  const std::vector<Moving> moving = moving_weights(model, options);
  const Restored restored(moving);
  for (const double second : options.plane ? surface.steps : std::vector<double>{0}) {
    std::vector<double>& row = surface.losses.emplace_back();
    for (const double first : surface.steps) {
      for (const Moving& m : moving) {
        Tensor moved = m.own + m.first * first;
        if (options.plane) moved = moved + m.second * second;
        m.field.assign(moved);
      }
      row.push_back(loss(model).item<double>());
    }
  }
  return surface;
}

}  // namespace gradus::train
