#include "gradus/data/split/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/random.h"

namespace gradus::data {
namespace {

Error refusal(std::string summary, SourceLocation where) {
  return Error(ErrorKind::value, "split", std::move(summary)).at(where);
}

void check_fractions(std::span<const double> fractions, SourceLocation where) {
  double sum = 0;
  bool sound = !fractions.empty();
  for (const double fraction : fractions) {
    sound = sound && fraction > 0;
    sum += fraction;
  }
  if (sound && std::abs(sum - 1) <= 1e-9) return;
  throw refusal(fmt::format("the fractions are {}", fmt::join(fractions, ", ")), where)
      .field("expected", "positive numbers that sum up to 1");
}

/// Largest remainders; parts may stay empty.
std::vector<std::int64_t> shares(std::int64_t count, std::span<const double> fractions) {
  std::vector<std::int64_t> sizes;
  std::vector<double> remainders;
  std::int64_t given = 0;
  for (const double fraction : fractions) {
    const double share = fraction * static_cast<double>(count);
    // 0.7 * 10 is 7, whatever the last bit says
    const double whole =
        std::abs(share - std::round(share)) < 1e-9 * static_cast<double>(count) ? std::round(share) : std::floor(share);
    sizes.push_back(static_cast<std::int64_t>(whole));
    remainders.push_back(std::max(0.0, share - whole));
    given += sizes.back();
  }
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return remainders[a] > remainders[b]; });
  for (std::size_t i = 0; given < count; i = (i + 1) % order.size(), ++given) ++sizes[order[i]];
  return sizes;
}

std::vector<Rows> sorted(std::vector<Rows> parts) {
  for (Rows& rows : parts) std::sort(rows.begin(), rows.end());
  return parts;
}

/// The rows of each class, by label.
std::map<std::int64_t, Rows> by_value(std::span<const std::int64_t> values) {
  std::map<std::int64_t, Rows> found;
  for (std::size_t row = 0; row < values.size(); ++row) found[values[row]].push_back(static_cast<std::int64_t>(row));
  return found;
}

Rows shuffled(const Rows& rows, Key key) {
  Rows out;
  out.reserve(rows.size());
  for (const std::int64_t at : random_permutation(static_cast<std::int64_t>(rows.size()), key))
    out.push_back(rows[static_cast<std::size_t>(at)]);
  return out;
}

/// Rows of each class, shuffled, one class behind the other.
std::vector<Rows> shuffled_classes(std::span<const std::int64_t> labels, std::int64_t least, std::uint64_t seed,
                                   SourceLocation where) {
  std::vector<Rows> classes;
  for (const auto& [label, rows] : by_value(labels)) {
    if (label < 0) throw refusal(fmt::format("label {} in row {} is negative", label, rows.front()), where);
    if (static_cast<std::int64_t>(rows.size()) < least) {
      throw refusal(fmt::format("class {} has {} rows for {} parts", label, rows.size(), least), where)
          .hint("leave the class out, or use fewer parts");
    }
    classes.push_back(shuffled(rows, Key{seed}.fold(static_cast<std::uint64_t>(label) + 1)));
  }
  if (classes.empty()) throw refusal("there are no rows", where);
  return classes;
}

/// Counts of each class in each part, [class][part]: floors of the shares, and ones for what is left, so that every class
/// and every part come out exactly. Parts are filled in the order of their largest remainders, class by class.
std::vector<std::vector<std::int64_t>> stratified_counts(const std::vector<Rows>& classes,
                                                         std::span<const double> fractions,
                                                         std::vector<std::int64_t> room) {
  std::vector<std::vector<std::int64_t>> counts;
  for (const Rows& rows : classes) {
    std::vector<std::int64_t> floors;
    for (const double fraction : fractions) {
      floors.push_back(static_cast<std::int64_t>(std::floor(fraction * static_cast<double>(rows.size()) + 1e-9)));
    }
    for (std::size_t part = 0; part < floors.size(); ++part) room[part] -= floors[part];
    counts.push_back(std::move(floors));
  }
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto size = static_cast<std::int64_t>(classes[c].size());
    std::int64_t left = size - std::accumulate(counts[c].begin(), counts[c].end(), std::int64_t{0});
    std::vector<std::size_t> order(fractions.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return room[a] > room[b]; });
    for (std::size_t i = 0; left > 0; ++i, --left) {
      ++counts[c][order[i]];
      --room[order[i]];
    }
  }
  return counts;
}

