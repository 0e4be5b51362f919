#include "gradus/models/lenet5.h"

#include "gradus/ops/elementwise.h"
#include "gradus/ops/pooling/pool.h"
#include "gradus/ops/view.h"

namespace gradus::models {

Tensor LeNet5::operator()(const Tensor& images) {
  auto x = max_pool2d(relu(conv1(images)), 2);
  x = max_pool2d(relu(conv2(x)), 2);
  x = relu(fc2(relu(fc1(flatten(x, 1)))));
  return fc3(x);
}

}  // namespace gradus::models
