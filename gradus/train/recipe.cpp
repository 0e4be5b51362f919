#include "gradus/train/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "gradus/base/error.h"
#include "gradus/train/recipe_keys.h"
#include "gradus/train/setup.h"

#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace gradus::train {
namespace {

using detail::Key;
using detail::Slot;
using models::LayerSettings;

Error mistake(const std::string& where, std::string summary) {
  return Error(ErrorKind::config, where, std::move(summary));
}

/// Where a value stands: the file and its line, or the option of the command line.
std::string place(const std::string& source, const toml::source_region& region, bool is_file) {
  return is_file ? fmt::format("{}:{}", source, region.begin.line) : source;
}

std::string found_type(const toml::node& node) {
  if (node.is_table()) return "a section";
  if (node.is_array()) return "a list";
  if (node.is_string()) return "a string";
  if (node.is_integer()) return "an integer";
  if (node.is_floating_point()) return "a number";
  if (node.is_boolean()) return "true or false";
  return "a date or time";
}

/// The value as it was written, for messages.
std::string found_text(const toml::node& node) {
  std::ostringstream text;
  node.visit([&](const auto& value) {
    using Node = std::decay_t<decltype(value)>;
    if constexpr (!std::is_same_v<Node, toml::table>) text << value;
  });
  return node.is_table() ? "" : " = " + text.str();
}

bool take(const toml::node& node, std::int64_t& out) {
  if (!node.is_integer()) return false;
  out = node.as_integer()->get();
  return true;
}
bool take(const toml::node& node, double& out) {
  if (!node.is_integer() && !node.is_floating_point()) return false;
  out = *node.value<double>();
  return true;
}
bool take(const toml::node& node, std::optional<double>& out) {
  double value;
  if (!take(node, value)) return false;
  out = value;
  return true;
}
bool take(const toml::node& node, bool& out) {
  if (!node.is_boolean()) return false;
  out = node.as_boolean()->get();
  return true;
}
bool take(const toml::node& node, std::string& out) {
  if (!node.is_string()) return false;
  out = node.as_string()->get();
  return true;
}
bool take(const toml::node& node, std::vector<double>& out);
bool take(const toml::node& node, SettingValue& out) {
  const auto as = [&](auto value) {
    if (!take(node, value)) return false;
    out = std::move(value);
    return true;
  };
  return as(false) || as(0.0) || as(std::string()) || as(std::vector<double>());
}
template <class T>
bool take_list(const toml::node& node, std::vector<T>& out) {
  if (!node.is_array()) return false;
  std::vector<T> items;
  for (const toml::node& item : *node.as_array()) {
    if (!take(item, items.emplace_back())) return false;
  }
  out = std::move(items);
  return true;
}
bool take(const toml::node& node, std::vector<std::int64_t>& out) { return take_list(node, out); }
bool take(const toml::node& node, std::vector<double>& out) { return take_list(node, out); }
bool take(const toml::node& node, std::vector<std::string>& out) {
  if (std::string one; take(node, one)) return out.assign(1, one), true;  // a text alone is a list of one
  return take_list(node, out);
}

bool within(double value, const detail::Range& range) { return detail::in_range(value, range); }
bool within(std::int64_t value, const detail::Range& range) { return within(static_cast<double>(value), range); }
bool within(const std::optional<double>& value, const detail::Range& range) { return !value || within(*value, range); }
bool within(bool, const detail::Range&) { return true; }
bool within(const std::string&, const detail::Range&) { return true; }
bool within(const SettingValue&, const detail::Range&) { return true; }  // see Reader::settle
template <class T>
bool within(const std::vector<T>& values, const detail::Range& range) {
  if (range.count > 0 && values.size() != range.count) return false;
  return std::all_of(values.begin(), values.end(), [&](const T& value) { return within(value, range); });
}

/// Stores one value, checked; `name` is the key's full path.
template <class Owner>
void assign(Owner& owner, const Key<Owner>& key, const std::string& name, const toml::node& node,
            const std::string& where) {
  const Slot slot = key.slot(owner);
  const std::string wanted = detail::expected(slot, key.range, key.choices);
  const std::string found = name + found_text(node);
  std::visit(
      [&](auto* value) {
        if (!take(node, *value)) {
          throw mistake(
              where, fmt::format("{} is {}, expected {}", found, found_type(node),
                                 key.choices.empty() ? wanted : std::string(detail::type_name(slot)) + ": " + wanted));
        }
        if (!within(*value, key.range))
          throw mistake(where, fmt::format("{} is out of range, expected {}", found, wanted));
      },
      slot);
  if (key.choices.empty()) return;
  const auto* list = std::get_if<std::vector<std::string>*>(&slot);
  for (const std::string& text : list ? **list : std::vector{*std::get<std::string*>(slot)}) {
    if (std::find(key.choices.begin(), key.choices.end(), text) != key.choices.end()) continue;
    Error error = mistake(where, fmt::format("{} is not known, expected {}",
                                             list ? fmt::format("\"{}\" in {}", text, name) : found, wanted));
    const std::string nearest = nearest_name(text, {key.choices.begin(), key.choices.end()});
    if (!nearest.empty()) error.hint(fmt::format("did you mean \"{}\"?", nearest));
    throw error;
  }
}

template <class Owner>
Error unknown_key(const std::string& name, const std::vector<Key<Owner>>& keys, const std::string& where) {
  Error error = mistake(where, fmt::format("unknown key {}", name));
  std::vector<std::string> names, last_parts;
  for (const Key<Owner>& key : keys) {
    names.emplace_back(key.name);
    last_parts.emplace_back(key.name.substr(key.name.rfind('.') + 1));
  }
  std::string nearest = nearest_name(name, names);
  if (nearest.empty()) {  // a right name in the wrong section
    const std::string part = nearest_name(name.substr(name.rfind('.') + 1), last_parts);
    const auto found = std::find(last_parts.begin(), last_parts.end(), part);
    if (found != last_parts.end()) nearest = names[static_cast<std::size_t>(found - last_parts.begin())];
  }
  return std::move(nearest.empty() ? error.hint("`gradus train --help-recipe` lists all keys")
                                   : error.hint(fmt::format("did you mean {}?", nearest)));
}

/// Reads one recipe, and remembers which keys it gave and where.
class Reader {
 public:
  explicit Reader(Recipe& recipe) : recipe_(recipe) {}

