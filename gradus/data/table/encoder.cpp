#include "gradus/data/table/encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "gradus/base/error.h"

namespace gradus::data {
namespace {

Error refusal(std::string summary) { return Error(ErrorKind::value, "encode", std::move(summary)); }

/// The values that are there.
std::vector<double> present(const Column& column) {
  std::vector<double> values;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.missing[static_cast<std::size_t>(row)] == 0) values.push_back(column.number(row));
  }
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// The middle one, or the mean of the two in the middle.
double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// The first of the commonest.
double commonest_of(const std::vector<double>& codes, std::size_t categories) {
  std::vector<std::int64_t> counts(std::max<std::size_t>(categories, 1));
  for (const double code : codes) ++counts[static_cast<std::size_t>(code)];
  return static_cast<double>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

bool is_category(const EncodedColumn& column) { return column.type == ColumnType::category; }

std::int64_t code_of(const std::vector<std::string>& dictionary, const std::string& text, const Table& table,
                     std::string_view column, std::int64_t row) {
  const auto found = std::find(dictionary.begin(), dictionary.end(), text);
  if (found != dictionary.end()) return found - dictionary.begin();
  Error error = refusal(fmt::format("\"{}\" in column \"{}\" does not occur in the training table", text, column));
  error.context(table.place(row));
  if (dictionary.size() <= 20) error.field("known", fmt::format("{}", fmt::join(dictionary, ", ")));
  const std::string nearest = nearest_name(text, dictionary);
  if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
  throw error;
}

/// A number that f32 holds.
double finite(double number, const Table& table, const Column& column, std::int64_t row) {
  if (std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max())) return number;
  throw refusal(fmt::format("{} in column \"{}\" is not finite in f32", number, column.name)).context(table.place(row));
}

}  // namespace

TableEncoder::TableEncoder(const Table& train, EncoderOptions options, SourceLocation where)
    : state_{std::move(options), {}, {}} {
  const EncoderOptions& o = state_.options;
  try {
    for (const std::string& name : o.drop) train.column(name, where);
    if (!o.target.empty()) train.column(o.target, where);
    for (const Column& column : train.columns) {
      if (column.name == o.target || std::find(o.drop.begin(), o.drop.end(), column.name) != o.drop.end()) continue;
      state_.columns.push_back(learned(train, column));
    }
    if (state_.columns.empty()) throw refusal("no column is left for the inputs").context(train.name);
    if (!o.target.empty()) learn_classes(train);
  } catch (Error& error) {
    throw error.at(where);
  }
  name_features();
}

TableEncoder::TableEncoder(EncoderState state) : state_(std::move(state)) { name_features(); }

void TableEncoder::name_features() {
  for (const Feature& feature : state_.columns) {
    if (is_category(feature) && state_.options.categories == Categories::one_hot) {
      for (const std::string& category : feature.categories)
        features_.push_back(fmt::format("{}={}", feature.name, category));
    } else {
      features_.push_back(feature.name);
    }
    if (feature.indicated) features_.push_back(feature.name + " is missing");
  }
}

std::map<std::string, ColumnType> TableEncoder::types() const {
  std::map<std::string, ColumnType> types;
  for (const Feature& feature : state_.columns) {
    // A column of whole numbers may hold others later.
    types[feature.name] = feature.type == ColumnType::i64 ? ColumnType::f64 : feature.type;
  }
  return types;
}

TableEncoder::Feature TableEncoder::learned(const Table& train, const Column& column) const {
  if (column.type == ColumnType::text) {
    throw refusal(fmt::format("column \"{}\" holds free text", column.name))
        .context(train.name)
        .hint("leave it out (drop), or read it as a category (CsvOptions::types)");
  }
  Feature feature{column.name, column.type, false, 0, column.categories};
  const bool gaps = column.missing_count() > 0;
  const std::vector<double> values = present(column);
  if (gaps && state_.options.missing == Missing::error) {
    const auto first = std::find(column.missing.begin(), column.missing.end(), std::uint8_t{1});
    throw missing_value(train, column, first - column.missing.begin());
  }
  feature.indicated = gaps && state_.options.missing == Missing::indicator;
  if (is_category(feature)) {
    feature.fill = commonest_of(values, column.categories.size());
  } else if (state_.options.missing == Missing::median) {
    feature.fill = median_of(values);
  } else {
    feature.fill = state_.options.missing == Missing::constant ? state_.options.constant : mean_of(values);
  }
  return feature;
}

