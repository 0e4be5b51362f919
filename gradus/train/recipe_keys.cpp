#include "gradus/train/recipe_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "gradus/models/activations.h"
#include "gradus/models/layer_types.h"
#include "gradus/train/record/instruments.h"
#include "gradus/train/settings/schedules.h"

namespace gradus::train::detail {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string number_text(double value) {
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == text.npos ? text + ".0" : text;
}

std::string quoted(const std::string& text);
std::string setting_text(bool value) { return value ? "true" : "false"; }
std::string setting_text(double value) { return fmt::format("{}", value); }
std::string setting_text(const std::string& value) { return quoted(value); }
std::string setting_text(const std::vector<double>& value) { return fmt::format("[{}]", fmt::join(value, ", ")); }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// The member `field` of the section `section` of a recipe.
template <class Section, class T>
std::function<Slot(Recipe&)> in(Section Recipe::*section, T Section::*field) {
  return [=](Recipe& recipe) -> Slot { return &(recipe.*section.*field); };
}
template <class T>
std::function<Slot(models::LayerSettings&)> of(T models::LayerSettings::*field) {
  return [=](models::LayerSettings& layer) -> Slot { return &(layer.*field); };
}

using Keys = std::vector<Key<Recipe>>;

void add_model(Keys& keys) {
  using S = models::ModelSettings;
  constexpr auto m = &Recipe::model;
  const Condition mlp{"model.name", {"mlp"}};
  keys.emplace_back("model.name", in(m, &S::name), "architecture; \"layers\" for a list of [[model.layers]]")
      .one_of({"lenet5", "mlp", "layers"})
      .must_be_given();
  keys.emplace_back("model.inputs", in(m, &S::inputs), "elements of one example").at_least(1).only_for(mlp);
  keys.emplace_back("model.hidden", in(m, &S::hidden), "width of each hidden layer").at_least(1).only_for(mlp);
  keys.emplace_back("model.outputs", in(m, &S::outputs), "classes").at_least(1).only_for(mlp);
  keys.emplace_back("model.activation", in(m, &S::activation), "between the layers")
      .one_of(models::activation_names())
      .only_for(mlp);
}

void add_data(Keys& keys) {
  using S = DataSettings;
  constexpr auto d = &Recipe::data;
  const Condition idx{"data.name", {"idx"}}, csv{"data.name", {"csv"}}, pictures{"data.name", {"image-folder"}};
  const Condition paths{"data.name", {"csv", "image-folder"}};
  keys.emplace_back("data.name", in(d, &S::name), "data set; `gradus data list` describes them")
      .one_of({"fashion-mnist", "digits", "breast-cancer", "friedman", "cifar-10", "cifar-100", "idx", "csv",
               "image-folder"});
  keys.emplace_back("data.folder", in(d, &S::folder), "of its files; empty: where they are installed")
      .only_for({"data.name", {"fashion-mnist", "cifar-10", "cifar-100"}});
  keys.emplace_back("data.train_images", in(d, &S::train_images), "an IDX file, plain or gzip")
      .only_for(idx)
      .must_be_given();
  keys.emplace_back("data.train_labels", in(d, &S::train_labels)).only_for(idx).must_be_given();
  keys.emplace_back("data.test_images", in(d, &S::test_images)).only_for(idx).must_be_given();
  keys.emplace_back("data.test_labels", in(d, &S::test_labels)).only_for(idx).must_be_given();
  keys.emplace_back("data.train_path", in(d, &S::train_path), "a CSV file; a folder with one folder for each class")
      .only_for(paths)
      .must_be_given();
  keys.emplace_back("data.test_path", in(d, &S::test_path)).only_for(paths).must_be_given();
  const Condition tables{"data.name", {"csv", "friedman"}}, numbers{"data.task", {"regression"}};
  keys.emplace_back("data.task", in(d, &S::task), "regression: the target is a number to predict")
      .one_of({"classification", "regression"})
      .only_for(tables);
  keys.emplace_back("data.target_mean", in(d, &S::target_mean),
                    "of the numbers; standardize computes it and the next, too")
      .only_for(numbers);
  keys.emplace_back("data.target_std", in(d, &S::target_std),
                    "the model answers with (number - target_mean) / target_std")
      .at_least(1e-30)
      .only_for(numbers);
  keys.emplace_back("data.target", in(d, &S::target), "column of the classes, or of the numbers")
      .only_for(csv)
      .must_be_given();
  keys.emplace_back("data.drop", in(d, &S::drop), "columns to leave out").only_for(csv);
  keys.emplace_back("data.missing", in(d, &S::missing), "what stands in for missing numbers")
      .one_of({"error", "mean", "median", "indicator"})
      .only_for(csv);
  keys.emplace_back("data.categories", in(d, &S::categories)).one_of({"one-hot", "codes"}).only_for(csv);
  keys.emplace_back("data.delimiter", in(d, &S::delimiter), "between the fields of a line").only_for(csv);
  keys.emplace_back("data.resize", in(d, &S::resize), "height and width; empty: as stored")
      .in({.low = 1, .high = 65536})
      .only_for(pictures);
  keys.emplace_back("data.channels", in(d, &S::channels), "1: grey; 3: RGB; 0: as stored")
      .in({.low = 0, .high = 3})
      .only_for(pictures);
  keys.emplace_back("data.class_names", in(d, &S::class_names), "empty: numbers, or the names of the folders")
      .only_for({"data.name", {"idx", "image-folder"}});
  keys.emplace_back("data.standardize", in(d, &S::standardize), "mean and std from the training examples");
  keys.emplace_back("data.mean", in(d, &S::mean),
                    "subtracted from the examples (images: in 0 to 1); one, or one per channel");
  keys.emplace_back("data.std", in(d, &S::std), "divides them then").at_least(1e-30);
  keys.emplace_back("data.validation", in(d, &S::validation),
                    "training examples held out to choose the best checkpoint")
      .at_least(1);
  keys.emplace_back("data.batch_size", in(d, &S::batch_size), "examples of one step").at_least(1);
  keys.emplace_back("data.shuffle", in(d, &S::shuffle), "a new order in every epoch; false: as stored");
  keys.emplace_back("data.workers", in(d, &S::workers), "loader threads; the result does not depend on it")
      .in({.low = 0, .high = 64});
}

/// A text that lives as long as the program.
std::string_view kept(std::string text) {
  static std::deque<std::string>& texts = *new std::deque<std::string>;
  return texts.emplace_back(std::move(text));
}

Choices names_of(const std::vector<Choice>& choices) {
  Choices names;
  for (const Choice& choice : choices) names.emplace_back(choice.name);
  return names;
}

/// "a number, default 0.01 (adamw), 0 (adam, sgd)".
std::string explanation(const std::vector<Choice>& choices, const std::string& setting) {
  std::vector<std::string> kinds;
  std::vector<std::pair<std::string, std::vector<std::string>>> owners;  // by default
  for (const Choice& choice : choices) {
    for (const SettingInfo& info : choice.settings) {
      if (info.name != setting) continue;
      const std::string kind = train::expected(info);
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
      SettingValue initial = info.initial;
      const std::string value = info.required ? "none" : toml_text(Slot(&initial));
      auto same = std::find_if(owners.begin(), owners.end(), [&](const auto& entry) { return entry.first == value; });
      if (same == owners.end()) same = owners.insert(owners.end(), {value, {}});
      same->second.push_back(choice.name);
    }
  }
  std::string text = fmt::format("{}; default", fmt::join(kinds, ", or "));
  for (const auto& [value, names] : owners) {
    text += fmt::format("{} {} ({})", &value == &owners.front().first ? "" : ",", value, fmt::join(names, ", "));
  }
  return text;
}

/// One key for each name that a setting of `choices` has, for those that have it.
void add_settings(Keys& keys, std::string_view prefix, std::string_view chosen_by, const std::vector<Choice>& choices,
                  Settings& (*place)(Recipe&)) {
  std::vector<std::string> done;
  for (const Choice& first : choices) {
    for (const SettingInfo& info : first.settings) {
      if (std::find(done.begin(), done.end(), info.name) != done.end()) continue;
      done.push_back(info.name);
      Condition owners{chosen_by, {}};
      for (const Choice& choice : choices) {
        const auto& all = choice.settings;
        if (std::any_of(all.begin(), all.end(), [&](const SettingInfo& s) { return s.name == info.name; }))
          owners.values.emplace_back(choice.name);
      }
      const std::string name = info.name;
      keys.emplace_back(
              kept(fmt::format("{}{}", prefix, name)),
              [name, place](Recipe& recipe) -> Slot { return &place(recipe)[name]; }, info.doc)
          .only_for(owners)
          .explained(explanation(choices, name));
    }
  }
}

void add_optimizer(Keys& keys) {
  using S = OptimizerSettings;
  constexpr auto o = &Recipe::optimizer;
  keys.emplace_back("optimizer.name", in(o, &S::name)).one_of(names_of(optimizer_choices()));
  keys.emplace_back("optimizer.lr", in(o, &S::lr), "learning rate; default: the optimizer's in PyTorch").at_least(0);
  add_settings(keys, "optimizer.", "optimizer.name", optimizer_choices(),
               [](Recipe& r) -> Settings& { return r.optimizer.settings; });
  keys.emplace_back("optimizer.schedule", in(o, &S::schedule), "of the learning rate, over the whole run; [schedule]")
      .one_of(names_of(schedule_choices()));
  keys.emplace_back("optimizer.warmup_steps", in(o, &S::warmup_steps), "steps of linear warm-up before the schedule")
      .at_least(0);
  add_settings(keys, "schedule.", "optimizer.schedule", schedule_choices(),
               [](Recipe& r) -> Settings& { return r.schedule; });
}

void add_train(Keys& keys) {
  using S = TrainSettings;
  constexpr auto t = &Recipe::train;
  keys.emplace_back("train.epochs", in(t, &S::epochs), "passes over the training examples").at_least(1);
  keys.emplace_back("train.loss", in(t, &S::loss), "of classes: cross_entropy; of numbers the others, default mse")
      .one_of({"cross_entropy", "mse", "l1", "huber", "smooth_l1"});
  keys.emplace_back("train.delta", in(t, &S::delta), "where the parabola becomes a line")
      .at_least(1e-30)
      .only_for({"train.loss", {"huber", "smooth_l1"}});
  keys.emplace_back("train.monitor", in(t, &S::monitor), "what the best checkpoint is best in")
      .one_of({"val_accuracy", "val_loss", "val_r2", "val_mae", "val_rmse"});
  keys.emplace_back("train.patience", in(t, &S::patience),
                    "epochs without a better one before training stops; 0: never")
      .at_least(0);
  keys.emplace_back("train.min_delta", in(t, &S::min_delta), "how much better is better, for train.patience")
      .at_least(0);
  keys.emplace_back("train.label_smoothing", in(t, &S::label_smoothing), "share of the target spread over all classes")
      .in({.low = 0, .high = 1});
  keys.emplace_back("train.mixup", in(t, &S::mixup),
                    "trains on mixtures of two examples, with shares from Beta(mixup, mixup); 0: none")
      .at_least(0);
  keys.emplace_back("train.input_noise", in(t, &S::input_noise),
                    "standard deviation of normal noise on the inputs while training")
      .at_least(0);
  keys.emplace_back("train.l1_penalty", in(t, &S::l1_penalty), "in the loss, times the sum of the absolute weights")
      .at_least(0);
  keys.emplace_back("train.max_norm", in(t, &S::max_norm),
                    "largest length of the incoming weights of each unit, after each step; 0: any")
      .at_least(0);
  keys.emplace_back("train.class_balance", in(t, &S::class_balance),
                    "balanced: every class weighs the same in the loss, however rare")
      .one_of({"none", "balanced"});
  keys.emplace_back("train.class_weights", in(t, &S::class_weights), "in the loss, one per class; empty: all 1")
      .at_least(0);
}

/// The second part of [train]: steps, and what becomes of the weights.
void add_steps(Keys& keys) {
  using S = TrainSettings;
  constexpr auto t = &Recipe::train;
  keys.emplace_back("train.accumulate", in(t, &S::accumulate), "batches whose gradients make one step").at_least(1);
  keys.emplace_back("train.clip_norm", in(t, &S::clip_norm), "largest norm of all gradients together; 0: any")
      .at_least(0);
  keys.emplace_back("train.clip_value", in(t, &S::clip_value),
                    "largest element of a gradient, by absolute value; 0: any")
      .at_least(0);
  keys.emplace_back("train.clip_adaptive", in(t, &S::clip_adaptive),
                    "largest norm of a unit's gradient, as a share of the norm of its weights (0.01); 0: any")
      .at_least(0);
  keys.emplace_back("train.ema", in(t, &S::ema),
                    "decay of an exponential average of the weights, which is measured and kept; 0: none")
      .in({.low = 0, .high = 1, .open = true});
  keys.emplace_back("train.swa_start", in(t, &S::swa_start),
                    "first epoch whose weights enter their mean, which is measured and kept; 0: none")
      .at_least(0);
  keys.emplace_back("train.swa_lr", in(t, &S::swa_lr), "learning rate from that epoch on; default: the schedule's")
      .at_least(0);
  keys.emplace_back("train.precision", in(t, &S::precision),
                    "of products and convolutions in a training step; weights, sums and evaluation stay f32")
      .one_of({"f32", "bf16"});
  keys.emplace_back("train.memory_limit", in(t, &S::memory_limit),
                    "MB that a training step may take; what does not fit is computed again; 0: any")
      .in({.low = 0, .high = 1e9});
  keys.emplace_back("train.checkpoint_steps", in(t, &S::checkpoint_steps),
                    "steps between checkpoints within an epoch; 0: only at its end")
      .at_least(0);
  Choices instruments(instrument_names().begin(), instrument_names().end());
  instruments.emplace_back("all");
  keys.emplace_back("train.record", in(t, &S::record), "what instruments.jsonl keeps of the run's inside")
      .one_of(std::move(instruments));
  keys.emplace_back("train.record_every_steps", in(t, &S::record_every_steps),
                    "steps between two that are looked at; 0: a 60th of the run, at most 200")
      .at_least(0);
}

void add_log(Keys& keys) {
  using S = LogSettings;
  constexpr auto l = &Recipe::log;
  keys.emplace_back("log.tensorboard", in(l, &S::tensorboard), "write event files into the run folder");
  keys.emplace_back("log.every_steps", in(l, &S::every_steps), "steps between scalars in them").at_least(1);
  keys.emplace_back("log.report", in(l, &S::report), "write report.html when the run is finished");
}

std::vector<Key<models::LayerSettings>> make_layer_keys() {
  using S = models::LayerSettings;
  std::vector<Key<S>> keys;
  /// A key for the layers that read it.
  const auto key = [&](std::string_view name, auto field, std::string_view doc = {}) -> Key<S>& {
    return keys.emplace_back(name, of(field), doc).only_for({"type", models::layers_that_read(name)});
  };
  keys.emplace_back("type", of(&S::type)).one_of(models::layer_type_names()).must_be_given();
  key("in_channels", &S::in_channels).at_least(1).must_be_given();
  key("out_channels", &S::out_channels).at_least(1).must_be_given();
  key("kernel_size", &S::kernel_size, "height and width").at_least(1).must_be_given();
  key("stride", &S::stride, "0: 1 for conv2d, kernel_size for pooling").at_least(0);
  key("padding", &S::padding).at_least(0);
  key("dilation", &S::dilation).at_least(1);
  key("groups", &S::groups, "of channels that do not see each other").at_least(1);
  key("output_size", &S::output_size, "height and width").at_least(1);
  key("num_features", &S::num_features, "channels").at_least(1).must_be_given();
  key("num_groups", &S::num_groups, "of channels that are normalised together").at_least(1).must_be_given();
  key("num_channels", &S::num_channels).at_least(1).must_be_given();
  key("normalized_shape", &S::normalized_shape, "sizes of the last axes, which are normalised together")
      .at_least(1)
      .must_be_given();
  key("eps", &S::eps, "added to the variance").at_least(0);
  key("momentum", &S::momentum, "weight of a batch in the running statistics").in({.low = 0, .high = 1});
  key("p", &S::p, "share that is dropped while training").in({.low = 0, .high = 1});
  key("in_features", &S::in_features).at_least(1).must_be_given();
  key("out_features", &S::out_features).at_least(1).must_be_given();
  key("bias", &S::bias);
  key("start_axis", &S::start_axis, "axes from this one on become one").in({.low = 0, .high = 7});
  return keys;
}

}  // namespace

