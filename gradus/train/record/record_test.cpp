// Instruments: exact values where closed forms exist, the file, and runs that record.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/safetensors.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"
#include "gradus/train/record/sample.h"
#include "gradus/train/record/sharpness.h"
#include "gradus/train/record/sites.h"
#include "gradus/train/record/surface.h"
#include "gradus/train/run_folder.h"
#include "gradus/train/tiny_data_test.h"
#include "gradus/train/trainer.h"
#include "gradus/transform/grad.h"

namespace gradus::train {
namespace {

using testing_help::TemporaryFolder;
using testing_help::tiny_recipe;

constexpr float inf = std::numeric_limits<float>::infinity(), not_a_number = std::numeric_limits<float>::quiet_NaN();
using Counts = std::vector<std::int64_t>;

TEST(Spread, CountsByPowersOfTwo) {
  const Spread s = spread_of(tensor({1.f, 1.5f, -2.f, 0.25f, 0.f, -0.f, 3.999f, -4.f}));
  EXPECT_EQ(s.elements, 8);
  EXPECT_EQ(s.zeros, 2);
  EXPECT_EQ(s.bins.lowest, -2);
  EXPECT_EQ(s.bins.positive, (Counts{1, 0, 2, 1, 0}));
  EXPECT_EQ(s.bins.negative, (Counts{0, 0, 0, 1, 1}));
  EXPECT_DOUBLE_EQ(s.min, -4);
  EXPECT_FLOAT_EQ(static_cast<float>(s.max), 3.999f);
}

TEST(Spread, SurvivesWhatIsNotFinite) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f64}) {
    const Tensor x = cast(tensor({3.f, not_a_number, inf, -4.f, -inf, inf, 0.f}), dtype);
    eval(x);
    const Spread s = spread_of(x);
    EXPECT_EQ(s.elements, 7);
    EXPECT_EQ(s.nans, 1);
    EXPECT_EQ(s.infinities, 3);
    EXPECT_EQ(s.finite(), 3);
    EXPECT_EQ(s.zeros, 1);
    EXPECT_DOUBLE_EQ(s.norm, 5);
    EXPECT_DOUBLE_EQ(s.mean, -1.0 / 3);
    EXPECT_DOUBLE_EQ(s.std, std::sqrt(25.0 / 3 - 1.0 / 9));
    EXPECT_EQ(s.bins.lowest, 1);
    EXPECT_EQ(s.bins.positive, (Counts{1, 0}));
    EXPECT_EQ(s.bins.negative, (Counts{0, 1}));
  }
  const Spread nothing = spread_of(tensor({not_a_number, not_a_number}));
  EXPECT_EQ(nothing.finite(), 0);
  EXPECT_EQ(nothing.norm, 0);
  EXPECT_TRUE(std::isnan(nothing.mean) && std::isnan(nothing.min) && std::isnan(nothing.std));
  EXPECT_TRUE(nothing.bins.positive.empty() && nothing.bins.negative.empty());
  const std::span<const float> none;
  EXPECT_EQ(spread_of(leaf<float>({0}, none)).elements, 0);
}

TEST(Spread, ReachesTheEndsOfTheRange) {
  const Spread s = spread_of(tensor({1e-45f, std::numeric_limits<float>::max()}));  // subnormal, and the largest
  EXPECT_EQ(s.bins.lowest, -127);
  EXPECT_EQ(s.bins.positive.size(), 255u);
  EXPECT_EQ(s.bins.positive.front(), 1);
  EXPECT_EQ(s.bins.positive.back(), 1);
  EXPECT_EQ(s.zeros, 0);
  const Spread wide = spread_of(tensor({1e-300, 1e300}));
  EXPECT_EQ(wide.bins.lowest, -127);
  EXPECT_EQ(wide.bins.positive.size(), static_cast<std::size_t>(127 + 996 + 1));  // 2^996 < 1e300 < 2^997
  EXPECT_EQ(spread_of_difference(tensor({3.f, 1.f}), tensor({1.f, 1.f})).zeros, 1);
}

