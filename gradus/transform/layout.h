// Layout: images of convolutional networks lie with their channels last, from the first convolution to the last.
#pragma once

#include "gradus/graph/graph.h"

namespace gradus::transform {

/// True for a Conv2d, or a gradient of one, that runs faster on images with channels last (n, h, w, c).
bool prefers_channels_last(const Graph& graph, const Vertex& v);

/// Whether `use_channels_last` is worth its permutations: few are left at the ends of a network of convolutions, many where
/// something between them (pooling, today) wants images in row-major order.
bool channels_last_pays(const Graph& graph);

/// Replaces such convolutions by ConvChannelsLast (ops/layout/channels_last.h) and computes what lies between them (elementwise
/// operations, casts, reductions, broadcasts, slices) in the same order of axes. A permutation stays where something else
/// reads an image, or makes one; it is made once, however many read it. The arithmetic stays as it is, but sums over an
/// image run in another order. Takes a graph before `fuse`.
Graph use_channels_last(const Graph& graph);

}  // namespace gradus::transform
