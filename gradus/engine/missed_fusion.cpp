#include "gradus/engine/missed_fusion.h"

#include <algorithm>
#include <optional>

#include "gradus/ops/region.h"
#include "gradus/ops/region_reduce.h"

namespace gradus::engine {
namespace {

const Region* region_of(const Step& step) {
  const RegionReduce* reduce = step.op.as<RegionReduce>();
  return reduce ? &reduce->region : step.op.as<Region>();
}
bool is_region(const Step& step) { return region_of(step) != nullptr; }

/// Whether output `o` holds an element for each point of the region, rather than a sum over some.
bool is_dense(const Step& step, std::size_t o) {
  const RegionReduce* reduce = step.op.as<RegionReduce>();
  return !reduce || o < static_cast<std::size_t>(reduce->dense);
}

}  // namespace

std::vector<MissedFusion> missed_fusions(const Plan& plan) {
  std::vector<MissedFusion> all;
  std::vector<std::optional<MissedFusion>> held(
      plan.storages.size());  // what lies in a storage now, if it is of this kind
  const auto points = [&](std::int32_t step) {
    return region_of(plan.steps[static_cast<std::size_t>(step)])->space.numel();
  };
  const auto release = [&](std::optional<MissedFusion>& value) {
    // A reader that repeats the value along an axis, as it does a mean, could not have computed it.
    if (value && std::any_of(value->readers.begin(), value->readers.end(),
                             [&](std::int32_t reader) { return points(reader) == points(value->writer); }))
      all.push_back(std::move(*value));
    value.reset();
  };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Step& step = plan.steps[s];
    for (const std::int32_t input : step.inputs) {
      std::optional<MissedFusion>& value = held[static_cast<std::size_t>(input)];
      if (value && is_region(step)) {
        if (value->readers.empty() || value->readers.back() != static_cast<std::int32_t>(s))
          value->readers.push_back(static_cast<std::int32_t>(s));
      } else {
        value.reset();  // somebody else needs it in memory
      }
    }
    for (std::size_t o = 0; o < step.outputs.size(); ++o) {
      const auto storage = static_cast<std::size_t>(step.outputs[o]);
      release(held[storage]);
      if (is_region(step) && is_dense(step, o)) {
        held[storage] =
            MissedFusion{static_cast<std::int32_t>(s), {}, static_cast<double>(step.output_specs[o].bytes())};
      }
    }
  }
  for (std::size_t i = 0; i < held.size(); ++i) {
    if (plan.storages[i].place == Place::arena) release(held[i]);  // what a result holds in the end was asked for
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return all;
}

}  // namespace gradus::engine