TEST(UnitShares, FindsDeadAndSaturatedUnits) {
  // Two examples, three channels, two positions: the second channel is dead, of the others half the elements are 0.
  const Tensor x = reshape(tensor({0.f, 1.f, 0.f, 0.f, 2.f, 0.f, 0.f, 3.f, 0.f, 0.f, 0.f, 4.f}), {2, 3, 2, 1});
  eval(x);
  const UnitShares relu_shares = unit_shares(x, "relu", 1);
  EXPECT_EQ(relu_shares.units, 3);
  EXPECT_DOUBLE_EQ(relu_shares.dead, 1.0 / 3);
  EXPECT_DOUBLE_EQ(relu_shares.saturated, 8.0 / 12);
  EXPECT_DOUBLE_EQ(unit_shares(tensor({{0.98f, -0.98f, 0.97f, 0.f}}), "tanh", 1).saturated, 0.5);
  EXPECT_DOUBLE_EQ(unit_shares(tensor({{0.99f, 0.01f, 0.5f, 0.98f}}), "sigmoid", 1).saturated, 0.5);
  EXPECT_TRUE(std::isnan(unit_shares(x, "gelu", 1).saturated));
  EXPECT_TRUE(std::isnan(unit_shares(tensor({{1.f, 2.f}}), "relu", 1).dead)) << "one number says nothing";
  const Tensor lost = tensor({{not_a_number, 1.f}, {not_a_number, 1.f}});
  EXPECT_DOUBLE_EQ(unit_shares(lost, "relu", 1).dead, 0.5) << "NaN is not one and the same number";
}

/// The slope of a function at the outputs that count as saturated is a twentieth of its largest.
TEST(UnitShares, SaturatesAtATwentiethOfTheSlope) {
  struct Case {
    const char* function;
    Tensor (*apply)(const Tensor&);
    double largest_slope;
  };
  const Case cases[] = {{"sigmoid", [](const Tensor& x) { return sigmoid(x); }, 0.25},
                        {"tanh", [](const Tensor& x) { return tanh(x); }, 1},
                        {"softsign", [](const Tensor& x) { return softsign(x); }, 1},
                        {"elu", [](const Tensor& x) { return elu(x); }, 1},
                        {"celu", [](const Tensor& x) { return celu(x); }, 1},
                        {"selu", [](const Tensor& x) { return selu(x); }, selu_alpha * selu_scale},
                        {"softplus", [](const Tensor& x) { return softplus(x); }, 1},
                        {"log_sigmoid", [](const Tensor& x) { return log_sigmoid(x); }, 1},
                        {"relu6", [](const Tensor& x) { return relu6(x); }, 1},
                        {"hardtanh", [](const Tensor& x) { return hardtanh(x); }, 1},
                        {"hardsigmoid", [](const Tensor& x) { return hardsigmoid(x); }, 1.0 / 6},
                        {"relu", [](const Tensor& x) { return relu(x); }, 1}};
  for (const Case& c : cases) {
    const Tensor x = arange(-10.0, 10.0, 0.01) + 0.0037;
    eval(x);
    const Tensor y = reshape(c.apply(x), {1, -1}), slope = grad(sum(y), {x})[0];
    eval(y, slope);
    std::int64_t flat = 0;
    for (const double s : slope.to_vector<double>()) flat += s < c.largest_slope / 20 ? 1 : 0;
    EXPECT_NEAR(unit_shares(y, c.function, 1).saturated, static_cast<double>(flat) / static_cast<double>(y.numel()),
                1e-3)
        << c.function;
  }
}

struct Free {
  nn::Conv2d conv{1, 2, 3};
  nn::Linear fc1{8, 6}, fc2{6, 6}, fc3{6, 3};
  Tensor operator()(const Tensor& x) {
    const Tensor features = flatten(relu(conv(x)), 1);
    const Tensor once = gelu(fc1(features));
    return fc3(relu(silu(fc2(once)) + once));
  }
};

