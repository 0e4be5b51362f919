#include "gradus/transform/fuse.h"

#include <algorithm>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/region.h"
#include "gradus/ops/view.h"
#include "gradus/transform/fuse_reductions.h"

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

/// Whether computing an operation again costs no more than reading its result.
bool is_cheap(const Vertex& v) {
  const Elementwise* op = v.op.as<Elementwise>();
  if (!op) return v.op.as<Cast>() != nullptr;
  switch (op->code) {
    case ElementwiseCode::add:
    case ElementwiseCode::sub:
    case ElementwiseCode::mul:
    case ElementwiseCode::neg:
    case ElementwiseCode::square:
    case ElementwiseCode::abs:
    case ElementwiseCode::relu:
    case ElementwiseCode::maximum:
    case ElementwiseCode::minimum:
    case ElementwiseCode::equal:
    case ElementwiseCode::not_equal:
    case ElementwiseCode::less:
    case ElementwiseCode::less_equal:
    case ElementwiseCode::greater:
    case ElementwiseCode::greater_equal:
    case ElementwiseCode::where: return true;
    default: return false;
  }
}

/// Who reads a vertex.
struct Readers {
  SmallVector<std::int32_t, 4> regions;  ///< in which it can be an instruction
  const Reduce* reduction = nullptr;     ///< which will join a region that computes the vertex
  bool others = false;                   ///< need it in memory

  void add_region(std::int32_t region) {
    constexpr std::size_t most = 16;  // of regions that may compute it; a vertex that thousands read is stored
    if (others || std::find(regions.begin(), regions.end(), region) != regions.end()) return;
    regions.push_back(region);
    others = regions.size() > most;
  }
};

/// Who computes what.
struct Assignment {
  /// By vertex: the region that it is part of, named by the index of its last member, where it will stand; or -1.
  std::vector<std::int32_t> region;
  /// By vertex: every region that reads it computes it anew, from operands of its own.
  std::vector<char> repeated;
};

/// Goes through a graph from its end, so that the readers of a vertex are known when its turn comes.
class Assigner {
 public:
  Assigner(const Graph& graph, const FuseOptions& options)
      : graph_(graph),
        options_(options),
        readers_(graph.vertices.size()),
        growing_(graph.vertices.size()),
        is_result_(graph.vertices.size(), 0),
        chain_(graph.vertices.size(), 0) {
    assigned_.region.assign(graph.vertices.size(), -1);
    assigned_.repeated.assign(graph.vertices.size(), 0);
    for (const ValueId id : graph.results) is_result_[static_cast<std::size_t>(id.vertex)] = 1;
  }

  Assignment run() {
    for (std::size_t i = graph_.vertices.size(); i-- > 0;) {
      const Vertex& v = graph_.vertices[i];
      if (v.is_leaf()) continue;
      if (is_pointwise(v)) assign(i, v);
      for (const ValueId id : v.inputs) note_reader(id, i, v);
    }
    return std::move(assigned_);
  }

 private:
  void assign(std::size_t i, const Vertex& v) {
    const auto position = static_cast<std::int32_t>(i);
    const Readers& readers = readers_[i];
    std::int32_t& region = assigned_.region[i];
    if (is_narrowed_next(graph_, assigned_.region, i)) {
      region = fits(position + 1, i, v, 1) ? position + 1 : position;
      grow(region, i, v, 1);
      return;
    }
    const bool single = readers.regions.size() == 1 && !readers.others && !readers.reduction;
    if (single && fits(readers.regions[0], i, v, is_result_[i])) {
      region = readers.regions[0];
      grow(region, i, v, is_result_[i]);
      return;
    }
    if (is_repeatable(i, v)) {
      assigned_.repeated[i] = 1;
      for (const std::int32_t reader : readers.regions) grow(reader, i, v, 0);
      if (!readers.reduction) return;
    }
    region = position;
    grow(region, i, v, 1);
  }

  /// Whether the regions that read `v` should each compute it anew: that is cheap, `v` would be stored for nobody else, and they
  /// read no more memory for it than they would without.
  bool is_repeatable(std::size_t i, const Vertex& v) {
    constexpr int longest_chain = 4;
    const Readers& readers = readers_[i];
    const std::size_t uses = readers.regions.size() + (readers.reduction ? 1 : 0);
    if (!options_.repeat || uses < 2 || readers.others || is_result_[i] || !is_cheap(v) || chain_[i] >= longest_chain)
      return false;
    SmallVector<ValueId, 3> large;
    for (const ValueId id : v.inputs) {
      if (find_constant(graph_, id) || std::find(large.begin(), large.end(), id) != large.end()) continue;
      const ValueId base = look_through_views(graph_, id).base;
      if (2 * graph_.spec(base).shape.numel() > v.specs.front().shape.numel()) large.push_back(id);
    }
    return large.size() <= 1 && std::all_of(readers.regions.begin(), readers.regions.end(),
                                            [&](std::int32_t region) { return fits(region, i, v, 0); });
  }

  /// One instruction, and one for each constant among its operands.
  int cost(const Vertex& v) const {
    return 1 + static_cast<int>(std::count_if(v.inputs.begin(), v.inputs.end(),
                                              [&](ValueId id) { return find_constant(graph_, id) != nullptr; }));
  }

  bool fits(std::int32_t region, std::size_t i, const Vertex& v, int outputs) const {
    const Growing& growing = growing_[static_cast<std::size_t>(region)];
    const auto operands = growing.reads_with(graph_, v, static_cast<std::int32_t>(i)).size();
    return graph_.vertices[static_cast<std::size_t>(region)].specs.front().shape == v.specs.front().shape &&
           growing.instructions + cost(v) <= options_.max_instructions &&
           static_cast<int>(operands) + growing.outputs + outputs <= options_.max_operands;
  }

