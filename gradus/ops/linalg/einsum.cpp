#include "gradus/ops/linalg/einsum.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/ops/argument.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/matmul.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/view.h"
#include "gradus/ops/views/diagonal.h"

namespace gradus {
namespace {

/// A label is a letter; the axes of an ellipsis are the labels '0', '1', ... counted from the last one.
using Labels = std::string;

/// A term of the equation and where it begins.
struct Term {
  std::string_view text;
  std::size_t position;
};

bool is_label(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
const char* plural(std::size_t count) { return count == 1 ? "" : "s"; }

class Equation {
 public:
  Equation(std::string_view text, std::span<const Tensor> operands, SourceLocation where)
      : text_(text), where_(where), operands_(operands), sizes_(128, -1) {
    const std::size_t arrow = text.find("->");
    split(text.substr(0, arrow));
    if (terms_.size() != operands.size()) {
      throw refuse(ErrorKind::value, fmt::format("{} term{} for {} operand{}", terms_.size(), plural(terms_.size()),
                                                 operands.size(), plural(operands.size())));
    }
    for (std::size_t i = 0; i < terms_.size(); ++i) labels_.push_back(labels_of(terms_[i], operands[i].rank(), i));
    for (std::size_t i = 0; i < terms_.size(); ++i) measure(i);
    result_ = arrow == std::string_view::npos ? implicit_result() : explicit_result(arrow + 2);
  }

  const Labels& operand(std::size_t i) const { return labels_[i]; }
  const Labels& result() const { return result_; }
  std::int64_t size(char label) const { return sizes_[static_cast<std::size_t>(label)]; }
  /// Whether the result or an operand from number `first` on has the label.
  bool needed(char label, std::size_t first) const {
    if (result_.find(label) != Labels::npos) return true;
    return std::any_of(labels_.begin() + static_cast<std::ptrdiff_t>(first), labels_.end(),
                       [&](const Labels& labels) { return labels.find(label) != Labels::npos; });
  }

 private:
  Error refuse(ErrorKind kind, std::string summary, std::size_t position = std::string_view::npos) const {
    Error error(kind, "einsum", std::move(summary));
    error.at(where_).field("equation", std::string(text_));
    constexpr std::size_t column = std::string_view("equation  ").size();
    if (position != std::string_view::npos) error.note(std::string(column + position, ' ') + "^");
    return error;
  }

  void split(std::string_view left) {
    for (std::size_t start = 0;;) {
      const std::size_t comma = std::min(left.find(',', start), left.size());
      terms_.push_back({left.substr(start, comma - start), start});
      if (comma == left.size()) return;
      start = comma + 1;
    }
  }

  /// Letters of a term, and where its ellipsis stands among them (-1: nowhere).
  std::pair<Labels, std::ptrdiff_t> parse(const Term& term) const {
    Labels letters;
    std::ptrdiff_t ellipsis = -1;
    for (std::size_t i = 0; i < term.text.size(); ++i) {
      const char c = term.text[i];
      if (c == ' ') continue;
      if (is_label(c)) {
        letters += c;
      } else if (term.text.substr(i, 3) == "..." && ellipsis < 0) {
        ellipsis = static_cast<std::ptrdiff_t>(letters.size());
        i += 2;
      } else if (c == '.' && ellipsis >= 0) {
        throw refuse(ErrorKind::value, "a second ellipsis in one term", term.position + i);
      } else {
        throw refuse(ErrorKind::value, fmt::format("'{}' is neither a letter nor \"...\"", c), term.position + i);
      }
    }
    return {letters, ellipsis};
  }

  static Labels with_ellipsis(Labels letters, std::ptrdiff_t at, int axes) {
    Labels dots;
    for (int i = axes - 1; i >= 0; --i) dots += static_cast<char>('0' + i);
    if (at >= 0) letters.insert(static_cast<std::size_t>(at), dots);
    return letters;
  }

  Labels labels_of(const Term& term, int rank, std::size_t operand) {
    const auto [letters, ellipsis] = parse(term);
    const int extra = rank - static_cast<int>(letters.size());
    if (extra < 0 || (extra > 0 && ellipsis < 0)) {
      throw refuse(ErrorKind::value,
                   fmt::format("{} label{} for operand {}, which is {}", letters.size(), plural(letters.size()),
                               operand, operands_[operand].spec().str()),
                   term.position);
    }
    ellipsis_axes_ = std::max(ellipsis_axes_, ellipsis < 0 ? 0 : extra);
    return with_ellipsis(letters, ellipsis, extra);
  }

  /// Notes the sizes of an operand's labels; those of an ellipsis broadcast.
  void measure(std::size_t i) {
    for (std::size_t axis = 0; axis < labels_[i].size(); ++axis) {
      const char label = labels_[i][axis];
      std::int64_t& known = sizes_[static_cast<std::size_t>(label)];
      const std::int64_t size = operands_[i].shape()[static_cast<int>(axis)];
      if (known < 0 || known == size) {
        known = size;
      } else if (!is_label(label) && (known == 1 || size == 1)) {
        known = known == 1 ? size : known;
      } else if (is_label(label)) {
        throw refuse(ErrorKind::shape, fmt::format("label '{}' is {}, but {} in operand {}", label, known, size, i),
                     terms_[i].position + terms_[i].text.rfind(label));
      } else {
        throw refuse(ErrorKind::shape, fmt::format("the ellipsis has axes of {} and {}", known, size),
                     terms_[i].position + terms_[i].text.find('.'));
      }
    }
  }

  Labels implicit_result() const {
    Labels once;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")) {
      std::ptrdiff_t count = 0;
      for (const Labels& labels : labels_) count += std::count(labels.begin(), labels.end(), c);
      if (count == 1) once += c;
    }
    return with_ellipsis(once, 0, ellipsis_axes_);
  }

  Labels explicit_result(std::size_t position) const {
    const auto [letters, ellipsis] = parse({text_.substr(position), position});
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const char label = letters[i];
      if (letters.find(label) != i) {
        throw refuse(ErrorKind::value, fmt::format("label '{}' is twice in the result", label), text_.rfind(label));
      }
      if (size(label) < 0) {
        throw refuse(ErrorKind::value, fmt::format("label '{}' of the result is in no operand", label),
                     text_.rfind(label));
      }
    }
    return with_ellipsis(letters, ellipsis, ellipsis_axes_);
  }

