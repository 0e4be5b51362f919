#include "gradus/insight/doctor/suite/suite.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "gradus/base/parallel.h"
#include "gradus/insight/doctor/rules.h"

namespace gradus::insight::doctor {
namespace {

TEST(DoctorSuite, PartsShareNoProblemAndHaveEveryFault) {
  std::set<std::string> problems[2];
  for (const Part part : {Part::development, Part::held_out}) {
    std::set<std::string> faults, names;
    std::size_t healthy = 0;
    for (const Case& one : cases(part)) {
      problems[part == Part::held_out].insert(one.problem);
      EXPECT_TRUE(names.insert(one.name).second) << one.name;
      one.fault.empty() ? void(++healthy) : void(faults.insert(one.fault));
    }
    EXPECT_GE(faults.size(), 18u);
    EXPECT_GE(healthy, 10u);
    for (const Rule& rule : rules()) EXPECT_TRUE(faults.contains(std::string(rule.name))) << rule.name;
  }
  for (const std::string& problem : problems[0]) EXPECT_FALSE(problems[1].contains(problem)) << problem;
}

TEST(DoctorSuite, WhatTheDoctorSaysOfItselfWasMeasured) {
  set_num_threads(1);  // networks this small gain nothing from more
  const SuiteResult& measured = measured_suite();
  const std::vector<Case> all = cases(Part::held_out);
  EXPECT_EQ(measured.part, Part::held_out);
  ASSERT_EQ(measured.cases.size(), all.size()) << "scripts/doctor_suite.sh measures anew";
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(measured.cases[i].name, all[i].name);
    EXPECT_EQ(measured.cases[i].fault, all[i].fault);
  }
  EXPECT_GE(measured.sensitivity().value(), 0.85);
  EXPECT_LE(measured.false_alarms().value(), 0.1);
  // Some of it again.
  for (std::size_t i = 4; i < all.size(); i += 9) {
    const CaseResult again = examine_case(all[i], measured.seed * 1000 + i);
    EXPECT_EQ(again.rank > 0, measured.cases[i].rank > 0) << all[i].name;
    if (!all[i].fault.empty()) continue;
    EXPECT_EQ(again.alarm(), measured.cases[i].alarm()) << all[i].name;
  }
}

TEST(DoctorSuite, CountsAndWrites) {
  const SuiteResult result{.part = Part::development,
                           .seed = 7,
                           .cases = {{"a on x", "label-noise", 1, {"label-noise"}},
                                     {"b on x", "label-noise", 2, {"plateau", "label-noise"}},
                                     {"c on x", "plateau", 0, {}},
                                     {"d on x", "", 0, {"overfitting"}},
                                     {"e on x", "", 0, {}}}};
  EXPECT_DOUBLE_EQ(result.sensitivity().value(), 2.0 / 3);
  EXPECT_DOUBLE_EQ(result.ranked_first().value(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(result.false_alarms().value(), 0.5);
  EXPECT_NEAR(result.false_alarms().interval().low, 0.0945, 1e-3);  // Wilson's, of 1 in 2
  const std::string text = text_of(result);
  EXPECT_NE(text.find("label-noise                    2      2      1"), std::string::npos) << text;
  EXPECT_NE(text.find("c on x                                        nothing found"), std::string::npos) << text;
  EXPECT_NE(text.find("d on x                                        overfitting"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(json_of(result));
  EXPECT_EQ(json["cases"].size(), 5u);
  EXPECT_EQ(json["part"], "development");
}

}  // namespace
}  // namespace gradus::insight::doctor
