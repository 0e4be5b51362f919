// Hooks: what they see, what they replace, when they end.
#include "gradus/nn/hooks.h"

#include <gtest/gtest.h>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/nn/linear.h"
#include "gradus/nn/sequential.h"
#include "gradus/ops/ops.h"

namespace gradus::nn {
namespace {

struct Block {
  Linear fc{3, 3};
  ReLU act;
  Tensor operator()(const Tensor& x) const { return act(fc(x)); }
};
struct Model {
  Block first, second;
  Sequential head{Linear(3, 2), Block{Linear(2, 2), {}}, [](const Tensor& x) { return x * 2; }};
  Tensor operator()(const Tensor& x) { return head(second(first(x))); }
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors) all.push_back(name);
  return all;
}

TEST(Capture, SeesEveryLayerInTheOrderOfCalls) {
  Model model;
  const Tensor x = ones({4, 3});
  Capture all(model);
  const Tensor y = model(x);
  EXPECT_EQ(names(all.outputs()),
            (std::vector<std::string>{"first.fc", "first.act", "second.fc", "second.act", "head.0", "head.1.fc",
                                      "head.1.act", "head.1", "head.2", "head"}));
  EXPECT_EQ(all["head"], y);
  EXPECT_EQ(all["first.act"].to_vector<float>(), relu(model.first.fc(x)).to_vector<float>());
  all.clear();
  EXPECT_TRUE(all.outputs().empty());
}

TEST(Capture, SelectsByPattern) {
  Model model;
  Capture firsts(model, "first.*");
  model(ones({4, 3}));
  EXPECT_EQ(names(firsts.outputs()), (std::vector<std::string>{"first.fc", "first.act"}));
  try {
    firsts["first.fx"];
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the nearest name is first.fc"), std::string::npos) << error.what();
  }
  EXPECT_THROW(Capture(model, "third.*"), Error);
}

TEST(Hook, ReplacesOutputsWhileItLives) {
  Model model;
  const Tensor x = ones({4, 3});
  const std::vector<float> plain = model(x).to_vector<float>();
  {
    std::vector<std::string> types;
    Hook zero(model, "second.fc", [&](const LayerCall& call) {
      types.push_back(call.type);
      EXPECT_EQ(call.input.shape(), (Shape{4, 3}));
      return call.output * 0.f;
    });
    Capture after(model, "second.*");
    model(x);
    EXPECT_EQ(types, (std::vector<std::string>{"Linear"}));
    EXPECT_EQ(sum(abs(after["second.act"])).item<float>(), 0);
  }
  EXPECT_EQ(model(x).to_vector<float>(), plain);
}

}  // namespace
}  // namespace gradus::nn
