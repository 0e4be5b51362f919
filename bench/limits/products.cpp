#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "bench/limits/limits.h"
#include "gradus/base/parallel.h"
#include "gradus/kernel/onednn/api.h"

namespace gradus::bench::limits {
namespace {

/// GFLOP/s of one square product whose weights are in the layout that oneDNN prefers; 0 where it has no kernel.
double product_rate(std::int64_t n, dnnl::memory::data_type type) {
  using Desc = kernel::onednn::Desc;
  using Tag = dnnl::memory::format_tag;
  const dnnl::engine& engine = kernel::onednn::engine();
  const Desc plain({n, n}, type, Tag::ab), packed({n, n}, type, Tag::any);
  const auto desc = kernel::onednn::matmul_desc(plain, packed, plain);
  const auto ones = [&](const Desc& of) {
    dnnl::memory memory(of, engine);
    const bool f32 = type == dnnl::memory::data_type::f32;
    if (f32) {
      std::fill_n(static_cast<float*>(memory.get_data_handle()), of.get_size() / 4, 1.f);
    } else {
      std::fill_n(static_cast<std::uint16_t*>(memory.get_data_handle()), of.get_size() / 2, std::uint16_t{0x3f80});
    }
    return memory;
  };
  const dnnl::memory a = ones(plain), b = ones(desc.weights_desc()), c = ones(plain);
  const dnnl::memory scratchpad(desc.scratchpad_desc(), engine);
  const dnnl::matmul product(desc);
  dnnl::stream stream(engine);
  const auto run = [&](int times) {
    for (int i = 0; i < times; ++i) {
      product.execute(stream,
                      {{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}, {DNNL_ARG_SCRATCHPAD, scratchpad}});
    }
    stream.wait();
  };
  run(1);
  const double once = best_seconds(1, [&] { run(1); });
  const int times = std::max(1, static_cast<int>(0.01 / once));
  return 2 * std::pow(static_cast<double>(n), 3) * times / best_seconds(9, [&] { run(times); }) / 1e9;
}

double best_product(dnnl::memory::data_type type) {
  double best = 0;
  try {
    for (const std::int64_t n : {256, 512, 1024}) best = std::max(best, product_rate(n, type));
  } catch (const dnnl::error&) {  // no kernel of this type for this processor
  }
  return best;
}

}  // namespace

std::vector<Limit> products(int threads) {
  set_num_threads(threads);
  return {{"f32_product", best_product(dnnl::memory::data_type::f32)},
          {"bf16_product", best_product(dnnl::memory::data_type::bf16)}};
}

}  // namespace gradus::bench::limits
