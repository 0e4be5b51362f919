#include "gradus/train/observer.h"

namespace gradus::train {
namespace {

template <class Call>
void each(const std::vector<Observer*>& observers, Call call) {
  for (Observer* observer : observers) {
    if (observer) call(*observer);
  }
}

}  // namespace

void ObserverList::on_train_begin(std::int64_t epoch, std::int64_t epochs) {
  each(observers_, [&](Observer& o) { o.on_train_begin(epoch, epochs); });
}
void ObserverList::on_epoch_begin(std::int64_t epoch) {
  each(observers_, [&](Observer& o) { o.on_epoch_begin(epoch); });
}
void ObserverList::on_step(const StepReport& report) {
  each(observers_, [&](Observer& o) { o.on_step(report); });
}
bool ObserverList::wants_stop(const EpochMetrics& metrics) {
  bool stop = false;
  each(observers_, [&](Observer& o) { stop = o.wants_stop(metrics) || stop; });
  return stop;
}
void ObserverList::on_epoch(const EpochMetrics& metrics, std::int64_t epochs) {
  each(observers_, [&](Observer& o) { o.on_epoch(metrics, epochs); });
}
void ObserverList::on_note(std::string_view text) {
  each(observers_, [&](Observer& o) { o.on_note(text); });
}
void ObserverList::on_train_end(bool finished) {
  each(observers_, [&](Observer& o) { o.on_train_end(finished); });
}

}  // namespace gradus::train
