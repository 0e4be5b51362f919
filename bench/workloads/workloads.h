// One function for each file of this folder.
#pragma once

#include "bench/workload.h"

namespace gradus::bench {

/// 784-512-512-10 with ReLU on Fashion-MNIST, batches of 128, SGD with momentum.
Workload mlp();
/// LeNet-5 on Fashion-MNIST, batches of 64, Adam.
Workload lenet();
/// One image through LeNet-5.
Workload lenet_inference();
/// ResNet-18 with a stem of 3 x 3 on 64 images of 3 x 32 x 32, SGD with momentum.
Workload resnet18();
/// GPT-2 of 6 layers, 6 heads, width 384 on 8 sequences of 256 tokens out of 8192, AdamW.
Workload gpt();
/// BERT of 4 layers, 4 heads, width 256 on 16 sequences of 128 tokens, two classes, AdamW.
Workload bert();
/// Two layers of LSTM of width 256 over 32 texts of 128 characters out of 96, Adam.
Workload lstm();
/// One token of the gpt with a cache of keys and values, greedily.
Workload gpt_decode();
/// 2-16-1 with tanh on 4 examples, SGD with momentum: what a step costs besides arithmetic.
Workload tiny();

}  // namespace gradus::bench
