#include "gradus/book/deep_learning/own.h"

#include <algorithm>

#include "gradus/book/own/rivalry.h"
#include "gradus/book/rivals.h"

namespace gradus::book {
namespace {

using insight::Claim;
using insight::Direction;

OwnClaim against_a_line(const Setting& setting) {
  const char* name = setting.predicts_numbers() ? "ridge regression" : "logistic regression";
  Claim claim = rival_claim(setting, linear_rival(setting), name, rivalry_examples(setting));
  claim.id = "it-beats-a-linear-model";
  claim.sentence = "It is better than a linear model of the same columns.";
  return {claim, ""};
}

OwnClaim few_examples(const Setting& setting) {
  const std::int64_t few = std::min<std::int64_t>(60, setting.examples());
  Claim claim = rival_claim(setting, linear_rival(setting), "a linear model", few);
  claim.id = "few-examples-favour-the-simple";
  claim.sentence = "With sixty examples to learn from, it is behind a linear model.";
  claim.direction = Direction::lower;
  return {claim, ""};
}

OwnClaim against_a_kernel(const Setting& setting) {
  Claim claim = rival_claim(setting, svm(), "an RBF SVM", rivalry_examples(setting));
  claim.id = "it-beats-a-kernel";
  claim.sentence = "It is better than a support vector machine.";
  claim.belief = true;
  return {claim, has_svm() ? "" : without_svm};
}

}  // namespace

std::vector<OwnClaim> own_deep_learning(const Setting& setting) {
  return {against_a_line(setting), few_examples(setting), against_a_kernel(setting)};
}

}  // namespace gradus::book
