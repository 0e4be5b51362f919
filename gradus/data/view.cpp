#include "gradus/data/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <utility>

#include "gradus/base/error.h"

namespace gradus::data {
namespace {

/// Tensors of one type and shape behind axis 0, one behind the other.
Tensor joined(const Tensors& parts, const char* what) {
  TensorSpec spec = parts.front().spec();
  std::int64_t rows = 0;
  for (const Tensor& part : parts) {
    TensorSpec mine = part.spec();
    rows += mine.shape[0];
    mine.shape.set(0, spec.shape[0]);
    if (mine == spec) continue;
    throw Error(mine.dtype == spec.dtype ? ErrorKind::shape : ErrorKind::dtype, "concat")
        .operand("first", parts.front().spec(), what)
        .operand("other", part.spec(), "differs from the first");
  }
  spec.shape.set(0, rows);
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  std::byte* out = buffer->data();
  for (const Tensor& part : parts) {
    const std::size_t bytes = part.spec().bytes();
    if (bytes != 0) std::memcpy(out, part.buffer()->data(), bytes);
    out += bytes;
  }
  return leaf(spec, std::move(buffer));
}

Batch joined(const std::vector<Batch>& batches) {
  Tensors inputs, labels;
  for (const Batch& batch : batches) {
    inputs.push_back(batch.inputs);
    labels.push_back(batch.labels);
  }
  return {joined(inputs, "inputs"), joined(labels, "labels")};
}

Batch stacked(const std::vector<Example>& examples) {
  Tensors inputs;
  std::vector<std::int64_t> labels;
  for (const Example& example : examples) {
    if (example.input.dtype() != DType::f32) {
      throw Error(ErrorKind::dtype, "generated").operand("example", example.input.spec(), "expected f32");
    }
    inputs.push_back(example.input);
    labels.push_back(example.label);
  }
  return {stack(inputs),
          leaf<std::int64_t>({static_cast<std::int64_t>(labels.size())}, std::span<const std::int64_t>(labels))};
}

/// Where each view begins, and where the last one ends.
std::vector<std::int64_t> begins_of(const std::vector<View>& views) {
  std::vector<std::int64_t> begins = {0};
  for (const View& view : views) begins.push_back(begins.back() + view.size);
  return begins;
}

}  // namespace

View view(const Dataset& dataset) {
  return {dataset.size(), [dataset](std::span<const std::int64_t> rows) { return dataset.batch(rows); }};
}

View generated(std::int64_t size, std::function<Example(std::int64_t)> make, SourceLocation where) {
  if (size < 0) throw Error(ErrorKind::value, "generated", fmt::format("size is {}", size)).at(where);
  return {size, [make = std::move(make)](std::span<const std::int64_t> rows) {
            std::vector<Example> examples;
            for (const std::int64_t row : rows) examples.push_back(make(row));
            return stacked(examples);
          }};
}

View mapped(View view, std::function<Batch(Batch, std::span<const std::int64_t>)> change) {
  return {view.size, [fetch = std::move(view.fetch), change = std::move(change)](std::span<const std::int64_t> rows) {
            return change(fetch(rows), rows);
          }};
}

View subset(View view, std::vector<std::int64_t> chosen, SourceLocation where) {
  for (const std::int64_t row : chosen) {
    if (row >= 0 && row < view.size) continue;
    throw Error(ErrorKind::index, "subset", fmt::format("row {} of {} examples", row, view.size)).at(where);
  }
  const auto size = static_cast<std::int64_t>(chosen.size());
  return {size, [fetch = std::move(view.fetch), chosen = std::move(chosen)](std::span<const std::int64_t> rows) {
            std::vector<std::int64_t> inner;
            for (const std::int64_t row : rows) inner.push_back(chosen.at(static_cast<std::size_t>(row)));
            return fetch(inner);
          }};
}

View concat(std::vector<View> views, SourceLocation where) {
  if (views.empty()) throw Error(ErrorKind::value, "concat", "there is nothing to concatenate").at(where);
  const std::vector<std::int64_t> begins = begins_of(views);
  return {begins.back(), [views = std::move(views), begins](std::span<const std::int64_t> rows) {
            std::vector<Batch> batches;  // of runs of rows of one view, so that the order stays
            for (std::size_t i = 0; i < rows.size();) {
              const auto at = std::upper_bound(begins.begin(), begins.end(), rows[i]) - begins.begin() - 1;
              const auto which = static_cast<std::size_t>(at);
              std::vector<std::int64_t> inner;
              for (; i < rows.size() && rows[i] >= begins[which] && rows[i] < begins[which + 1]; ++i)
                inner.push_back(rows[i] - begins[which]);
              batches.push_back(views[which].fetch(inner));
            }
            return batches.size() == 1 ? batches.front() : joined(batches);
          }};
}

Dataset concat(const std::vector<Dataset>& datasets, SourceLocation where) {
  if (datasets.empty()) throw Error(ErrorKind::value, "concat", "there is nothing to concatenate").at(where);
  Tensors examples, labels;
  DatasetOptions options = datasets.front().options();
  for (const Dataset& dataset : datasets) {
    if (!(dataset.options().scaling == options.scaling)) {
      throw Error(ErrorKind::value, "concat", "the data sets are scaled differently").context(dataset.name()).at(where);
    }
    examples.push_back(dataset.examples());
    labels.push_back(dataset.labels());
    if (options.class_names.empty()) options.class_names = dataset.class_names();
    options.num_classes = std::max(options.num_classes, dataset.num_classes());
  }
  try {
    return Dataset(datasets.front().name(), joined(examples, "examples"), joined(labels, "labels"), options, where);
  } catch (Error& error) {
    throw error.at(where);
  }
}

Dataset materialised(const std::string& name, const View& view, DatasetOptions options, SourceLocation where) {
  if (view.size <= 0) throw Error(ErrorKind::value, "materialised", "the view has no rows").context(name).at(where);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(view.size));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  const Batch all = view.fetch(rows);
  return Dataset(name, all.inputs, all.labels, std::move(options), where);
}

}  // namespace gradus::data
