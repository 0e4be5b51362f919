// LeNet-5 (LeCun, Bottou, Bengio and Haffner, 1998) in its usual modern form: ReLU and maximum pooling.
#pragma once

#include "gradus/graph/tensor.h"
#include "gradus/nn/conv.h"
#include "gradus/nn/linear.h"

namespace gradus::models {

/// Images f32 [B, 1, 28, 28] -> logits [B, 10]. 61,706 parameters.
struct LeNet5 {
  nn::Conv2d conv1{1, 6, 5, {.padding = 2}};
  nn::Conv2d conv2{6, 16, 5};
  nn::Linear fc1{400, 120}, fc2{120, 84}, fc3{84, 10};

  Tensor operator()(const Tensor& images);
};

}  // namespace gradus::models
