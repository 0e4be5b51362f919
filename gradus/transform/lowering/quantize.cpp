#include "gradus/transform/lowering/quantize.h"

#include <map>
#include <utility>

#include "gradus/ops/matmul.h"
#include "gradus/ops/quantized/quantized.h"

namespace gradus::transform {
namespace {

constexpr std::int64_t least_inner = 32, least_outputs = 16;  // below, a scale costs more than it saves
constexpr std::int64_t most_inner = 1 << 16;  // 255 * 127 times as much still fits into the sums of 32 bits

class Quantization {
 public:
  explicit Quantization(const Graph& graph) : graph_(graph) {}

  Graph run() {
    for (const Vertex& old : graph_.vertices) {
      Vertex v = old;
      for (ValueId& id : v.inputs) id.vertex = moved_[static_cast<std::size_t>(id.vertex)];
      if (is_linear(old)) {
        v.op = QuantizedMatMul{graph_.spec(old.inputs[1]).shape[0]};
        v.inputs[1] = quantized(old.inputs[1]);
      }
      moved_.push_back(add(std::move(v)).vertex);
    }
    for (ValueId id : graph_.results) {
      id.vertex = moved_[static_cast<std::size_t>(id.vertex)];
      result_.results.push_back(id);
    }
    return std::move(result_);
  }

 private:
  const Vertex& vertex(ValueId id) const { return graph_.vertices[static_cast<std::size_t>(id.vertex)]; }

  bool is_linear(const Vertex& v) const {
    const MatMul* op = v.is_leaf() ? nullptr : v.op.as<MatMul>();
    if (!op || op->transpose_a || !op->transpose_b) return false;
    const TensorSpec &x = graph_.spec(v.inputs[0]), &w = graph_.spec(v.inputs[1]);
    const Vertex& leaf = vertex(v.inputs[1]);
    return x.dtype == DType::f32 && w.dtype == DType::f32 && is_quantised(w.shape) && leaf.is_leaf() &&
           !leaf.donatable && x.shape.numel() > 0;
  }

  ValueId add(Vertex v) {
    result_.vertices.push_back(std::move(v));
    return {static_cast<std::int32_t>(result_.vertices.size()) - 1, 0};
  }

  /// The quantised twin of a parameter, one for all its readers.
  ValueId quantized(ValueId weight) {
    const auto [place, fresh] = twins_.try_emplace({weight.vertex, weight.output});
    if (!fresh) return place->second;
    const Vertex& leaf = vertex(weight);
    Vertex twin;
    twin.op = QuantizeRows{};
    twin.inputs = {ValueId{moved_[static_cast<std::size_t>(weight.vertex)], weight.output}};
    twin.specs = twin.op.infer(std::span(&graph_.spec(weight), 1));
    twin.label = leaf.label;
    twin.source = leaf.source;
    return place->second = add(std::move(twin));
  }

  const Graph& graph_;
  std::vector<std::int32_t> moved_;                                 // by vertex
  std::map<std::pair<std::int32_t, std::int32_t>, ValueId> twins_;  // by vertex and output
  Graph result_;
};

}  // namespace

bool is_quantised(const Shape& weight) {
  return weight.rank() == 2 && weight[1] >= least_inner && weight[1] <= most_inner && weight[0] >= least_outputs;
}

Graph use_int8(const Graph& graph) { return Quantization(graph).run(); }

}  // namespace gradus::transform
