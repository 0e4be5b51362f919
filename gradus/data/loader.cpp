#include "gradus/data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/base/random.h"

namespace gradus::data {
namespace {

std::int64_t batches_of(std::int64_t examples, const LoaderOptions& options) {
  const bool partial = examples % options.batch_size != 0 && !options.drop_last;
  return examples / options.batch_size + (partial ? 1 : 0);
}

/// Rows of one epoch.
std::int64_t rows_of_epoch(std::int64_t examples, const LoaderOptions& options) {
  return options.sampler.rows ? options.sampler.size : examples;
}

std::vector<std::int64_t> sampled(std::int64_t examples, const LoaderOptions& options, Key key) {
  std::vector<std::int64_t> rows = options.sampler.rows(key);
  if (static_cast<std::int64_t>(rows.size()) != options.sampler.size) {
    throw Error(ErrorKind::value, "loader", "the sampler gave another number of rows than it announced")
        .field("size", fmt::format("{}", options.sampler.size))
        .field("rows", fmt::format("{}", rows.size()));
  }
  for (const std::int64_t row : rows) {
    if (row >= 0 && row < examples) continue;
    throw Error(ErrorKind::index, "loader", fmt::format("the sampler gave row {} of {} examples", row, examples))
        .hint("was it made for another data set?");
  }
  return rows;
}

std::vector<std::int64_t> row_order(std::int64_t examples, const LoaderOptions& options) {
  const Key key = Key{options.seed}.fold(static_cast<std::uint64_t>(options.epoch));
  if (options.sampler.rows) return sampled(examples, options, key);
  if (options.shuffle) return random_permutation(examples, key);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(examples));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

LoaderState state_of(std::int64_t examples, const LoaderOptions& options) {
  return {options.seed,       options.epoch,   options.skip_batches, rows_of_epoch(examples, options),
          options.batch_size, options.shuffle, options.drop_last};
}

Error too_large(std::int64_t batch_size, std::int64_t examples) {
  return Error(ErrorKind::value, "loader", "the batch is larger than the data set")
      .field("batch_size", fmt::format("{}", batch_size))
      .field("examples", fmt::format("{}", examples))
      .hint(examples > 0 ? fmt::format("choose a batch_size of at most {}", examples) : "the data set is empty");
}

void check_options(std::int64_t examples, const LoaderOptions& options) {
  constexpr int most_workers = 1024;
  const auto refuse = [](const char* name, std::int64_t value, std::string expected) {
    throw Error(ErrorKind::value, "loader", fmt::format("{} is {}", name, value))
        .field("expected", std::move(expected));
  };
  if (options.batch_size <= 0) refuse("batch_size", options.batch_size, "1 or more");
  if (options.workers < 0 || options.workers > most_workers) {
    refuse("workers", options.workers, fmt::format("0 (no threads) to {}", most_workers));
  }
  if (options.prefetch <= 0) refuse("prefetch", options.prefetch, "1 or more batches per worker");
  if (options.epoch < 0) refuse("epoch", options.epoch, "0 or more");
  if (examples <= 0) throw Error(ErrorKind::value, "loader", "the data set is empty");
  if (options.sampler.rows && options.shuffle) {
    throw Error(ErrorKind::value, "loader", "both shuffle and a sampler")
        .hint("the sampler decides the order: leave shuffle off");
  }
  const std::int64_t rows = rows_of_epoch(examples, options);
  if (rows <= 0) throw Error(ErrorKind::value, "loader", "the sampler gives no rows");
  if (options.expected_rows != 0 && options.expected_rows != rows) {
    throw Error(ErrorKind::state, "loader", "the state is of another data set")
        .field("rows then", fmt::format("{}", options.expected_rows))
        .field("rows now", fmt::format("{}", rows));
  }
  const std::int64_t batches = batches_of(rows, options);
  if (batches == 0) throw too_large(options.batch_size, rows).note("drop_last leaves no batch at all");
  if (options.skip_batches < 0 || options.skip_batches > batches) {
    refuse("skip_batches", options.skip_batches, fmt::format("0 to {}, the batches of the epoch", batches));
  }
}

}  // namespace

namespace detail {

/// One run over the batches. The consumer takes batch number `taken_`; workers claim the next number while fewer than
/// `slots_.size()` batches are claimed and not taken, so batch b has slot b modulo that size to itself.
class LoaderPass {
 public:
  LoaderPass(std::int64_t examples, Fetch fetch, const LoaderOptions& options)
      : fetch_(std::move(fetch)),
        batch_size_(options.batch_size),
        state_(state_of(examples, options)),
        rows_(row_order(examples, options)),
        end_(batches_of(state_.rows, options)),
        claimed_(options.skip_batches),
        taken_(options.skip_batches) {
    const auto workers = static_cast<std::size_t>(std::min<std::int64_t>(options.workers, end_ - taken_));
    const std::size_t ahead = workers * static_cast<std::size_t>(options.prefetch);
    slots_.resize(std::min(ahead, static_cast<std::size_t>(end_ - taken_)));
    start(workers);
  }
  ~LoaderPass() { stop(); }
  LoaderPass(const LoaderPass&) = delete;
  LoaderPass& operator=(const LoaderPass&) = delete;