  void section(const toml::table& table, const std::string& prefix, const std::string& source, bool is_file) {
    for (auto&& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      value(name, node, place(source, key.source(), is_file), source, is_file);
    }
  }

  /// What can only be said of the whole: keys that the rest gives no meaning to, and those that lack.
  void finish(const std::string& source) {
    if (!recipe_.model.layers.empty()) {
      if (recipe_.model.name.empty()) recipe_.model.name = "layers";
      if (recipe_.model.name != "layers") {
        throw mistake(layers_at_,
                      fmt::format("model.layers belongs to model.name = \"layers\", and this recipe's is \"{}\"",
                                  recipe_.model.name));
      }
    }
    settle_task(source);
    check_given(recipe_, detail::recipe_keys(), given_, "", source);
    if (recipe_.model.name == "layers" && recipe_.model.layers.empty()) {
      throw mistake(source, "model.name = \"layers\" needs at least one [[model.layers]]");
    }
    settle(source);
    if (!recipe_.train.class_weights.empty() && recipe_.train.class_balance != "none") {
      throw mistake(source, "train.class_weights and train.class_balance = \"balanced\" exclude each other");
    }
    check_averages(source);
    if (recipe_.data.standardize && !(recipe_.data.mean.empty() && recipe_.data.std.empty())) {
      throw mistake(source, "data.standardize computes data.mean and data.std: give one or the other");
    }
  }

 private:
  struct Given {
    std::string name, where;
  };