  std::string_view text_;
  SourceLocation where_;
  std::span<const Tensor> operands_;
  std::vector<Term> terms_;
  std::vector<Labels> labels_;
  std::vector<std::int64_t> sizes_;  // by label; -1: not there
  Labels result_;
  int ellipsis_axes_ = 0;
};

/// A tensor whose axes have names.
struct Labelled {
  Tensor x;
  Labels labels;
};

class Contraction {
 public:
  Contraction(const Equation& equation, SourceLocation where) : equation_(equation), where_(where) {}

  /// Operand `i` with each label once.
  Labelled prepare(const Tensor& operand, std::size_t i) const {
    Labelled out{operand, equation_.operand(i)};
    for (std::size_t first = 0; first < out.labels.size();) {
      const char label = out.labels[first];
      const std::size_t second = out.labels.find(label, first + 1);
      if (second == Labels::npos) {
        ++first;
        continue;
      }
      out.x = diagonal(at(out.x), 0, static_cast<int>(first), static_cast<int>(second));
      out.labels.erase(second, 1);
      out.labels.erase(first, 1);
      out.labels += label;
    }
    Shape shape;
    for (const char label : out.labels) shape.push_back(equation_.size(label));
    out.x = broadcast_to(at(out.x), shape);  // axes of an ellipsis
    return out;
  }

  /// Sums over the labels that neither the result, nor `other`, nor later operands need.
  void fold(Labelled& a, const Labels& other, std::size_t next) const {
    SmallVector<int, 8> folded;
    Labels kept;
    for (std::size_t axis = 0; axis < a.labels.size(); ++axis) {
      const char label = a.labels[axis];
      if (other.find(label) != Labels::npos || equation_.needed(label, next)) {
        kept += label;
      } else {
        folded.push_back(static_cast<int>(axis));
      }
    }
    if (folded.empty()) return;
    a.x = sum(at(a.x), std::span<const int>(folded));
    a.labels = kept;
  }

  /// The product of two operands; operands from `next` on are still to come.
  Labelled multiply(const Labelled& a, const Labelled& b, std::size_t next) const {
    Labels batch, inner, left, right;
    for (const char label : a.labels) {
      if (b.labels.find(label) == Labels::npos) {
        left += label;
      } else {
        (equation_.needed(label, next) ? batch : inner) += label;
      }
    }
    for (const char label : b.labels) {
      if (a.labels.find(label) == Labels::npos) right += label;
    }
    const Tensor x = reshape(at(arranged(a, batch + left + inner)), Shape{count(batch), count(left), count(inner)});
    const Tensor y = reshape(at(arranged(b, batch + inner + right)), Shape{count(batch), count(inner), count(right)});
    const Labels labels = batch + left + right;
    Shape shape;
    for (const char label : labels) shape.push_back(equation_.size(label));
    return {reshape(at(product(x, y, batch.empty())), shape), labels};
  }

  /// (b, m, k) x (b, k, n). Many products of single numbers, or of a row and a column, are elementwise work.
  Tensor product(const Tensor& x, const Tensor& y, bool single) const {
    if (x.size(2) == 1) return mul(at(x), y);
    if (single || x.size(1) != 1 || y.size(2) != 1) return matmul(at(x), y);
    return sum(at(mul(at(x), transpose(at(y), 1, 2))), 2);
  }

  Tensor arranged(const Labelled& a, const Labels& order) const {
    SmallVector<int, 8> axes;
    for (const char label : order) axes.push_back(static_cast<int>(a.labels.find(label)));
    return permute(at(a.x), std::span<const int>(axes));
  }

 private:
  TensorArg at(const Tensor& x) const { return {x, where_}; }
  std::int64_t count(const Labels& labels) const {
    std::int64_t product = 1;
    for (const char label : labels) product *= equation_.size(label);
    return product;
  }

  const Equation& equation_;
  SourceLocation where_;
};

}  // namespace

Tensor einsum(std::string_view equation, std::span<const Tensor> operands, SourceLocation where) {
  if (operands.empty()) throw Error(ErrorKind::usage, "einsum", "no operands were given").at(where);
  for (const Tensor& operand : operands) detail::operand(TensorArg(operand, where), "einsum");
  const Equation parsed(equation, operands, where);
  const Contraction contraction(parsed, where);
  Labelled product = contraction.prepare(operands[0], 0);
  for (std::size_t i = 1; i < operands.size(); ++i) {
    Labelled next = contraction.prepare(operands[i], i);
    contraction.fold(product, next.labels, i);
    contraction.fold(next, product.labels, i + 1);
    product = contraction.multiply(product, next, i + 1);
  }
  contraction.fold(product, {}, operands.size());
  return contraction.arranged(product, parsed.result());
}

Tensor einsum(std::string_view equation, std::initializer_list<Tensor> operands, SourceLocation where) {
  return einsum(equation, std::span(operands.begin(), operands.size()), where);
}

}  // namespace gradus
