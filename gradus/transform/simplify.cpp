#include "gradus/transform/simplify.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <unordered_map>

#include "gradus/base/error.h"
#include "gradus/ops/attach.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/view.h"
#include "gradus/transform/redirect.h"

namespace gradus::transform {
namespace {

/// Builds the new graph front to back; a rule sees a vertex whose inputs are already rewritten.
class Rewriter {
 public:
  const Vertex& vertex(ValueId id) const { return graph.vertices[static_cast<std::size_t>(id.vertex)]; }

  /// Adds a vertex, or finds the equal one that is there.
  std::int32_t add(Vertex v) {
    if (!v.is_leaf()) {
      std::uint64_t hash = v.op.hash();
      for (const ValueId id : v.inputs) {
        hash = hash_combine(hash, static_cast<std::uint64_t>(id.vertex) << 8 | static_cast<std::uint64_t>(id.output));
      }
      auto [begin, end] = index_.equal_range(hash);
      for (auto it = begin; it != end; ++it) {
        const Vertex& other = graph.vertices[static_cast<std::size_t>(it->second)];
        if (other.op == v.op && other.inputs == v.inputs) return it->second;
      }
      index_.emplace(hash, static_cast<std::int32_t>(graph.vertices.size()));
    }
    graph.vertices.push_back(std::move(v));
    return static_cast<std::int32_t>(graph.vertices.size()) - 1;
  }

  /// A vertex with another op and input, everything else as in `like`.
  ValueId replace(const Vertex& like, Op op, ValueId input) {
    Vertex v = like;
    v.op = std::move(op);
    v.inputs = {input};
    return {add(std::move(v)), 0};
  }

  Graph graph;

 private:
  std::unordered_multimap<std::uint64_t, std::int32_t> index_;
};

using Result = std::optional<ValueId>;

/// What is attached to a tensor is among the results of the graph, if anybody holds it.
Result drop_stop_gradient(Rewriter&, const Vertex& v) {
  return v.op.as<StopGradient>() || v.op.as<Attach>() ? Result(v.inputs[0]) : std::nullopt;
}

/// Casts, reshapes, broadcasts and permutations that change nothing.
Result drop_identity(Rewriter& rewriter, const Vertex& v) {
  const bool candidate = v.op.as<Cast>() || v.op.as<Reshape>() || v.op.as<BroadcastTo>() || v.op.as<Slice>();
  if (candidate && rewriter.graph.spec(v.inputs[0]) == v.specs.front()) return v.inputs[0];
  if (const Permute* permute = v.op.as<Permute>()) {
    for (int i = 0; i < permute->rank; ++i) {
      if (permute->order[static_cast<std::size_t>(i)] != i) return std::nullopt;
    }
    return v.inputs[0];
  }
  return std::nullopt;
}

/// The same kind of view twice is one view.
Result merge_views(Rewriter& rewriter, const Vertex& v) {
  if (v.inputs.size() != 1) return std::nullopt;
  const Vertex below = rewriter.vertex(v.inputs[0]);
  if (below.is_leaf()) return std::nullopt;
  if ((v.op.as<Reshape>() && below.op.as<Reshape>()) || (v.op.as<BroadcastTo>() && below.op.as<BroadcastTo>())) {
    if (rewriter.graph.spec(below.inputs[0]) == v.specs.front()) return below.inputs[0];
    return rewriter.replace(v, v.op, below.inputs[0]);
  }
  const Permute *outer = v.op.as<Permute>(), *inner = below.op.as<Permute>();
  if (!outer || !inner) return std::nullopt;
  Permute merged = *outer;
  bool identity = true;
  for (std::size_t i = 0; i < static_cast<std::size_t>(outer->rank); ++i) {
    merged.order[i] = inner->order[static_cast<std::size_t>(outer->order[i])];
    identity = identity && merged.order[i] == static_cast<int>(i);
  }
  return identity ? below.inputs[0] : rewriter.replace(v, merged, below.inputs[0]);
}

bool is_elementwise(const Vertex& v, ElementwiseCode code) {
  const Elementwise* op = v.op.as<Elementwise>();
  return op && op->code == code;
}

/// The number that fills a value, when that is known: a constant, seen through views.
std::optional<double> constant_value(const Rewriter& rewriter, ValueId id) {
  while (true) {
    const Vertex& v = rewriter.vertex(id);
    if (const Constant* constant = v.op.as<Constant>()) return constant->value;
    if (v.is_leaf() || v.op.family() != OpFamily::view || v.inputs.size() != 1) return std::nullopt;
    id = v.inputs[0];
  }
}

/// x * 1, x / 1 (exact; x + 0 is not: it turns -0 into 0).
Result multiply_by_one(Rewriter& rewriter, const Vertex& v) {
  const bool product = is_elementwise(v, ElementwiseCode::mul), quotient = is_elementwise(v, ElementwiseCode::div);
  if (!product && !quotient) return std::nullopt;
  if (constant_value(rewriter, v.inputs[1]) == 1.0) return v.inputs[0];
  if (product && constant_value(rewriter, v.inputs[0]) == 1.0) return v.inputs[1];
  return std::nullopt;
}

Result double_negation(Rewriter& rewriter, const Vertex& v) {
  if (!is_elementwise(v, ElementwiseCode::neg)) return std::nullopt;
  const Vertex& below = rewriter.vertex(v.inputs[0]);
  return is_elementwise(below, ElementwiseCode::neg) ? Result(below.inputs[0]) : std::nullopt;
}

using Rule = Result (*)(Rewriter&, const Vertex&);
constexpr std::array<std::string_view, 5> rule_names{"drop_stop_gradient", "drop_identity", "merge_views",
                                                     "multiply_by_one", "double_negation"};
constexpr std::array<Rule, 5> rules{drop_stop_gradient, drop_identity, merge_views, multiply_by_one, double_negation};

std::array<std::atomic<bool>, 5>& disabled() {
  static std::array<std::atomic<bool>, 5> flags{};
  return flags;
}

/// Removes vertices that no result needs. Leaves stay.
Graph remove_dead(const Graph& graph) {
  std::vector<char> needed(graph.vertices.size(), 0);
  for (const ValueId id : graph.results) needed[static_cast<std::size_t>(id.vertex)] = 1;
  for (std::size_t i = graph.vertices.size(); i-- > 0;) {
    if (graph.vertices[i].is_leaf()) needed[i] = 1;
    if (!needed[i]) continue;
    for (const ValueId id : graph.vertices[i].inputs) needed[static_cast<std::size_t>(id.vertex)] = 1;
  }
  Graph result;
  std::vector<std::int32_t> moved(graph.vertices.size(), -1);
  const auto rename = [&](ValueId id) { return ValueId{moved[static_cast<std::size_t>(id.vertex)], id.output}; };
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    if (!needed[i]) continue;
    moved[i] = static_cast<std::int32_t>(result.vertices.size());
    Vertex v = graph.vertices[i];
    for (ValueId& id : v.inputs) id = rename(id);
    result.vertices.push_back(std::move(v));
  }
  for (const ValueId id : graph.results) result.results.push_back(rename(id));
  return result;
}

}  // namespace

