// Each rule on a run with its fault, from the development part of the suite, and all of them on healthy runs.
#include "gradus/insight/doctor/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/insight/doctor/doctor.h"
#include "gradus/insight/doctor/measures.h"
#include "gradus/insight/doctor/suite/cases.h"
#include "gradus/io/atomic_file.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"

namespace gradus::insight::doctor {
namespace {

using testing_help::TemporaryFolder;

const Case& case_called(const std::string& name) {
  static const std::vector<Case> all = cases(Part::development);
  const auto found = std::find_if(all.begin(), all.end(), [&](const Case& one) { return one.name == name; });
  GRADUS_ASSERT(found != all.end());
  return *found;
}

Diagnosis diagnosis_of(const std::string& name, const TemporaryFolder& folder) {
  return diagnose(train_case(case_called(name), 3, folder.path()));
}

TEST(DoctorRules, EachFindsItsFault) {
  set_num_threads(1);  // networks this small gain nothing from more
  const std::pair<const char*, const char*> rows[] = {
      {"leaked-rows", "leaked rows on digits"},
      {"unshuffled-data", "not shuffled on clouds"},
      {"unshuffled-split", "cut in order on clouds"},
      {"batch-norm-mode", "batch norm in evaluation mode on digit pictures"},
      {"identical-units", "zero start on waves"},
      {"bf16-underflow", "bf16 far from zero on clouds"},
      {"unscaled-inputs", "mixed units of measure on clouds"},
      {"exploding-gradients", "raw targets on waves"},
      {"exploding-gradients", "start too large on clouds"},
      {"learning-rate-too-high", "rate too high on digits"},
      {"nan-origin", "impossible value on digits"},
      {"vanishing-gradients", "deep sigmoids on digits"},
      {"dead-units", "dead units on digits"},
      {"saturated-units", "saturated units on clouds"},
      {"duplicate-rows", "repeated rows on waves"},
      {"frozen-layer", "frozen layer on digits"},
      {"label-noise", "wrong labels on clouds"},
      {"class-imbalance", "rare class on clouds"},
      {"learning-rate-too-low", "rate too low on clouds"},
      {"plateau", "starved schedule on waves"},
      {"overfitting", "few rows on clouds"},
      {"underfitting", "one hidden unit on digits"},
  };
  std::set<std::string_view> seen;
  for (const auto& [rule, name] : rows) {
    const TemporaryFolder folder;
    const Diagnosis diagnosis = diagnosis_of(name, folder);
    const auto found = std::find_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                                    [rule = rule](const Finding& f) { return f.rule == rule; });
    ASSERT_NE(found, diagnosis.findings.end()) << rule << " on " << name << "\n" << text_of(diagnosis);
    EXPECT_FALSE(diagnosis.healthy());
    EXPECT_NE(found->severity, Severity::note) << name;
    EXPECT_FALSE(found->evidence.empty() || found->cause.empty() || found->numbers.empty()) << rule;
    for (const Finding& finding : diagnosis.findings) {
      EXPECT_FALSE(finding.changes.empty() && finding.advice.empty()) << finding.rule << " says nothing to do";
      // A remedy is a recipe that can be trained.
      if (finding.changes.empty()) continue;
      EXPECT_NE(changed(diagnosis.evidence.recipe, finding.changes), diagnosis.evidence.recipe) << finding.rule;
    }
    seen.insert(rule);
  }
  for (const Rule& rule : rules()) EXPECT_TRUE(seen.contains(rule.name)) << rule.name << " has no fault here";
}

TEST(DoctorRules, HealthyRunsHaveNone) {
  set_num_threads(1);  // networks this small gain nothing from more
  for (const char* name : {"as it is on digits", "SGD with momentum on clouds", "warm-up and cosine on waves",
                           "Adam, larger batches on digit pictures"}) {
    const TemporaryFolder folder;
    const Diagnosis diagnosis = diagnosis_of(name, folder);
    EXPECT_TRUE(diagnosis.healthy()) << name << "\n" << text_of(diagnosis);
    EXPECT_NE(text_of(diagnosis).find("healthy: none of"), std::string::npos);
  }
}

TEST(DoctorRules, EqualFoldersGiveEqualAnswers) {
  const TemporaryFolder folder;
  const std::string run = train_case(case_called("rate too high on digits"), 3, folder.path());
  const std::string json = json_of(diagnose(run));
  EXPECT_EQ(json, json_of(diagnose(run)));
  const auto parsed = nlohmann::json::parse(json);
  EXPECT_EQ(parsed["healthy"], false);
  const auto& first = parsed["findings"][0];
  EXPECT_EQ(first["rule"], "learning-rate-too-high");
  EXPECT_EQ(first["changes"][0]["key"], "optimizer.lr");
  EXPECT_LT(std::stod(first["changes"][0]["value"].get<std::string>()),
            std::stod(first["changes"][0]["was"].get<std::string>()));
}

TEST(DoctorRules, ARunThatWasInterruptedIsExamined) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const train::Recipe recipe = train::parse_recipe(testing_help::tiny_recipe(folder, 6), "tiny");
  int steps = 0;
  train::start(recipe, {.run = run, .stop = [&] { return ++steps > 25; }});
  const Diagnosis diagnosis = diagnose(run);
  EXPECT_FALSE(diagnosis.evidence.finished);
  EXPECT_FALSE(diagnosis.evidence.failure.has_value()) << "it was stopped, it did not fail";
}

