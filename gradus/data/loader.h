// Batches of a data set, in order or shuffled, prepared by worker threads.
#pragma once

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "gradus/data/dataset.h"
#include "gradus/data/split/sampler.h"
#include "gradus/data/view.h"

namespace gradus::data {

struct LoaderOptions {
  std::int64_t batch_size = 1;
  /// A new order of the rows in each epoch: the permutation of Key(seed).fold(epoch).
  bool shuffle = false;
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  /// Leaves out a last batch that is smaller than the others.
  bool drop_last = false;
  /// Threads that prepare batches; 0: the calling thread, when it asks for one.
  int workers = 0;
  /// Batches that each worker prepares ahead.
  int prefetch = 2;
  /// Batches to leave out at the start of the epoch: where an interrupted epoch goes on.
  std::int64_t skip_batches = 0;
  /// Rows that the epoch of an interrupted run had (see resumed); 0: any.
  std::int64_t expected_rows = 0;
  /// Which rows an epoch has and in which order, in place of all of them: weighted_sampler, balanced_sampler,
  /// stratified_sampler or one's own. It gets Key(seed).fold(epoch); `shuffle` then has to be off.
  Sampler sampler = {};
};

/// Where a loop over batches is: all that is needed to go on with the next batch, bit for bit, for any number of workers.
///
///   auto batches = data::loader(train, options);
///   for (auto it = batches.begin(); it != batches.end(); ++it) {
///     train_step(*it);
///     if (time_to_save) tensors.emplace_back("loader", data::to_tensor(it.state()));
///   }
///   // later:
///   auto rest = data::loader(train, data::resumed(options, data::loader_state(saved)));
struct LoaderState {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::int64_t batch = 0;       ///< batches that were taken in the epoch
  std::int64_t rows = 0;        ///< of the epoch; another data set is refused
  std::int64_t batch_size = 0;  ///< another one is refused, too
  bool shuffle = false, drop_last = false;

  friend bool operator==(const LoaderState&, const LoaderState&) = default;
};

/// i64 [7], for a checkpoint.
Tensor to_tensor(const LoaderState& state);
/// The same read back. Throws Error(dtype), Error(shape), or Error(value) for numbers that no state has.
LoaderState loader_state(const Tensor& tensor);

namespace detail {
class LoaderPass;
}

/// One epoch as a range of batches. Same options, same batches, bit for bit, for any number of workers.
///
///   for (auto [images, labels] : data::loader(train, {.batch_size = 64, .shuffle = true})) { ... }
///
/// An exception in a worker reaches the loop at the batch where it belongs. Leaving the loop early stops the workers.
class Loader {
 public:
  class Iterator;

  /// Batches that an iteration gives.
  std::int64_t size() const;
  /// Each begin() starts a pass of its own.
  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }
  /// Before the first batch of this pass.
  LoaderState state() const;

 private:
  friend Loader loader(std::int64_t, Fetch, const LoaderOptions&, SourceLocation);
  Loader(std::int64_t examples, Fetch fetch, const LoaderOptions& options)
      : examples_(examples), fetch_(std::move(fetch)), options_(options) {}

  std::int64_t examples_;
  Fetch fetch_;
  LoaderOptions options_;
};

/// Copies of an iterator share the pass.
class Loader::Iterator {
 public:
  using value_type = Batch;
  using difference_type = std::ptrdiff_t;

  const Batch& operator*() const;
  const Batch* operator->() const { return &**this; }
  Iterator& operator++();
  void operator++(int) { ++*this; }
  /// The state behind the current batch: a loader resumed with it begins with the next one.
  LoaderState state() const;
  friend bool operator==(const Iterator& it, std::default_sentinel_t) { return it.done(); }

 private:
  friend class Loader;
  explicit Iterator(std::shared_ptr<detail::LoaderPass> pass) : pass_(std::move(pass)) {}
  bool done() const;

  std::shared_ptr<detail::LoaderPass> pass_;
};

/// `options` at the place of `state`: seed, epoch and batches done are the state's. A batch_size, shuffle or drop_last that
/// differ from the state's are refused with Error(state) here, another number of rows when the loader is made.
LoaderOptions resumed(LoaderOptions options, const LoaderState& state,
                      SourceLocation where = SourceLocation::current());

/// Throws Error(value) unless batch_size > 0, workers >= 0, prefetch > 0, epoch and skip_batches >= 0, the data set has
/// examples, and, with drop_last, at least one whole batch. Without drop_last a batch_size above the size of the data
/// set gives one smaller batch; training refuses that with check_batch_size.
Loader loader(const Dataset& dataset, const LoaderOptions& options = {},
              SourceLocation where = SourceLocation::current());

/// The same over any source of `examples` rows.
Loader loader(std::int64_t examples, Fetch fetch, const LoaderOptions& options = {},
              SourceLocation where = SourceLocation::current());
Loader loader(const View& view, const LoaderOptions& options = {}, SourceLocation where = SourceLocation::current());

/// Throws Error(value), with the sizes and the mend, unless 1 <= batch_size <= dataset.size().
void check_batch_size(const Dataset& dataset, std::int64_t batch_size,
                      SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
