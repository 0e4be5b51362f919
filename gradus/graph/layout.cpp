#include "gradus/graph/layout.h"

#include <algorithm>
#include <numeric>

#include "gradus/base/error.h"

namespace gradus {
namespace {

/// A box, or the place where a long arrow crosses a layer.
struct Place {
  double width = 0, height = 0, x = 0;
  int layer = 0;
  bool is_box = true;
  std::vector<int> above = {}, below = {};
};

class Placement {
 public:
  Placement(std::span<const BoxSize> boxes, std::span<const std::pair<int, int>> arrows, double beside)
      : beside_(beside) {
    for (const BoxSize& box : boxes) places_.push_back({.width = box.width, .height = box.height});
    find_layers(arrows);
    for (const auto& [from, to] : arrows) add_arrow(from, to);
    int last = 0;
    for (const Place& place : places_) last = std::max(last, place.layer);
    layers_.resize(static_cast<std::size_t>(last) + 1);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      layers_[static_cast<std::size_t>(places_[i].layer)].push_back(static_cast<int>(i));
    }
  }

  void order() {
    auto best = layers_;
    std::size_t fewest = crossings();
    for (int sweep = 0; sweep < 12 && fewest > 0; ++sweep) {
      const bool down = sweep % 2 == 0;
      for (std::size_t k = 1; k < layers_.size(); ++k) sort_layer(down ? k : layers_.size() - 1 - k, down);
      const std::size_t now = crossings();
      if (now < fewest) {
        fewest = now;
        best = layers_;
      }
    }
    layers_ = std::move(best);
  }

  void place() {
    for (auto& layer : layers_) settle(layer, std::vector<double>(layer.size(), 0));
    for (int sweep = 0; sweep <= 16; ++sweep) {  // the last one goes down
      const bool down = sweep % 2 == 0;
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        std::vector<int>& layer = layers_[down ? k : layers_.size() - 1 - k];
        std::vector<double> wishes;
        for (const int i : layer) wishes.push_back(wish(at(i), down));
        settle(layer, wishes);
      }
    }
  }