TEST(DoctorRules, WhatARunRecordedCountsForMoreThanWhatItsSeedWouldHaveGiven) {
  // Weights from elsewhere, through which hardly any gradient comes: the seed's own are sound.
  const TemporaryFolder folder;
  const auto diagnosis_with = [&](const std::string& name, const std::vector<std::string>& changes) {
    const std::string text = testing_help::tiny_recipe(folder, 2);
    std::vector<std::string> all = {"model.hidden=[16,16,16]", "optimizer.lr=1e-6"};
    all.insert(all.end(), changes.begin(), changes.end());
    train::start(train::parse_recipe(text, "tiny", all),
                 {.run = folder / name, .prepare = [](models::AnyModel& model) {
                    for (nn::Parameter* weight : nn::parameters(model, "*.weight"))
                      *weight = weight->tensor() * (weight->tensor().size(0) == 4 ? 1.f : 0.01f);
                  }});
    return diagnose(folder / name);
  };
  const auto vanishing = [](const Diagnosis& diagnosis) {
    const auto found = std::find_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                                    [](const Finding& one) { return one.rule == "vanishing-gradients"; });
    return found == diagnosis.findings.end() ? std::string() : found->evidence;
  };
  const Diagnosis plain = diagnosis_with("plain", {}),
                  recorded = diagnosis_with("recorded", {"train.record=gradients"});
  EXPECT_EQ(plain.evidence.recorded_step, 0);
  EXPECT_EQ(recorded.evidence.recorded_step, 1);
  EXPECT_GT(plain.evidence.layers[0].start_gradient, 100 * recorded.evidence.layers[0].start_gradient);
  EXPECT_EQ(vanishing(plain), "");
  EXPECT_NE(vanishing(recorded).find("at step 1, as the run recorded it"), std::string::npos) << vanishing(recorded);
}

train::Spread spread(double norm, std::int64_t nans = 0) {
  train::Spread result;
  result.elements = 4;
  result.norm = norm;
  result.nans = nans;
  return result;
}

train::ActivationRecord activation(const char* name, const char* function, double dead, double saturated) {
  train::ActivationRecord record;
  record.name = name;
  record.function = function;
  record.dead = dead;
  record.saturated = saturated;
  return record;
}

train::StepRecord recorded_step(std::int64_t step, double gradient, double dead) {
  train::StepRecord record;
  record.step = step;
  record.lr = 0.1;
  record.gradients = {{"0.weight", spread(gradient)}, {"0.bias", spread(1e9)}};
  record.updates = {{"0.weight", spread(0.02), 2.0}, {"0.bias", spread(1), 1e-9}};
  record.activations = {activation("0", "relu", dead, 0.9), activation("1", "tanh", 0, 0.3),
                        activation("2", "output", 1, unknown)};
  return record;
}

TEST(DoctorRules, WhatInstrumentsSawIsSummedUp) {
  train::Instruments seen;
  seen.steps = {recorded_step(1, 4, 0), recorded_step(11, 200, 0.3), recorded_step(21, 2, 0.5),
                recorded_step(31, 2, 0.5)};
  train::StepRecord failed;
  failed.step = 32;
  failed.failed = true;
  failed.gradients = {{"0.weight", spread(1)}, {"1.weight", spread(1, 2)}, {"2.weight", spread(1, 1)}};
  seen.steps.push_back(failed);
  train::EpochRecord epoch;
  epoch.step = 31;
  epoch.sharpness = train::SharpnessRecord{.eigenvalue = 30, .iterations = 5, .converged = true, .examples = 64};
  epoch.calibration = train::Calibration{.error = 0.125, .bins = {}};
  seen.epochs = {epoch};
  const RecordedEvidence found = detail::examine_record(seen);
  EXPECT_EQ(found.steps, 5);
  EXPECT_EQ(found.largest_gradient.path, "0.weight");
  EXPECT_EQ(found.largest_gradient.step, 11);
  EXPECT_DOUBLE_EQ(found.largest_gradient.value, 100);
  EXPECT_EQ(found.dead.path, "0") << "the output is no activation";
  EXPECT_EQ(found.dead.step, 11) << "from here on at least half of 0.5";
  EXPECT_EQ(found.dead.value, 0.5);
  EXPECT_EQ(found.saturated.path, "1") << "a ReLU is no bounded function";
  EXPECT_EQ(found.saturated.step, 1);
  EXPECT_DOUBLE_EQ(found.sharpness, 3);
  EXPECT_EQ(found.calibration_error, 0.125);
  EXPECT_EQ(found.failed.path, "1.weight");
  EXPECT_EQ(found.failed.value, 2);
  const RecordedEvidence nothing = detail::examine_record({});
  EXPECT_EQ(nothing.steps, 0);
  EXPECT_TRUE(std::isnan(nothing.update) && std::isnan(nothing.largest_gradient.value) &&
              std::isnan(nothing.sharpness));
}

