// The walk over models: containers, names, freezing, copies.
#include "gradus/nn/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/gradients.h"
#include "gradus/nn/init.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus::nn {
namespace {

template <class Model>
std::vector<std::string> paths(Model& model) {
  std::vector<std::string> found;
  visit(model, [&](const std::string& path, auto&) { found.push_back(path); });
  return found;
}

using Strings = std::vector<std::string>;

Linear small() { return Linear(1, 1, {.bias = false}); }

enum class Mode { fast, exact };

struct Settings {
  double rate = 0.1;
  std::string name = "x";
  std::vector<int> sizes{1, 2};
  std::vector<bool> flags{true};
  Mode mode = Mode::exact;
  std::function<Tensor(const Tensor&)> activation;
  Tensor (*function)(const TensorArg&) = nullptr;
  const char* text = "";
  Shape shape{2, 3};
  std::map<std::string, double> weights{{"a", 1}};
  Tensor constant;
};

struct Everything {
  Linear plain = small();
  std::vector<Linear> list{small(), small()};
  std::array<Linear, 2> fixed{small(), small()};
  std::optional<Linear> present = small();
  std::optional<Linear> absent;
  std::map<std::string, Linear> named{{"b", small()}, {"a", small()}};
  std::map<int, Linear> numbered{{7, small()}};
  std::tuple<Linear, int> mixed{small(), 3};
  std::pair<int, Linear> pair{3, small()};
  std::vector<std::vector<Parameter>> nested{{init::constant({1}, 0)}, {init::constant({1}, 0), Parameter()}};
  Sequential chain{small(), ReLU(), Sequential{small(), small()}};
  Settings settings;
  Buffer table = Buffer(init::constant({2}, 1));
  Parameter undefined;
};

TEST(FieldWalk, FindsEverythingInOrder) {
  Everything model;
  const Strings expected{
      "plain.weight",   "list.0.weight",  "list.1.weight",     "fixed.0.weight",   "fixed.1.weight", "present.weight",
      "named.a.weight", "named.b.weight", "numbered.7.weight", "mixed.0.weight",   "pair.1.weight",  "nested.0.0",
      "nested.1.0",     "chain.0.weight", "chain.2.0.weight",  "chain.2.1.weight", "table"};
  EXPECT_EQ(paths(model), expected);
  const Everything& constant = model;
  EXPECT_EQ(paths(constant), expected);
  EXPECT_EQ(num_parameters(model), 16);
  EXPECT_EQ(parameters(model).size(), 16u);
}

TEST(FieldWalk, ListsUndefinedFieldsForThoseWhoAsk) {
  Everything model;
  const std::vector<FieldRef> all = all_fields(model);
  // Undefined: the bias of 14 layers, one element of `nested`, `undefined`.
  EXPECT_EQ(all.size(), 17u + 14u + 1u + 1u);
  EXPECT_EQ(all.back().path, "undefined");
}

struct WithOwner {
  std::unique_ptr<Linear> owned = std::make_unique<Linear>(1, 1);
  static constexpr int field_count = 1;
};

class WalksItself {
 public:
  void visit_fields(FieldWalk& walk) {
    walk("w", hidden_);
    walk("", inner_);
  }

 private:
  Parameter hidden_ = init::constant({1}, 0);
  Linear inner_ = small();
};

struct HoldsPrivate {
  WalksItself part;
};

TEST(FieldWalk, EntersOwnersAndClassesThatWalkThemselves) {
  WithOwner owner;
  EXPECT_EQ(paths(owner), (Strings{"owned.weight", "owned.bias"}));
  HoldsPrivate holder;
  EXPECT_EQ(paths(holder), (Strings{"part.w", "part.weight"}));
}

struct TwoLayers {
  Linear first{2, 3}, second{3, 1};
  Tensor operator()(const Tensor& x) const { return second(tanh(first(x))); }
};
struct Outer {
  TwoLayers encoder;
};

TEST(FieldWalk, NamesParametersAndTheirLeaves) {
  Outer model;
  EXPECT_EQ(model.encoder.first.weight.name(), "");
  parameters(model);
  EXPECT_EQ(model.encoder.first.weight.name(), "encoder.first.weight");
  EXPECT_EQ(origin(model.encoder.first.weight), "encoder.first.weight");
  parameters(model.encoder);  // a walk over a part does not shorten the name
  EXPECT_EQ(model.encoder.first.weight.name(), "encoder.first.weight");
  model.encoder.first.weight = init::constant({3, 2}, 0);
  EXPECT_EQ(origin(model.encoder.first.weight), "encoder.first.weight");
}

TEST(FieldWalk, ErrorsNameTheLayer) {
  Outer model;
  parameters(model);
  try {
    model.encoder(init::constant({4, 5}, 0));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("encoder.first: 2 -> 3"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("fields_test.cpp"), std::string::npos) << error.what();
  }
}

TEST(Freeze, ByPattern) {
  Outer model;
  EXPECT_EQ(freeze(model, "encoder.first.*"), 2);
  EXPECT_FALSE(model.encoder.first.weight.trainable());
  EXPECT_TRUE(model.encoder.second.weight.trainable());
  EXPECT_EQ(num_parameters(model, {.trainable_only = true}), 4);
  EXPECT_EQ(freeze(model, "*bias"), 2);
  EXPECT_EQ(unfreeze(model), 4);
  EXPECT_EQ(num_parameters(model, {.trainable_only = true}), 13);
}

TEST(Freeze, RefusesPatternsThatMatchNothing) {
  Outer model;
  try {
    freeze(model, "encoder.frist.weight");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::value);
    EXPECT_NE(std::string(error.what()).find("encoder.first.weight"), std::string::npos) << error.what();
  }
}

