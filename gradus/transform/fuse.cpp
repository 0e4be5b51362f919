#include "gradus/transform/fuse.h"

#include <algorithm>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/region.h"
#include "gradus/ops/view.h"

namespace gradus::transform {
namespace {

bool is_pointwise(const Vertex& v) { return v.op.as<Elementwise>() || v.op.as<Cast>(); }

/// A value as strides over storage that exists: what is left of a chain of views.
struct Access {
  ValueId base;
  std::array<std::int64_t, Shape::max_rank> strides{};
  std::int64_t offset = 0;
};

/// Looks through broadcasts, permutations and slices. `shape`: of the value.
Access look_through_views(const Graph& graph, ValueId id) {
  // From the outermost view inwards: element i of the view's axis k is element `offset[k'] + i * scale[k']` of an axis of
  // what lies below. `axis_of[k]` is -1 for a broadcast axis.
  const int rank = graph.spec(id).shape.rank();
  std::array<int, Shape::max_rank> axis_of{};
  std::array<std::int64_t, Shape::max_rank> scale{};
  for (int k = 0; k < rank; ++k) axis_of[static_cast<std::size_t>(k)] = k, scale[static_cast<std::size_t>(k)] = 1;
  std::array<std::int64_t, Shape::max_rank> start{};  // by axis of the current value
  while (true) {
    const Vertex& v = graph.vertices[static_cast<std::size_t>(id.vertex)];
    if (v.is_leaf()) break;
    if (const Permute* permute = v.op.as<Permute>()) {
      std::array<std::int64_t, Shape::max_rank> moved{};
      for (std::size_t k = 0; k < static_cast<std::size_t>(permute->rank); ++k) {
        moved[static_cast<std::size_t>(permute->order[k])] = start[k];
      }
      start = moved;
      for (int k = 0; k < rank; ++k) {
        int& axis = axis_of[static_cast<std::size_t>(k)];
        if (axis >= 0) axis = permute->order[static_cast<std::size_t>(axis)];
      }
    } else if (const Slice* slice = v.op.as<Slice>()) {
      const auto a = static_cast<std::size_t>(slice->axis);
      start[a] = slice->start + start[a] * slice->step;
      for (std::size_t k = 0; k < static_cast<std::size_t>(rank); ++k) {
        if (axis_of[k] == slice->axis) scale[k] *= slice->step;
      }
    } else if (v.op.as<BroadcastTo>()) {
      const Shape &from = graph.spec(v.inputs[0]).shape, &to = v.specs.front().shape;
      const int added = to.rank() - from.rank();
      std::array<std::int64_t, Shape::max_rank> moved{};
      for (int axis = added; axis < to.rank(); ++axis) {
        if (from[axis - added] == to[axis])
          moved[static_cast<std::size_t>(axis - added)] = start[static_cast<std::size_t>(axis)];
      }
      start = moved;
      for (int k = 0; k < rank; ++k) {
        int& axis = axis_of[static_cast<std::size_t>(k)];
        if (axis < 0) continue;
        axis = axis < added || from[axis - added] != to[axis] ? -1 : axis - added;
      }
    } else {
      break;
    }
    id = v.inputs[0];
  }
  Access access{id, {}, 0};
  const Shape& stored = graph.spec(id).shape;
  const auto dense = row_major_strides(stored);
  for (std::size_t k = 0; k < static_cast<std::size_t>(rank); ++k) {
    if (axis_of[k] >= 0) access.strides[k] = dense[static_cast<std::size_t>(axis_of[k])] * scale[k];
  }
  for (std::size_t a = 0; a < static_cast<std::size_t>(stored.rank()); ++a) access.offset += start[a] * dense[a];
  return access;
}

/// The constant that fills a value, seen through views.
const Constant* find_constant(const Graph& graph, ValueId id) {
  while (true) {
    const Vertex& v = graph.vertices[static_cast<std::size_t>(id.vertex)];
    if (const Constant* constant = v.op.as<Constant>()) return constant;
    if (v.is_leaf() || v.op.family() != OpFamily::view || v.inputs.size() != 1) return nullptr;
    id = v.inputs[0];
  }
}

/// What a region reads from outside and writes, while it grows from its last member upwards.
struct Growing {
  int instructions = 0;
  int outputs = 0;
  SmallVector<ValueId, 8> reads;

