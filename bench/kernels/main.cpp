// How fast single operations are, by Google Benchmark:   gradus_bench_kernels --benchmark_filter=elementwise/exp
//
// The cases are those of the tests (tests/op_cases.h), so that an operation is measured as soon as it is tested: rows of the
// elementwise table over a million elements, everything else over 256 examples at once, by its own batching rule; then the
// contractions of the bench's workloads at their sizes. A measured time holds what a user pays: recording, finding the plan,
// running it. `--threads=N` (default 1) may stand among Google Benchmark's options.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <exception>
#include <iterator>
#include <memory>
#include <set>
#include <string>

#include "gradus/base/parallel.h"
#include "gradus/engine/eval.h"
#include "gradus/transform/vmap.h"
#include "tests/op_cases.h"

namespace {

using namespace gradus;
using gradus::testing::OpCase;

constexpr std::int64_t rows = 1024, columns = 1024, examples = 256;

double bytes(const Tensors& tensors) {
  double sum = 0;
  for (const Tensor& tensor : tensors) sum += static_cast<double>(tensor.spec().bytes());
  return sum;
}

/// Calls and evaluates `make` until the library is satisfied; GB/s counts operands and results once.
template <class Make>
void measure(benchmark::State& state, const Tensors& operands, double flops, const Make& make) try {
  Tensors results = make();
  eval(results);
  const double moved = bytes(operands) + bytes(results);
  results.clear();
  for (auto _ : state) {
    results = make();
    eval(results);
  }
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  state.counters["bytes/s"] = benchmark::Counter(moved, rate);
  if (flops > 0) state.counters["flop/s"] = benchmark::Counter(flops, rate);
} catch (const std::exception& error) {
  state.SkipWithError(error.what());
}

/// `name`, with a number behind it where it was taken before.
std::string unique_name(const std::string& name) {
  static std::set<std::string> taken;
  std::string candidate = name;
  for (int i = 2; !taken.insert(candidate).second; ++i) candidate = name + "." + std::to_string(i);
  return candidate;
}

template <class Make>
void add(const std::string& name, const Tensors& operands, double flops, Make make) {
  benchmark::RegisterBenchmark(unique_name(name).c_str(), [operands, flops, make](benchmark::State& state) {
    measure(state, operands, flops, [&] { return make(operands); });
  })->UseRealTime();
}

void add_elementwise() {
  std::vector<OpCase> cases;
  testing::ElementwiseRows table{cases, {rows, columns}, {columns}};
  testing::add_arithmetic_rows(table);
  testing::add_function_rows(table);
  testing::add_logic_rows(table);
  for (const OpCase& c : cases) {
    add("elementwise/" + c.name, testing::make_inputs(c, DType::f32, 1), 0,
        [apply = c.apply](const Tensors& x) { return Tensors{apply(x)}; });
  }
}

void add_batched() {
  std::vector<OpCase> cases;
  testing::add_view_and_index_cases(cases);
  testing::add_reduction_cases(cases);
  testing::add_contraction_cases(cases);
  for (const OpCase& c : cases) {
    const Tensors one = testing::make_inputs(c, DType::f32, 1);
    Tensors many;
    for (std::size_t i = 0; i < one.size(); ++i) {
      std::vector<std::int64_t> sizes = {examples};
      sizes.insert(sizes.end(), c.inputs[i].begin(), c.inputs[i].end());
      many.push_back(testing::random_tensor(Shape(sizes), DType::f32, c.low, c.high, i));
    }
    add("batched/" + c.name, many, 0,
        [apply = c.apply, one](const Tensors& x) { return vmap(Tensors{apply(one)}, one, x); });
  }
}

void add_product(const std::string& name, std::int64_t m, std::int64_t k, std::int64_t n) {
  const Tensors operands = {testing::random_tensor({m, k}, DType::f32, -1, 1, 1),
                            testing::random_tensor({n, k}, DType::f32, -1, 1, 2)};
  add("product/" + name, operands, 2.0 * static_cast<double>(m * k * n),
      [](const Tensors& x) { return Tensors{linear(x[0], x[1])}; });
}

/// A convolution of `n` images of c x size x size with its gradients, each by itself.
void add_convolution(const std::string& name, std::int64_t n, std::int64_t in, std::int64_t size, std::int64_t out,
                     std::int64_t kernel) {
  const Tensors operands = {testing::random_tensor({n, in, size, size}, DType::f32, -1, 1, 1),
                            testing::random_tensor({out, in, kernel, kernel}, DType::f32, -1, 1, 2)};
  const auto forward = [padding = kernel / 2](const Tensors& x) {
    return conv2d(x[0], x[1], Tensor(), {.padding = padding});
  };
  const double flops = 2.0 * static_cast<double>(n * size * size * out * in * kernel * kernel);
  add("convolution/" + name, operands, flops, [forward](const Tensors& x) { return Tensors{forward(x)}; });
  for (const std::size_t operand : {0u, 1u}) {
    add("convolution/" + name + (operand == 0 ? "/input_gradient" : "/weight_gradient"), operands, flops,
        [forward, operand](const Tensors& x) { return grad(sum(forward(x)), {x[operand]}); });
  }
}

void add_contractions() {
  for (const std::int64_t n : {64, 128, 256, 512, 1024}) add_product("square" + std::to_string(n), n, n, n);
  add_product("mlp", 128, 784, 512);
  add_product("gpt.up", 2048, 384, 1536);
  add_product("gpt.head", 2048, 384, 8192);
  add_product("bert.up", 2048, 256, 1024);
  add_product("decode.up", 1, 384, 1536);
  add_convolution("lenet1", 64, 1, 28, 6, 5);
  add_convolution("lenet2", 64, 6, 14, 16, 5);
  add_convolution("resnet1", 64, 64, 32, 64, 3);
  add_convolution("resnet4", 64, 512, 4, 512, 3);
}

/// Takes --threads=N out of the arguments.
int take_threads(int& argc, char** argv) {
  int threads = 1, kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (const std::string word = argv[i]; word.starts_with("--threads=")) {
      threads = std::atoi(word.c_str() + std::size("--threads=") - 1);
    } else {
      argv[kept++] = argv[i];
    }
  }
  argc = kept;
  return threads;
}

}  // namespace

int main(int argc, char** argv) {
  set_num_threads(take_threads(argc, argv));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_elementwise();
  add_batched();
  add_contractions();
  benchmark::RunSpecifiedBenchmarks();
}