// The order is the order in which a recipe is written; keys of one section stand together.
const std::vector<Key<Recipe>>& recipe_keys() {
  static const Keys keys = [] {
    Keys all;
    all.emplace_back(
           "seed", [](Recipe& r) -> Slot { return &r.seed; }, "start of all random numbers")
        .at_least(0);
    add_model(all);
    add_data(all);
    add_optimizer(all);
    add_train(all);
    add_steps(all);
    add_log(all);
    return all;
  }();
  return keys;
}

const std::vector<Key<models::LayerSettings>>& layer_keys() {
  static const auto keys = make_layer_keys();
  return keys;
}

std::string inline_layers(const std::vector<models::LayerSettings>& layers) {
  std::string text;
  for (models::LayerSettings layer : layers) {
    models::LayerSettings plain;
    std::string keys;
    for (const auto& key : layer_keys()) {
      const std::string value = toml_text(key.slot(layer));
      if (!applies(key, layer_keys(), layer) || value == toml_text(key.slot(plain))) continue;
      keys += fmt::format("{}{} = {}", keys.empty() ? "" : ", ", key.name, value);
    }
    text += fmt::format("{}{{{}}}", text.empty() ? "" : ", ", keys);
  }
  return fmt::format("[{}]", text);
}

std::vector<ChosenSettings> chosen_settings(Recipe& recipe) {
  OptimizerSettings& o = recipe.optimizer;
  return {{"optimizer.", "optimizer.name", find_choice(optimizer_choices(), o.name), &o.settings},
          {"schedule.", "optimizer.schedule", find_choice(schedule_choices(), o.schedule), &recipe.schedule}};
}

