// The worked example of chapter 3: a network of six weights, whose training can be followed number by number.
#include <fmt/format.h>

#include "gradus/book/backpropagation/measure.h"
#include "gradus/engine/eval.h"
#include "gradus/ops/ops.h"
#include "gradus/transform/derivatives.h"

namespace gradus::book {
namespace {

using Numbers = std::vector<double>;

constexpr double rate = 0.5;
const Numbers inputs = {1, 0.5};

/// All that one step computes. Derivatives are what reverse mode says.
struct Step {
  Numbers w, v;  // weights: of the hidden units, row by row, and of the output
  Numbers z, h;  // sums and values of the hidden units
  double y = 0, loss = 0;
  Numbers gw, gv, gz, gh;
  double gy = 0;
  Numbers next_w, next_v;
};

Step step_from(const Tensor& w, const Tensor& v) {
  const Tensor z = sum(w * tensor({inputs[0], inputs[1]}), {1}), h = tanh(z), y = sum(v * h),
               loss = 0.5 * square(y - 1);
  const Tensors g = grad(loss, {w, v, z, h, y});
  const Tensor next_w = w - rate * g[0], next_v = v - rate * g[1];
  eval(z, h, y, loss, g[0], g[1], g[2], g[3], g[4], next_w, next_v);
  const auto numbers = [](const Tensor& t) { return t.to_vector<double>(); };
  return {.w = numbers(w),
          .v = numbers(v),
          .z = numbers(z),
          .h = numbers(h),
          .y = y.item<double>(),
          .loss = loss.item<double>(),
          .gw = numbers(g[0]),
          .gv = numbers(g[1]),
          .gz = numbers(g[2]),
          .gh = numbers(g[3]),
          .gy = g[4].item<double>(),
          .next_w = numbers(next_w),
          .next_v = numbers(next_v)};
}

/// Operand by operand, in the order in which it is computed.
std::vector<Workings> workings_of(const Step& s) {
  Workings forwards{.part = "forwards", .lines = {}}, backwards{.part = "backwards", .lines = {}},
      descent{.part = "the step", .lines = {}};
  for (std::size_t i = 0; i < 2; ++i)
    forwards.lines.push_back(
        {fmt::format("z{}", i + 1), "", {{s.w[2 * i], inputs[0]}, {s.w[2 * i + 1], inputs[1]}}, s.z[i]});
  for (std::size_t i = 0; i < 2; ++i) forwards.lines.push_back({fmt::format("h{}", i + 1), "tanh", {{s.z[i]}}, s.h[i]});
  forwards.lines.push_back({"y", "", {{s.v[0], s.h[0]}, {s.v[1], s.h[1]}}, s.y});
  forwards.lines.push_back({"loss", "half the square of ", {{s.y}, {-1}}, s.loss});
  backwards.lines.push_back({"dloss/dy", "", {{s.y}, {-1}}, s.gy});
  for (std::size_t i = 0; i < 2; ++i)
    backwards.lines.push_back({fmt::format("dloss/dv{}", i + 1), "", {{s.gy, s.h[i]}}, s.gv[i]});
  for (std::size_t i = 0; i < 2; ++i)
    backwards.lines.push_back({fmt::format("dloss/dh{}", i + 1), "", {{s.gy, s.v[i]}}, s.gh[i]});
  for (std::size_t i = 0; i < 2; ++i)
    backwards.lines.push_back({fmt::format("dloss/dz{}", i + 1), "", {{s.gh[i]}, {-s.gh[i], s.h[i], s.h[i]}}, s.gz[i]});
  for (std::size_t i = 0; i < 4; ++i)
    backwards.lines.push_back(
        {fmt::format("dloss/dw{}{}", i / 2 + 1, i % 2 + 1), "", {{s.gz[i / 2], inputs[i % 2]}}, s.gw[i]});
  for (std::size_t i = 0; i < 4; ++i)
    descent.lines.push_back(
        {fmt::format("new w{}{}", i / 2 + 1, i % 2 + 1), "", {{s.w[i]}, {-rate, s.gw[i]}}, s.next_w[i]});
  for (std::size_t i = 0; i < 2; ++i)
    descent.lines.push_back({fmt::format("new v{}", i + 1), "", {{s.v[i]}, {-rate, s.gv[i]}}, s.next_v[i]});
  return {forwards, backwards, descent};
}

}  // namespace

void by_hand_figure(Notebook& notebook) {
  Figure figure{
      .id = "by-hand",
      .caption =
          "The loss of the network above over ten steps of gradient descent with the rate 0.5, and below it every "
          "number "
          "behind one of these points: w11 leads from the first input to the first unit, v1 from there to the output.",
      .plot = {.title = "Loss", .x_label = "step", .series = {}, .whole_x = true},
      .behind = {}};
  train::PlotSeries line{.name = "", .x = {}, .y = {}, .points = true};
  Tensor w = tensor({{0.4, -0.4}, {0.7, 0.1}}), v = tensor({0.6, -0.3});
  for (int i = 0; i <= 10; ++i) {
    const Step step = step_from(w, v);
    line.x.push_back(i);
    line.y.push_back(step.loss);
    figure.behind.push_back(workings_of(step));
    w = tensor({{step.next_w[0], step.next_w[1]}, {step.next_w[2], step.next_w[3]}});
    v = tensor({step.next_v[0], step.next_v[1]});
  }
  figure.plot.series.push_back(line);
  notebook.figures.push_back(figure);
}

}  // namespace gradus::book
