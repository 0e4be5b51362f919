#include "bench/work.h"

namespace gradus::bench {

Work dense_work(std::int64_t rows, std::initializer_list<std::int64_t> widths, bool first) {
  Work work;
  for (const std::int64_t* width = widths.begin(); width + 1 != widths.end(); ++width) {
    work.push_back({static_cast<double>(rows * width[0] * width[1]), !(first && width == widths.begin())});
  }
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