  Layout result(std::size_t boxes, double below) const {
    Layout out;
    double left = 0, right = 0;
    for (const Place& p : places_) {
      left = std::min(left, p.x - p.width / 2);
      right = std::max(right, p.x + p.width / 2);
    }
    out.width = right - left;
    std::vector<Waypoint> all(places_.size());
    for (const auto& layer : layers_) {
      double height = 0;
      for (const int i : layer) height = std::max(height, at(i).height);
      for (const int i : layer) {
        const double inner = at(i).is_box ? at(i).height : height;
        const double top = out.height + (height - inner) / 2;
        all[static_cast<std::size_t>(i)] = {at(i).x - left, top, top + inner};
      }
      out.height += height + below;
    }
    out.height -= below;
    out.boxes.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(boxes));
    for (const std::vector<int>& route : routes_) {
      std::vector<Waypoint>& points = out.arrows.emplace_back();
      for (const int i : route) points.push_back(all[static_cast<std::size_t>(i)]);
    }
    return out;
  }

 private:
  Place& at(int i) { return places_[static_cast<std::size_t>(i)]; }
  const Place& at(int i) const { return places_[static_cast<std::size_t>(i)]; }

  /// The longest way from the top; then down again as far as that makes no arrows longer, so that a constant stands where it
  /// is used.
  void find_layers(std::span<const std::pair<int, int>> arrows) {
    std::vector<std::vector<int>> below(places_.size());
    std::vector<std::size_t> above(places_.size(), 0);
    for (const auto& [from, to] : arrows) {
      GRADUS_ASSERT(from < to);
      below[static_cast<std::size_t>(from)].push_back(to);
      ++above[static_cast<std::size_t>(to)];
    }
    for (std::size_t i = 0; i < places_.size(); ++i) {
      for (const int to : below[i]) at(to).layer = std::max(at(to).layer, places_[i].layer + 1);
    }
    for (std::size_t i = places_.size(); i-- > 0;) {
      if (below[i].empty() || above[i] > below[i].size()) continue;
      int lowest = at(below[i][0]).layer;
      for (const int to : below[i]) lowest = std::min(lowest, at(to).layer);
      places_[i].layer = lowest - 1;
    }
  }

  void add_arrow(int from, int to) {
    std::vector<int>& route = routes_.emplace_back();
    int last = from;
    for (int layer = at(from).layer + 1; layer < at(to).layer; ++layer) {
      const int next = static_cast<int>(places_.size());
      places_.push_back({.layer = layer, .is_box = false});
      connect(last, next);
      route.push_back(next);
      last = next;
    }
    connect(last, to);
  }

  void connect(int from, int to) {
    at(from).below.push_back(to);
    at(to).above.push_back(from);
  }

  /// Orders a layer by the mean positions of its neighbours in the layer before it.
  void sort_layer(std::size_t k, bool down) {
    std::vector<double> position(places_.size(), 0);
    const std::vector<int>& fixed = layers_[down ? k - 1 : k + 1];
    for (std::size_t i = 0; i < fixed.size(); ++i)
      position[static_cast<std::size_t>(fixed[i])] = static_cast<double>(i);
    std::vector<std::pair<double, int>> keyed;
    for (std::size_t i = 0; i < layers_[k].size(); ++i) {
      const int place = layers_[k][i];
      const std::vector<int>& neighbours = down ? at(place).above : at(place).below;
      double sum = 0;
      for (const int n : neighbours) sum += position[static_cast<std::size_t>(n)];
      const auto own = static_cast<double>(i);
      keyed.emplace_back(neighbours.empty() ? own : sum / static_cast<double>(neighbours.size()), place);
    }
    std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < keyed.size(); ++i) layers_[k][i] = keyed[i].second;
  }

  std::size_t crossings() const {
    std::size_t count = 0;
    std::vector<int> position(places_.size(), 0);
    for (const auto& layer : layers_) {
      for (std::size_t i = 0; i < layer.size(); ++i) position[static_cast<std::size_t>(layer[i])] = static_cast<int>(i);
    }
    for (const auto& layer : layers_) {
      std::vector<int> ends;  // of the arrows that leave the layer, from left to right
      for (const int i : layer) {
        std::vector<int> here;
        for (const int n : at(i).below) here.push_back(position[static_cast<std::size_t>(n)]);
        for (const int end : here) {
          count += static_cast<std::size_t>(std::count_if(ends.begin(), ends.end(), [&](int e) { return e > end; }));
        }
        ends.insert(ends.end(), here.begin(), here.end());
      }
    }
    return count;
  }

  /// Where a place would stand for the arrows from the layer before to be straight.
  double wish(const Place& place, bool down) const {
    const std::vector<int>& neighbours = down ? place.above : place.below;
    double sum = 0;
    for (const int n : neighbours) sum += at(n).x;
    return neighbours.empty() ? place.x : sum / static_cast<double>(neighbours.size());
  }

  /// The nearest places to the wishes, by least squares, that keep the order and the distances: isotonic regression by
  /// pooling adjacent violators.
  void settle(const std::vector<int>& layer, const std::vector<double>& wishes) {
    struct Block {
      double sum;
      std::size_t count;
      double mean() const { return sum / static_cast<double>(count); }
    };
    std::vector<double> offset(layer.size(), 0);
    for (std::size_t i = 1; i < layer.size(); ++i) {
      offset[i] = offset[i - 1] + (at(layer[i - 1]).width + at(layer[i]).width) / 2 + beside_;
    }
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < layer.size(); ++i) {
      blocks.push_back({wishes[i] - offset[i], 1});
      while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() > blocks.back().mean()) {
        const Block last = blocks.back();
        blocks.pop_back();
        blocks.back().sum += last.sum;
        blocks.back().count += last.count;
      }
    }
    std::size_t i = 0;
    for (const Block& block : blocks) {
      for (std::size_t k = 0; k < block.count; ++k, ++i) at(layer[i]).x = block.mean() + offset[i];
    }
  }

  double beside_;
  std::vector<Place> places_;  // the boxes, then the crossings of layers
  std::vector<std::vector<int>> layers_, routes_;
};

}  // namespace

Layout lay_out(std::span<const BoxSize> boxes, std::span<const std::pair<int, int>> arrows, double beside,
               double below) {
  Placement placement(boxes, arrows, beside);
  placement.order();
  placement.place();
  return placement.result(boxes.size(), below);
}

}  // namespace gradus
