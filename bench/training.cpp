#include "bench/training.h"

#include <span>

#include "bench/measure.h"
#include "bench/numbers.h"
#include "gradus/data/fashion_mnist.h"

namespace gradus::bench {

Batches shuffled_batches(data::Dataset dataset, std::int64_t batch_size) {
  const auto size = static_cast<std::size_t>(batch_size);
  return [dataset = std::move(dataset), size, rows = std::vector<std::int64_t>(), begin = std::size_t{0},
          epoch = std::uint64_t{0}]() mutable {
    if (begin + size > rows.size()) {
      rows = shuffled(2000 + epoch++, dataset.size());
      begin = 0;
    }
    begin += size;
    return dataset.batch(std::span(rows).subspan(begin - size, size));
  };
}

data::Dataset training_images(double& seconds) {
  const double begin = now();
  data::Dataset images = data::fashion_mnist(data::Split::train, {}, {0.2860}, {0.3530});
  seconds += now() - begin;
  return images;
}

}  // namespace gradus::bench