void TableEncoder::learn_classes(const Table& train) {
  const Column& target = train.column(state_.options.target);
  if (target.type == ColumnType::category) state_.classes = target.categories;
  if (target.type == ColumnType::boolean) state_.classes = {"false", "true"};
  if (target.type != ColumnType::i64) return;
  std::set<std::int64_t> different;
  for (std::int64_t row = 0; row < target.size(); ++row) {
    if (target.missing[static_cast<std::size_t>(row)] == 0)
      different.insert(target.integers[static_cast<std::size_t>(row)]);
  }
  for (const std::int64_t value : different) state_.classes.push_back(fmt::format("{}", value));
}

Error TableEncoder::missing_value(const Table& table, const Column& column, std::int64_t row) const {
  return refusal(fmt::format("column \"{}\" has no value", column.name))
      .context(table.place(row))
      .field("missing", fmt::format("{} of {} rows", column.missing_count(), column.size()))
      .hint("say what stands in for it: mean, median, constant or indicator");
}

double TableEncoder::value(const Table& table, const Column& column, const Feature& feature, std::int64_t row) const {
  if (column.missing[static_cast<std::size_t>(row)] != 0) {
    if (state_.options.missing == Missing::error) throw missing_value(table, column, row);
    return feature.fill;
  }
  if (is_category(feature))
    return static_cast<double>(code_of(feature.categories, column.text(row), table, column.name, row));
  if (column.is_numeric()) return finite(column.number(row), table, column, row);
  throw refusal(fmt::format("\"{}\" in column \"{}\" is not a number", column.text(row), column.name))
      .context(table.place(row))
      .hint("in the training table all of them are");
}

Tensor TableEncoder::inputs(const Table& table) const {
  const auto width = static_cast<std::int64_t>(features_.size());
  const TensorSpec spec{DType::f32, {table.rows(), width}};
  Ref<Buffer> buffer = Buffer::allocate(spec.bytes());
  auto* out = reinterpret_cast<float*>(buffer->data());
  std::fill(out, out + spec.shape.numel(), 0.f);
  std::int64_t first = 0;
  for (const Feature& feature : state_.columns) {
    const Column& column = table.column(feature.name);
    const bool one_hot = is_category(feature) && state_.options.categories == Categories::one_hot;
    const std::int64_t columns = one_hot ? static_cast<std::int64_t>(feature.categories.size()) : 1;
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      const double number = value(table, column, feature, row);
      float* at = out + row * width + first;
      if (!one_hot) {
        *at = static_cast<float>(number);
      } else if (columns > 0) {
        at[static_cast<std::int64_t>(number)] = 1;
      }
      if (feature.indicated) at[columns] = column.missing[static_cast<std::size_t>(row)];
    }
    first += columns + (feature.indicated ? 1 : 0);
  }
  return leaf(spec, std::move(buffer));
}

Tensor TableEncoder::labels(const Table& table) const {
  if (state_.options.target.empty())
    throw refusal("there is no target").hint("EncoderOptions::target names its column");
  const Column& target = table.column(state_.options.target);
  if (state_.classes.empty()) {
    throw refusal(fmt::format("the target \"{}\" is {}, no class", target.name, name_of(target.type)))
        .context(table.name)
        .hint("targets() gives numbers to predict; CsvOptions::types can say that it is a category");
  }
  std::vector<std::int64_t> labels;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (target.missing[static_cast<std::size_t>(row)] != 0) {
      throw refusal(fmt::format("the target \"{}\" has no value", target.name)).context(table.place(row));
    }
    labels.push_back(code_of(state_.classes, target.text(row), table, target.name, row));
  }
  return leaf<std::int64_t>({table.rows()}, std::span<const std::int64_t>(labels));
}

Tensor TableEncoder::targets(const Table& table) const {
  if (state_.options.target.empty())
    throw refusal("there is no target").hint("EncoderOptions::target names its column");
  const Column& target = table.column(state_.options.target);
  if (!target.is_numeric()) {
    throw refusal(fmt::format("the target \"{}\" is {}, no number", target.name, name_of(target.type)))
        .context(table.name)
        .hint("labels() gives classes");
  }
  std::vector<float> numbers;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (target.missing[static_cast<std::size_t>(row)] != 0) {
      throw refusal(fmt::format("the target \"{}\" has no value", target.name)).context(table.place(row));
    }
    numbers.push_back(static_cast<float>(finite(target.number(row), table, target, row)));
  }
  return leaf<float>({table.rows()}, std::span<const float>(numbers));
}

Dataset TableEncoder::dataset(const Table& table) const {
  return Dataset(table.name, inputs(table), labels(table), {.class_names = state_.classes});
}

Dataset TableEncoder::regression_dataset(const Table& table) const {
  return Dataset(table.name, inputs(table), targets(table));
}

}  // namespace gradus::data
