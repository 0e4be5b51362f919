// Layouts keep what a reader needs: arrows that point down, boxes that do not touch.
#include "gradus/graph/drawing.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradus/graph/graph.h"
#include "gradus/graph/layout.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

using Arrows = std::vector<std::pair<int, int>>;

void expect_readable(const std::vector<BoxSize>& sizes, const Arrows& arrows) {
  const Layout layout = lay_out(sizes, arrows, 10, 20);
  ASSERT_EQ(layout.boxes.size(), sizes.size());
  ASSERT_EQ(layout.arrows.size(), arrows.size());
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Waypoint& a = layout.boxes[i];
    EXPECT_GE(a.x - sizes[i].width / 2, -1e-9);
    EXPECT_LE(a.x + sizes[i].width / 2, layout.width + 1e-9);
    EXPECT_LE(a.bottom, layout.height + 1e-9);
    for (std::size_t k = 0; k < i; ++k) {
      const Waypoint& b = layout.boxes[k];
      if (a.bottom <= b.top || b.bottom <= a.top) continue;
      EXPECT_GE(std::abs(a.x - b.x) + 1e-9, (sizes[i].width + sizes[k].width) / 2 + 10) << i << " and " << k;
    }
    for (std::size_t k = 0; k < arrows.size(); ++k) {  // no arrow runs through a box
      for (const Waypoint& point : layout.arrows[k]) {
        if (a.bottom <= point.top || point.bottom <= a.top) continue;
        EXPECT_GE(std::abs(a.x - point.x), sizes[i].width / 2) << i << " and arrow " << k;
      }
    }
  }
  for (std::size_t k = 0; k < arrows.size(); ++k) {
    double last = layout.boxes[static_cast<std::size_t>(arrows[k].first)].bottom;
    for (const Waypoint& point : layout.arrows[k]) {
      EXPECT_GT(point.top, last);
      last = point.bottom;
    }
    EXPECT_GT(layout.boxes[static_cast<std::size_t>(arrows[k].second)].top, last);
  }
}

TEST(Layout, ChainsAndBranches) {
  expect_readable({{50, 10}}, {});
  expect_readable({{50, 10}, {30, 20}, {80, 10}}, {{0, 1}, {1, 2}});
  expect_readable({{50, 10}, {30, 20}, {80, 10}, {40, 10}}, {{0, 1}, {1, 2}, {2, 3}, {0, 3}});  // a skip
  expect_readable({{50, 10}, {30, 20}}, {{0, 1}, {0, 1}});
  expect_readable({{50, 10}, {30, 20}}, {});
}

TEST(Layout, AChainIsStraightAndALeafStandsAboveItsUser) {
  const Layout layout =
      lay_out(std::vector<BoxSize>{{50, 10}, {30, 20}, {20, 10}, {80, 10}}, Arrows{{0, 1}, {1, 3}, {2, 3}}, 10, 20);
  EXPECT_NEAR(layout.boxes[0].x, layout.boxes[1].x, 1);
  EXPECT_NEAR(layout.boxes[2].top + layout.boxes[2].bottom, layout.boxes[1].top + layout.boxes[1].bottom, 1e-9);
}

TEST(Layout, ManyGraphs) {
  std::uint32_t state = 1;
  const auto next = [&](std::uint32_t limit) {
    state = state * 1664525 + 1013904223;
    return static_cast<int>((state >> 8) % limit);
  };
  for (int graph = 0; graph < 20; ++graph) {
    std::vector<BoxSize> sizes;
    Arrows arrows;
    for (int i = 0; i < 25; ++i) {
      sizes.push_back({20.0 + next(60), 10.0 + next(20)});
      for (int k = next(3); i > 0 && k > 0; --k) arrows.emplace_back(next(static_cast<std::uint32_t>(i)), i);
    }
    expect_readable(sizes, arrows);
  }
}

TEST(Drawing, OfAGraph) {
  const Tensor x = tensor({1.f, 2.f});
  const Tensor y = relu(x * x) + x;
  const std::string svg = print_svg(capture(std::span(&y, 1)).graph);
  EXPECT_EQ(svg.find("<svg xmlns"), 0);
  for (const char* part : {">mul<", ">relu<", ">f32 [2]<", "</svg>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  std::size_t arrows = 0;
  for (std::size_t at = 0; (at = svg.find("class=\"a\"", at)) != std::string::npos; ++at) ++arrows;
  EXPECT_EQ(arrows, 5);
}

TEST(Drawing, EscapesWhatANameHolds) {
  const Drawing drawing{"a \"b\"", {{.title = "<&>", .name = "n\\"}}, {}};
  EXPECT_NE(to_svg(drawing).find(">&lt;&amp;&gt;<"), std::string::npos);
  EXPECT_NE(to_dot(drawing).find("label=\"a \\\"b\\\"\""), std::string::npos) << to_dot(drawing);
  EXPECT_NE(to_dot(drawing).find("n\\\\"), std::string::npos) << to_dot(drawing);
}

}  // namespace
}  // namespace gradus
