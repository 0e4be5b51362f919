// Places for the boxes of a drawing in layers, so that all arrows point down (Sugiyama, Tagawa and Toda, "Methods for visual
// understanding of hierarchical system structures", 1981).
#pragma once

#include <span>
#include <utility>
#include <vector>

namespace gradus {

struct BoxSize {
  double width = 0, height = 0;
};

/// A place that an arrow passes: straight down at `x` from `top` to `bottom`.
struct Waypoint {
  double x = 0, top = 0, bottom = 0;
};

struct Layout {
  double width = 0, height = 0;
  std::vector<Waypoint> boxes;                ///< middle, upper and lower edge of each box
  std::vector<std::vector<Waypoint>> arrows;  ///< between the two boxes; in the order of the arrows
};

/// `arrows` are {from, to} with from < to. Distances are those between neighbours and between layers.
Layout lay_out(std::span<const BoxSize> boxes, std::span<const std::pair<int, int>> arrows, double beside,
               double below);

}  // namespace gradus
