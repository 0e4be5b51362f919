// Chapter 2: functions that small networks are, or become.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "gradus/base/random.h"
#include "gradus/book/structure/measure.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/fields.h"
#include "gradus/nn/losses.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adam.h"

namespace gradus::book {
namespace {

constexpr double period = 2 * std::numbers::pi;

struct OneHidden {
  nn::Linear hidden, out;
  static constexpr int field_count = 2;

  OneHidden(std::int64_t inputs, std::int64_t units) : hidden(inputs, units), out(units, 1) {}
  Tensor operator()(const Tensor& x) const { return out(relu(hidden(x))); }
};

template <class Model>
double right_after_training(Model& model) {
  const Tensor x = tensor({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}}), y = tensor({{0.f}, {1.f}, {1.f}, {0.f}});
  optim::Adam optimizer(model, {.lr = 0.05});
  for (int i = 0; i < 300; ++i) optimizer.minimize(binary_cross_entropy_with_logits(model(x), y));
  const std::vector<float> logits = model(x).template to_vector<float>();
  return ((logits[0] <= 0) + (logits[1] > 0) + (logits[2] > 0) + (logits[3] <= 0)) / 4.0;
}

/// Largest difference of y from f at equally distant points of [0, 2 pi].
double largest_error(const Smooth& f, const std::vector<double>& x, const std::vector<double>& y) {
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(y[i] - f(x[i])));
  return worst;
}

using Row = std::vector<double>;

/// The units of a layer along a piece of the line: offset + slope t.
struct Affine {
  Row offset, slope;
};

Affine through(const Affine& in, const Row& weight, const Row& bias) {
  Affine out{bias, Row(bias.size())};
  const std::size_t n = in.offset.size();
  for (std::size_t i = 0; i < bias.size(); ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      out.offset[i] += weight[i * n + j] * in.offset[j];
      out.slope[i] += weight[i * n + j] * in.slope[j];
    }
  }
  return out;
}

struct Piece {
  double from, to;
  Affine units;
};

/// `piece` cut where a unit changes sign, each part with its units after the ReLU.
void cut(const Piece& piece, std::vector<Piece>& into) {
  Row cuts{piece.from, piece.to};
  const Affine& z = piece.units;
  for (std::size_t i = 0; i < z.offset.size(); ++i) {
    const double t = -z.offset[i] / z.slope[i];
    if (t > piece.from && t < piece.to) cuts.push_back(t);
  }
  std::sort(cuts.begin(), cuts.end());
  for (std::size_t c = 0; c + 1 < cuts.size(); ++c) {
    if (cuts[c + 1] <= cuts[c]) continue;
    const double middle = (cuts[c] + cuts[c + 1]) / 2;
    Piece part{cuts[c], cuts[c + 1], z};
    for (std::size_t i = 0; i < z.offset.size(); ++i)
      if (z.offset[i] + z.slope[i] * middle <= 0) part.units.offset[i] = part.units.slope[i] = 0;
    into.push_back(part);
  }
}

}  // namespace

Net between(const Net& one, const Net& other, double share) {
  Net middle = one, end = other;
  const std::vector<nn::Parameter*> from = nn::parameters(middle), to = nn::parameters(end);
  for (std::size_t i = 0; i < from.size(); ++i) *from[i] = from[i]->tensor() * (1 - share) + to[i]->tensor() * share;
  return middle;
}

double exclusive_or(std::int64_t units, int starts, std::uint64_t seed) {
  double right = 0;
  for (int start = 0; start < starts; ++start) {
    manual_seed(Key{seed}.fold(static_cast<std::uint64_t>(start)).value);
    if (units == 0) {
      nn::Linear model(2, 1);
      right += right_after_training(model) / starts;
    } else {
      OneHidden model(2, units);
      right += right_after_training(model) / starts;
    }
  }
  return right;
}

