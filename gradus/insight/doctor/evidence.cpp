#include "gradus/insight/doctor/evidence.h"

#include <algorithm>
#include <cmath>

#include "gradus/base/random.h"
#include "gradus/insight/doctor/measures.h"
#include "gradus/insight/instruments.h"

namespace gradus::insight::doctor {
namespace {

/// What is measured draws random numbers (dropout, initial weights); who asks for it does not notice.
class KeptRandomState {
 public:
  KeptRandomState() : state_(random_state()) {}
  ~KeptRandomState() { set_random_state(state_); }
  KeptRandomState(const KeptRandomState&) = delete;
  KeptRandomState& operator=(const KeptRandomState&) = delete;

 private:
  std::array<std::uint64_t, 2> state_;
};

constexpr std::int64_t rate_steps = 60;

RateEvidence::Point best(const std::vector<RateEvidence::Point>& points) {
  return *std::min_element(points.begin(), points.end(), [](auto a, auto b) { return a.loss < b.loss; });
}

}  // namespace

RateEvidence::Point RateEvidence::best_lower() const { return best(lower); }
RateEvidence::Point RateEvidence::best_higher() const { return best(higher); }

Evidence gather(const train::RunFolder& run) {
  const KeptRandomState kept;
  Evidence evidence;
  evidence.recipe = run.recipe();
  evidence.history = train::read_metrics(run.metrics_path());
  const train::Checkpoint last = run.checkpoint("last");
  evidence.loop = last.loop;
  evidence.finished = !evidence.history.empty() && evidence.history.back().test_loss.has_value();
  const auto [training, validation] = train::load_training_data(evidence.recipe);
  const detail::Parts parts{training, validation, train::load_data(evidence.recipe.data, data::Split::test)};
  evidence.data = detail::examine_data(parts);
  evidence.recorded = detail::examine_record(read_instruments(run.path()));
  if (!evidence.finished) evidence.failure = detail::repeat_step(evidence.recipe, last, parts.training);
  const bool failed = evidence.failure.has_value() || evidence.history.empty();
  evidence.final_loss = failed ? INFINITY : evidence.history.back().train_loss;
  if (!std::isfinite(evidence.final_loss)) evidence.final_loss = INFINITY;
  if (!failed && !std::isfinite(evidence.history.back().val_loss))
    evidence.failure = detail::examine_validation(evidence.recipe, last, parts.training, parts.validation);
  detail::examine_network(run, last, parts, evidence);
  evidence.rates = detail::examine_rates(evidence.recipe, parts.training, rate_steps);
  return evidence;
}

}  // namespace gradus::insight::doctor
