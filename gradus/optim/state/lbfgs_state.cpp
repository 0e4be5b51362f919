// The state dict of L-BFGS.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/ops/factory.h"
#include "gradus/optim/lbfgs.h"
#include "gradus/optim/state/entries.h"

namespace gradus::optim {
namespace {

constexpr const char* state = "state.0.";
constexpr const char* group = "param_groups.0.";

double real(std::int64_t value) { return static_cast<double>(value); }

/// What a state dict may hold beyond its settings.
struct Contents {
  NamedTensors entries;                                 // without what PyTorch alone remembers
  bool begun = false, moved = false, searches = false;  // PyTorch has no line_search_fn where it is None
  std::int64_t pairs = 0;
};

Contents contents_of(const NamedTensors& dict) {
  Contents contents;
  for (const auto& entry : dict) {
    const std::string& name = entry.first;
    if (name == "state.0.prev_loss" || name.starts_with("state.0.al.")) continue;
    contents.entries.push_back(entry);
    contents.begun = contents.begun || name.starts_with(state);
    contents.moved = contents.moved || name == "state.0.d";
    contents.searches = contents.searches || name == "param_groups.0.line_search_fn";
    contents.pairs = std::max(contents.pairs, detail::index_after(name, "state.0.old_dirs.") + 1);
  }
  contents.pairs = std::min(contents.pairs, static_cast<std::int64_t>(dict.size()));
  return contents;
}

}  // namespace

NamedTensors LBFGS::state_dict() const {
  NamedTensors dict;
  const auto add = [&](const char* prefix, const std::string& name, const Tensor& value) {
    dict.emplace_back(prefix + name, value);
  };
  if (evaluations_ > 0) {
    add(state, "func_evals", tensor(real(evaluations_)));
    add(state, "n_iter", tensor(real(iterations_)));
  }
  if (!previous_gradient_.empty()) {
    add(state, "d", from_span(direction_));
    add(state, "t", tensor(length_));
    add(state, "H_diag", tensor(scale_));
    add(state, "prev_flat_grad", from_span(previous_gradient_));
    for (std::size_t i = 0; i < history_.size(); ++i) {
      add(state, fmt::format("old_dirs.{}", i), from_span(history_[i].change));
      add(state, fmt::format("old_stps.{}", i), from_span(history_[i].step));
      add(state, fmt::format("ro.{}", i), tensor(history_[i].rho));
    }
  }
  add(group, "lr", tensor(options_.lr));
  add(group, "max_iter", tensor(real(options_.max_iter)));
  add(group, "max_eval", tensor(real(max_eval())));
  add(group, "tolerance_grad", tensor(options_.tolerance_grad));
  add(group, "tolerance_change", tensor(options_.tolerance_change));
  add(group, "history_size", tensor(real(options_.history_size)));
  add(group, "line_search_fn", tensor(options_.line_search == LineSearch::strong_wolfe ? 1.0 : 0.0));
  std::vector<std::int64_t> indices(parameters_.size());
  std::iota(indices.begin(), indices.end(), 0);
  add(group, "params", from_span(indices));
  return dict;
}

void LBFGS::load_state_dict(const NamedTensors& dict, SourceLocation where) {
  const Contents contents = contents_of(dict);
  const TensorSpec one{DType::f64, {}}, all{DType::f64, {trainable_elements()}};
  detail::Entries entries("optim::LBFGS", "its state",
                          "it continues from the state of an optim::LBFGS with as many trainable parameters");
  for (const char* name : {"lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size"}) {
    entries.expect(std::string(group) + name, one);
  }
  if (contents.searches) entries.expect("param_groups.0.line_search_fn", one);
  entries.expect("param_groups.0.params", {DType::i64, {static_cast<std::int64_t>(parameters_.size())}});
  if (contents.begun) {
    for (const char* name : {"func_evals", "n_iter"}) entries.expect(std::string(state) + name, one);
  }
  if (contents.moved) {
    for (const char* name : {"d", "prev_flat_grad"}) entries.expect(std::string(state) + name, all);
    for (const char* name : {"t", "H_diag"}) entries.expect(std::string(state) + name, one);
  }
  for (std::int64_t i = 0; i < contents.pairs; ++i) {
    for (const char* name : {"old_dirs", "old_stps"}) entries.expect(fmt::format("{}{}.{}", state, name, i), all);
    entries.expect(fmt::format("{}ro.{}", state, i), one);
  }
  entries.load(contents.entries, where);
  take_over(entries, contents.searches, contents.begun, contents.moved, contents.pairs, where);
}

void LBFGS::take_over(const detail::Entries& entries, bool searches, bool begun, bool moved, std::int64_t pairs,
                      SourceLocation where) {
  const auto number = [&](const std::string& path) { return entries.at(path).item<double>(where); };
  const auto vector = [&](const std::string& path) { return entries.at(path).to_vector<double>(where); };
  const auto whole = [&](const std::string& path) {
    const double value = number(path);
    if (value >= 0 && value <= 0x1p53 && std::floor(value) == value) return static_cast<std::int64_t>(value);
    throw Error(ErrorKind::value, "optim::LBFGS",
                fmt::format("{} is {}, must be a whole number up to 2^53", path, value))
        .at(where);
  };
  LBFGSOptions options{.lr = number("param_groups.0.lr"),
                       .max_iter = whole("param_groups.0.max_iter"),
                       .max_eval = whole("param_groups.0.max_eval"),
                       .tolerance_grad = number("param_groups.0.tolerance_grad"),
                       .tolerance_change = number("param_groups.0.tolerance_change"),
                       .history_size = whole("param_groups.0.history_size")};
  if (searches && whole("param_groups.0.line_search_fn") != 0) options.line_search = LineSearch::strong_wolfe;
  check(options, where);
  const std::int64_t evaluations = begun ? whole("state.0.func_evals") : 0;
  const std::int64_t iterations = begun ? whole("state.0.n_iter") : 0;

  // Nothing below refuses.
  options_ = options;
  evaluations_ = evaluations;
  iterations_ = iterations;
  forget();
  if (!moved) return;
  direction_ = vector("state.0.d");
  previous_gradient_ = vector("state.0.prev_flat_grad");
  length_ = number("state.0.t");
  scale_ = number("state.0.H_diag");
  for (std::int64_t i = 0; i < pairs; ++i) {
    history_.push_back({vector(fmt::format("state.0.old_stps.{}", i)), vector(fmt::format("state.0.old_dirs.{}", i)),
                        number(fmt::format("state.0.ro.{}", i))});
  }
}

}  // namespace gradus::optim
