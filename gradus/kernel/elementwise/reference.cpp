// The plain interpreter of regions: element by element in double and i64, rounded to the value's type after each step.
#include "gradus/kernel/elementwise/convert.h"
#include "gradus/kernel/elementwise/implementations.h"
#include "gradus/kernel/elementwise/scalar.h"

namespace gradus::kernel {
namespace {

/// A value of any type: `real` for floating types, `integer` for the others.
struct Cell {
  double real = 0;
  std::int64_t integer = 0;
};

template <class T>
constexpr bool is_real = std::is_floating_point_v<T> || std::is_same_v<T, BFloat16>;

template <class T>
T get(const Cell& cell) {
  if constexpr (is_real<T>) {
    return convert<T>(cell.real);
  } else {
    return static_cast<T>(cell.integer);
  }
}
template <class T>
Cell cell_of(T x) {
  if constexpr (is_real<T>) {
    return {convert<double>(x), 0};
  } else {
    return {0, static_cast<std::int64_t>(x)};
  }
}

Cell load(const std::byte* from, std::int64_t index, DType dtype) {
  return visit_dtype(dtype, [&](auto zero) { return cell_of(reinterpret_cast<const decltype(zero)*>(from)[index]); });
}
void store(std::byte* to, std::int64_t index, DType dtype, const Cell& cell) {
  visit_dtype(dtype, [&](auto zero) { reinterpret_cast<decltype(zero)*>(to)[index] = get<decltype(zero)>(cell); });
}
Cell round_to(DType dtype, const Cell& cell) {
  return visit_dtype(dtype, [&](auto zero) { return cell_of(get<decltype(zero)>(cell)); });
}
Cell cast(const Cell& cell, DType from, DType to) {
  return visit_dtype(from, [&](auto source) {
    return visit_dtype(to,
                       [&](auto target) { return cell_of(convert<decltype(target)>(get<decltype(source)>(cell))); });
  });
}

Cell cell(bool x) { return cell_of(x); }
Cell cell(Scalar<double> x) { return cell_of(x.value); }
Cell cell(Scalar<std::int64_t> x) { return cell_of(x.value); }

/// One row on operands that are V (or bool, where the table says so).
template <class Row, class V>
Cell evaluate_as(const Cell& a, const Cell& b, const Cell& c) {
  const auto number = [](const Cell& x) {
    if constexpr (Row::types == ElementwiseTypes::logical) {
      return x.integer != 0;
    } else if constexpr (std::is_same_v<V, Scalar<double>>) {
      return V::of(x.real);
    } else {
      return V::of(x.integer);
    }
  };
  if constexpr (Row::types == ElementwiseTypes::selection && Row::arity == 3) {
    return cell(Row::template apply<V>(a.integer != 0, number(b), number(c)));
  } else if constexpr (Row::arity == 1) {
    return cell(Row::template apply<V>(number(a)));
  } else if constexpr (Row::arity == 2) {
    return cell(Row::template apply<V>(number(a), number(b)));
  } else {
    return cell(Row::template apply<V>(number(a), number(b), number(c)));
  }
}

template <class Row>
Cell evaluate(bool real, const Cell& a, const Cell& b, const Cell& c) {
  constexpr bool only_real = Row::types == ElementwiseTypes::floating || Row::types == ElementwiseTypes::predicate;
  if constexpr (only_real) {
    return evaluate_as<Row, Scalar<double>>(a, b, c);
  } else {
    return real ? evaluate_as<Row, Scalar<double>>(a, b, c) : evaluate_as<Row, Scalar<std::int64_t>>(a, b, c);
  }
}

Cell evaluate(ElementwiseCode code, bool real, const Cell& a, const Cell& b, const Cell& c) {
  switch (code) {
#define UNARY(name, ...)      \
  case ElementwiseCode::name: \
    return evaluate<scalar_rows::name##_row>(real, a, b, c);
#define BINARY UNARY
#define TERNARY UNARY
#include "gradus/ops/elementwise.def"
    default: return {};
  }
}

class Reference final : public Kernel {
 public:
  explicit Reference(Region region) : region_(std::move(region)) {}

  Status run(const Arguments& arguments) const noexcept override {
    auto* values = reinterpret_cast<Cell*>(arguments.scratch);
    const std::int64_t count = region_.space.numel();
    for (std::int64_t element = 0; element < count; ++element) {
      for (std::size_t i = 0; i < region_.inputs.size(); ++i) {
        values[i] = load(arguments.inputs[i], position(region_.inputs[i], element), region_.inputs[i].dtype);
      }
      for (std::size_t i = 0; i < region_.instructions.size(); ++i) {
        values[region_.inputs.size() + i] = compute(region_.instructions[i], values);
      }
      for (std::size_t i = 0; i < region_.outputs.size(); ++i) {
        store(arguments.outputs[i], element, region_.specs[i].dtype, values[region_.outputs[i]]);
      }
    }
    return {};
  }
  std::size_t scratch_bytes() const override {
    return (region_.inputs.size() + region_.instructions.size()) * sizeof(Cell);
  }
  double flops() const override {
    double instructions = 0;
    for (const RegionInstruction& i : region_.instructions) {
      if (i.code != ElementwiseCode::constant && i.code != ElementwiseCode::cast) ++instructions;
    }
    return instructions * static_cast<double>(region_.space.numel());
  }

 private:
  /// Where element number `element` of the space lies in an input.
  std::int64_t position(const RegionInput& input, std::int64_t element) const {
    std::int64_t at = input.offset;
    for (int axis = region_.space.rank() - 1; axis >= 0; --axis) {
      at += element % region_.space[axis] * input.strides[static_cast<std::size_t>(axis)];
      element /= region_.space[axis];
    }
    return at;
  }

  static Cell compute(const RegionInstruction& i, const Cell* values) {
    if (i.code == ElementwiseCode::constant) return cast({i.immediate, 0}, DType::f64, i.out);
    const auto arg = [&](std::size_t k) { return i.args[k] < 0 ? Cell{} : values[i.args[k]]; };
    if (i.code == ElementwiseCode::cast) return cast(arg(0), i.in, i.out);
    return round_to(i.out, evaluate(i.code, is_floating(i.in), arg(0), arg(1), arg(2)));
  }

  Region region_;
};

}  // namespace

std::unique_ptr<Kernel> make_elementwise_reference(const Request& request, std::string& reason) {
  Region region = region_of(request);
  for (const RegionInstruction& i : region.instructions) {
    if (i.in == DType::bf16 && i.code != ElementwiseCode::cast && i.code != ElementwiseCode::constant) {
      reason = "bf16 is a storage type";
      return nullptr;
    }
  }
  return std::make_unique<Reference>(std::move(region));
}

}  // namespace gradus::kernel