TEST(ActivationSites, AreFoundInModelsThatKnowNothingOfIt) {
  models::AnyModel model = Free();
  nn::all_fields(model);
  const Tensor answer = model(ones({4, 1, 4, 4}));
  std::string found;
  for (const ActivationSite& site : activation_sites(answer))
    found += fmt::format("{} {} {} {}\n", site.name, site.function, site.output.shape().str(), site.unit_axis);
  EXPECT_EQ(found,
            "conv relu [4, 2, 2, 2] 1\n"
            "fc1 gelu [4, 6] 1\n"
            "fc2 silu [4, 6] 1\n"
            "fc2#2 relu [4, 6] 1\n"
            "output output [4, 3] 1\n");
}

struct Weights {
  nn::Parameter w;
  Tensor operator()(const Tensor& x) { return x * w; }
};

/// The Hessian of half of w' A w is A, whatever its signs.
TEST(Sharpness, IsTheLargestEigenvalue) {
  const std::vector<std::pair<std::vector<float>, double>> cases = {
      {{5, -2, 1}, 5}, {{-9, 2, 1}, 2}, {{-3, -2, -1}, -1}, {{0, 0, 0}, 0}};
  for (const auto& [diagonal, largest] : cases) {
    const Tensor a = leaf<float>({3}, std::span<const float>(diagonal));
    models::AnyModel model = Weights{tensor({0.3f, -0.2f, 0.9f})};
    const Sharpness found = sharpness(model, [&](models::AnyModel& m) { return sum(m(a) * m(ones({3}))) * 0.5; },
                                      {.max_iterations = 200, .tolerance = 1e-7, .key = Key{3}});
    EXPECT_NEAR(found.eigenvalue, largest, 1e-3) << diagonal[0];
    EXPECT_TRUE(found.converged);
  }
}

/// The Hessian of a mean squared error of a linear model is 2 X' X / n.
TEST(Sharpness, OfLeastSquares) {
  models::AnyModel model = nn::Linear(3, 1, {.bias = false});
  const Tensor x = nn::init::normal({20, 3}, 0, 1, Key{8}), t = nn::init::normal({20, 1}, 0, 1, Key{9});
  eval(x, t);
  const double exact = linalg::eigh(matmul(transpose(x, 0, 1), x) * 0.1f).values.to_vector<double>().back();
  const Sharpness found = sharpness(model, [&](models::AnyModel& m) { return mean(square(m(x) - t)); },
                                    {.max_iterations = 300, .tolerance = 1e-7});
  EXPECT_NEAR(found.eigenvalue / exact, 1, 1e-4);
}

TEST(Sharpness, SaysWhenItIsNoNumber) {
  models::AnyModel model = Weights{tensor({0.f, 1.f})};
  const Sharpness found = sharpness(model, [](models::AnyModel& m) { return sum(sqrt(m(ones({2})))); });
  EXPECT_TRUE(std::isnan(found.eigenvalue));
  EXPECT_FALSE(found.converged);
}