  void next() {
    current_ = {};
    if (taken_ == end_) {
      done_ = true;
      return;
    }
    done_ = true;  // unless the batch can be had
    current_ = workers_.empty() ? fetch_(rows_of(taken_++)) : take();
    done_ = false;
  }
  bool done() const { return done_; }
  const Batch& current() const { return current_; }
  LoaderState state() {
    const std::lock_guard lock(mutex_);
    LoaderState state = state_;
    state.batch = taken_;
    return state;
  }

 private:
  struct Slot {
    bool filled = false;
    Batch batch;
    std::exception_ptr error;
  };

  std::span<const std::int64_t> rows_of(std::int64_t batch) const {
    const std::int64_t first = batch * batch_size_;
    const std::int64_t count = std::min(batch_size_, static_cast<std::int64_t>(rows_.size()) - first);
    return std::span(rows_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  }
  Slot& slot_of(std::int64_t batch) { return slots_[static_cast<std::size_t>(batch) % slots_.size()]; }

  void start(std::size_t workers) {
    try {
      for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      stop();
      throw Error(ErrorKind::io, "loader", fmt::format("cannot start worker {}: {}", workers_.size(), error.what()));
    } catch (...) {
      stop();
      throw;
    }
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& worker : workers_) worker.join();
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto room = [this] { return claimed_ - taken_ < static_cast<std::int64_t>(slots_.size()); };
      room_.wait(lock, [&] { return stopping_ || claimed_ == end_ || room(); });
      if (stopping_ || claimed_ == end_) return;
      const std::int64_t batch = claimed_++;
      lock.unlock();
      Slot result;
      try {
        result.batch = fetch_(rows_of(batch));
      } catch (...) {
        result.error = std::current_exception();
      }
      result.filled = true;
      lock.lock();
      slot_of(batch) = std::move(result);
      if (batch == taken_) ready_.notify_one();
    }
  }

  Batch take() {
    Slot result;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return slot_of(taken_).filled; });
      result = std::exchange(slot_of(taken_), Slot{});
      ++taken_;
    }
    room_.notify_one();
    if (result.error) std::rethrow_exception(result.error);
    return std::move(result.batch);
  }

  const Fetch fetch_;
  const std::int64_t batch_size_;
  const LoaderState state_;  ///< at the start of the pass
  const std::vector<std::int64_t> rows_;
  const std::int64_t end_;
  Batch current_;
  bool done_ = false;

  std::mutex mutex_;  // guards what follows, workers_ excepted
  std::condition_variable room_, ready_;
  std::int64_t claimed_, taken_;
  bool stopping_ = false;
  std::vector<Slot> slots_;
  std::vector<std::thread> workers_;
};

}  // namespace detail

std::int64_t Loader::size() const {
  return batches_of(rows_of_epoch(examples_, options_), options_) - options_.skip_batches;
}