  void grow(std::int32_t region, std::size_t i, const Vertex& v, int outputs) {
    Growing& growing = growing_[static_cast<std::size_t>(region)];
    growing.reads = growing.reads_with(graph_, v, static_cast<std::int32_t>(i));
    growing.instructions += cost(v);
    growing.outputs += outputs;
  }

  void note_reader(ValueId id, std::size_t i, const Vertex& v) {
    const auto producer = static_cast<std::size_t>(id.vertex);
    Readers& readers = readers_[producer];
    const Reduce* reduce = is_joinable(graph_, v) ? v.op.as<Reduce>() : nullptr;
    if (reduce && (!readers.reduction || *readers.reduction == *reduce)) {
      readers.reduction = reduce;
      return;
    }
    if (assigned_.region[i] >= 0) readers.add_region(assigned_.region[i]);
    if (assigned_.repeated[i]) {
      for (const std::int32_t region : readers_[i].regions) readers.add_region(region);
      chain_[producer] = std::max(chain_[producer], chain_[i] + 1);
    } else if (assigned_.region[i] < 0) {
      readers.others = true;
    }
  }

  const Graph& graph_;
  const FuseOptions& options_;
  std::vector<Readers> readers_;
  std::vector<Growing> growing_;  // by region
  std::vector<char> is_result_;
  std::vector<int> chain_;  // repeated vertices in a row from here to the first that is not
  Assignment assigned_;
};

/// Writes the program of one region.
class RegionWriter {
 public:
  RegionWriter(const Graph& graph, const std::vector<char>& repeated, const Shape& shape)
      : graph_(graph), repeated_(repeated), shape_(shape) {}

  std::int32_t add(std::size_t position, const Vertex& v) {
    RegionInstruction instruction;
    instruction.out = v.specs.front().dtype;
    if (const Elementwise* op = v.op.as<Elementwise>()) instruction.code = op->code;
    if (v.op.as<Cast>()) instruction.code = ElementwiseCode::cast;
    for (std::size_t i = 0; i < v.inputs.size(); ++i) instruction.args[i] = operand(v.inputs[i]);
    instruction.in = graph_.spec(v.inputs.back()).dtype;  // of where(): the branches, not the condition
    return values_[key({static_cast<std::int32_t>(position), 0})] = push(instruction);
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
    } else if (const auto at = static_cast<std::size_t>(id.vertex); repeated_[at]) {
      return add(at, graph_.vertices[at]);
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
  const std::vector<char>& repeated_;
  Shape shape_;
  Region region_;
  std::vector<ValueId> inputs_;
  std::unordered_map<std::uint64_t, std::int32_t> values_;
};

/// Vertices whose value somebody outside their region reads from memory.
std::vector<char> find_outputs(const Graph& graph, const Assignment& assigned) {
  const std::vector<std::int32_t>& region = assigned.region;
  std::vector<char> leaves_region(graph.vertices.size(), 0);
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    for (const ValueId id : graph.vertices[i].inputs) {
      const auto producer = static_cast<std::size_t>(id.vertex);
      const bool computes_it = assigned.repeated[producer] && is_pointwise(graph.vertices[i]);
      if (region[producer] >= 0 && region[producer] != region[i] && !computes_it) leaves_region[producer] = 1;
    }
  }
  for (const ValueId id : graph.results) leaves_region[static_cast<std::size_t>(id.vertex)] = 1;
  return leaves_region;
}

/// Vertices that the fused graph still needs on their own: a view whose every reader looks through it is not among them, nor a
/// vertex that every reader computes.
class Needs {
 public:
  Needs(const Graph& graph, const Assignment& assigned)
      : graph_(graph), assigned_(assigned), needed_(graph.vertices.size(), 0) {}

  std::vector<char> find() {
    for (const ValueId id : graph_.results) need(id);
    for (std::size_t i = graph_.vertices.size(); i-- > 0;) {
      const Vertex& v = graph_.vertices[i];
      if (v.is_leaf()) needed_[i] = 1;
      if (!needed_[i]) continue;
      if (assigned_.region[i] >= 0) {
        need_operands(v, assigned_.region[i]);
      } else {
        for (const ValueId id : v.inputs) need(id);
      }
    }
    return std::move(needed_);
  }

 private:
  void need(ValueId id) { needed_[static_cast<std::size_t>(id.vertex)] = 1; }

  /// What the instruction `v` reads in `region`.
  void need_operands(const Vertex& v, std::int32_t region) {
    for (const ValueId id : v.inputs) {
      const auto at = static_cast<std::size_t>(id.vertex);
      if (find_constant(graph_, id)) continue;
      if (assigned_.region[at] == region) {
        need(id);
      } else if (assigned_.repeated[at]) {
        need_operands(graph_.vertices[at], region);
      } else {
        need(look_through_views(graph_, id).base);
      }
    }
  }

  const Graph& graph_;
  const Assignment& assigned_;
  std::vector<char> needed_;
};

}  // namespace

Graph fuse(const Graph& graph, const FuseOptions& options) {
  const Assignment assigned = Assigner(graph, options).run();
  const std::vector<std::int32_t>& region = assigned.region;
  const std::vector<char> leaves_region = find_outputs(graph, assigned), needed = Needs(graph, assigned).find();
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
      RegionWriter writer(graph, assigned.repeated, v.specs.front().shape);
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