/// Half the squared norm of a weight: along a direction d with rows as long as the weight's, the mean of both sides is
/// (1 + a^2) / 2 times its squared norm.
TEST(LossSurface, OfAParabola) {
  models::AnyModel model = Weights{tensor({{3.f, 4.f, 0.f}, {0.f, 0.f, 0.f}, {1.f, 1.f, 1.f}})};
  const auto loss = [](models::AnyModel& m) { return sum(square(m(ones({3, 3})))) * 0.5; };
  const Surface line = loss_surface(model, loss, {.points = 5, .range = 2, .key = Key{1}});
  EXPECT_EQ(line.steps, (std::vector<double>{-2, -1, 0, 1, 2}));
  ASSERT_EQ(line.losses.size(), 1u);
  EXPECT_NEAR(line.centre(), 14, 1e-5);
  EXPECT_NEAR((line.losses[0][0] + line.losses[0][4]) / 2, 14 * (1 + 4), 1e-4);
  EXPECT_NEAR((line.losses[0][1] + line.losses[0][3]) / 2, 14 * (1 + 1), 1e-4);
  const Surface plane = loss_surface(model, loss, {.points = 3, .range = 1, .plane = true, .key = Key{1}});
  ASSERT_EQ(plane.losses.size(), 3u);
  EXPECT_NEAR(plane.centre(), 14, 1e-5);
  EXPECT_NEAR((plane.losses[0][1] + plane.losses[2][1]) / 2, 28, 1e-4);
  EXPECT_NEAR(loss(model).item<double>(), 14, 1e-6) << "the model is as it was";
  models::AnyModel bias = Weights{tensor({1.f, 2.f})};
  const Surface flat = loss_surface(bias, [](models::AnyModel& m) { return sum(square(m(ones({2})))); });
  EXPECT_EQ(flat.losses[0].front(), flat.centre()) << "what has one axis stays";
  for (const SurfaceOptions& wrong :
       {SurfaceOptions{.points = 4}, SurfaceOptions{.points = 1}, SurfaceOptions{.points = 3, .range = 0}})
    EXPECT_THROW(loss_surface(model, loss, wrong), Error);
}

/// With targets far above, the gradient of an absolute error is the example itself: its mean and covariance are known.
class Noise : public ::testing::Test {
 protected:
  StepRecord look(const Tensor& inputs, const Tensor& targets) {
    const data::Dataset set("line", inputs, targets);
    const Objective objective({}, set, {.loss = "l1"});
    const Tensor answer = model_(inputs), loss = objective(answer, targets);
    const Sample sample(Asked::of({"noise", "losses", "gradients"}), {model_, objective, inputs, targets}, answer,
                        loss);
    Tensors all = sample.tensors();
    all.push_back(loss);
    eval(all);
    return sample.finish(model_);
  }
  models::AnyModel model_ = nn::Linear(2, 1, {.bias = false});
};

TEST_F(Noise, OfFourExamples) {
  const Tensor inputs = tensor({{1.f, 0.f}, {3.f, 0.f}, {0.f, 2.f}, {0.f, 6.f}});
  const StepRecord record = look(inputs, tensor({100.f, 100.f, 100.f, 100.f}));
  ASSERT_TRUE(record.noise);
  // Halves: (2, 0) and (0, 4), mean of the squared norms 10; all: (1, 2), squared norm 5.
  EXPECT_EQ(record.noise->small, 2);
  EXPECT_EQ(record.noise->big, 4);
  EXPECT_NEAR(record.noise->signal, (4 * 5 - 2 * 10) / 2.0, 1e-5);
  EXPECT_NEAR(record.noise->noise, (10 - 5) / (1 / 2.0 - 1 / 4.0), 1e-5);
  EXPECT_EQ(record.losses->elements, 4);
  EXPECT_NEAR(record.gradients.at(0).spread.norm, std::sqrt(5), 1e-6);
  EXPECT_FALSE(look(tensor({{1.f, 0.f}}), tensor({100.f})).noise) << "one example has no halves";
}

TEST_F(Noise, AveragesToTheKnownScale) {
  std::vector<StepRecord> records;
  for (std::uint64_t i = 0; i < 300; ++i) {
    std::vector<float> x(32);
    fill_normal(x, Key{i}, 1, 2);  // |G|^2 = 2, tr(S) = 8
    const Tensor inputs = leaf<float>({16, 2}, std::span<const float>(x));
    records.push_back(look(inputs, full({16}, 1000.f)));
  }
  EXPECT_NEAR(noise_scale(records), 4, 0.4);
  EXPECT_TRUE(std::isnan(noise_scale({})));
}