  /// What it would read if `v`, number `position` of the graph, joined.
  SmallVector<ValueId, 8> reads_with(const Graph& graph, const Vertex& v, std::int32_t position) const {
    SmallVector<ValueId, 8> result;
    for (const ValueId id : reads) {
      if (id.vertex != position) result.push_back(id);
    }
    for (const ValueId id : v.inputs) {
      if (std::find(result.begin(), result.end(), id) == result.end() && !find_constant(graph, id))
        result.push_back(id);
    }
    return result;
  }
};

/// Whether the next vertex rounds this one to bf16 and ends a region: that region can take this one, whoever else reads it.
bool is_narrowed_next(const Graph& graph, const std::vector<std::int32_t>& region, std::size_t i) {
  if (i + 1 == graph.vertices.size()) return false;
  const auto at = static_cast<std::int32_t>(i);
  const Vertex& next = graph.vertices[i + 1];
  const Cast* cast = next.op.as<Cast>();
  return cast && cast->to == DType::bf16 && next.inputs[0] == ValueId{at, 0} && region[i + 1] == at + 1;
}

/// Which region each pointwise vertex belongs to: the index of its last member, which is where the region will stand.
std::vector<std::int32_t> assign_regions(const Graph& graph, const FuseOptions& options) {
  const std::size_t n = graph.vertices.size();
  std::vector<std::int32_t> region(n, -1);
  std::vector<std::int32_t> common(n, -2);  // region of all consumers so far; -2 none yet, -1 several or no region
  std::vector<Growing> growing(n);
  std::vector<char> is_result(n, 0);
  for (const ValueId id : graph.results) is_result[static_cast<std::size_t>(id.vertex)] = 1;
  for (std::size_t i = n; i-- > 0;) {
    const Vertex& v = graph.vertices[i];
    if (!v.is_leaf() && is_pointwise(v)) {
      // One instruction, and one for each constant among its operands.
      const int cost = 1 + static_cast<int>(std::count_if(v.inputs.begin(), v.inputs.end(), [&](ValueId id) {
                         return find_constant(graph, id) != nullptr;
                       }));
      const auto position = static_cast<std::int32_t>(i);
      region[i] = position;
      const bool narrowed = is_narrowed_next(graph, region, i);
      if (const std::int32_t candidate = narrowed ? position + 1 : common[i]; candidate >= 0) {
        const auto c = static_cast<std::size_t>(candidate);
        const auto operands = growing[c].reads_with(graph, v, position).size();
        const bool joins =
            graph.vertices[c].specs.front().shape == v.specs.front().shape &&
            growing[c].instructions + cost <= options.max_instructions &&
            static_cast<int>(operands) + growing[c].outputs + (narrowed ? 1 : is_result[i]) <= options.max_operands;
        if (joins) region[i] = candidate;
      }
      Growing& joined = growing[static_cast<std::size_t>(region[i])];
      joined.reads = joined.reads_with(graph, v, position);
      joined.instructions += cost;
      joined.outputs += region[i] == position || narrowed ? 1 : is_result[i];
    }
    for (const ValueId id : v.inputs) {
      std::int32_t& seen = common[static_cast<std::size_t>(id.vertex)];
      seen = seen == -2 || seen == region[i] ? region[i] : -1;
    }
  }
  return region;
}

/// Writes the program of one region.
class RegionWriter {
 public:
  RegionWriter(const Graph& graph, const Shape& shape) : graph_(graph), shape_(shape) {}

