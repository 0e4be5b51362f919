#include "gradus/transform/fuse_reductions.h"

#include <algorithm>

#include "gradus/ops/region_reduce.h"

namespace gradus::transform {
namespace {

/// Whether a reduction can run over pieces that are long enough for a region: elements that lie side by side and are needed
/// one after the other.
bool has_long_runs(const Shape& shape, std::uint32_t axes) {
  constexpr std::int64_t enough = 128;
  std::int64_t last = 1;  // size of the last axes of one kind
  int axis = shape.rank() - 1;
  const auto folds = [&](int i) { return (axes >> i & 1) != 0; };
  while (axis >= 0 && shape[axis] == 1) --axis;
  if (axis < 0) return true;
  const bool rows = folds(axis);
  for (; axis >= 0 && (shape[axis] == 1 || folds(axis) == rows); --axis) last *= shape[axis];
  if (!rows || last >= enough) return true;  // columns: neighbouring rows lie side by side
  for (; axis >= 0; --axis) {
    if (shape[axis] > 1 && folds(axis)) return false;
  }
  return true;
}

/// The reductions that join one region.
using Members = SmallVector<std::int32_t, 2>;

/// By region: reductions of its values that can all be part of it.
std::vector<Members> find_members(const Graph& graph) {
  constexpr std::size_t most = 8;
  std::vector<Members> members(graph.vertices.size());
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    const Vertex& v = graph.vertices[i];
    if (!is_joinable(graph, v)) continue;
    const auto producer = static_cast<std::size_t>(v.inputs[0].vertex);
    Members& joined = members[producer];
    if (!graph.vertices[producer].op.as<Region>() || joined.size() == most) continue;
    const bool same =
        joined.empty() || graph.vertices[static_cast<std::size_t>(joined[0])].op == v.op;  // shapes are the region's
    if (same) joined.push_back(static_cast<std::int32_t>(i));
  }
  return members;
}

/// For each output of each vertex: whether anything but a reduction that joins it reads it.
std::vector<SmallVector<char, 1>> find_stored(const Graph& graph, const std::vector<char>& joins) {
  std::vector<SmallVector<char, 1>> stored(graph.vertices.size());
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) stored[i].resize(graph.vertices[i].specs.size());
  const auto mark = [&](ValueId id) {
    stored[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)] = 1;
  };
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    if (joins[i]) continue;
    for (const ValueId id : graph.vertices[i].inputs) mark(id);
  }
  for (const ValueId id : graph.results) mark(id);
  return stored;
}

}  // namespace

bool is_joinable(const Graph& graph, const Vertex& v) {
  const Reduce* reduce = v.op.as<Reduce>();
  if (!reduce || reduce->kind == ReduceKind::prod) return false;
  const TensorSpec& input = graph.spec(v.inputs[0]);
  return input.dtype == DType::f32 && input.shape.numel() > 0 && has_long_runs(input.shape, reduce->axes);
}

Graph fuse_reductions(const Graph& graph) {
  const std::vector<Members> members = find_members(graph);
  std::vector<char> joins(graph.vertices.size(), 0);
  for (const Members& joined : members) {
    for (const std::int32_t member : joined) joins[static_cast<std::size_t>(member)] = 1;
  }
  const auto stored = find_stored(graph, joins);
  Graph fused;
  fused.vertices.reserve(graph.vertices.size());
  std::vector<SmallVector<ValueId, 1>> moved(graph.vertices.size());
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    if (joins[i]) continue;
    Vertex& v = fused.vertices.emplace_back(graph.vertices[i]);
    const auto position = static_cast<std::int32_t>(fused.vertices.size()) - 1;
    for (ValueId& id : v.inputs) id = moved[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)];
    moved[i].resize(v.specs.size());
    if (members[i].empty()) {
      for (std::size_t o = 0; o < v.specs.size(); ++o) moved[i][o] = {position, static_cast<std::int32_t>(o)};
      continue;
    }
    const Region& region = *graph.vertices[i].op.as<Region>();
    RegionReduce op;
    op.region = region;
    op.region.outputs.clear();
    op.region.specs.clear();
    v.specs.clear();
    const auto add = [&](std::size_t output, const TensorSpec& spec) {
      op.region.outputs.push_back(region.outputs[output]);
      op.region.specs.push_back(region.specs[output]);
      v.specs.push_back(spec);
      return ValueId{position, static_cast<std::int32_t>(v.specs.size()) - 1};
    };
    for (std::size_t o = 0; o < region.outputs.size(); ++o) {
      if (stored[i][o]) moved[i][o] = add(o, region.specs[o]);
    }
    op.dense = static_cast<std::int32_t>(v.specs.size());
    for (const std::int32_t member : members[i]) {
      const Vertex& reduce = graph.vertices[static_cast<std::size_t>(member)];
      op.reduce = *reduce.op.as<Reduce>();
      moved[static_cast<std::size_t>(member)] = {
          add(static_cast<std::size_t>(reduce.inputs[0].output), reduce.specs.front())};
    }
    v.op = std::move(op);
  }
  for (const ValueId id : graph.results) {
    fused.results.push_back(moved[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)]);
  }
  return fused;
}

}  // namespace gradus::transform
