// Data sets that are never stored as a whole: a number of rows and a function that makes batches of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "gradus/data/dataset.h"

namespace gradus::data {

/// Makes the batch of some rows. A loader with workers calls it from several threads at a time.
using Fetch = std::function<Batch(std::span<const std::int64_t> rows)>;

/// Rows 0 to size - 1, made on demand. Copying one copies handles.
///
///   data::View noisy = data::mapped(data::view(train), [](data::Batch batch, auto rows) { ... return batch; });
///   for (auto [images, labels] : data::loader(noisy, {.batch_size = 64, .workers = 2})) { ... }
struct View {
  std::int64_t size = 0;
  Fetch fetch = {};
};

/// One example: what `generated` asks for.
struct Example {
  Tensor input;  ///< f32, evaluated, of the same shape for all rows
  std::int64_t label = 0;
};

View view(const Dataset& dataset);

/// Examples that a function computes from the row number, the same ones whenever it is asked. Throws Error(value) for a
/// negative size; batches throw Error(dtype) or Error(shape) when an example is not f32 or differs from the first.
View generated(std::int64_t size, std::function<Example(std::int64_t row)> make,
               SourceLocation where = SourceLocation::current());

/// Each batch, changed by a function that also gets the batch's rows (to derive a random key from them, say).
View mapped(View view, std::function<Batch(Batch, std::span<const std::int64_t> rows)> change);

/// These rows of a view, in this order; rows may repeat. Throws Error(index).
View subset(View view, std::vector<std::int64_t> rows, SourceLocation where = SourceLocation::current());

/// The rows of all views, one behind the other. A batch with rows of several of them throws Error(shape) or Error(dtype)
/// when their examples differ. Throws Error(value) when there is no view.
View concat(std::vector<View> views, SourceLocation where = SourceLocation::current());

/// The same of data sets of one type, shape and scaling, as a new one in memory (a copy), with the names of the first that
/// has some and the largest number of classes. Throws Error(value), Error(dtype), Error(shape).
Dataset concat(const std::vector<Dataset>& datasets, SourceLocation where = SourceLocation::current());

/// Everything that a view makes, as a data set in memory: f32 examples. Throws Error(value) for an empty view.
Dataset materialised(const std::string& name, const View& view, DatasetOptions options = {},
                     SourceLocation where = SourceLocation::current());

}  // namespace gradus::data