LoaderState Loader::state() const { return state_of(examples_, options_); }
LoaderState Loader::Iterator::state() const { return pass_->state(); }

Loader::Iterator Loader::begin() const {
  Iterator first(std::make_shared<detail::LoaderPass>(examples_, fetch_, options_));
  return ++first;
}

const Batch& Loader::Iterator::operator*() const { return pass_->current(); }
Loader::Iterator& Loader::Iterator::operator++() {
  pass_->next();
  return *this;
}
bool Loader::Iterator::done() const { return pass_->done(); }

Loader loader(std::int64_t examples, Fetch fetch, const LoaderOptions& options, SourceLocation where) {
  try {
    check_options(examples, options);
  } catch (Error& error) {
    throw error.at(where);
  }
  return Loader(examples, std::move(fetch), options);
}

Loader loader(const View& view, const LoaderOptions& options, SourceLocation where) {
  return loader(view.size, view.fetch, options, where);
}

Loader loader(const Dataset& dataset, const LoaderOptions& options, SourceLocation where) {
  const Fetch fetch = [dataset](std::span<const std::int64_t> rows) { return dataset.batch(rows); };
  try {
    return loader(dataset.size(), fetch, options, where);
  } catch (Error& error) {
    throw error.context(dataset.name());
  }
}

LoaderOptions resumed(LoaderOptions options, const LoaderState& state, SourceLocation where) {
  const auto same = [&](const char* name, auto then, auto now) {
    if (then == now) return;
    throw Error(ErrorKind::state, "resumed", fmt::format("{} is {}, and was {}", name, now, then))
        .at(where)
        .hint("an epoch goes on only as it began");
  };
  same("batch_size", state.batch_size, options.batch_size);
  same("shuffle", state.shuffle, options.shuffle);
  same("drop_last", state.drop_last, options.drop_last);
  options.seed = state.seed;
  options.epoch = state.epoch;
  options.skip_batches = state.batch;
  options.expected_rows = state.rows;
  return options;
}

Tensor to_tensor(const LoaderState& s) {
  std::int64_t seed;
  std::memcpy(&seed, &s.seed, sizeof seed);
  const std::array<std::int64_t, 7> values = {seed, s.epoch, s.batch, s.rows, s.batch_size, s.shuffle, s.drop_last};
  return leaf<std::int64_t>({7}, std::span<const std::int64_t>(values));
}

LoaderState loader_state(const Tensor& tensor) {
  const TensorSpec expected{DType::i64, {7}};
  if (tensor.spec() != expected) {
    const bool type = tensor.dtype() != DType::i64;
    throw Error(type ? ErrorKind::dtype : ErrorKind::shape, "loader_state")
        .operand("tensor", tensor.spec(), "expected i64 [7]");
  }
  const auto v = tensor.data<std::int64_t>();
  const auto flag = [](std::int64_t value) { return value == 0 || value == 1; };
  if (v[1] < 0 || v[2] < 0 || v[3] < 1 || v[4] < 1 || !flag(v[5]) || !flag(v[6])) {
    throw Error(ErrorKind::value, "loader_state", "these are not the numbers of a loader's state")
        .field("found", fmt::format("{}", fmt::join(v, ", ")))
        .field("order", "seed, epoch, batch, rows, batch_size, shuffle, drop_last");
  }
  LoaderState state{0, v[1], v[2], v[3], v[4], v[5] != 0, v[6] != 0};
  std::memcpy(&state.seed, &v[0], sizeof state.seed);
  return state;
}

void check_batch_size(const Dataset& dataset, std::int64_t batch_size, SourceLocation where) {
  if (batch_size <= 0) {
    throw Error(ErrorKind::value, "loader", fmt::format("batch_size is {}", batch_size))
        .context(dataset.name())
        .at(where)
        .field("expected", "1 or more");
  }
  if (batch_size > dataset.size()) throw too_large(batch_size, dataset.size()).context(dataset.name()).at(where);
}

}  // namespace gradus::data
