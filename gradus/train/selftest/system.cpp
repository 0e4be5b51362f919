// Oracles of the system: counts, random numbers, files.
#include <stdlib.h>

#include <filesystem>

#include "gradus/base/error.h"
#include "gradus/models/lenet5.h"
#include "gradus/models/mlp.h"
#include "gradus/nn/losses.h"
#include "gradus/nn/state_dict.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/adamw.h"
#include "gradus/train/checkpoint.h"
#include "gradus/train/selftest/selftest.h"

namespace gradus::train::detail {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gradus-selftest-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw Error(ErrorKind::io, "selftest", "cannot make a folder for temporary files");
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Tensor loss_of(models::Mlp& model) {
  const Tensor x = normal({8, 4}, {}, Key{21});
  return cross_entropy(model(x), tensor<std::int64_t>({0, 1, 2, 0, 1, 2, 0, 1}));
}

double different_bytes(const NamedTensors& a, const NamedTensors& b) {
  GRADUS_ASSERT(a.size() == b.size());
  double count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    GRADUS_ASSERT(a[i].first == b[i].first && a[i].second.spec() == b[i].second.spec());
    const std::byte *x = a[i].second.buffer()->data(), *y = b[i].second.buffer()->data();
    for (std::size_t j = 0; j < a[i].second.spec().bytes(); ++j) count += x[j] != y[j] ? 1 : 0;
  }
  return count;
}

/// Five steps, a checkpoint, and five more, once with the model and once with what the checkpoint gives back.
double checkpoint_round_trip() {
  const TemporaryFolder folder;
  models::Mlp model({.inputs = 4, .hidden = {5}, .outputs = 3});
  optim::AdamW optimizer(model, {.lr = 0.01});
  for (int i = 0; i < 5; ++i) optimizer.minimize(loss_of(model));
  Checkpoint checkpoint;
  checkpoint.weights = nn::state_dict(model);
  checkpoint.optimizer = optimizer.state_dict();
  save_checkpoint(folder.path() + "/last", checkpoint);
  const Checkpoint loaded = load_checkpoint(folder.path() + "/last");
  models::Mlp again({.inputs = 4, .hidden = {5}, .outputs = 3});
  nn::load_state_dict(again, loaded.weights);
  optim::AdamW resumed(again, {.lr = 1});
  resumed.load_state_dict(loaded.optimizer);
  for (int i = 0; i < 5; ++i) {
    optimizer.minimize(loss_of(model));
    resumed.minimize(loss_of(again));
  }
  return different_bytes(nn::state_dict(model), nn::state_dict(again));
}

/// The reason for He's initialisation: half of the second moment passes a rectifier.
double rectified_moment() { return mean(square(relu(normal({1000, 1000}, {}, Key{22})))).item<double>(); }

}  // namespace

std::vector<Oracle> system_oracles() {
  return {
      {"LeNet-5", "parameters", 61706, 0, [] { return static_cast<double>(nn::num_parameters(models::LeNet5())); }},
      {"MLP 784-256-10", "parameters", 203530, 0,
       [] { return static_cast<double>(nn::num_parameters(models::Mlp({.hidden = {256}}))); }},
      {"He's gain", "mean of relu(z)^2 over a million normal numbers", 0.5, 0.005, rectified_moment},
      {"checkpoint", "bytes that differ five steps after a round trip", 0, 0, checkpoint_round_trip},
  };
}

}  // namespace gradus::train::detail
