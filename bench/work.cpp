#include "bench/work.h"

namespace gradus::bench {

Work dense_work(std::int64_t rows, std::initializer_list<std::int64_t> widths, bool first) {
  Work work;
  for (const std::int64_t* width = widths.begin(); width + 1 != widths.end(); ++width) {
    work.push_back({static_cast<double>(rows * width[0] * width[1]), !(first && width == widths.begin())});
  }
  return work;
}

Work transformer_block_work(std::int64_t tokens, double keys, std::int64_t width) {
  const auto n = static_cast<double>(tokens), d = static_cast<double>(width);
  const double products[] = {3 * d * d, keys * d, keys * d, d * d, 4 * d * d, 4 * d * d};  // a token's
  Work work;
  for (const double product : products) work.push_back({n * product, true});
  return work;
}

double flops(const Work& work, bool training) {
  double multiply_adds = 0;
  for (const LayerWork& layer : work) {
    multiply_adds += layer.multiply_adds * (!training ? 1 : layer.input_gradient ? 3 : 2);
  }
  return 2 * multiply_adds;
}

}  // namespace gradus::bench
