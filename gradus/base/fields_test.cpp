#include "gradus/base/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>
#include <vector>

namespace gradus {

// Not in an unnamed namespace: models are not either.
namespace fields_test {

struct Empty {};
struct Layer {
  int in = 0, out = 0;
  std::string name;
};
struct Network {
  Layer first{1, 2, "a"}, second;
  std::vector<Layer> rest;
  double rate = 0.5;
};
class Counted {
 public:
  explicit Counted(int value) : weight(value), bias(-value) {}
  static constexpr int field_count = 2;
  int weight, bias;
};
struct Arrays {
  std::array<int, 3> order{};
  bool flag = false;
};
struct Many {
  int f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20, f21, f22, f23, f24,
      f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38, f39;
};

/// Without a default constructor, fewer values than fields initialise nothing.
struct Strict {
  Counted first, second;
  int third = 0;
};

}  // namespace fields_test

namespace {

using namespace fields_test;  // NOLINT

template <class T>
std::vector<std::string> names_of(const T& object) {
  std::vector<std::string> names;
  fields::for_each(object, [&](std::string_view name, const auto&) { names.emplace_back(name); });
  return names;
}

TEST(Fields, CountsAtCompileTime) {
  static_assert(fields::count<Empty>() == 0);
  static_assert(fields::count<Layer>() == 3);
  static_assert(fields::count<Network>() == 4);
  static_assert(fields::count<Counted>() == 2);
  static_assert(fields::count<Strict>() == 3);
  static_assert(fields::count<Many>() == 40);
  static_assert(!fields::Walkable<int> && !fields::Walkable<std::vector<int>>);
}

TEST(Fields, NamesAreThoseOfTheSource) {
  EXPECT_EQ(names_of(Empty{}), std::vector<std::string>{});
  EXPECT_EQ(names_of(Layer{}), (std::vector<std::string>{"in", "out", "name"}));
  EXPECT_EQ(names_of(Network{}), (std::vector<std::string>{"first", "second", "rest", "rate"}));
  EXPECT_EQ(names_of(Counted(1)), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ((fields::name<Many, 39>), "f39");
  EXPECT_EQ((fields::name<Arrays, 0>), "order");
}

TEST(Fields, VisitsReferencesInOrder) {
  Counted counted(5);
  fields::for_each(counted, [](std::string_view name, int& field) { field += name == "bias" ? 100 : 10; });
  EXPECT_EQ(counted.weight, 15);
  EXPECT_EQ(counted.bias, 95);
  Network network;
  std::get<3>(fields::tie(network)) = 0.25;
  EXPECT_EQ(network.rate, 0.25);
  EXPECT_EQ(&std::get<1>(fields::tie(network)), &network.second);
}

TEST(Fields, LocalStructsHaveNamesToo) {
  struct Local {
    int alpha = 1;
    float beta_2 = 2;
  };
  EXPECT_EQ(names_of(Local{}), (std::vector<std::string>{"alpha", "beta_2"}));
}

}  // namespace
}  // namespace gradus
