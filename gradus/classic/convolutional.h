// The network for images among the learners: three convolutions and three linear layers.
#pragma once

#include "gradus/classic/learner.h"

namespace gradus::classic {

struct ConvolutionalOptions {
  std::int64_t channels = 1, height = 28, width = 28;  ///< of the images, which stand flat in the rows; 8 x 8 at least
  std::int64_t epochs = 8;
  std::int64_t min_steps = 500;  ///< more epochs until so many steps are taken, for the sake of few examples
  std::int64_t batch_size = 64;  ///< of fewer examples: all of them
  double lr = 2e-3;              ///< of AdamW; falls to 0 along half a cosine
  double weight_decay = 0.01;
};
/// Convolutions 3x3 with 32, 64 and 128 channels, each with ReLU and pooling by the maximum of 2x2, then linear layers of 256 and 128
/// (without biases) and one output for each class: 421,642 parameters on Fashion-MNIST. Trained on cross entropy; scores are
/// probabilities. It learns classes. The default random stream is left as it was. Throws Error(value) for settings out of range,
/// and when it learns rows that are no such images.
Learner convolutional(const ConvolutionalOptions& options = {}, SourceLocation where = SourceLocation::current());

}  // namespace gradus::classic