std::vector<Fold> folds_of(const std::vector<Rows>& parts) {
  std::vector<Fold> folds;
  for (std::size_t held_out = 0; held_out < parts.size(); ++held_out) {
    Fold fold;
    for (std::size_t part = 0; part < parts.size(); ++part) {
      Rows& to = part == held_out ? fold.validation : fold.train;
      to.insert(to.end(), parts[part].begin(), parts[part].end());
    }
    std::sort(fold.train.begin(), fold.train.end());
    std::sort(fold.validation.begin(), fold.validation.end());
    folds.push_back(std::move(fold));
  }
  return folds;
}

std::vector<double> equal_fractions(std::int64_t folds, std::int64_t count, SourceLocation where) {
  if (folds < 2 || folds > count) {
    throw refusal(fmt::format("{} folds of {} rows", folds, count), where)
        .field("expected", count < 2 ? "at least 2 rows" : fmt::format("2 to {} folds", count));
  }
  return std::vector<double>(static_cast<std::size_t>(folds), 1 / static_cast<double>(folds));
}

void append(std::vector<Fold>& to, std::vector<Fold> folds) {
  std::move(folds.begin(), folds.end(), std::back_inserter(to));
}

void check_repeats(std::int64_t repeats, SourceLocation where) {
  if (repeats < 1) throw refusal(fmt::format("repeats is {}", repeats), where).field("expected", "1 or more");
}

}  // namespace

std::vector<std::int64_t> part_sizes(std::int64_t count, std::span<const double> fractions, SourceLocation where) {
  check_fractions(fractions, where);
  std::vector<std::int64_t> sizes = shares(count, fractions);
  for (std::size_t part = 0; part < sizes.size(); ++part) {
    if (sizes[part] > 0) continue;
    throw refusal(fmt::format("part {} of {} rows is empty", part + 1, count), where)
        .field("fraction", fmt::format("{}", fractions[part]));
  }
  return sizes;
}

std::vector<Rows> random_split(std::int64_t count, const std::vector<double>& fractions, std::uint64_t seed,
                               SourceLocation where) {
  const std::vector<std::int64_t> sizes = part_sizes(count, fractions, where);
  const Rows rows = random_permutation(count, Key{seed});
  std::vector<Rows> parts;
  auto next = rows.begin();
  for (const std::int64_t size : sizes) {
    parts.emplace_back(next, next + size);
    next += size;
  }
  return sorted(std::move(parts));
}

std::vector<Rows> stratified_split(std::span<const std::int64_t> labels, const std::vector<double>& fractions,
                                   std::uint64_t seed, SourceLocation where) {
  std::vector<std::int64_t> sizes = part_sizes(static_cast<std::int64_t>(labels.size()), fractions, where);
  const std::vector<Rows> classes = shuffled_classes(labels, static_cast<std::int64_t>(fractions.size()), seed, where);
  const auto counts = stratified_counts(classes, fractions, std::move(sizes));
  std::vector<Rows> parts(fractions.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    auto next = classes[c].begin();
    for (std::size_t part = 0; part < parts.size(); ++part) {
      parts[part].insert(parts[part].end(), next, next + counts[c][part]);
      next += counts[c][part];
    }
  }
  return sorted(std::move(parts));
}

std::vector<Rows> grouped_split(std::span<const std::int64_t> groups, const std::vector<double>& fractions,
                                std::uint64_t seed, SourceLocation where) {
  check_fractions(fractions, where);
  std::vector<Rows> all;
  for (auto& [group, rows] : by_value(groups)) all.push_back(rows);
  if (all.size() < fractions.size()) {
    throw refusal(fmt::format("{} groups for {} parts", all.size(), fractions.size()), where)
        .hint("a group is never divided: use fewer parts");
  }
  std::vector<Rows> order;
  for (const std::int64_t at : random_permutation(static_cast<std::int64_t>(all.size()), Key{seed}))
    order.push_back(std::move(all[static_cast<std::size_t>(at)]));
  std::stable_sort(order.begin(), order.end(), [](const Rows& a, const Rows& b) { return a.size() > b.size(); });
  std::vector<Rows> parts(fractions.size());
  std::size_t empty = parts.size();
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool only_empty = order.size() - i <= empty;  // every part gets a group
    const auto lack = [&](std::size_t part) {
      return fractions[part] * static_cast<double>(groups.size()) - static_cast<double>(parts[part].size());
    };
    std::size_t best = parts.size();
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (only_empty && !parts[part].empty()) continue;
      if (best == parts.size() || lack(part) > lack(best)) best = part;
    }
    if (parts[best].empty()) --empty;
    parts[best].insert(parts[best].end(), order[i].begin(), order[i].end());
  }
  return sorted(std::move(parts));
}