StepRecord step_with_everything() {
  StepRecord step;
  step.step = 7;
  step.epoch = 2;
  step.lr = 0.125;
  step.loss = std::numeric_limits<double>::quiet_NaN();
  step.failed = true;
  const Spread spread = spread_of(tensor({1.f, not_a_number, -inf, 0.5f}));
  step.gradients = {{"a \"b\".weight", spread}};
  step.updates = {{"w", spread, 2}, {"zero", spread, 0}};
  step.activations = {{.name = "fc1", .function = "relu", .spread = spread, .units = 3, .dead = 0.25, .saturated = 0.5},
                      {.name = "fc2", .function = "gelu", .spread = spread, .units = 1}};
  step.losses = spread;
  step.noise = NoiseRecord{.small = 1, .big = 2, .signal = -0.5, .noise = 3};
  return step;
}

TEST(InstrumentFile, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const std::string path = folder / "instruments.jsonl";
  EXPECT_TRUE(read_instruments(path).empty());
  EpochRecord epoch;
  epoch.epoch = 2;
  epoch.step = 8;
  epoch.batch_loss = {4, 1.5, 0.5, 1, 2};
  epoch.generalisation = Generalisation{10, 0.5, 0.75, 0.875, 0.625};
  epoch.calibration = Calibration{0.125, {{0, 0.5, 3, 0.25, 0.5}, {0.5, 1, 0, 0, 0}}};
  epoch.sharpness = SharpnessRecord{12.5, 6, true, 64};
  const StepRecord step = step_with_everything();
  io::write_file(path, to_json(step) + '\n' + to_json(epoch) + '\n' + "{\"kind\": \"st");
  const Instruments read = read_instruments(path);
  ASSERT_EQ(read.steps.size(), 1u);
  ASSERT_EQ(read.epochs.size(), 1u);
  EXPECT_EQ(to_json(read.steps[0]), to_json(step));
  EXPECT_EQ(to_json(read.epochs[0]), to_json(epoch));
  EXPECT_EQ(read.steps[0].gradients, step.gradients);
  EXPECT_TRUE(std::isnan(read.steps[0].loss));
  EXPECT_TRUE(std::isnan(read.steps[0].updates[1].ratio()));
  EXPECT_TRUE(std::isnan(read.steps[0].activations[1].saturated));
  EXPECT_EQ(*read.epochs[0].sharpness, *epoch.sharpness);
  EXPECT_DOUBLE_EQ(read.epochs[0].generalisation->gap(), 0.25);
}

TEST(InstrumentFile, NamesTheLineThatIsDamaged) {
  const TemporaryFolder folder;
  const std::string path = folder / "instruments.jsonl", good = to_json(step_with_everything());
  for (const std::string bad : {"{}", "no JSON", "{\"kind\":\"other\"}", "{\"kind\":\"step\",\"step\":\"x\"}", "[1]"}) {
    io::write_file(path, good + '\n' + bad + '\n');
    try {
      read_instruments(path);
      FAIL() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::format);
      EXPECT_NE(std::string(error.what()).find("instruments.jsonl:2"), std::string::npos) << error.what();
    }
  }
}

class Recording : public ::testing::Test {
 protected:
  Recording() { set_num_threads(1); }
  Recipe recipe(std::vector<std::string> changes) {
    changes.push_back("log.report=false");
    return parse_recipe(tiny_recipe(folder_), "tiny.toml", changes);
  }
  std::string file(const std::string& run, const std::string& name) {
    return io::read_file(folder_ / run + "/" + name);
  }
  Instruments seen(const std::string& run) { return read_instruments(folder_ / run + "/instruments.jsonl"); }

  TemporaryFolder folder_;
};

TEST_F(Recording, ChangesNothingInTheRun) {
  const std::vector<std::string> kinds[] = {
      {}, {"train.accumulate=3"}, {"train.clip_norm=0.1", "optimizer.name=sgd"}, {"train.precision=bf16"}};
  int number = 0;
  for (std::vector<std::string> changes : kinds) {
    const std::string plain = fmt::format("plain{}", number), recorded = fmt::format("recorded{}", number++);
    start(recipe(changes), {.run = folder_ / plain});
    changes.insert(changes.end(), {"train.record=[\"all\"]", "train.record_every_steps=2"});
    start(recipe(changes), {.run = folder_ / recorded});
    EXPECT_EQ(file(plain, "checkpoints/last.safetensors"), file(recorded, "checkpoints/last.safetensors"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / plain + "/instruments.jsonl"));
  }
}