  void value(const std::string& name, const toml::node& node, const std::string& where, const std::string& source,
             bool is_file) {
    const auto& keys = detail::recipe_keys();
    const bool is_section =
        name == "model.layers" ||
        std::any_of(keys.begin(), keys.end(), [&](const Key<Recipe>& key) { return key.name.starts_with(name + "."); });
    if (name == "model.layers") return layers(node, where, source);
    if (is_section) {
      if (!node.is_table()) {
        throw mistake(where, fmt::format("{}{} is {}, expected the section [{}]", name, found_text(node),
                                         found_type(node), name));
      }
      return section(*node.as_table(), name + ".", source, is_file);
    }
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const Key<Recipe>& k) { return k.name == name; });
    if (key == keys.end()) throw node.is_table() ? unknown_section(name, where) : unknown_key(name, keys, where);
    assign(recipe_, *key, name, node, where);
    given_.push_back({name, where});
  }

  const Given* given(std::string_view name) const {
    const auto found = std::find_if(given_.begin(), given_.end(), [&](const Given& g) { return g.name == name; });
    return found == given_.end() ? nullptr : &*found;
  }

  /// Classes or numbers: what the one has means nothing with the other.
  void settle_task(const std::string& source) {
    TrainSettings& t = recipe_.train;
    if (recipe_.data.name == "friedman" && !given("data.task")) recipe_.data.task = "regression";
    const bool numbers = predicts_numbers(recipe_);
    if (recipe_.data.name == "friedman" && !numbers)
      throw mistake(source, "data.name = \"friedman\" has numbers to predict: data.task is \"regression\"");
    if (numbers && !given("train.loss")) t.loss = "mse";
    if (numbers && !given("train.monitor")) t.monitor = "val_loss";
    const bool counts = t.monitor == "val_accuracy", either = t.monitor == "val_loss";
    const char* task = numbers ? "numbers" : "classes";
    if ((t.loss == "cross_entropy") == numbers)
      throw mistake(source,
                    fmt::format("train.loss = \"{}\" is no loss of {}, which this recipe predicts", t.loss, task));
    if (!either && counts == numbers) {
      throw mistake(source, fmt::format("train.monitor = \"{}\" is not measured of {}, which this recipe predicts",
                                        t.monitor, task));
    }
    const std::pair<const char*, bool> of_classes[] = {{"train.label_smoothing", t.label_smoothing > 0},
                                                       {"train.class_weights", !t.class_weights.empty()},
                                                       {"train.class_balance", t.class_balance != "none"}};
    for (const auto& [name, set] : of_classes) {
      if (numbers && set)
        throw mistake(given(name)->where, fmt::format("{} means nothing with data.task = \"regression\"", name));
    }
  }

  void check_averages(const std::string& source) const {
    const TrainSettings& t = recipe_.train;
    if (t.ema > 0 && t.swa_start > 0)
      throw mistake(source,
                    "train.ema and train.swa_start are two averages of the same weights: give one or the other");
    if (t.swa_start > t.epochs) {
      throw mistake(source, fmt::format("train.swa_start = {} is after the last of {} epochs", t.swa_start, t.epochs));
    }
    if (t.swa_lr && t.swa_start == 0) throw mistake(source, "train.swa_lr means nothing without train.swa_start");
  }

  /// Settings of what was chosen by name: their types and values, and defaults for those that were not given.
  void settle(const std::string& source) {
    for (const detail::ChosenSettings& chosen : detail::chosen_settings(recipe_)) {
      for (const SettingInfo& info : chosen.choice->settings) {
        const std::string name = fmt::format("{}{}", chosen.prefix, info.name);
        const auto given = std::find_if(given_.begin(), given_.end(), [&](const Given& g) { return g.name == name; });
        if (given == given_.end()) {
          chosen.settings->erase(info.name);
          if (!info.required) continue;
          throw mistake(source, fmt::format("{} is missing", name))
              .hint(fmt::format("expected {}: {} = \"{}\" needs it", expected(info), chosen.key, chosen.choice->name));
        }
        SettingValue& value = chosen.settings->at(info.name);
        if (fits(info, value)) continue;
        throw mistake(given->where,
                      fmt::format("{} = {} does not fit {} = \"{}\", expected {}", name,
                                  detail::toml_text(Slot(&value)), chosen.key, chosen.choice->name, expected(info)));
      }
      fill_in(*chosen.settings, *chosen.choice);
    }
    if (!recipe_.optimizer.lr) recipe_.optimizer.lr = default_lr(recipe_.optimizer.name);
    try {
      check_settings(recipe_);
    } catch (const Error& error) {
      throw mistake(source, "a setting is refused").note(error.what());
    }
  }

  static Error unknown_section(const std::string& name, const std::string& where) {
    Error error = mistake(where, fmt::format("unknown section [{}]", name));
    const std::string nearest = nearest_name(name, {"model", "data", "optimizer", "schedule", "train", "log"});
    return std::move(nearest.empty()
                         ? error.hint("the sections are [model], [data], [optimizer], [schedule], [train] and [log]")
                         : error.hint(fmt::format("did you mean [{}]?", nearest)));
  }

  void layers(const toml::node& node, const std::string& where, const std::string& source) {
    layers_at_ = where;
    recipe_.model.layers.clear();
    const toml::array* list = node.as_array();
    if (list == nullptr)
      throw mistake(where, fmt::format("model.layers is {}, expected [[model.layers]]", found_type(node)));
    for (const toml::node& item : *list) {
      const std::string prefix = fmt::format("model.layers[{}].", recipe_.model.layers.size());
      const std::string here = place(source, item.source(), true);
      if (!item.is_table())
        throw mistake(here, fmt::format("model.layers holds {}, expected [[model.layers]]", found_type(item)));
      recipe_.model.layers.push_back(layer(*item.as_table(), prefix, source, here));
    }
  }

  LayerSettings layer(const toml::table& table, const std::string& prefix, const std::string& source,
                      const std::string& here) {
    LayerSettings settings;
    std::vector<Given> given;
    const auto& keys = detail::layer_keys();
    for (auto&& [toml_key, node] : table) {
      const std::string name(toml_key.str()), where = place(source, toml_key.source(), true);
      const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.name == name; });
      if (key == keys.end()) throw unknown_key(name, keys, where);
      assign(settings, *key, prefix + name, node, where);
      given.push_back({name, where});
    }
    check_given(settings, keys, given, prefix, here);
    return settings;
  }

  /// Each key that was given must mean something, and each that is required must have been given.
  template <class Owner>
  static void check_given(Owner& owner, const std::vector<Key<Owner>>& keys, const std::vector<Given>& given,
                          const std::string& prefix, const std::string& source) {
    for (const Key<Owner>& key : keys) {
      const auto found = std::find_if(given.begin(), given.end(), [&](const Given& g) { return g.name == key.name; });
      const bool known = key.name == "model.name" && !std::get<std::string*>(key.slot(owner))->empty();
      const bool meant = detail::applies(key, keys, owner);
      if (found == given.end()) {
        if (key.required && meant && !known)
          throw mistake(source, fmt::format("{}{} is missing", prefix, key.name))
              .hint(fmt::format("expected {}", detail::expected(key.slot(owner), key.range, key.choices)));
        continue;
      }
      if (meant) continue;
      for (const Key<Owner>& other : keys) {
        if (other.name != key.only_if.key) continue;
        throw mistake(found->where, fmt::format("{}{} means nothing with {} = {}", prefix, key.name, other.name,
                                                detail::toml_text(other.slot(owner))));
      }
    }
  }

  Recipe& recipe_;
  std::vector<Given> given_;
  std::string layers_at_;
};

