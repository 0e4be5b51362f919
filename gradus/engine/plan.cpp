#include "gradus/engine/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/engine/memory_limit.h"
#include "gradus/engine/memory_plan.h"
#include "gradus/engine/precision.h"
#include "gradus/ops/quantized/quantized.h"
#include "gradus/ops/region.h"
#include "gradus/ops/view.h"
#include "gradus/transform/fuse.h"
#include "gradus/transform/fuse_folded.h"
#include "gradus/transform/fuse_reductions.h"
#include "gradus/transform/layout.h"
#include "gradus/transform/lowering/precision.h"
#include "gradus/transform/lowering/quantize.h"
#include "gradus/transform/recompute.h"
#include "gradus/transform/redirect.h"
#include "gradus/transform/schedule.h"
#include "gradus/transform/simplify.h"

namespace gradus::engine {
namespace {

constexpr std::array<std::string_view, 10> pass_names{"simplify", "bf16",       "int8",     "layout",   "fuse",
                                                      "repeat",   "reductions", "schedule", "in_place", "donate"};

bool lowers_to(Precision precision, std::string_view pass) {
  return precision::current() == precision && is_pass_enabled(pass);
}

std::array<std::atomic<bool>, pass_names.size()>& disabled_passes() {
  static std::array<std::atomic<bool>, pass_names.size()> flags{};
  return flags;
}

std::size_t pass_index(std::string_view pass) {
  const auto found = std::find(pass_names.begin(), pass_names.end(), pass);
  if (found == pass_names.end()) {
    throw Error(ErrorKind::value, "set_pass_enabled", "no pass of that name")
        .field("pass", std::string(pass))
        .field("passes", fmt::format("{}", fmt::join(pass_names, ", ")));
  }
  return static_cast<std::size_t>(found - pass_names.begin());
}

void check([[maybe_unused]] const Graph& graph, [[maybe_unused]] const char* after) {
#ifndef NDEBUG
  if (const std::string defect = verify(graph); !defect.empty()) {
    std::fprintf(stderr, "after %s: %s\n%s", after, defect.c_str(), gradus::print(graph).c_str());
    assertion_failed("the graph verifies after every pass", __FILE__, __LINE__);
  }
#endif
}

/// Whether a vertex is nothing but a whole parameter in bf16 or int8, and the run leaves the parameter alone.
bool rounds_parameter(const Graph& graph, const Vertex& v) {
  if (v.op.as<QuantizeRows>()) return true;  // the pass asks for no others
  const Region* region = v.op.as<Region>();
  if (!region || v.inputs.size() != 1 || region->instructions.size() != 1 || v.specs.size() != 1) return false;
  const Vertex& leaf = graph.vertices[static_cast<std::size_t>(v.inputs[0].vertex)];
  const RegionInput& read = region->inputs.front();
  return region->instructions.front().code == ElementwiseCode::cast && v.specs.front().dtype == DType::bf16 &&
         leaf.is_leaf() && leaf.label && !leaf.donatable && leaf.specs.size() == 1 &&
         leaf.specs.front().dtype == DType::f32 && region->space == Shape{leaf.specs.front().shape.numel()} &&
         read.strides[0] == 1 && read.offset == 0;
}

Step make_step(const Graph& graph, const Vertex& v) {
  if (v.op.as<Placeholder>()) {
    throw Error(ErrorKind::state, "eval", "the elements of a tensor inside vmap() are not known while it records")
        .operand("example", v.specs.front())
        .hint("compute with tensor functions, where() in place of if; evaluate after vmap() returned");
  }
  Step step;
  step.op = v.op;
  step.label = v.label;
  step.source = v.source;
  step.keepable = rounds_parameter(graph, v);
  for (const ValueId id : v.inputs) step.input_specs.push_back(graph.spec(id));
  step.output_specs.assign(v.specs.begin(), v.specs.end());
  kernel::Choice choice = kernel::choose({step.op, step.input_specs, step.output_specs});
  step.kernel = std::move(choice.kernel);
  step.implementation = choice.implementation;
  return step;
}

std::string place_str(const Plan& plan, std::int32_t index) {
  const Storage& s = plan.storages[static_cast<std::size_t>(index)];
  switch (s.place) {
    case Place::leaf:
      return s.output == 0 ? fmt::format("leaf{}", s.index) : fmt::format("leaf{}.{}", s.index, s.output);
    case Place::arena: return fmt::format("arena+{}", s.offset);
    case Place::result: break;
  }
  return fmt::format("result{}", s.index);
}

}  // namespace

void set_pass_enabled(std::string_view pass, bool enabled) {
  disabled_passes()[pass_index(pass)].store(!enabled, std::memory_order_relaxed);
}

bool is_pass_enabled(std::string_view pass) {
  return !disabled_passes()[pass_index(pass)].load(std::memory_order_relaxed);
}

unsigned enabled_passes() {
  unsigned mask = 0;
  for (std::size_t i = 0; i < pass_names.size(); ++i) {
    if (!disabled_passes()[i].load(std::memory_order_relaxed)) mask |= 1u << i;
  }
  if (!lowers_to(Precision::bf16, "bf16")) mask &= ~(1u << pass_index("bf16"));
  if (!lowers_to(Precision::int8, "int8")) mask &= ~(1u << pass_index("int8"));
  return mask;
}

double Step::bytes() const {
  double total = 0;
  for (const TensorSpec& spec : input_specs) total += static_cast<double>(spec.bytes());
  for (const TensorSpec& spec : output_specs) total += static_cast<double>(spec.bytes());
  return total;
}

namespace {

/// The graph as it will run.
Graph lowered(const Graph& graph) {
  check(graph, "capture");
  Graph g = is_pass_enabled("simplify") ? transform::simplify(graph) : graph;
  check(g, "simplify");
  const bool channels_last = is_pass_enabled("layout") && transform::channels_last_pays(g);
  if (lowers_to(Precision::bf16, "bf16")) g = transform::use_bf16(g, channels_last);
  check(g, "bf16");
  if (lowers_to(Precision::int8, "int8")) g = transform::use_int8(g);
  check(g, "int8");
  if (channels_last) g = transform::use_channels_last(g);
  check(g, "layout");
  transform::FuseOptions options;
  if (!is_pass_enabled("fuse")) options.max_instructions = 1;
  options.repeat = is_pass_enabled("repeat");
  g = transform::fuse(g, options);
  check(g, "fuse");
  if (is_pass_enabled("reductions")) g = transform::fuse_reductions(transform::fuse_folded(g));
  check(g, "reductions");
  if (is_pass_enabled("schedule")) g = transform::schedule(g);
  check(g, "schedule");
  return g;
}

/// Kernels and places in memory.
Plan placed(const Graph& g) {
  Plan plan;
  std::vector<std::int32_t> step_of(g.vertices.size(), -1);
  for (std::size_t i = 0; i < g.vertices.size(); ++i) {
    const Vertex& v = g.vertices[i];
    // A reshape or a barrier is another name for its input's memory.
    if (v.is_leaf() || v.op.as<Reshape>() || v.op.as<Barrier>()) continue;
    step_of[i] = static_cast<std::int32_t>(plan.steps.size());
    plan.steps.push_back(make_step(g, v));
  }
  plan_memory(g, step_of, plan);
  return plan;
}

/// A plan that takes at most `limit` bytes. What the pass expects and what the plan takes differ (operands that become results,
/// gaps in the arena), so the pass is asked for less until the plan fits.
Plan placed_within(const Graph& g, std::size_t limit) {
  Plan plan = placed(g);
  std::size_t least = plan.bytes();
  std::size_t target = transform::recompute(g, std::numeric_limits<std::size_t>::max()).peak;
  constexpr int most_tries = 8;
  for (int tries = 0; plan.bytes() > limit && tries < most_tries; ++tries) {
    const std::size_t excess = plan.bytes() - limit;
    target = target > excess ? target - excess : 0;
    const transform::Recomputed smaller = transform::recompute(g, target);
    check(smaller.graph, "recompute");
    plan = placed(smaller.graph);
    plan.again = smaller.again;
    least = std::min(least, plan.bytes());
    if (smaller.peak > target) break;  // nothing is left to drop
  }
  if (plan.bytes() <= limit) return plan;
  throw Error(ErrorKind::state, "eval",
              fmt::format("this takes {:.1f} MB at least, and the limit is {:.1f} MB", static_cast<double>(least) / 1e6,
                          static_cast<double>(limit) / 1e6))
      .hint("raise the limit, or take smaller batches (and gather the gradients of several: train.accumulate)");
}

}  // namespace

Plan make_plan(const Graph& graph) {
  const Graph g = lowered(graph);
  const std::size_t limit = memory::limit();
  return limit == 0 ? placed(g) : placed_within(g, limit);
}

std::size_t Plan::bytes() const {
  std::size_t total = arena_bytes;
  for (const Storage& s : storages) total += s.place == Place::leaf ? s.bytes : 0;
  for (const ResultBuffer& buffer : result_buffers) total += buffer.donor < 0 ? buffer.bytes : 0;
  return total;
}

std::string Plan::print() const {
  std::string text;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    std::vector<std::string> in, out, specs;
    for (const std::int32_t input : step.inputs) in.push_back(place_str(*this, input));
    for (const std::int32_t output : step.outputs) out.push_back(place_str(*this, output));
    for (const TensorSpec& spec : step.output_specs) specs.push_back(spec.str());
    text += fmt::format("{}: {} [{}] {} <- {}   {}", i, step.op.name(), step.implementation, fmt::join(out, " "),
                        fmt::join(in, " "), fmt::join(specs, ", "));
    if (step.label) text += "   " + *step.label;
    text += '\n';
  }
  text += fmt::format("arena {} bytes, {} result buffers", arena_bytes, result_buffers.size());
  const auto donated =
      std::count_if(result_buffers.begin(), result_buffers.end(), [](const ResultBuffer& b) { return b.donor >= 0; });
  if (donated > 0) text += fmt::format(", {} of them donated by leaves", donated);
  if (again > 0) text += fmt::format(", {} steps computed again to save memory", again);
  return text + "\n";
}

}  // namespace gradus::engine
