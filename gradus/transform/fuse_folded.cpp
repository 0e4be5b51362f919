#include "gradus/transform/fuse_folded.h"

#include <algorithm>
#include <optional>

#include "gradus/ops/reduce.h"
#include "gradus/ops/region.h"
#include "gradus/transform/fuse.h"
#include "gradus/transform/fuse_reductions.h"

namespace gradus::transform {
namespace {

/// The coarsest loops that are a refinement of both; nullopt when the sizes do not fit.
std::optional<Shape> common_space(const Shape& a, const Shape& b) {
  SmallVector<std::int64_t, Shape::max_rank> sizes;  // innermost first
  int i = a.rank() - 1, j = b.rank() - 1;
  std::int64_t left_a = i >= 0 ? a[i] : 1, left_b = j >= 0 ? b[j] : 1;
  while (i >= 0 && j >= 0) {
    const std::int64_t size = std::min(left_a, left_b);
    if (size == 0 || left_a % size != 0 || left_b % size != 0) return std::nullopt;
    sizes.push_back(size);
    left_a /= size;
    left_b /= size;
    if (left_a == 1) left_a = --i >= 0 ? a[i] : 1;
    if (left_b == 1) left_b = --j >= 0 ? b[j] : 1;
  }
  if (i >= 0 || j >= 0 || sizes.size() > static_cast<std::size_t>(Shape::max_rank)) return std::nullopt;
  Shape space;
  for (std::size_t k = sizes.size(); k-- > 0;) space.push_back(sizes[k]);
  return space;
}

/// The same region over the loops of `space`, which are a refinement of its own.
void refine(Region& region, const Shape& space) {
  for (RegionInput& in : region.inputs) {
    std::array<std::int64_t, Shape::max_rank> strides{};
    int own = region.space.rank() - 1;
    std::int64_t inside = 1;  // of the own axis
    for (int axis = space.rank() - 1; axis >= 0; --axis) {
      strides[static_cast<std::size_t>(axis)] = in.strides[static_cast<std::size_t>(own)] * inside;
      inside *= space[axis];
      if (inside == region.space[own]) --own, inside = 1;
    }
    in.strides = strides;
  }
  region.space = space;
}

bool is_dense(const RegionInput& in, const Shape& space) {
  return in.offset == 0 && in.strides == row_major_strides(space);
}

class Folding {
 public:
  explicit Folding(const Graph& graph)
      : graph_(graph), vertices_(graph.vertices), readers_(graph.vertices.size()), into_(graph.vertices.size()) {
    for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
      for (const ValueId id : graph.vertices[i].inputs) readers_[at(id.vertex)].push_back(static_cast<std::int32_t>(i));
    }
    for (const ValueId id : graph.results) readers_[at(id.vertex)].push_back(result);
  }

  Graph run() {
    for (std::size_t i = 0; i < vertices_.size(); ++i) {
      if (graph_.vertices[i].op.as<Region>()) join(static_cast<std::int32_t>(i));
    }
    Graph joined;
    std::vector<std::int32_t> moved(vertices_.size(), -1);
    const auto rename = [&](ValueId id) {
      const Place& place = into_[at(id.vertex)];
      if (place.region < 0) return ValueId{moved[at(id.vertex)], id.output};
      return ValueId{moved[at(place.region)], place.first + id.output};
    };
    for (const bool leaves : {true, false}) {  // leaves come first: they are there in time for everybody
      for (std::size_t i = 0; i < vertices_.size(); ++i) {
        if (into_[i].region >= 0 || graph_.vertices[i].is_leaf() != leaves) continue;
        moved[i] = static_cast<std::int32_t>(joined.vertices.size());
        for (ValueId& id : vertices_[i].inputs) id = rename(id);
        joined.vertices.push_back(std::move(vertices_[i]));
      }
    }
    for (const ValueId id : graph_.results) joined.results.push_back(rename(id));
    return joined;
  }

 private:
  static constexpr std::int32_t result = -1;  ///< among readers
  struct Place {
    std::int32_t region = -1;  ///< that a vertex became part of
    std::int32_t first = 0;    ///< output there that is its output 0
  };

  static std::size_t at(std::int32_t vertex) { return static_cast<std::size_t>(vertex); }

  /// The reduction that reader number `reader` is, and that can join a region; or nullptr.
  const Reduce* fold(std::int32_t reader) const {
    if (reader == result || !is_joinable(graph_, graph_.vertices[at(reader)])) return nullptr;
    return graph_.vertices[at(reader)].op.as<Reduce>();
  }

  /// What folds the results of a vertex, if all its readers do nothing but that.
  const Reduce* only_fold(std::int32_t vertex) const {
    const Reduce* only = nullptr;
    for (const std::int32_t reader : readers_[at(vertex)]) {
      const Reduce* reduce = fold(reader);
      if (!reduce || (only && !(*reduce == *only))) return nullptr;
      only = reduce;
    }
    return only;
  }

