// From tables to what a model reads: numbers without gaps, categories as codes or one-hot, labels.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/data/dataset.h"
#include "gradus/data/table/table.h"

namespace gradus::data {

/// What stands in for a number that is missing: nothing (an error that names the place), the mean or the median of the
/// training table, a constant, or the mean with a column beside it that is 1 where the value is missing. A category
/// that is missing becomes the commonest one of the training table, whatever stands in for numbers.
enum class Missing { error, mean, median, constant, indicator };

/// one_hot: a column "name=category" of 0 and 1 for each category; codes: one column, the category's number.
enum class Categories { one_hot, codes };

struct EncoderOptions {
  /// Column of the labels or of the number to predict; "": none.
  std::string target = {};
  /// Columns to leave out (names, dates, identifiers).
  std::vector<std::string> drop = {};
  Missing missing = Missing::error;
  double constant = 0;
  Categories categories = Categories::one_hot;
};

/// What an encoder learned of one column.
struct EncodedColumn {
  std::string name;
  ColumnType type = ColumnType::f64;
  bool indicated = false;               ///< has a column beside it that says where values are missing
  double fill = 0;                      ///< for a missing value: a number or a code
  std::vector<std::string> categories;  ///< of a category
};

/// All that an encoder knows, as a plain value: what is kept with a model, so that later tables are encoded alike.
struct EncoderState {
  EncoderOptions options;
  std::vector<EncodedColumn> columns;
  std::vector<std::string> classes;
};

/// What was learned from the training table: dictionaries, and the numbers that stand in for missing ones. It applies to
/// other tables of the same columns, in any order; their rows change nothing in it.
///
///   data::Table train = data::read_csv("train.csv"), test = data::read_csv("test.csv", {.types = train.types()});
///   data::TableEncoder encoder(train, {.target = "class", .missing = data::Missing::median});
///   data::Dataset training = encoder.dataset(train), testing = encoder.dataset(test);
class TableEncoder {
 public:
  /// Throws Error(value) for a column that is unknown, a text column that is not dropped, no column at all, and missing
  /// values under Missing::error (with file and line).
  TableEncoder(const Table& train, EncoderOptions options, SourceLocation where = SourceLocation::current());

  /// An encoder that knows the same as the one that the state is from.
  explicit TableEncoder(EncoderState state);
  const EncoderState& state() const { return state_; }
  /// How the columns of another table have to be read (CsvOptions::types): those of them that it has.
  std::map<std::string, ColumnType> types() const;

  /// Names of the columns of inputs(): "age", "job=clerk", "age is missing".
  const std::vector<std::string>& features() const { return features_; }
  /// The dictionary of the target: names of class 0, 1, ...; an integer target has its different values in order.
  const std::vector<std::string>& classes() const { return state_.classes; }

  /// f32 [rows, features]. Throws Error(value) for a category that the training table did not have, a number beyond f32, and
  /// as the constructor.
  Tensor inputs(const Table& table) const;
  /// i64 [rows]: classes of the target. Throws Error(value) when it is missing, unknown, or no category or integer.
  Tensor labels(const Table& table) const;
  /// f32 [rows]: the numbers of the target. Throws Error(value) when it is missing or no number.
  Tensor targets(const Table& table) const;
  /// inputs and labels, with the names of the classes.
  Dataset dataset(const Table& table) const;
  /// inputs and targets.
  Dataset regression_dataset(const Table& table) const;

 private:
  using Feature = EncodedColumn;

  void name_features();
  Feature learned(const Table& train, const Column& column) const;
  void learn_classes(const Table& train);
  double value(const Table& table, const Column& column, const Feature& feature, std::int64_t row) const;
  Error missing_value(const Table& table, const Column& column, std::int64_t row) const;

  EncoderState state_;
  std::vector<std::string> features_;
};

}  // namespace gradus::data