Graph simplify(const Graph& graph) {
  Rewriter rewriter;
  std::vector<std::vector<ValueId>> moved(graph.vertices.size());
  const auto rename = [&](ValueId id) {
    return moved[static_cast<std::size_t>(id.vertex)][static_cast<std::size_t>(id.output)];
  };
  for (std::size_t i = 0; i < graph.vertices.size(); ++i) {
    Vertex v = graph.vertices[i];
    for (ValueId& id : v.inputs) id = rename(id);
    if (const Redirect* redirect = v.op.as<Redirect>()) {  // says who differentiates, which is done
      for (std::size_t k = 0; k < static_cast<std::size_t>(redirect->outputs); ++k) moved[i].push_back(v.inputs[k]);
      continue;
    }
    Result replaced;
    for (std::size_t r = 0; r < rules.size() && !v.is_leaf() && !replaced; ++r) {
      if (!disabled()[r].load(std::memory_order_relaxed)) replaced = rules[r](rewriter, v);
    }
    if (replaced) {
      moved[i] = {*replaced};
      continue;
    }
    const std::size_t outputs = v.specs.size();
    const std::int32_t position = rewriter.add(std::move(v));
    for (std::size_t output = 0; output < outputs; ++output) {
      moved[i].push_back({position, static_cast<std::int32_t>(output)});
    }
  }
  for (const ValueId id : graph.results) rewriter.graph.results.push_back(rename(id));
  return remove_dead(rewriter.graph);
}

std::span<const std::string_view> simplify_rules() { return rule_names; }

void set_rule_enabled(std::string_view rule, bool enabled) {
  const auto found = std::find(rule_names.begin(), rule_names.end(), rule);
  if (found == rule_names.end()) {
    throw Error(ErrorKind::value, "set_rule_enabled", "no rule of that name").field("rule", std::string(rule));
  }
  disabled()[static_cast<std::size_t>(found - rule_names.begin())].store(!enabled, std::memory_order_relaxed);
}

}  // namespace gradus::transform