TEST(DoctorRules, ARunWithAllInstrumentsSaysWhatTheySaw) {
  const TemporaryFolder folder;
  const std::vector<std::string> changes = {"optimizer.lr=3", "train.record=all"};
  train::start(train::parse_recipe(testing_help::tiny_recipe(folder, 3), "tiny", changes), {.run = folder / "run"});
  const Diagnosis diagnosis = diagnose(folder / "run");
  const RecordedEvidence& seen = diagnosis.evidence.recorded;
  EXPECT_GT(seen.steps, 0);
  EXPECT_GT(seen.update, 0.01);
  EXPECT_GT(seen.largest_gradient.step, 0);
  EXPECT_EQ(seen.dead.path, "layers.0");
  const std::string text = text_of(diagnosis);
  EXPECT_NE(text.find("the run recorded"), std::string::npos) << text;
  EXPECT_NE(text.find("at least half of that since step"), std::string::npos) << text;
}

TEST(DoctorRules, AGradientThatExplodedOnTheWayCounts) {
  Evidence e;
  e.prior_loss = e.final_loss = 1;
  LayerEvidence layer;
  layer.path = "0";
  layer.start_relative = 0.5;
  e.layers = {layer};
  e.rates = {.steps = 10, .same = {0.1, 1}, .lower = {{0.01, 1}}, .higher = {{1, 1}}};
  const auto explodes = [&] {
    const Findings all = apply_rules(e);
    const auto one =
        std::find_if(all.begin(), all.end(), [](const Finding& f) { return f.rule == "exploding-gradients"; });
    return one == all.end() ? std::string() : one->evidence;
  };
  EXPECT_EQ(explodes(), "");
  e.recorded.largest_gradient = {"0.weight", 11, 100};
  EXPECT_NE(explodes().find("100 times, of 0.weight in step 11"), std::string::npos) << explodes();
}

TEST(DoctorRules, RunsThatCannotBeExamined) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  const train::Recipe recipe = train::parse_recipe(testing_help::tiny_recipe(folder, 1), "tiny");
  train::start(recipe, {.run = run});
  const auto refusal = [&] {
    try {
      diagnose(run);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  const std::string metrics = io::read_file(run + "/metrics.jsonl");
  io::write_file(run + "/metrics.jsonl", "{\"epoch\": \n");
  EXPECT_NE(refusal().find("metrics.jsonl:1"), std::string::npos) << refusal();
  io::write_file(run + "/metrics.jsonl", metrics);
  std::filesystem::rename(folder / "train-images", folder / "moved");
  EXPECT_NE(refusal().find("train-images"), std::string::npos) << refusal();
  std::filesystem::rename(folder / "moved", folder / "train-images");
  std::filesystem::remove_all(run + "/checkpoints");
  EXPECT_NE(refusal().find("has no checkpoint \"last\" yet"), std::string::npos) << refusal();
}

TEST(DoctorRules, ChangesOfARecipe) {
  const TemporaryFolder folder;
  const train::Recipe recipe = train::parse_recipe(testing_help::tiny_recipe(folder), "tiny");
  const Change rate = change(recipe, "optimizer.lr", 0.003);
  EXPECT_EQ(text_of(rate), "optimizer.lr = 0.003  # was 0.01");
  EXPECT_EQ(changed(recipe, {rate}).optimizer.lr, 0.003);
  EXPECT_EQ(change(recipe, "train.clip_norm", 1.0).value, "1.0");
  EXPECT_THROW(change(recipe, "train.lr", 1.0), Error);
  EXPECT_THROW(changed(recipe, {{"optimizer.lr", "-1.0", ""}}), Error);
}

}  // namespace
}  // namespace gradus::insight::doctor