  void add(std::size_t position, const Vertex& v) {
    RegionInstruction instruction;
    instruction.out = v.specs.front().dtype;
    if (const Elementwise* op = v.op.as<Elementwise>()) instruction.code = op->code;
    if (v.op.as<Cast>()) instruction.code = ElementwiseCode::cast;
    for (std::size_t i = 0; i < v.inputs.size(); ++i) instruction.args[i] = operand(v.inputs[i]);
    instruction.in = graph_.spec(v.inputs.back()).dtype;  // of where(): the branches, not the condition
    values_[key({static_cast<std::int32_t>(position), 0})] = push(instruction);
  }

  void mark_output(std::size_t position) {
    region_.outputs.push_back(values_.at(key({static_cast<std::int32_t>(position), 0})));
    region_.specs.push_back(graph_.vertices[position].specs.front());
  }

  /// The finished op; inputs() are its operands in the old graph.
  Region finish() {
    // Inputs were numbered from 0 and instructions from `first_instruction`, since the number of inputs was open.
    const auto inputs = static_cast<std::int32_t>(region_.inputs.size());
    const auto settle = [&](std::int32_t& value) {
      if (value >= first_instruction) value += inputs - first_instruction;
    };
    for (RegionInstruction& instruction : region_.instructions) {
      for (std::int32_t& arg : instruction.args) settle(arg);
    }
    for (std::int32_t& output : region_.outputs) settle(output);
    collapse_axes();
    return std::move(region_);
  }
  std::span<const ValueId> inputs() const { return inputs_; }

 private:
  static constexpr std::int32_t first_instruction = 1 << 20;

  static std::uint64_t key(ValueId id) {
    return static_cast<std::uint64_t>(id.vertex) << 32 | static_cast<std::uint32_t>(id.output);
  }

  std::int32_t push(const RegionInstruction& instruction) {
    region_.instructions.push_back(instruction);
    return first_instruction + static_cast<std::int32_t>(region_.instructions.size()) - 1;
  }

  std::int32_t operand(ValueId id) {
    if (const auto found = values_.find(key(id)); found != values_.end()) return found->second;
    std::int32_t value;
    if (const Constant* constant = find_constant(graph_, id)) {
      RegionInstruction instruction;
      instruction.code = ElementwiseCode::constant;
      instruction.in = instruction.out = constant->dtype;
      instruction.immediate = constant->value;
      value = push(instruction);
    } else {
      value = input(look_through_views(graph_, id));
    }
    return values_[key(id)] = value;
  }

  std::int32_t input(const Access& access) {
    const RegionInput wanted{graph_.spec(access.base).dtype, access.strides, access.offset};
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (inputs_[i] == access.base && region_.inputs[i] == wanted) return static_cast<std::int32_t>(i);
    }
    inputs_.push_back(access.base);
    region_.inputs.push_back(wanted);
    return static_cast<std::int32_t>(inputs_.size()) - 1;
  }

  /// Merges neighbouring axes that every input walks as one, so that inner loops get long.
  void collapse_axes() {
    Shape space;
    std::array<std::size_t, Shape::max_rank> from{};  // the innermost old axis of each new one
    const auto mergeable = [&](std::size_t outer, std::size_t inner) {
      return std::all_of(region_.inputs.begin(), region_.inputs.end(), [&](const RegionInput& in) {
        return in.strides[outer] == in.strides[inner] * shape_[static_cast<int>(inner)];
      });
    };
    for (int axis = 0; axis < shape_.rank(); ++axis) {
      if (shape_[axis] == 1) continue;
      const int last = space.rank() - 1;
      if (last >= 0 && mergeable(from[static_cast<std::size_t>(last)], static_cast<std::size_t>(axis))) {
        space.set(last, space[last] * shape_[axis]);
      } else {
        space.push_back(shape_[axis]);
      }
      from[static_cast<std::size_t>(space.rank() - 1)] = static_cast<std::size_t>(axis);
    }
    for (RegionInput& in : region_.inputs) {
      std::array<std::int64_t, Shape::max_rank> strides{};
      for (std::size_t axis = 0; axis < static_cast<std::size_t>(space.rank()); ++axis)
        strides[axis] = in.strides[from[axis]];
      in.strides = strides;
    }
    region_.space = space;
  }