  /// Whether reductions among the readers of a vertex are all `wanted`.
  bool folds_alike(std::int32_t vertex, const Reduce& wanted) const {
    const auto alike = [&](std::int32_t reader) {
      const Reduce* reduce = fold(reader);
      return !reduce || *reduce == wanted;
    };
    return std::all_of(readers_[at(vertex)].begin(), readers_[at(vertex)].end(), alike);
  }

  /// The last region among those that compute what `v` reads.
  std::int32_t nearest_region(const Vertex& v) const {
    std::int32_t nearest = -1;
    for (const ValueId id : v.inputs) {
      if (graph_.vertices[at(id.vertex)].op.as<Region>()) nearest = std::max(nearest, id.vertex);
    }
    return nearest;
  }

  void join(std::int32_t vertex) {
    const Vertex& v = graph_.vertices[at(vertex)];
    const Reduce* folded = only_fold(vertex);
    const std::int32_t target = folded ? nearest_region(v) : -1;
    if (target < 0) return;
    const Vertex& made_by = vertices_[at(target)];
    const bool in_time = std::all_of(v.inputs.begin(), v.inputs.end(), [&](ValueId id) {
      return id.vertex <= target || graph_.vertices[at(id.vertex)].is_leaf();
    });
    if (!folds_alike(target, *folded) || !in_time || !(made_by.specs.front().shape == v.specs.front().shape)) return;
    Region into = *made_by.op.as<Region>(), region = *v.op.as<Region>();
    const std::optional<Shape> space = common_space(into.space, region.space);
    if (!space) return;
    refine(into, *space);
    refine(region, *space);
    if (!append(std::move(into), region, target, vertex)) return;
    for (const std::int32_t reader : readers_[at(vertex)]) readers_[at(target)].push_back(reader);
  }

  /// Puts the program of `region`, of vertex `vertex`, behind that of `into`, of vertex `target`. False when it does not fit.
  bool append(Region into, const Region& region, std::int32_t target, std::int32_t vertex) {
    const Vertex& v = graph_.vertices[at(vertex)];
    Vertex merged = vertices_[at(target)];
    const auto old_inputs = static_cast<std::int32_t>(into.inputs.size());
    const auto old_values = static_cast<std::int32_t>(into.inputs.size() + into.instructions.size());
    std::vector<std::int32_t> source(v.inputs.size());  // an input of `into`, or ~output of it
    for (std::size_t i = 0; i < v.inputs.size(); ++i) {
      if (v.inputs[i].vertex == target) {
        if (!is_dense(region.inputs[i], region.space)) return false;
        source[i] = ~v.inputs[i].output;
        continue;
      }
      source[i] = static_cast<std::int32_t>(into.inputs.size());
      for (std::size_t k = 0; k < into.inputs.size(); ++k) {
        if (merged.inputs[k] == v.inputs[i] && into.inputs[k] == region.inputs[i])
          source[i] = static_cast<std::int32_t>(k);
      }
      if (source[i] < static_cast<std::int32_t>(into.inputs.size())) continue;
      into.inputs.push_back(region.inputs[i]);
      merged.inputs.push_back(v.inputs[i]);
    }
    const auto added = static_cast<std::int32_t>(into.inputs.size()) - old_inputs;
    const auto settled = [&](std::int32_t value) { return value < old_inputs ? value : value + added; };
    for (RegionInstruction& instruction : into.instructions) {
      for (std::int32_t& arg : instruction.args) arg = settled(arg);
    }
    for (std::int32_t& output : into.outputs) output = settled(output);
    const auto own = static_cast<std::int32_t>(region.inputs.size());
    const auto appended = [&](std::int32_t value) {
      if (value < 0) return value;
      if (value >= own) return value - own + old_values + added;
      const std::int32_t from = source[at(value)];
      return from < 0 ? into.outputs[at(~from)] : from;
    };
    for (RegionInstruction instruction : region.instructions) {
      for (std::int32_t& arg : instruction.args) arg = appended(arg);
      into.instructions.push_back(instruction);
    }
    into_[at(vertex)] = {target, static_cast<std::int32_t>(into.outputs.size())};
    for (std::size_t o = 0; o < region.outputs.size(); ++o) {
      into.outputs.push_back(appended(region.outputs[o]));
      into.specs.push_back(region.specs[o]);
      merged.specs.push_back(v.specs[o]);
    }
    const FuseOptions limits;
    if (static_cast<int>(into.instructions.size()) > limits.max_instructions ||
        static_cast<int>(into.inputs.size() + into.outputs.size()) > limits.max_operands) {
      into_[at(vertex)] = {};
      return false;
    }
    merged.op = std::move(into);
    vertices_[at(target)] = std::move(merged);
    return true;
  }

  const Graph& graph_;
  std::vector<Vertex> vertices_;  // with what joined them
  std::vector<SmallVector<std::int32_t, 4>> readers_;
  std::vector<Place> into_;  // by vertex
};

}  // namespace

Graph fuse_folded(const Graph& graph) { return Folding(graph).run(); }

}  // namespace gradus::transform
