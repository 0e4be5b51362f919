#include "gradus/transform/recompute.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "gradus/ops/region.h"
#include "gradus/ops/view.h"
#include "gradus/transform/redirect.h"

namespace gradus::transform {
namespace {

/// Seconds that a vertex takes, up to a factor: bytes that it moves, and more where it does more than move them.
double cost(const Graph& graph, const Vertex& v) {
  double bytes = 0;
  for (const TensorSpec& spec : v.specs) bytes += static_cast<double>(spec.bytes());
  for (const ValueId id : v.inputs) bytes += static_cast<double>(graph.spec(id).bytes());
  constexpr double heavy = 20, unknown = 5;
  if (v.op.family() == OpFamily::contraction) return heavy * bytes;
  return v.op.family() == OpFamily::opaque ? unknown * bytes : bytes;
}

bool is_alias(const Vertex& v) { return v.op.as<Reshape>() || v.op.as<Barrier>(); }

/// Where a value is made and read, as positions in the order of execution.
struct Life {
  std::int32_t made = -1;
  std::vector<std::int32_t> reads;  // ascending
  bool is_result = false;

  std::int32_t end(std::int32_t last) const { return is_result ? last : reads.empty() ? made : reads.back(); }
};

/// A value to drop, and to compute again at position `at`.
struct Choice {
  ValueId value;
  std::int32_t at = 0;
  std::vector<std::int32_t> vertices;  ///< that are computed again for it, in order; the last one is its own
  double worth = 0;
};

class Recomputing {
 public:
  explicit Recomputing(const Graph& graph) : graph_(graph) {
    for (std::size_t i = 0; i < graph.vertices.size(); ++i) order_.push_back(static_cast<std::int32_t>(i));
  }

  Recomputed run(std::size_t limit) {
    const std::size_t most = graph_.vertices.size();
    Recomputed best{{}, std::numeric_limits<std::size_t>::max(), 0};
    for (int again = 0;; ++again) {
      find_lives();
      const std::int32_t peak = find_peak();
      const auto bytes_at_peak = static_cast<std::size_t>(alive_[at(peak)]);
      if (bytes_at_peak < best.peak) best = {in_order(), bytes_at_peak, again};
      if (best.peak <= limit || static_cast<std::size_t>(again) >= most) return best;
      const std::optional<Choice> choice = choose(peak);
      if (!choice) return best;
      compute_again(*choice);
    }
  }

 private:
  static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
  const Vertex& vertex(ValueId id) const { return graph_.vertices[at(id.vertex)]; }

  /// The value whose memory `id` is another name of.
  ValueId root(ValueId id) const {
    while (is_alias(vertex(id))) id = vertex(id).inputs[0];
    return id;
  }
  Life& life(ValueId id) { return lives_[at(id.vertex)][at(id.output)]; }
  std::int64_t bytes(ValueId id) const { return static_cast<std::int64_t>(graph_.spec(id).bytes()); }

  void find_lives() {
    lives_.assign(graph_.vertices.size(), {});
    for (std::size_t i = 0; i < lives_.size(); ++i) lives_[i].resize(graph_.vertices[i].specs.size());
    for (std::size_t position = 0; position < order_.size(); ++position) {
      const Vertex& v = graph_.vertices[at(order_[position])];
      for (Life& made : lives_[at(order_[position])]) made.made = static_cast<std::int32_t>(position);
      if (v.is_leaf() || is_alias(v)) continue;
      for (const ValueId id : v.inputs) {
        std::vector<std::int32_t>& reads = life(root(id)).reads;
        if (reads.empty() || reads.back() != static_cast<std::int32_t>(position))
          reads.push_back(static_cast<std::int32_t>(position));
      }
    }
    for (const ValueId id : graph_.results) life(root(id)).is_result = true;
  }

  std::int32_t find_peak() {
    const auto last = static_cast<std::int32_t>(order_.size()) - 1;
    alive_.assign(order_.size() + 1, 0);
    for (std::size_t i = 0; i < lives_.size(); ++i) {
      const Vertex& v = graph_.vertices[i];
      if (v.is_leaf() || is_alias(v)) continue;
      for (std::size_t o = 0; o < lives_[i].size(); ++o) {
        const std::int64_t size = bytes({static_cast<std::int32_t>(i), static_cast<std::int32_t>(o)});
        alive_[at(lives_[i][o].made)] += size;
        alive_[at(lives_[i][o].end(last)) + 1] -= size;
      }
    }
    for (std::size_t p = 1; p < alive_.size(); ++p) alive_[p] += alive_[p - 1];
    return static_cast<std::int32_t>(std::max_element(alive_.begin(), alive_.end()) - alive_.begin());
  }

  /// The value that lies idle at `peak` and frees most for the work of computing it again.
  std::optional<Choice> choose(std::int32_t peak) {
    std::optional<Choice> best;
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(lives_.size()); ++i) {
      const Vertex& v = graph_.vertices[at(i)];
      if (v.is_leaf() || is_alias(v)) continue;
      for (std::int32_t o = 0; o < static_cast<std::int32_t>(v.specs.size()); ++o) {
        const ValueId id{i, o};
        const Life& idle = life(id);
        const auto next = std::lower_bound(idle.reads.begin(), idle.reads.end(), peak);
        if (idle.is_result || idle.made >= peak || next == idle.reads.end() || *next == peak) continue;
        Choice choice{id, *next, {}, 0};
        double work = 1, kept = 0;
        if (!collect(i, peak, *next, choice.vertices, 1, work, kept)) continue;
        const double freed = static_cast<double>(bytes(id)) * (*next - peak) - kept;
        choice.worth = freed / work;
        if (freed > 0 && (!best || choice.worth > best->worth)) best = std::move(choice);
      }
    }
    return best;
  }