TEST(Gradients, HaveTheTypeOfTheModel) {
  TwoLayers model;
  freeze(model, "second.bias");
  const Tensor x = init::uniform({5, 2}, -1, 1, Key{3});
  const auto [loss, g] = value_and_grad([&](TwoLayers& m) { return mean(square(m(x))); }, model);
  EXPECT_FALSE(g.second.bias.defined());
  ASSERT_TRUE(g.first.weight.defined());
  EXPECT_EQ(g.first.weight.shape(), (Shape{3, 2}));

  // Against central differences of one weight.
  const double gradient = g.first.weight.tensor().to_vector<double>()[1];
  const auto loss_at = [&](float shift) {
    TwoLayers moved = model;
    std::vector<float> w = model.first.weight.tensor().to_vector<float>();
    w[1] += shift;
    moved.first.weight = from_span(w, {3, 2});
    return mean(square(moved(x))).item<double>();
  };
  EXPECT_NEAR(gradient, (loss_at(0.01f) - loss_at(-0.01f)) / 0.02, 1e-3);
}

TEST(Gradients, AreUndefinedWhereTheLossDoesNotReach) {
  TwoLayers model;
  const TwoLayers g = gradients(sum(model.first(init::constant({1, 2}, 1))), model);
  EXPECT_TRUE(g.first.weight.defined());
  EXPECT_FALSE(g.second.weight.defined());
}

TEST(Gradients, CanBeDifferentiatedAgain) {
  struct Cube {
    Parameter x = init::constant({}, 2.0);
  };
  Cube model;
  const Cube first = gradients(model.x * model.x * model.x, model);
  const Cube second = gradients(first.x, model);
  EXPECT_FLOAT_EQ(first.x.tensor().item<float>(), 12);
  EXPECT_FLOAT_EQ(second.x.tensor().item<float>(), 12);
}

TEST(Gradients, GradientsAreNoParameters) {
  TwoLayers model;
  const TwoLayers g = gradients(sum(model(init::constant({1, 2}, 1))), model);
  eval(g.first.weight.tensor());
  EXPECT_FALSE(g.first.weight.tensor().node()->is_parameter);
  EXPECT_TRUE(model.first.weight.tensor().node()->is_parameter);
}

TEST(Copies, AreIndependent) {
  TwoLayers model;
  TwoLayers average = model;
  const std::vector<float> before = model.first.bias.tensor().to_vector<float>();
  model.first.bias = init::constant({3}, 5);
  EXPECT_EQ(average.first.bias.tensor().to_vector<float>(), before);
  EXPECT_EQ(average.first.weight.tensor(), model.first.weight.tensor());  // shared until one of them is replaced
}

TEST(Copies, FreezingACopyLeavesTheModelTrainable) {
  TwoLayers model;
  parameters(model);
  TwoLayers teacher = model;
  freeze(teacher);
  EXPECT_FALSE(teacher.first.weight.tensor().node()->is_parameter);
  EXPECT_TRUE(model.first.weight.tensor().node()->is_parameter);
  EXPECT_EQ(teacher.first.weight.tensor().buffer(), model.first.weight.tensor().buffer());  // the elements are shared
}

TEST(Copies, AValueMadeFromParametersCanBeFrozen) {
  TwoLayers model;
  TwoLayers average = model;
  freeze(average);
  average.second.weight = average.second.weight * 0.9f + model.second.weight * 0.1f;  // an average, not evaluated yet
  average.second.weight.tensor().to_vector<float>();
  const Tensor x = init::constant({1, 2}, 1);
  const TwoLayers g = gradients(sum(model(x) - average(x)), model);  // does not ask for the average's past
  EXPECT_TRUE(g.first.weight.defined());
}

TEST(Sequential, AppliesLayersInOrder) {
  Sequential net{Flatten(), Linear(4, 3), ReLU()};
  net.add([](const Tensor& x) { return x + 1; });
  net.add(gradus::relu);
  EXPECT_EQ(net.size(), 5u);
  const Tensor y = net(init::constant({2, 2, 2}, 1));
  EXPECT_EQ(y.shape(), (Shape{2, 3}));
  for (const float v : y.to_vector<float>()) EXPECT_GE(v, 1);
  ASSERT_NE(net.get<Linear>(1), nullptr);
  EXPECT_EQ(net.get<Linear>(1)->out_features(), 3);
  EXPECT_EQ(net.get<Linear>(0), nullptr);
  EXPECT_EQ(net.get<Linear>(9), nullptr);
}

TEST(Sequential, CopiesItsLayers) {
  Sequential net{Linear(2, 2, {.bias = false}), ReLU()};
  Sequential copy = net;
  net.get<Linear>(0)->weight = init::constant({2, 2}, 0);
  EXPECT_EQ(sum(abs(net(init::constant({1, 2}, 1)))).item<float>(), 0);
  EXPECT_NE(sum(abs(copy.get<Linear>(0)->weight)).item<float>(), 0);
}

}  // namespace
}  // namespace gradus::nn