Smooth::Smooth(std::uint64_t seed) : heights(3), phases(3) {
  fill_uniform(std::span<double>(heights), Key{seed}.fold(1), 0.2, 1);
  fill_uniform(std::span<double>(phases), Key{seed}.fold(2), 0, period);
}

double Smooth::operator()(double x) const {
  double y = 0;
  for (std::size_t k = 0; k < heights.size(); ++k)
    y += heights[k] * std::sin(static_cast<double>(k + 1) * x + phases[k]);
  return y;
}

double constructed_error(const Smooth& f, int units) {
  const double width = period / units;
  std::vector<double> kinks, heights;
  double slope = 0;
  for (int i = 0; i < units; ++i) {
    kinks.push_back(width * i);
    const double next = (f(width * (i + 1)) - f(width * i)) / width;
    heights.push_back(next - slope);
    slope = next;
  }
  const Tensor x = linspace(0.0, period, 4001, DType::f64);
  const Tensor hidden = relu(unsqueeze(x, 1) - leaf<double>({1, units}, std::span<const double>(kinks)));
  const Tensor y = matmul(hidden, leaf<double>({units, 1}, std::span<const double>(heights))) + f(0);
  return largest_error(f, x.to_vector<double>(), y.to_vector<double>());
}

double trained_error(const Smooth& f, int units, int steps, std::uint64_t seed) {
  manual_seed(seed);
  OneHidden model(1, units);
  const auto sampled = [&](std::int64_t count) {
    const std::vector<double> x = linspace(0.0, period, count, DType::f64).to_vector<double>();
    std::vector<float> inputs, targets;
    for (const double each : x) {
      inputs.push_back(static_cast<float>(each / std::numbers::pi - 1));  // networks want inputs near 0
      targets.push_back(static_cast<float>(f(each)));
    }
    return std::pair{leaf<float>({count, 1}, std::span<const float>(inputs)),
                     leaf<float>({count, 1}, std::span<const float>(targets))};
  };
  const auto [x, y] = sampled(256);
  optim::Adam optimizer(model, {.lr = 0.01});
  for (int i = 0; i < steps; ++i) {
    if (i == steps * 3 / 4) optimizer.set_lr(0.001);
    optimizer.minimize(mean(square(model(x) - y)));
  }
  const std::vector<double> grid = linspace(0.0, period, 4001, DType::f64).to_vector<double>();
  return largest_error(f, grid, model(sampled(4001).first).to_vector<double>());
}

double pieces(const Net& net, int lines, std::uint64_t seed) {
  const std::vector<double> all = flatten(whole(digits().train).inputs, 1).to_vector<double>();
  const std::vector<std::int64_t> order = random_permutation(digits().train.size(), Key{seed}.fold(21));
  std::vector<Row> weights, biases;
  for (const nn::Linear& layer : net.layers) {
    weights.push_back(layer.weight.tensor().to_vector<double>());
    biases.push_back(layer.bias.tensor().to_vector<double>());
  }
  double total = 0;
  for (std::size_t line = 0; line < static_cast<std::size_t>(lines); ++line) {
    const auto a = all.begin() + 64 * order[2 * line], b = all.begin() + 64 * order[2 * line + 1];
    Affine x{Row(a, a + 64), Row(64)};
    for (std::size_t i = 0; i < 64; ++i) x.slope[i] = b[static_cast<std::ptrdiff_t>(i)] - x.offset[i];
    std::vector<Piece> now{{0, 1, x}};
    for (std::size_t layer = 0; layer + 1 < weights.size(); ++layer) {
      std::vector<Piece> next;
      for (const Piece& piece : now)
        cut({piece.from, piece.to, through(piece.units, weights[layer], biases[layer])}, next);
      now = std::move(next);
    }
    total += static_cast<double>(now.size());
  }
  return total / lines;
}

double fresh_pieces(const std::vector<std::int64_t>& hidden, std::uint64_t seed) {
  manual_seed(seed);
  return pieces(Net({.hidden = hidden}), 20, seed);
}

}  // namespace gradus::book
