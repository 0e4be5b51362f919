#include "gradus/train/metrics.h"

#include <fmt/format.h>

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/io/atomic_file.h"

namespace gradus::train {
namespace {

using Json = nlohmann::ordered_json;

/// What is not finite is written as null.
double number(const Json& record, const std::string& name) {
  const Json& value = record.at(name);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

void put(Json& record, const std::string& prefix, const Fit& fit) {
  record[prefix + "_r2"] = fit.r2;
  record[prefix + "_mae"] = fit.mae;
  record[prefix + "_rmse"] = fit.rmse;
}

std::optional<Fit> take_fit(const Json& record, const std::string& prefix) {
  if (!record.contains(prefix + "_r2")) return std::nullopt;
  return Fit{number(record, prefix + "_r2"), number(record, prefix + "_mae"), number(record, prefix + "_rmse")};
}

}  // namespace

double val_score(const EpochMetrics& m) { return m.val_fit ? m.val_fit->r2 : m.val_accuracy; }

std::optional<double> test_score(const EpochMetrics& m) {
  return m.test_fit ? std::optional(m.test_fit->r2) : m.test_accuracy;
}

std::string to_json(const EpochMetrics& m) {
  Json record = {{"epoch", m.epoch}, {"step", m.step}, {"train_loss", m.train_loss}};
  if (!m.val_fit) record["train_accuracy"] = m.train_accuracy;
  record["val_loss"] = m.val_loss;
  if (m.val_fit) {
    put(record, "val", *m.val_fit);
  } else {
    record["val_accuracy"] = m.val_accuracy;
  }
  record["lr"] = m.lr;
  record["samples_per_s"] = m.samples_per_s;
  record["seconds"] = m.seconds;
  if (m.test_loss) record["test_loss"] = *m.test_loss;
  if (m.test_accuracy) record["test_accuracy"] = *m.test_accuracy;
  if (m.test_fit) put(record, "test", *m.test_fit);
  return record.dump();
}

EpochMetrics from_json(const std::string& line) {
  try {
    const Json record = Json::parse(line);
    EpochMetrics m;
    m.epoch = record.at("epoch").get<std::int64_t>();
    m.step = record.at("step").get<std::int64_t>();
    m.train_loss = number(record, "train_loss");
    m.val_loss = number(record, "val_loss");
    m.val_fit = take_fit(record, "val");
    m.test_fit = take_fit(record, "test");
    if (!m.val_fit) {
      m.train_accuracy = number(record, "train_accuracy");
      m.val_accuracy = number(record, "val_accuracy");
    }
    m.lr = number(record, "lr");
    m.samples_per_s = number(record, "samples_per_s");
    m.seconds = number(record, "seconds");
    if (record.contains("test_loss")) m.test_loss = number(record, "test_loss");
    if (record.contains("test_accuracy")) m.test_accuracy = number(record, "test_accuracy");
    return m;
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::format, "metrics", "not a line of metrics.jsonl").note(error.what());
  }
}

std::vector<EpochMetrics> read_metrics(const std::string& path) {
  std::vector<EpochMetrics> records;
  if (!std::filesystem::exists(path)) return records;
  const std::string text = io::read_file(path);
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', start)) {
    try {
      records.push_back(from_json(text.substr(start, end - start)));
    } catch (Error& error) {
      error.context(fmt::format("{}:{}", path, records.size() + 1));
      throw;
    }
    start = end + 1;
  }
  return records;
}

void write_metrics(const std::string& path, const std::vector<EpochMetrics>& records) {
  std::string text;
  for (const EpochMetrics& record : records) text += to_json(record) + '\n';
  io::write_file(path, text);
}

}  // namespace gradus::train