/// "train.epochs=3" as a TOML table; a value that is no TOML is taken as a string.
toml::table parse_change(const std::string& change, const std::string& where) {
  const std::size_t equals = change.find('=');
  if (equals == change.npos || equals == 0) {
    throw mistake(where, "expected KEY=VALUE").hint("for example --set train.epochs=3");
  }
  const std::string key = change.substr(0, equals), value = change.substr(equals + 1);
  try {
    return toml::parse(key + " = " + value);
  } catch (const toml::parse_error&) {
    toml::table table;
    toml::table* inner = &table;
    std::string_view rest = key;
    for (std::size_t dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
      inner = inner->insert_or_assign(rest.substr(0, dot), toml::table{}).first->second.as_table();
      rest.remove_prefix(dot + 1);
    }
    inner->insert_or_assign(rest, value);
    return table;
  }
}

template <class Owner>
std::string key_lines(Owner& owner, const std::vector<Key<Owner>>& keys) {
  std::string text;
  for (const Key<Owner>& key : keys) {
    if (!key.values.empty()) {
      text += fmt::format("  {:<16} {}\n", key.name.substr(key.name.rfind('.') + 1), key.values);
      if (!key.doc.empty()) text += fmt::format("  {:<16}   {}\n", "", key.doc);
      continue;
    }
    const std::string value = detail::toml_text(key.slot(owner));
    const std::string range = detail::expected(key.slot(owner), key.range, key.choices);
    std::string line = fmt::format("  {:<16} {}", key.name.substr(key.name.rfind('.') + 1), range);
    if (!key.required && !value.empty()) line += fmt::format(", default {}", value);
    if (!key.only_if.key.empty()) {
      line += fmt::format("; for {}", key.only_if.values[0]);
      for (std::size_t i = 1; i < key.only_if.values.size(); ++i) line += fmt::format(", {}", key.only_if.values[i]);
    }
    text += line + (key.doc.empty() ? "\n" : fmt::format("\n  {:<16}   {}\n", "", key.doc));
  }
  return text;
}

}  // namespace