std::vector<Rows> time_split(std::span<const double> times, const std::vector<double>& fractions,
                             SourceLocation where) {
  const std::vector<std::int64_t> sizes = part_sizes(static_cast<std::int64_t>(times.size()), fractions, where);
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (std::isnan(times[row])) throw refusal(fmt::format("the time of row {} is not a number", row), where);
  }
  Rows order(times.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const auto time = [&](std::int64_t row) { return times[static_cast<std::size_t>(row)]; };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return time(a) < time(b); });
  std::vector<Rows> parts;
  auto begin = order.begin();
  std::int64_t end = 0;
  for (std::size_t part = 0; part < sizes.size(); ++part) {
    end += sizes[part];
    auto cut = order.begin() + end;
    while (cut != order.end() && cut != begin && time(*cut) == time(*(cut - 1))) --cut;
    if (cut <= begin) {
      throw refusal(fmt::format("part {} stays empty: too many rows have the same time", part + 1), where);
    }
    parts.emplace_back(begin, cut);
    begin = cut;
  }
  return sorted(std::move(parts));
}

std::vector<Fold> k_fold(std::int64_t count, std::int64_t folds, std::uint64_t seed, SourceLocation where) {
  return folds_of(random_split(count, equal_fractions(folds, count, where), seed, where));
}

std::vector<Fold> stratified_k_fold(std::span<const std::int64_t> labels, std::int64_t folds, std::uint64_t seed,
                                    SourceLocation where) {
  const auto count = static_cast<std::int64_t>(labels.size());
  return folds_of(stratified_split(labels, equal_fractions(folds, count, where), seed, where));
}

std::vector<Fold> grouped_k_fold(std::span<const std::int64_t> groups, std::int64_t folds, std::uint64_t seed,
                                 SourceLocation where) {
  const auto count = static_cast<std::int64_t>(groups.size());
  return folds_of(grouped_split(groups, equal_fractions(folds, count, where), seed, where));
}

std::vector<Fold> repeated_k_fold(std::int64_t count, std::int64_t folds, std::int64_t repeats, std::uint64_t seed,
                                  SourceLocation where) {
  check_repeats(repeats, where);
  std::vector<Fold> all;
  for (std::int64_t i = 0; i < repeats; ++i)
    append(all, k_fold(count, folds, Key{seed}.fold(static_cast<std::uint64_t>(i)).value, where));
  return all;
}

std::vector<Fold> repeated_stratified_k_fold(std::span<const std::int64_t> labels, std::int64_t folds,
                                             std::int64_t repeats, std::uint64_t seed, SourceLocation where) {
  check_repeats(repeats, where);
  std::vector<Fold> all;
  for (std::int64_t i = 0; i < repeats; ++i)
    append(all, stratified_k_fold(labels, folds, Key{seed}.fold(static_cast<std::uint64_t>(i)).value, where));
  return all;
}

void check_disjoint(const std::vector<Rows>& parts, std::int64_t count, SourceLocation where) {
  std::vector<std::size_t> owner(static_cast<std::size_t>(count));  // part + 1
  for (std::size_t part = 0; part < parts.size(); ++part) {
    for (const std::int64_t row : parts[part]) {
      if (row < 0 || row >= count) {
        throw Error(ErrorKind::index, "split", fmt::format("row {} of {} rows", row, count)).at(where);
      }
      std::size_t& mine = owner[static_cast<std::size_t>(row)];
      if (mine != 0) {
        throw refusal(mine == part + 1 ? fmt::format("row {} stands twice in part {}", row, part + 1)
                                       : fmt::format("row {} stands in part {} and in part {}", row, mine, part + 1),
                      where);
      }
      mine = part + 1;
    }
  }
}

void check_groups(const std::vector<Rows>& parts, std::span<const std::int64_t> groups, SourceLocation where) {
  check_disjoint(parts, static_cast<std::int64_t>(groups.size()), where);
  std::map<std::int64_t, std::pair<std::size_t, std::int64_t>> owner;
  for (std::size_t part = 0; part < parts.size(); ++part) {
    for (const std::int64_t row : parts[part]) {
      const std::int64_t group = groups[static_cast<std::size_t>(row)];
      const auto [found, added] = owner.try_emplace(group, part, row);
      if (added || found->second.first == part) continue;
      throw refusal(fmt::format("group {} stands in two parts", group), where)
          .field("row", fmt::format("{} in part {}", found->second.second, found->second.first + 1))
          .field("row", fmt::format("{} in part {}", row, part + 1))
          .hint("grouped_split keeps groups together");
    }
  }
}

}  // namespace gradus::data
