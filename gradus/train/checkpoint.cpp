#include "gradus/train/checkpoint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "gradus/base/error.h"
#include "gradus/engine/eval.h"
#include "gradus/io/atomic_file.h"
#include "gradus/io/safetensors.h"

namespace gradus::train {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int version = 1;
const std::string trained_prefix = "trained.";

std::string weights_path(const std::string& stem) { return stem + ".safetensors"; }
std::string next_path(const std::string& stem) { return stem + ".next.safetensors"; }
std::string state_path(const std::string& stem) { return stem + ".state.safetensors"; }

/// Checksum of the state: its text and the elements of its tensors.
std::uint32_t checksum(const std::string& text, const NamedTensors& tensors) {
  std::uint32_t sum = io::crc32(std::as_bytes(std::span(text)));
  for (const auto& [name, tensor] : tensors) {
    sum = io::crc32(std::as_bytes(std::span(name)), sum);
    sum = io::crc32(std::span<const std::byte>(tensor.buffer()->data(), tensor.spec().bytes()), sum);
  }
  return sum;
}

Json to_json(const LoopState& s) {
  return {{"epoch", s.epoch},
          {"batch", s.batch},
          {"rows", s.rows},
          {"step", s.step},
          {"loss_sum", s.loss_sum},
          {"correct", s.correct},
          {"examples", s.examples},
          {"train_seconds", s.train_seconds},
          {"best_epoch", s.best_epoch},
          {"best_step", s.best_step},
          {"best_val_accuracy", s.best_val_accuracy},
          {"batch_loss_sum", s.batch_loss_sum},
          {"batch_loss_squares", s.batch_loss_squares},
          {"batch_loss_min", s.batch_loss_min},
          {"batch_loss_max", s.batch_loss_max}};
}

LoopState loop_from(const Json& json) {
  LoopState s;
  json.at("epoch").get_to(s.epoch);
  json.at("batch").get_to(s.batch);
  s.rows = json.value("rows", std::int64_t{0});
  json.at("step").get_to(s.step);
  json.at("loss_sum").get_to(s.loss_sum);
  json.at("correct").get_to(s.correct);
  json.at("examples").get_to(s.examples);
  json.at("train_seconds").get_to(s.train_seconds);
  json.at("best_epoch").get_to(s.best_epoch);
  json.at("best_step").get_to(s.best_step);
  json.at("best_val_accuracy").get_to(s.best_val_accuracy);
  s.batch_loss_sum = json.value("batch_loss_sum", 0.0);
  s.batch_loss_squares = json.value("batch_loss_squares", 0.0);
  s.batch_loss_min = json.value("batch_loss_min", 0.0);
  s.batch_loss_max = json.value("batch_loss_max", 0.0);
  return s;
}

Error damaged(const std::string& path, std::string what) {
  return Error(ErrorKind::format, "load_checkpoint", path + " " + std::move(what));
}

void sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

/// Gives the weights their final name: the last act of saving, and the first of loading after a kill in between.
void install_weights(const std::string& stem) {
  if (std::rename(next_path(stem).c_str(), weights_path(stem).c_str()) != 0) {
    throw Error(ErrorKind::io, "save_checkpoint",
                fmt::format("cannot rename {}: {}", next_path(stem), std::strerror(errno)));
  }
  sync_folder(fs::path(stem).parent_path());
}

void write_state(const std::string& stem, const Checkpoint& checkpoint, std::uint32_t weights_sum) {
  const Json state = {{"version", version},
                      {"weights_crc32", weights_sum},
                      {"loop", to_json(checkpoint.loop)},
                      {"averaged", checkpoint.averaged},
                      {"random", checkpoint.random},
                      {"recipe", checkpoint.recipe}};
  const std::string text = state.dump();
  NamedTensors tensors = checkpoint.optimizer;
  for (const auto& [name, tensor] : checkpoint.trained) tensors.emplace_back(trained_prefix + name, tensor);
  for (const auto& [name, tensor] : tensors) eval(tensor);
  io::save(state_path(stem), tensors,
           {{"checkpoint", text}, {"crc32", fmt::format("{:08x}", checksum(text, tensors))}});
}

}  // namespace

void save_checkpoint(const std::string& stem, const Checkpoint& checkpoint) {
  try {
    io::save(next_path(stem), checkpoint.weights);
    write_state(stem, checkpoint, io::crc32_of_file(next_path(stem)));
  } catch (...) {
    std::error_code ignored;  // the first error is the one to tell
    fs::remove(next_path(stem), ignored);
    throw;
  }
  install_weights(stem);
}

Checkpoint load_checkpoint(const std::string& stem) {
  io::Safetensors state = io::load_with_metadata(state_path(stem));
  std::string text, sum;
  for (const auto& [key, value] : state.metadata) {
    if (key == "checkpoint") text = value;
    if (key == "crc32") sum = value;
  }
  if (text.empty()) throw damaged(state_path(stem), "is not the state of a training run");
  if (sum != fmt::format("{:08x}", checksum(text, state.tensors)))
    throw damaged(state_path(stem), "is damaged: its checksum is wrong");
  Checkpoint checkpoint;
  std::uint32_t weights_sum = 0;
  try {
    const Json json = Json::parse(text);
    if (const int found = json.at("version").get<int>(); found != version) {
      throw damaged(state_path(stem),
                    fmt::format("is of version {}, and this program reads version {}", found, version));
    }
    json.at("weights_crc32").get_to(weights_sum);
    checkpoint.loop = loop_from(json.at("loop"));
    checkpoint.averaged = json.value("averaged", std::int64_t{0});
    json.at("random").get_to(checkpoint.random);
    json.at("recipe").get_to(checkpoint.recipe);
  } catch (const Json::exception& error) {
    throw damaged(state_path(stem), "is damaged").note(error.what());
  }
  for (auto& [name, tensor] : state.tensors) {
    const bool trained = name.starts_with(trained_prefix);
    (trained ? checkpoint.trained : checkpoint.optimizer)
        .emplace_back(trained ? name.substr(trained_prefix.size()) : name, tensor);
  }
  const auto matches = [&](const std::string& path) {
    return fs::exists(path) && io::crc32_of_file(path) == weights_sum;
  };
  if (matches(next_path(stem))) {
    install_weights(stem);
  } else if (!fs::exists(weights_path(stem))) {
    throw damaged(weights_path(stem), "is missing");
  } else if (!matches(weights_path(stem))) {
    throw damaged(weights_path(stem), "is damaged, or of another moment than its state: its checksum is wrong")
        .hint("the other checkpoint of the run (last, best) may be whole");
  }
  checkpoint.weights = io::load(weights_path(stem));
  return checkpoint;
}

bool has_checkpoint(const std::string& stem) { return fs::exists(state_path(stem)); }

}  // namespace gradus::train