  /// What has to be computed to have vertex `i` at position `next`, from what is alive at `peak`. Adds up the work, and the
  /// memory, bytes times positions, of operands that have to be kept for it. False for too much: more than 24 vertices, of
  /// which `open` are those that wait for `i`, and `i`.
  bool collect(std::int32_t i, std::int32_t peak, std::int32_t next, std::vector<std::int32_t>& vertices,
               std::size_t open, double& work, double& kept) {
    if (std::find(vertices.begin(), vertices.end(), i) != vertices.end()) return true;
    if (vertices.size() + open > 24) return false;
    for (const ValueId id : graph_.vertices[at(i)].inputs) {
      const ValueId operand = root(id);
      const Life& other = life(operand);
      const bool there = other.made < peak && (other.is_result || (!other.reads.empty() && other.reads.back() >= peak));
      if (vertex(operand).is_leaf()) continue;
      if (!there) {
        if (!collect(operand.vertex, peak, next, vertices, open + 1, work, kept)) return false;
      } else if (!other.is_result && other.reads.back() < next) {
        kept += static_cast<double>(bytes(operand)) * (next - other.reads.back());
      }
    }
    vertices.push_back(i);
    work += cost(graph_, graph_.vertices[at(i)]);
    return true;
  }

  std::int32_t add(Vertex v) {
    graph_.vertices.push_back(std::move(v));
    return static_cast<std::int32_t>(graph_.vertices.size()) - 1;
  }

  void compute_again(const Choice& choice) {
    std::vector<std::int32_t> inserted, copies;  // copies[k]: of choice.vertices[k]
    for (const std::int32_t i : choice.vertices) {
      Vertex copy = graph_.vertices[at(i)];
      for (ValueId& id : copy.inputs) {
        const ValueId operand = root(id);
        const auto found = std::find(choice.vertices.begin(), choice.vertices.end(), operand.vertex);
        const auto k = static_cast<std::size_t>(found - choice.vertices.begin());
        if (k < copies.size()) id = renamed(id, operand, {copies[k], operand.output}, inserted);
      }
      if (i == choice.value.vertex) keep_output(copy, choice.value.output);
      copies.push_back(add(std::move(copy)));
      inserted.push_back(copies.back());
    }
    const bool only = graph_.vertices[at(copies.back())].specs.size() == 1;
    const ValueId again{copies.back(), only ? 0 : choice.value.output};
    for (std::size_t position = at(choice.at); position < order_.size(); ++position) {
      const std::int32_t reader = order_[position];
      if (is_alias(graph_.vertices[at(reader)])) continue;
      for (std::size_t k = 0; k < graph_.vertices[at(reader)].inputs.size(); ++k) {
        const ValueId read = graph_.vertices[at(reader)].inputs[k];
        if (root(read) == choice.value)
          graph_.vertices[at(reader)].inputs[k] = renamed(read, choice.value, again, inserted);
      }
    }
    order_.insert(order_.begin() + choice.at, inserted.begin(), inserted.end());
  }

  /// Of a region with several results, the one that is wanted.
  static void keep_output(Vertex& v, std::int32_t output) {
    const Region* region = v.op.as<Region>();
    if (!region || region->outputs.size() == 1) return;
    Region one = *region;
    one.outputs = {region->outputs[at(output)]};
    one.specs = {region->specs[at(output)]};
    v.specs = {region->specs[at(output)]};
    v.op = std::move(one);
  }

  /// `read`, which is another name of `old`, as a name of `again`.
  ValueId renamed(ValueId read, ValueId old, ValueId again, std::vector<std::int32_t>& inserted) {
    std::vector<ValueId> names;
    for (; read != old; read = vertex(read).inputs[0]) names.push_back(read);
    for (; !names.empty(); names.pop_back()) {
      Vertex name = vertex(names.back());
      name.inputs[0] = again;
      inserted.push_back(add(std::move(name)));
      again = {inserted.back(), 0};
    }
    return again;
  }

  /// The vertices in the order of execution.
  Graph in_order() const {
    Graph result;
    std::vector<std::int32_t> moved(graph_.vertices.size(), -1);
    for (const std::int32_t i : order_) {
      moved[at(i)] = static_cast<std::int32_t>(result.vertices.size());
      Vertex v = graph_.vertices[at(i)];
      for (ValueId& id : v.inputs) id.vertex = moved[at(id.vertex)];
      result.vertices.push_back(std::move(v));
    }
    for (const ValueId id : graph_.results) result.results.push_back({moved[at(id.vertex)], id.output});
    return result;
  }

  Graph graph_;  // vertices that are computed again stand at its end
  std::vector<std::int32_t> order_;
  std::vector<std::vector<Life>> lives_;  // by vertex and output
  std::vector<std::int64_t> alive_;       // by position
};

}  // namespace

Recomputed recompute(const Graph& graph, std::size_t limit) { return Recomputing(graph).run(limit); }

}  // namespace gradus::transform
