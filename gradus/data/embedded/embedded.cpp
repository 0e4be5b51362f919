#include "gradus/data/embedded/embedded.h"

#include <algorithm>
#include <span>
#include <utility>

#include "gradus/data/embedded/files.h"
#include "gradus/data/gzip.h"
#include "gradus/data/split/split.h"
#include "gradus/data/table/csv.h"
#include "gradus/data/table/encoder.h"

namespace gradus::data {
namespace {

Dataset part(const Dataset& all, Split split) {
  const std::vector<Rows> parts = stratified_split(all.labels().data<std::int64_t>(), {0.8, 0.2}, 0);
  const Dataset chosen = all.subset(parts[split == Split::train ? 0 : 1]);
  return Dataset(all.name() + " " + std::string(name_of(split)), chosen.examples(), chosen.labels(), chosen.options());
}

}  // namespace

Table digits_table() {
  return parse_csv(gunzip(detail::embedded_digits(), "digits"), "digits", {.types = {{"digit", ColumnType::i64}}});
}

Table breast_cancer_table() {
  return parse_csv(gunzip(detail::embedded_breast_cancer(), "breast_cancer"), "breast-cancer");
}

Table german_credit_table() {
  return parse_csv(gunzip(detail::embedded_german_credit(), "german_credit"), "german-credit");
}

Dataset digits(std::vector<double> mean, std::vector<double> std) {
  const Table table = digits_table();
  const Column& labels = table.column("digit");
  const std::int64_t pixels = static_cast<std::int64_t>(table.columns.size()) - 1;
  std::vector<std::uint8_t> examples(static_cast<std::size_t>(table.rows() * pixels));
  for (std::int64_t p = 0; p < pixels; ++p) {
    const Column& column = table.columns[static_cast<std::size_t>(p)];
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      examples[static_cast<std::size_t>(row * pixels + p)] = static_cast<std::uint8_t>(column.number(row));
    }
  }
  return Dataset("digits", leaf<std::uint8_t>({table.rows(), 1, 8, 8}, std::span<const std::uint8_t>(examples)),
                 leaf<std::int64_t>({table.rows()}, std::span<const std::int64_t>(labels.integers)),
                 {.class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
                  .scaling = {.scale = 1 / 16.0, .mean = std::move(mean), .std = std::move(std)}});
}

Dataset digits(Split split, std::vector<double> mean, std::vector<double> std) {
  return part(digits(std::move(mean), std::move(std)), split);
}

Dataset breast_cancer(std::vector<double> mean, std::vector<double> std) {
  const Table table = breast_cancer_table();
  const TableEncoder encoder(table, {.target = "class"});
  return Dataset("breast-cancer", encoder.inputs(table), encoder.labels(table),
                 {.class_names = encoder.classes(), .scaling = {.mean = std::move(mean), .std = std::move(std)}});
}

Dataset breast_cancer(Split split, std::vector<double> mean, std::vector<double> std) {
  return part(breast_cancer(std::move(mean), std::move(std)), split);
}

}  // namespace gradus::data