/// Running statistics and the random stream are left alone, too.
TEST_F(Recording, ChangesNothingWithStateAndChance) {
  const std::string layers =
      "[[model.layers]]\ntype = \"flatten\"\n[[model.layers]]\ntype = \"linear\"\nin_features = 64\nout_features = "
      "12\n[[model.layers]]\ntype = \"batch_norm1d\"\nnum_features = 12\n[[model.layers]]\ntype = "
      "\"gelu\"\n[[model.layers]]\ntype = \"dropout\"\np = 0.3\n[[model.layers]]\ntype = \"linear\"\nin_features = "
      "12\nout_features = 10\n[data]\nname = \"digits\"\nvalidation = 1200\nbatch_size = 30\n[train]\nepochs = 2\nema "
      "= "
      "0.9\n";
  const std::vector<std::string> quiet = {"log.report=false"},
                                 loud = {"log.report=false", "train.record=[\"all\"]", "train.record_every_steps=2"};
  start(parse_recipe(layers, "plain.toml", quiet), {.run = folder_ / "plain"});
  start(parse_recipe(layers, "loud.toml", loud), {.run = folder_ / "loud"});
  EXPECT_EQ(file("plain", "checkpoints/last.safetensors"), file("loud", "checkpoints/last.safetensors"));
  const StepRecord step = seen("loud").steps.at(0);
  ASSERT_EQ(step.activations.size(), 2u);
  EXPECT_EQ(step.activations[0].function, "gelu");
  EXPECT_EQ(step.activations[0].name, "2");
}

TEST_F(Recording, OfNumbers) {
  start(parse_recipe("[model]\nname = \"mlp\"\ninputs = 10\nhidden = [8]\noutputs = 1\n[data]\nname = "
                     "\"friedman\"\nstandardize = true\nvalidation = 100\n[train]\nepochs = 2\n",
                     "numbers.toml", std::vector<std::string>{"log.report=false", "train.record=[\"all\"]"}),
        {.run = folder_ / "run"});
  const Instruments found = seen("run");
  EXPECT_GT(found.steps.at(0).losses->mean, 0);
  EXPECT_TRUE(found.steps[0].noise && found.epochs.at(0).sharpness && found.epochs[0].generalisation);
  EXPECT_FALSE(found.epochs[0].calibration) << "numbers have no classes";
}

TEST_F(Recording, KeepsWhatWasAskedFor) {
  start(recipe({"train.record=[\"all\"]", "train.record_every_steps=4"}), {.run = folder_ / "run"});
  const Instruments all = seen("run");
  ASSERT_EQ(all.epochs.size(), 3u);
  ASSERT_EQ(all.steps.size(), 8u) << "steps 1, 5, ... of 30";
  EXPECT_EQ(all.steps[1].step, 5);
  EXPECT_EQ(all.steps.back().epoch, 3);
  for (const StepRecord& step : all.steps) {
    ASSERT_EQ(step.gradients.size(), 4u);
    ASSERT_EQ(step.updates.size(), 4u);
    ASSERT_EQ(step.activations.size(), 2u);
    EXPECT_EQ(step.activations[0].function, "relu");
    EXPECT_EQ(step.activations[0].units, 32);
    EXPECT_EQ(step.activations[1].function, "output");
    EXPECT_EQ(step.losses->elements, 16);
    EXPECT_NEAR(step.losses->mean, step.loss, 1e-5);
    EXPECT_EQ(step.noise->big, 16);
    EXPECT_GT(step.updates[0].ratio(), 0);
  }
  for (const EpochRecord& epoch : all.epochs) {
    EXPECT_EQ(epoch.batch_loss.batches, 10);
    EXPECT_LE(epoch.batch_loss.min, epoch.batch_loss.mean);
    EXPECT_EQ(epoch.generalisation->examples, 160);
    std::int64_t examples = 0;
    for (const auto& bin : epoch.calibration->bins) examples += bin.examples;
    EXPECT_EQ(examples, 40);
    EXPECT_TRUE(std::isfinite(epoch.sharpness->eigenvalue));
  }
  start(recipe({"train.record=[\"updates\", \"calibration\"]"}), {.run = folder_ / "some"});
  const Instruments some = seen("some");
  EXPECT_EQ(some.steps.size(), 30u) << "a short run is looked at in every step";
  EXPECT_TRUE(some.steps[0].gradients.empty() && some.steps[0].activations.empty() && !some.steps[0].noise);
  EXPECT_TRUE(some.epochs[0].calibration && !some.epochs[0].sharpness && !some.epochs[0].generalisation);
}