std::string_view type_name(const Slot& slot) {
  constexpr std::string_view names[] = {
      "an integer",        "a number",          "a number",
      "true or false",     "a string",          "a list of integers",
      "a list of numbers", "a list of strings", "a number, a list of numbers, a string, or true or false"};
  return names[slot.index()];
}

std::string expected(const Slot& slot, const Range& range, std::span<const std::string_view> choices) {
  const bool list = std::holds_alternative<std::vector<std::string>*>(slot);
  if (!choices.empty()) return fmt::format("{} of {}", list ? "some" : "one", fmt::join(choices, ", "));
  std::string text(type_name(slot));
  if (range.count > 0) text += fmt::format(" of length {}", range.count);
  if (std::isfinite(range.high))
    return text + fmt::format(" in [{}, {}{}", range.low, range.high, range.open ? ')' : ']');
  if (std::isfinite(range.low)) return text + fmt::format(" >= {}", range.low);
  return text;
}

bool in_range(double value, const Range& range) {
  return std::isfinite(value) && value >= range.low && (range.open ? value < range.high : value <= range.high);
}

std::string toml_text(const Slot& slot) {
  return std::visit(
      Overloaded{[](SettingValue* v) { return std::visit([](auto& value) { return setting_text(value); }, *v); },
                 [](const std::int64_t* v) { return fmt::format("{}", *v); },
                 [](const double* v) { return number_text(*v); },
                 [](const std::optional<double>* v) { return *v ? number_text(**v) : std::string(); },
                 [](const bool* v) { return std::string(*v ? "true" : "false"); },
                 [](const std::string* v) { return quoted(*v); },
                 [](const std::vector<std::int64_t>* v) { return fmt::format("[{}]", fmt::join(*v, ", ")); },
                 [](const std::vector<double>* v) {
                   std::vector<std::string> texts;
                   for (double x : *v) texts.push_back(number_text(x));
                   return fmt::format("[{}]", fmt::join(texts, ", "));
                 },
                 [](const std::vector<std::string>* v) {
                   std::vector<std::string> texts;
                   for (const std::string& x : *v) texts.push_back(quoted(x));
                   return fmt::format("[{}]", fmt::join(texts, ", "));
                 }},
      slot);
}

}  // namespace gradus::train::detail
