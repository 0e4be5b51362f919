// For the tests of kernels: runs implementations directly, without an engine, and compares them with the reference.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "gradus/base/buffer.h"
#include "gradus/base/random.h"
#include "gradus/kernel/kernel.h"

namespace gradus::kernel::testing {

/// A tensor's elements without a graph.
struct Array {
  TensorSpec spec;
  Ref<Buffer> buffer;

  explicit Array(TensorSpec s) : spec(s), buffer(Buffer::allocate(s.bytes() + guard)) {
    std::memset(buffer->data(), 0xA5, buffer->bytes());
  }
  template <class T>
  Array(const Shape& shape, const std::vector<T>& elements) : Array(TensorSpec{dtype_of<T>, shape}) {
    std::memcpy(buffer->data(), elements.data(), spec.bytes());
  }
  template <class T>
  T* data() const {
    return reinterpret_cast<T*>(buffer->data());
  }
  double at(std::int64_t i) const {
    switch (spec.dtype) {
      case DType::f32: return static_cast<double>(data<float>()[i]);
      case DType::f64: return data<double>()[i];
      case DType::bf16: return static_cast<double>(static_cast<float>(data<BFloat16>()[i]));
      case DType::i32: return data<std::int32_t>()[i];
      default: return static_cast<double>(data<std::int64_t>()[i]);
    }
  }
  /// True when nothing was written behind the last element.
  bool intact() const {
    for (std::size_t i = spec.bytes(); i < buffer->bytes(); ++i) {
      if (buffer->data()[i] != std::byte{0xA5}) return false;
    }
    return true;
  }

  static constexpr std::size_t guard = 64;
};

/// Numbers from U[-1, 1), small integers for integral types.
inline Array random_array(TensorSpec spec, std::uint64_t seed) {
  Array array(spec);
  const auto count = static_cast<std::size_t>(spec.shape.numel());
  std::vector<double> numbers(count);
  fill_uniform(std::span<double>(numbers), Key{seed}, -1, 1);
  for (std::size_t i = 0; i < count; ++i) {
    switch (spec.dtype) {
      case DType::f32: array.data<float>()[i] = static_cast<float>(numbers[i]); break;
      case DType::f64: array.data<double>()[i] = numbers[i]; break;
      case DType::bf16: array.data<BFloat16>()[i] = BFloat16(static_cast<float>(numbers[i])); break;
      case DType::i32: array.data<std::int32_t>()[i] = static_cast<std::int32_t>(numbers[i] * 100); break;
      default: array.data<std::int64_t>()[i] = static_cast<std::int64_t>(numbers[i] * 100); break;
    }
  }
  return array;
}

inline std::vector<TensorSpec> specs_of(const std::vector<Array>& arrays) {
  std::vector<TensorSpec> specs;
  for (const Array& array : arrays) specs.push_back(array.spec);
  return specs;
}

/// Runs one implementation; no outputs when it refuses.
inline std::vector<Array> run(const Implementation& implementation, const Op& op, const std::vector<Array>& inputs) {
  const std::vector<TensorSpec> in = specs_of(inputs);
  const Specs out = op.infer(in);
  std::string reason;
  const std::unique_ptr<Kernel> kernel = implementation.make({op, in, out}, reason);
  if (!kernel) {
    EXPECT_FALSE(reason.empty()) << implementation.implementation << " refuses " << op.str() << " without a reason";
    return {};
  }
  std::vector<Array> outputs;
  std::vector<const std::byte*> sources;
  std::vector<std::byte*> targets;
  for (const Array& input : inputs) sources.push_back(input.buffer->data());
  for (const TensorSpec& spec : out) targets.push_back(outputs.emplace_back(spec).buffer->data());
  const Array scratch(TensorSpec{DType::u8, {static_cast<std::int64_t>(kernel->scratch_bytes())}});
  const Arguments arguments{sources, targets, scratch.buffer->data()};
  for (int repeat = 0; repeat < 2; ++repeat) EXPECT_TRUE(kernel->run(arguments).ok);  // a plan runs again and again
  for (const Array& output : outputs) EXPECT_TRUE(output.intact()) << op.str();
  EXPECT_TRUE(scratch.intact()) << op.str();
  return outputs;
}

inline Implementation reference_of(const Op& op) {
  const std::vector<Implementation> all = implementations(op.name());
  EXPECT_FALSE(all.empty()) << op.name();
  EXPECT_EQ(all.back().implementation, "reference");
  return all.back();
}

/// The reference's outputs.
inline std::vector<Array> run_reference(const Op& op, const std::vector<Array>& inputs) {
  return run(reference_of(op), op, inputs);
}

/// Compares an implementation that takes the request with the reference's outputs: each element within
/// tolerance * (1 + |expected|). Returns how many were compared: 0 when it refuses.
inline int compare(const Implementation& implementation, const Op& op, const std::vector<Array>& inputs,
                   const std::vector<Array>& expected, double tolerance) {
  const std::vector<Array> actual = run(implementation, op, inputs);
  if (actual.empty()) return 0;
  for (std::size_t o = 0; o < expected.size(); ++o) {
    double worst = 0;
    std::int64_t where = 0;
    for (std::int64_t i = 0; i < expected[o].spec.shape.numel(); ++i) {
      const double a = actual[o].at(i), e = expected[o].at(i);
      if (std::isnan(a) && std::isnan(e)) continue;
      const double error = a == e ? 0 : std::abs(a - e) / (1 + std::abs(e));
      if (!(error <= worst)) worst = error, where = i;
    }
    EXPECT_LE(worst, tolerance) << implementation.implementation << " differs from the reference in output " << o
                                << ", element " << where << ": " << actual[o].at(where) << " against "
                                << expected[o].at(where) << "; " << op.str() << " of " << inputs[0].spec.str();
  }
  return 1;
}

/// Compares every implementation that takes the request with the reference. Returns how many were compared.
inline int compare_all(const Op& op, const std::vector<Array>& inputs, double tolerance) {
  const std::vector<Array> expected = run_reference(op, inputs);
  int compared = 0;
  for (const Implementation& implementation : implementations(op.name())) {
    if (implementation.implementation != "reference") {
      compared += compare(implementation, op, inputs, expected, tolerance);
    }
  }
  return compared;
}

/// A repeatable source of small random choices for generated cases.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : key_{seed} {}
  std::int64_t pick(std::initializer_list<std::int64_t> values) {
    return values.begin()[philox(key_, counter_++)[0] % values.size()];
  }

 private:
  Key key_;
  std::uint64_t counter_ = 0;
};

}  // namespace gradus::kernel::testing
