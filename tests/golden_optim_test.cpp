// Parity of the optimizers with tests/golden/optim.safetensors (tools/golden/optim.py): 20 steps, and from the state of step 10.
#include <memory>

#include "golden.h"
#include "gradus/engine/plan_cache.h"

namespace gradus {
namespace {

using namespace testing;

using Settings = std::map<std::string, double>;

// The options of the generator; the name of the optimizer is the part before the first "_".
const std::map<std::string, Settings> cases{
    {"adam", {{"lr", 0.01}}},
    {"adam_penalty", {{"lr", 0.02}, {"betas.0", 0.8}, {"betas.1", 0.95}, {"eps", 1e-6}, {"weight_decay", 0.1}}},
    {"adam_amsgrad", {{"lr", 0.02}, {"betas.0", 0.9}, {"betas.1", 0.9}, {"amsgrad", 1}}},
    {"adam_maximize", {{"lr", 0.01}, {"maximize", 1}}},
    {"adamw_amsgrad", {{"lr", 0.02}, {"betas.0", 0.9}, {"betas.1", 0.9}, {"weight_decay", 0.1}, {"amsgrad", 1}}},
    {"rmsprop", {}},
    {"rmsprop_momentum", {{"lr", 0.003}, {"alpha", 0.9}, {"weight_decay", 0.1}, {"momentum", 0.8}}},
    {"rmsprop_centered", {{"lr", 0.005}, {"alpha", 0.95}, {"eps", 1e-3}, {"momentum", 0.5}, {"centered", 1}}},
    {"adagrad", {{"lr", 0.05}}},
    {"adagrad_decay", {{"lr", 0.1}, {"lr_decay", 0.1}, {"weight_decay", 0.1}, {"initial_accumulator_value", 0.2}}},
    {"adadelta", {}},
    {"adadelta_penalty", {{"lr", 0.7}, {"rho", 0.8}, {"eps", 1e-4}, {"weight_decay", 0.1}}},
    {"nadam", {{"lr", 0.01}}},
    {"nadam_penalty",
     {{"lr", 0.02}, {"betas.0", 0.8}, {"betas.1", 0.95}, {"weight_decay", 0.1}, {"momentum_decay", 0.01}}},
    {"nadam_decoupled", {{"lr", 0.02}, {"weight_decay", 0.2}, {"decoupled_weight_decay", 1}}},
    {"radam", {{"lr", 0.02}}},
    {"radam_penalty", {{"lr", 0.02}, {"betas.0", 0.8}, {"betas.1", 0.9}, {"weight_decay", 0.1}}},
    {"radam_decoupled", {{"lr", 0.02}, {"weight_decay", 0.2}, {"decoupled_weight_decay", 1}}},
    {"adamax", {{"lr", 0.01}}},
    {"adamax_penalty", {{"lr", 0.02}, {"betas.0", 0.8}, {"betas.1", 0.95}, {"weight_decay", 0.1}}},
    {"rprop", {}},
    {"rprop_sizes", {{"lr", 0.05}, {"etas.0", 0.4}, {"etas.1", 1.3}, {"step_sizes.0", 1e-3}, {"step_sizes.1", 0.1}}},
    {"asgd", {}},
    {"asgd_averaged", {{"lr", 0.1}, {"lambd", 0.05}, {"alpha", 0.6}, {"t0", 4}, {"weight_decay", 0.1}}},
    {"adafactor", {}},
    {"adafactor_clipped",
     {{"lr", 0.05}, {"beta2_decay", -0.5}, {"eps.0", 1e-4}, {"eps.1", 0.1}, {"d", 1.2}, {"weight_decay", 0.2}}},
    {"lion", {{"lr", 0.003}}},
    {"lion_decay", {{"lr", 0.005}, {"betas.0", 0.8}, {"betas.1", 0.95}, {"weight_decay", 0.3}}},
    {"lamb", {{"lr", 0.01}}},
    {"lamb_decay", {{"lr", 0.02}, {"betas.0", 0.8}, {"betas.1", 0.95}, {"eps", 1e-4}, {"weight_decay", 0.1}}},
    {"lars", {{"lr", 1}}},
    {"lars_decay", {{"lr", 2}, {"momentum", 0.5}, {"weight_decay", 0.05}, {"trust_coefficient", 0.01}}},
    {"muon", {{"lr", 0.02}}},
    {"muon_match",
     {{"lr", 0.01}, {"weight_decay", 0.3}, {"momentum", 0.8}, {"nesterov", 0}, {"ns_steps", 3}, {"adjust_lr_fn", 1}}},
    {"sgdschedulefree", {}},
    {"sgdschedulefree_warmup",
     {{"lr", 2}, {"momentum", 0.8}, {"weight_decay", 0.01}, {"warmup_steps", 6}, {"r", 1}, {"weight_lr_power", 1}}},
    {"adamwschedulefree", {{"lr", 0.02}}},
    {"adamwschedulefree_warmup",
     {{"lr", 0.03},
      {"betas.0", 0.8},
      {"betas.1", 0.95},
      {"eps", 1e-5},
      {"weight_decay", 0.1},
      {"warmup_steps", 12},
      {"r", 0.5}}},
    {"shampoo", {}},
    {"shampoo_momentum", {{"lr", 0.05}, {"momentum", 0.8}, {"weight_decay", 0.1}, {"epsilon", 1e-2}}},
    {"shampoo_seldom", {{"lr", 0.03}, {"update_freq", 4}}},
    {"shampoo_diagonal", {{"lr", 0.05}, {"epsilon", 1e-3}, {"max_matrix_size", 4}}},
    {"sgd_clip_norm", {{"lr", 0.5}, {"momentum", 0.9}}},
    {"sgd_clip_value", {{"lr", 0.5}}},
    {"adamw_groups", {{"lr", 0.02}, {"weight_decay", 0.2}}},
};

class GoldenOptim : public ::testing::TestWithParam<std::string> {
 protected:
  nn::Sequential network() const {
    nn::Sequential model{nn::Linear(4, 6), nn::Tanh(), nn::Linear(6, 3)};
    nn::load_state_dict(model, below(file_, "initial."));
    return model;
  }
  std::unique_ptr<optim::Optimizer> optimizer(nn::Sequential& model, Settings settings) const {
    const std::string name = GetParam().substr(0, GetParam().find('_'));
    std::vector<nn::Parameter*> trained = nn::parameters(model);
    if (name == "muon") trained = {trained[0], trained[2]};
    auto made = optim::make_optimizer(name, trained, settings);
    if (GetParam() == "sgd_clip_norm") made->set_clip_norm(0.1);
    if (GetParam() == "sgd_clip_value") made->set_clip_value(0.02);
    if (GetParam() == "adamw_groups") {
      EXPECT_EQ(made->set_group("*.bias", {.weight_decay = 0}), 2);
      EXPECT_EQ(made->set_group("2.weight", {.lr_factor = 0.5}), 1);
    }
    return made;
  }
  Tensor loss(nn::Sequential& model) const { return cross_entropy(model(file_.at("inputs")), file_.at("labels")); }
  void expect_parameters(nn::Sequential& model, const std::string& when) const {
    std::vector<double> values;
    for (const nn::Parameter* parameter : nn::parameters(model)) {
      for (const double value : parameter->tensor().to_vector<double>()) values.push_back(value);
    }
    const std::string name = GetParam() + "." + when;
    EXPECT_LE(relative_error(values, file_.at(name).to_vector<double>()), golden_tolerance) << name;
  }