Recipe parse_recipe(std::string_view text, const std::string& name, std::span<const std::string> changes) {
  Recipe recipe;
  Reader reader(recipe);
  try {
    const toml::table table = toml::parse(text);
    reader.section(table, "", name, true);
  } catch (const toml::parse_error& error) {
    throw mistake(fmt::format("{}:{}", name, error.source().begin.line),
                  fmt::format("not TOML: {}", error.description()));
  }
  for (const std::string& change : changes) {
    const std::string where = "--set " + change;
    reader.section(parse_change(change, where), "", where, false);
  }
  reader.finish(name);
  return recipe;
}

Recipe read_recipe(const std::string& path, std::span<const std::string> changes) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    const int code = errno;
    throw mistake(path, fmt::format("the recipe cannot be read: {}", std::strerror(code != 0 ? code : EIO)));
  }
  return parse_recipe(text.str(), path, changes);
}

std::string recipe_text(const Recipe& recipe) {
  Recipe copy = recipe;
  for (const detail::ChosenSettings& chosen : detail::chosen_settings(copy)) {
    if (chosen.choice) fill_in(*chosen.settings, *chosen.choice);
  }
  std::string text, section;
  const auto write_layers = [&] {
    for (LayerSettings& layer : copy.model.layers) {
      text += "\n[[model.layers]]\n";
      for (const auto& key : detail::layer_keys()) {
        if (!detail::applies(key, detail::layer_keys(), layer)) continue;
        text += fmt::format("{} = {}\n", key.name, detail::toml_text(key.slot(layer)));
      }
    }
  };
  for (const Key<Recipe>& key : detail::recipe_keys()) {
    if (!detail::applies(key, detail::recipe_keys(), copy)) continue;
    const std::string value = detail::toml_text(key.slot(copy));
    if (value.empty()) continue;
    const std::size_t dot = key.name.rfind('.');
    const std::string_view head = dot == key.name.npos ? std::string_view() : key.name.substr(0, dot);
    if (head != section) {
      if (section == "model") write_layers();
      text += fmt::format("\n[{}]\n", head);
      section = head;
    }
    text += fmt::format("{} = {}\n", key.name.substr(dot + 1), value);
  }
  return text;
}

std::string recipe_help() {
  Recipe recipe;
  std::string text = "A recipe is a TOML file. Its keys:\n\n", section;
  std::vector<Key<Recipe>> part;
  const auto flush = [&] {
    if (!section.empty()) text += fmt::format("\n[{}]\n", section);
    text += key_lines(recipe, part);
    if (section == "model") {
      LayerSettings layer;
      text += "\n[[model.layers]]   once for each layer, in order\n" + key_lines(layer, detail::layer_keys());
    }
    part.clear();
  };
  for (const Key<Recipe>& key : detail::recipe_keys()) {
    const std::size_t dot = key.name.rfind('.');
    const std::string head(dot == key.name.npos ? std::string_view() : key.name.substr(0, dot));
    if (head != section) {
      flush();
      section = head;
    }
    part.push_back(key);
  }
  flush();
  return text;
}

}  // namespace gradus::train