/// The first update of SGD is -lr times the gradient.
TEST_F(Recording, UpdatesAreWhatTheStepAdded) {
  start(recipe({"train.record=[\"gradients\", \"updates\"]", "optimizer.name=sgd", "optimizer.lr=0.5",
                "optimizer.schedule=constant", "optimizer.warmup_steps=0", "train.epochs=1"}),
        {.run = folder_ / "run"});
  const StepRecord first = seen("run").steps.at(0);
  for (std::size_t i = 0; i < first.gradients.size(); ++i) {
    EXPECT_EQ(first.gradients[i].name, first.updates[i].name);
    EXPECT_NEAR(first.updates[i].spread.norm / (0.5 * first.gradients[i].spread.norm), 1, 1e-4);
  }
}

TEST_F(Recording, ResumesByteForByte) {
  for (const std::string accumulate : {"train.accumulate=1", "train.accumulate=3"}) {
    const Recipe r = recipe({"train.record=[\"all\"]", "train.record_every_steps=3", accumulate});
    const std::string whole = "whole" + accumulate, parts = "parts" + accumulate;
    start(r, {.run = folder_ / whole});
    int left = 7;
    const auto stop = [&] { return left-- == 0; };
    start(r, {.run = folder_ / parts, .stop = stop});
    // As a killed process leaves it: lines of steps after the checkpoint, and half a line.
    const std::string path = folder_ / parts + "/instruments.jsonl";
    StepRecord later;
    later.step = 100;
    later.epoch = 9;
    io::write_file(path, io::read_file(path) + to_json(later) + "\n{\"kind\":\"ep");
    const std::string kept = io::read_file(path);
    io::write_file(path, "damage\n" + kept);
    EXPECT_THROW(resume({.run = folder_ / parts}), Error);
    io::write_file(path, kept);
    left = 4;
    resume({.run = folder_ / parts, .stop = stop});
    resume({.run = folder_ / parts});
    EXPECT_EQ(file(parts, "instruments.jsonl"), file(whole, "instruments.jsonl"));
  }
}

TEST_F(Recording, KeepsTheStepThatFailed) {
  EXPECT_THROW(start(recipe({"train.record=[\"gradients\", \"activations\"]", "train.record_every_steps=100",
                             "optimizer.name=sgd", "optimizer.lr=1e30", "optimizer.warmup_steps=0"}),
                     {.run = folder_ / "run"}),
               Error);
  const Instruments found = seen("run");
  ASSERT_EQ(found.steps.size(), 2u);
  EXPECT_FALSE(found.steps[0].failed);
  EXPECT_TRUE(found.steps[1].failed);
  EXPECT_GT(found.steps[1].step, 1);
  std::int64_t odd = 0;
  for (const auto& a : found.steps[1].activations) odd += a.spread.nans + a.spread.infinities;
  EXPECT_GT(odd, 0);
}

}  // namespace
}  // namespace gradus::train