  /// The generator's state after step 10, without what says only how PyTorch computes.
  NamedTensors state() const {
    NamedTensors state = below(file_, GetParam() + ".state10.");
    std::erase_if(state, [](const auto& entry) {
      return entry.first.ends_with(".foreach") || entry.first.ends_with(".capturable") ||
             entry.first.ends_with(".differentiable");
    });
    return state;
  }
  /// Names, types, shapes and values.
  void expect_state(const optim::Optimizer& optimizer, double bound) const {
    std::map<std::string, Tensor> ours;
    for (const auto& [name, tensor] : optimizer.state_dict()) ours[name] = tensor;
    EXPECT_EQ(ours.size(), state().size());
    for (const auto& [name, expected] : state()) {
      ASSERT_TRUE(ours.contains(name)) << name;
      EXPECT_EQ(ours[name].spec().str(), expected.spec().str()) << name;
      // Roots of the small eigenvalues of sums in f32 are less exact than the steps that they lead to.
      expect_close(ours[name], expected, name, name.find("inv_precond") == std::string::npos ? bound : 10 * bound);
    }
  }

  GoldenFile file_ = golden("optim");
};

TEST_P(GoldenOptim, TwentyStepsInOnePlan) {
  nn::Sequential model = network();
  const auto made = optimizer(model, cases.at(GetParam()));
  std::vector<double> losses;
  std::int64_t compiled = 0;
  made->train();
  for (int step = 1; step <= 20; ++step) {
    const Tensor value = loss(model);
    const std::int64_t before = engine::compile_count();
    made->minimize(value);
    // The file holds the parameters of the first step; Shampoo with rare roots has a plan for steps with and without.
    if (step > 5) compiled += engine::compile_count() - before;
    losses.push_back(value.item<double>());
    if (step == 10 || step == 20) expect_parameters(model, "step" + std::to_string(step));
    if (step != 10) continue;
    made->eval_mode();
    expect_state(*made, golden_tolerance);
    made->train();
  }
  made->eval_mode();
  expect_parameters(model, file_.contains(GetParam() + ".evaluation") ? "evaluation" : "step20");
  EXPECT_EQ(compiled, 0);
  EXPECT_LE(relative_error(losses, file_.at(GetParam() + ".losses").to_vector<double>()), golden_tolerance);
}

// The state after step 10 has the names and shapes of ours, brings the settings with it, and continues to step 20.
TEST_P(GoldenOptim, ContinuesFromTheStateOfTheGenerator) {
  nn::Sequential model = network();
  std::vector<double> row = file_.at(GetParam() + ".step10").to_vector<double>();
  auto next = row.begin();
  for (nn::Parameter* parameter : nn::parameters(model)) {
    std::vector<float> values(static_cast<std::size_t>(parameter->tensor().numel()));
    for (float& value : values) value = static_cast<float>(*next++);
    *parameter = reshape(from_span(values), parameter->tensor().shape());
  }
  const auto made = optimizer(model, {});
  made->load_state_dict(below(file_, GetParam() + ".state10."));
  expect_state(*made, 0);
  made->train();
  for (int step = 11; step <= 20; ++step) made->minimize(loss(model));
  expect_parameters(model, "step20");
}

// A run that is cut in two is the run, bit for bit.
TEST_P(GoldenOptim, ResumesBitForBit) {
  nn::Sequential model = network(), resumed = network();
  const auto first = optimizer(model, cases.at(GetParam()));
  first->train();
  for (int step = 0; step < 7; ++step) first->minimize(loss(model));
  first->eval_mode();
  nn::load_state_dict(resumed, nn::state_dict(model));
  const auto second = optimizer(resumed, {});
  second->load_state_dict(first->state_dict());
  first->train();
  second->train();
  for (int step = 0; step < 3; ++step) {
    first->minimize(loss(model));
    second->minimize(loss(resumed));
  }
  const auto a = nn::parameters(model), b = nn::parameters(resumed);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i]->tensor().to_vector<double>(), b[i]->tensor().to_vector<double>()) << i;
  }
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& [name, settings] : cases) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Golden, GoldenOptim, ::testing::ValuesIn(case_names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace gradus
