#include <gradus/gradus.h>
using namespace gradus;

struct LeNet5 {
  nn::Conv2d conv1{1, 6, 5, {.padding = 2}};
  nn::Conv2d conv2{6, 16, 5};
  nn::Linear fc1{400, 120}, fc2{120, 84}, fc3{84, 10};

  Tensor operator()(const Tensor& images) {
    auto x = max_pool2d(relu(conv1(images)), 2);
    x = max_pool2d(relu(conv2(x)), 2);
    x = relu(fc2(relu(fc1(flatten(x, 1)))));
    return fc3(x);
  }
};

int main() {
  auto train = data::fashion_mnist(data::Split::train);
  LeNet5 model;
  optim::AdamW optimizer(model, {.lr = 1e-3});
  for (auto [images, labels] : data::loader(train, {.batch_size = 64, .shuffle = true})) {
    auto loss = cross_entropy(model(images), labels);
    optimizer.minimize(loss);                        // gradients + update: one plan
  }
  io::save("lenet5.safetensors", nn::state_dict(model));   // keys conv1.weight, ... as PyTorch names them
}