  const Graph& graph_;
  Shape shape_;
  Region region_;
  std::vector<ValueId> inputs_;
  std::unordered_map<std::uint64_t, std::int32_t> values_;
};

/// Vertices whose value somebody outside their region reads.
std::vector<char> find_outputs(const Graph& graph, const std::vector<std::int32_t>& region) {
  std::vector<char> leaves_region(graph.vertices.size(), 0);
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    for (const ValueId id : graph.vertices[i].inputs) {
      const auto producer = static_cast<std::size_t>(id.vertex);
      if (region[producer] >= 0 && region[producer] != region[i]) leaves_region[producer] = 1;
    }
  }
  for (const ValueId id : graph.results) leaves_region[static_cast<std::size_t>(id.vertex)] = 1;
  return leaves_region;
}

/// Vertices that the fused graph still needs on their own: a view whose every reader looks through it is not among them.
std::vector<char> find_needed(const Graph& graph, const std::vector<std::int32_t>& region) {
  std::vector<char> needed(graph.vertices.size(), 0);
  for (const ValueId id : graph.results) needed[static_cast<std::size_t>(id.vertex)] = 1;
  for (std::size_t i = graph.vertices.size(); i-- > 0;) {
    const Vertex& v = graph.vertices[i];
    if (v.is_leaf()) needed[i] = 1;
    if (!needed[i]) continue;
    for (const ValueId id : v.inputs) {
      if (region[i] < 0) {
        needed[static_cast<std::size_t>(id.vertex)] = 1;
      } else if (!find_constant(graph, id)) {
        const bool inside = region[static_cast<std::size_t>(id.vertex)] == region[i];
        needed[static_cast<std::size_t>(inside ? id.vertex : look_through_views(graph, id).base.vertex)] = 1;
      }
    }
  }
  return needed;
}

}  // namespace

Graph fuse(const Graph& graph, const FuseOptions& options) {
  const std::vector<std::int32_t> region = assign_regions(graph, options);
  const std::vector<char> leaves_region = find_outputs(graph, region), needed = find_needed(graph, region);
  std::vector<std::vector<std::size_t>> members(graph.vertices.size());
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    if (region[i] >= 0 && needed[i]) members[static_cast<std::size_t>(region[i])].push_back(i);
  }
  Graph fused;
  std::vector<std::vector<ValueId>> moved(graph.vertices.size());
  const auto rename = [&](ValueId id) {
    return moved[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)];
  };
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    if (!needed[i] || (region[i] >= 0 && members[static_cast<std::size_t>(region[i])].back() != i)) continue;
    Vertex v = graph.vertices[i];
    const auto position = static_cast<std::int32_t>(fused.vertices.size());
    if (region[i] < 0) {
      for (ValueId& id : v.inputs) id = rename(id);
      for (std::size_t output = 0; output < v.specs.size(); ++output) {
        moved[i].push_back({position, static_cast<std::int32_t>(output)});
      }
    } else {
      RegionWriter writer(graph, v.specs.front().shape);
      v.specs.clear();
      for (const std::size_t member : members[static_cast<std::size_t>(region[i])]) {
        writer.add(member, graph.vertices[member]);
        if (!leaves_region[member]) continue;
        writer.mark_output(member);
        moved[member] = {{position, static_cast<std::int32_t>(v.specs.size())}};
        v.specs.push_back(graph.vertices[member].specs.front());
      }
      v.op = writer.finish();
      v.inputs.clear();
      for (const ValueId id : writer.inputs()) v.inputs.push_back(rename(id));
    }
    fused.vertices.push_back(std::move(v));
  }
  for (const ValueId id : graph.results) fused.results.push_back(rename(id));
  return fused;
}

}  // namespace gradus::transform
