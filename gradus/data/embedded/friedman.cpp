#include "gradus/data/embedded/friedman.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <utility>

#include "gradus/base/random.h"
#include "gradus/data/table/encoder.h"

namespace gradus::data {
namespace {

constexpr std::uint64_t seed = 0x66726965646d616e;  // "friedman"

Column column_of(std::string name, std::vector<double> numbers) {
  Column column{.name = std::move(name), .type = ColumnType::f64};
  column.missing.resize(numbers.size());
  column.numbers = std::move(numbers);
  return column;
}

}  // namespace

Table friedman_table(Split split) {
  const std::size_t rows = split == Split::train ? 1000 : 500;
  const Key key = Key{seed}.fold(split == Split::train ? 0 : 1);
  std::vector<std::vector<double>> x(10, std::vector<double>(rows));
  for (std::size_t i = 0; i < x.size(); ++i) fill_uniform(std::span<double>(x[i]), key.fold(i), 0, 1);
  std::vector<double> y(rows);
  fill_normal(std::span<double>(y), key.fold(x.size()), 0, 1);
  for (std::size_t r = 0; r < rows; ++r) {
    y[r] += 10 * std::sin(std::numbers::pi * x[0][r] * x[1][r]) + 20 * (x[2][r] - 0.5) * (x[2][r] - 0.5) +
            10 * x[3][r] + 5 * x[4][r];
  }
  Table table{.name = fmt::format("friedman {}", name_of(split))};
  for (std::size_t i = 0; i < x.size(); ++i)
    table.columns.push_back(column_of(fmt::format("x{}", i + 1), std::move(x[i])));
  table.columns.push_back(column_of("y", std::move(y)));
  return table;
}

Dataset friedman(Split split, std::vector<double> mean, std::vector<double> std) {
  const Table table = friedman_table(split);
  const Dataset set = TableEncoder(table, {.target = "y"}).regression_dataset(table);
  return Dataset(set.name(), set.examples(), set.labels(),
                 {.scaling = {.mean = std::move(mean), .std = std::move(std)}});
}

}  // namespace gradus::data
