#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/book/deep_learning/garments.h"
#include "gradus/book/deep_learning/language.h"
#include "gradus/book/explain.h"
#include "gradus/book/page_parts.h"
#include "gradus/book/rivals.h"
#include "gradus/train/report/figure.h"
#include "tests/support/browser.h"

namespace gradus::book {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Book, EveryRequestFindsItsChapter) {
  ASSERT_EQ(entries().size(), 20u);
  for (const Entry& entry : entries()) {
    const Answer answer = find_answer(entry.request);
    ASSERT_NE(answer.entry, nullptr) << entry.request;
    EXPECT_EQ(answer.entry->number, entry.number) << entry.request << " -> " << answer.entry->slug;
    EXPECT_EQ(&entry_for(std::string(entry.slug)), &entry);
    EXPECT_EQ(&entry_for(std::to_string(entry.number)), &entry);
    EXPECT_EQ(&entry_for(std::string(entry.request)), &entry);
  }
}

TEST(Book, QuestionsFindSections) {
  const struct {
    const char *question, *section;
  } rows[] = {{"Why does a large learning rate diverge?", "How large a step may be"},
              {"momentum and the heavy ball in valleys", "Why it is slow: valleys"},
              {"is Adam better than Adagrad or RMSprop?", "Rates for every weight: Adagrad, RMSprop, Adam"}};
  for (const auto& row : rows) {
    const Answer answer = find_answer(row.question);
    ASSERT_NE(answer.entry, nullptr) << row.question;
    EXPECT_EQ(answer.entry->slug, "gradient-descent") << row.question;
    EXPECT_EQ(answer.section, row.section) << row.question;
  }
}

TEST(Book, ListsAtTheEndOfAChapterAnswerNoQuestion) {
  for (const char* question :
       {"what does a vanishing gradient do to learning, first layers", "vanishing gradient four units by hand",
        "references about gradient descent", "all claims of the chapter about overfitting",
        "try it: gradus explain backpropagation"}) {
    const Answer answer = find_answer(question);
    ASSERT_NE(answer.entry, nullptr) << question;
    for (const char* list : {"All claims of this chapter", "References", "Try it"})
      EXPECT_NE(answer.section, list) << question;
  }
}

TEST(Book, SaysWhatItDoesNotCover) {
  for (const char* question : {"How do I bake sourdough bread at home?", "who won the football match yesterday", "",
                               "?!", "what is the capital of France"})
    EXPECT_EQ(find_answer(question).entry, nullptr) << question;
}

std::string message_of(const std::string& what) {
  try {
    explain(entry_for(what), Effort::quick);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Book, WrongNamesAreAnswered) {
  EXPECT_EQ(message_of("gradient-decent"),
            "usage error in explain: no chapter is called gradient-decent\n  hint: did you mean gradient-descent? "
            "gradus explain "
            "lists the chapters");
  EXPECT_EQ(message_of("how is sourdough bread baked"),
            "usage error in explain: the book does not cover this question\n  asked  how is sourdough bread baked\n  "
            "hint: gradus "
            "explain lists the chapters");
  EXPECT_THAT(message_of("ethics"), HasSubstr("chapter ethics is not written yet"));
}

/// A chapter without experiments, to look at texts.
Explanation small() {
  Explanation e{.entry = &entries()[4],
                .chapter = {},
                .effort = Effort::quick,
                .claims = {},
                .oracles = {},
                .notebook = {},
                .provenance = {"m", "d"}};
  train::LinePlot plot{.title = "t <1>", .x_label = "x", .series = {}};
  plot.series.push_back({});
  plot.series[0].name = "line";
  plot.series[0].x = {0, 1, 2, 3};
  plot.series[0].y = {0, 1, NAN, 3};
  e.notebook = {.figures = {{"f", "what it shows", plot}}, .values = {{"n", "7"}}};
  return e;
}

TEST(Book, TextsAreTakenApart) {
  const std::vector<Piece> pieces =
      pieces_of(small(), "# Title\n\nthere are {{n}}, {{n}}\n@figure f\n\nrest\n@claims\n");
  ASSERT_EQ(pieces.size(), 4u);
  EXPECT_EQ(pieces[0].content, "# Title\n\nthere are 7, 7\n");
  EXPECT_EQ(pieces[1].content, "f");
  EXPECT_EQ(pieces[3].kind, Piece::Kind::claims);
  for (const char* wrong :
       {"@figure f\n{{unknown}}\n", "@figure g\n", "@figure f\n@claim c\n", "text only\n", "@figure f\n@nothing\n"})
    EXPECT_THROW(pieces_of(small(), wrong), Error) << wrong;
}

TEST(Book, ChartsHaveAxesAndLines) {
  const std::string chart = terminal_chart(small().notebook.figures[0].plot, 40, 4);
  EXPECT_THAT(chart, HasSubstr("t <1>"));
  EXPECT_THAT(chart, HasSubstr("      3 |"));
  EXPECT_THAT(chart, HasSubstr(" line\n"));
  EXPECT_EQ(std::count(chart.begin(), chart.end(), '\n'), 6);
  EXPECT_THAT(terminal_chart({.title = "", .x_label = "", .series = {}}, 30, 3), HasSubstr("|"));
}

/// The page as a reader sees it: on a phone, and in the dark.
void look_at_page(const Explanation& e, const std::string& html) {
  if (!testing::has_browser()) return;  // Pages.* say so
  for (const testing::Look& look : {testing::Look{.width = 360}, testing::Look{.width = 1000, .dark = true}}) {
    const testing::Sight sight = testing::look_at(html, look);
    EXPECT_THAT(sight.faults, ::testing::IsEmpty()) << look.width;
    EXPECT_EQ(sight.charts, static_cast<int>(e.notebook.figures.size()));
    EXPECT_EQ(sight.answers, train::chart_library().empty() ? 0 : sight.charts);
    EXPECT_GE(sight.marks, 2 * sight.charts);
    EXPECT_GE(sight.claims, static_cast<int>(2 * e.claims.size()));  // in the text, and in the table of all
  }
}

/// Runs a chapter as `gradus explain NAME --quick` does, and looks at what holds for all of them.
Explanation checked(const char* name) {
  set_num_threads(1);  // as the command does
  std::size_t steps = 0;
  const Explanation e = explain(entry_for(name), Effort::quick, [&](const std::string&) { ++steps; });
  EXPECT_GT(steps, e.claims.size() * 5);
  EXPECT_GE(e.claims.size(), 5u);
  EXPECT_GE(e.notebook.figures.size(), 4u);
  EXPECT_FALSE(e.oracles.empty());
  std::size_t failing_beliefs = 0;
  for (const insight::ClaimResult& result : e.claims) {
    // Rounding differs from processor to processor, and with five seeds a claim may stay undecided on one of them.
    if (!result.claim.belief) {
      EXPECT_NE(result.verdict, insight::Verdict::refuted) << result.claim.id;
    }
    failing_beliefs += result.claim.belief && result.verdict != insight::Verdict::holds;
  }
  EXPECT_GE(failing_beliefs, 1u);
  for (const train::OracleResult& oracle : e.oracles) EXPECT_TRUE(oracle.passed) << oracle.name;
  for (const std::string_view oracle : e.chapter.oracles)
    EXPECT_TRUE(std::any_of(e.oracles.begin(), e.oracles.end(), [&](const auto& r) { return r.name == oracle; }))
        << oracle;

  const insight::ClaimResult& first = e.claims[0];
  const insight::Pair again = first.claim.measure(first.seeds[2]);
  EXPECT_EQ(again.treated, first.pairs[2].treated);  // bit for bit
  EXPECT_EQ(again.control, first.pairs[2].control);

  const std::string html = page(e), text = terminal_text(e, 80, false), json = json_text(e);
  for (const insight::ClaimResult& result : e.claims) {
    EXPECT_THAT(html, HasSubstr("id=\"claim-" + result.claim.id + "\"")) << result.claim.id;
    EXPECT_THAT(text, HasSubstr(result.claim.id));
    EXPECT_THAT(json, HasSubstr("\"claim\":\"" + result.claim.id + "\""));
  }
  for (const Figure& figure : e.notebook.figures) EXPECT_THAT(html, HasSubstr("id=\"figure-" + figure.id + "\""));
  EXPECT_THAT(html, Not(HasSubstr("{{")));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  look_at_page(e, html);
  return e;
}

double value(const Explanation& e, const char* name) { return std::stod(e.notebook.values.at(name)); }

TEST(Pages, ChapterAndIndexOnPaperAndWithoutScripts) {
  if (!testing::has_browser()) GTEST_SKIP() << "needs Debian's package chromium";
  set_num_threads(1);
  const Explanation e = explain(entry_for("vanishing-gradients"), Effort::quick);
  const std::string chapter = page(e, true), index = index_page({e});
  for (const testing::Look& look :
       {testing::Look{.width = 680, .print = true}, testing::Look{.width = 700, .scripts = false}}) {
    const testing::Sight sight = testing::look_at(chapter, look);
    EXPECT_THAT(sight.faults, ::testing::IsEmpty()) << look.print;
    EXPECT_EQ(sight.charts, static_cast<int>(e.notebook.figures.size()));
    EXPECT_EQ(sight.answers, 0);
    EXPECT_THAT(testing::look_at(index, look).faults, ::testing::IsEmpty()) << look.print;
  }
  EXPECT_THAT(testing::look_at(index, {.width = 360, .dark = true}).faults, ::testing::IsEmpty());
  EXPECT_THAT(chapter, HasSubstr("href=\"overfitting.html\">7. Overfitting \u2192"));
  EXPECT_THAT(page(e), Not(HasSubstr("overfitting.html")));
  const Answer answer = find_answer("vanishing gradients: what to look at in your own run");
  EXPECT_EQ(answer.entry, e.entry);
  EXPECT_FALSE(answer.section.empty());
  EXPECT_THAT(chapter, HasSubstr("<h2 id=\"" + address_of(answer.section) + "\">"));
  EXPECT_EQ(address_of("Why it is slow: valleys"), "on-why-it-is-slow-valleys");
}

TEST(Chapters, GradientDescent) {
  const Explanation e = checked("gradient-descent");
  for (const std::size_t sure : {0u, 1u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  // The arithmetic of the worked example, once more from the numbers that are printed.
  const double z = value(e, "w1") * value(e, "x1") + value(e, "w2") * value(e, "x2") + value(e, "w3") * value(e, "x3");
  EXPECT_NEAR(value(e, "z"), z, 2e-4);
  EXPECT_NEAR(value(e, "p"), 1 / (1 + std::exp(-z)), 1e-4);
  EXPECT_NEAR(value(e, "loss"), -std::log(value(e, "p")), 2e-4);
  EXPECT_NEAR(value(e, "g1"), value(e, "error") * value(e, "x1"), 2e-4);
  EXPECT_NEAR(value(e, "v2"), value(e, "w2") - 0.5 * value(e, "g2"), 1e-4);
  EXPECT_NEAR(value(e, "new_loss"), std::log1p(std::exp(-value(e, "new_z"))), 1e-4);
}

TEST(Chapters, VanishingGradients) {
  const Explanation e = checked("vanishing-gradients");
  EXPECT_EQ(e.claims[0].verdict, insight::Verdict::holds);
  EXPECT_NEAR(value(e, "product"), value(e, "g1"), 2e-6);
  EXPECT_NEAR(value(e, "s1"), value(e, "y1") * (1 - value(e, "y1")), 2e-4);
  EXPECT_NEAR(value(e, "g3"), value(e, "s4") * value(e, "s3") * value(e, "y2"), 1e-5);
}

TEST(Chapters, Activations) {
  const Explanation e = checked("activations");
  for (const std::size_t sure : {2u, 3u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  EXPECT_NEAR(value(e, "w2"), 0.5 - 0.3 * value(e, "g"), 1e-9);
  EXPECT_EQ(value(e, "g2"), 0);
}

/// Every number of a worked example follows from the operands that stand beside it.
void expect_sound(const std::vector<Workings>& parts) {
  ASSERT_EQ(parts.size(), 3u);
  for (const Workings& part : parts) {
    for (const Working& working : part.lines) {
      double sum = 0;
      for (const std::vector<double>& term : working.terms) {
        double product = 1;
        for (const double factor : term) product *= factor;
        sum += product;
      }
      if (working.function == "tanh") sum = std::tanh(sum);
      if (working.function.starts_with("half")) sum = sum * sum / 2;
      EXPECT_NEAR(working.value, sum, 1e-12) << working.name;
    }
  }
}

TEST(Chapters, Backpropagation) {
  const Explanation e = checked("backpropagation");
  const Figure& by_hand = e.notebook.figures[0];
  ASSERT_EQ(by_hand.behind.size(), by_hand.plot.series[0].x.size());
  for (const std::vector<Workings>& parts : by_hand.behind) expect_sound(parts);
  EXPECT_NEAR(by_hand.plot.series[0].y[0], value(e, "loss"), 1e-4);
  EXPECT_LT(by_hand.plot.series[0].y[10], by_hand.plot.series[0].y[0] / 10);
  for (const std::size_t sure : {2u, 4u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  EXPECT_NEAR(value(e, "y"), 0.6 * value(e, "h1") - 0.3 * value(e, "h2"), 1e-4);
  EXPECT_NEAR(value(e, "gv2"), value(e, "e") * value(e, "h2"), 2e-4);
  EXPECT_NEAR(value(e, "gz1"), value(e, "gh1") * (1 - value(e, "h1") * value(e, "h1")), 2e-4);
  EXPECT_NEAR(value(e, "gw4"), value(e, "gz2") * 0.5, 1e-4);
}

TEST(Chapters, DeepLearning) {
  const Explanation e = checked("deep-learning");
  for (const std::size_t sure : {0u, 1u, 2u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  // What takes minutes is left out, and the text says where it is measured.
  EXPECT_EQ(e.left_out.size(), has_svm() ? 3u : 4u);
  EXPECT_THAT(terminal_text(e, 400, false), HasSubstr("--full"));
  EXPECT_THAT(page(e), HasSubstr("Left out here: "));
  EXPECT_THAT(json_text(e), HasSubstr("\"left_out\":{"));
  for (int i = 1; i <= 4; ++i)
    EXPECT_EQ(value(e, fmt::format("y{}", i).c_str()),
              value(e, fmt::format("h{}", 2 * i - 1).c_str()) - 2 * value(e, fmt::format("h{}", 2 * i).c_str()));
  EXPECT_EQ(value(e, "y2"), 1);
  EXPECT_EQ(value(e, "y4"), 0);
}

TEST(Chapters, WhatIsLeftOutDependsOnWhatThereIs) {
  EXPECT_TRUE(deep_learning_left_out(Effort::full, true, true).empty());
  EXPECT_EQ(deep_learning_left_out(Effort::quick, true, true).size(), 3u);
  const auto without = deep_learning_left_out(Effort::full, false, false);
  EXPECT_THAT(without.at("garments"), HasSubstr("gradus data fetch"));
  EXPECT_EQ(without.at("deep-learning-is-more-accurate"), without_svm);
  const auto only_images = deep_learning_left_out(Effort::full, false, true);
  EXPECT_EQ(only_images.count("garments"), 0u);
  EXPECT_EQ(only_images.at("images-need-convolutions"), without_svm);
}

TEST(Chapters, LettersAreThoseOfTheBook) {
  const std::string& all = book_letters();
  EXPECT_GT(all.size(), 50000u);
  EXPECT_EQ(all.find_first_not_of("abcdefghijklmnopqrstuvwxyz "), std::string::npos);
  EXPECT_EQ(all.find("  "), std::string::npos);
  const Letters some = letters_of(3, 2000), more = letters_of(3, 1 << 30);
  EXPECT_EQ(some.train.size(), 2000u);
  EXPECT_EQ(some.test.size(), 4000u);
  EXPECT_EQ(some.test, more.test);
  EXPECT_EQ(more.train.size(), all.size() - 4000);
  EXPECT_EQ(more.train.substr(more.train.size() - 2000),
            some.train);  // what stands right before the test, the text going round
  EXPECT_NE(letters_of(4, 2000).test, some.test);
  EXPECT_LT(bits_of_counts(3, 20000), bits_of_counts(3, 500));
  EXPECT_EQ(bits_of_network(3, 500), bits_of_network(3, 500));
}

TEST(Chapters, Limits) {
  const Explanation e = checked("limits");
  for (const std::size_t sure : {0u, 1u, 6u, 7u, 8u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  double sum = 0;
  for (const char* d : {"d1", "d2", "d3", "d4", "d5"}) sum += value(e, d);
  EXPECT_NEAR(value(e, "mean"), sum / 5, 1e-3);
  EXPECT_NEAR(value(e, "naive"), value(e, "deviation") * std::sqrt(0.2), 2e-4);
  EXPECT_NEAR(value(e, "corrected"), value(e, "deviation") * std::sqrt(0.45), 2e-4);
  EXPECT_NEAR(value(e, "corrected_half"), value(e, "t") * value(e, "corrected"), 2e-3 * value(e, "t"));
}

TEST(Chapters, Overfitting) {
  const Explanation e = checked("overfitting");
  for (const std::size_t sure : {0u, 1u, 2u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  EXPECT_NEAR(value(e, "line_at_3"), value(e, "a0") + 3 * value(e, "a1"), 2e-3);
  EXPECT_NEAR(value(e, "parabola_at_3"), value(e, "b0") + 3 * value(e, "b1") + 9 * value(e, "b2"), 1e-2);
}

TEST(Chapters, Regularisation) {
  const Explanation e = checked("regularisation");
  for (const std::size_t sure : {0u, 1u, 2u, 5u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  EXPECT_NEAR(value(e, "l2"), 1 / 1.5, 1e-3);
  EXPECT_NEAR(value(e, "dropped"), 1 / 1.5, 1e-3);
  EXPECT_NEAR(value(e, "stopped"), 1 - std::pow(0.9, 11), 1e-3);
  EXPECT_NEAR(value(e, "l1"), 0.5, 1e-9);
  EXPECT_EQ(value(e, "l1_small"), 0);
}

TEST(Chapters, Structure) {
  const Explanation e = checked("structure");
  for (const std::size_t sure : {0u, 3u, 6u}) EXPECT_EQ(e.claims[sure].verdict, insight::Verdict::holds);
  for (const std::size_t wrong : {4u, 8u, 9u}) EXPECT_EQ(e.claims[wrong].verdict, insight::Verdict::refuted);
  EXPECT_EQ(value(e, "small_parameters"), 64 * 8 + 8 + 8 * 10 + 10);
  EXPECT_NEAR(value(e, "unit_total"), value(e, "unit_engine"), 2e-4);
  EXPECT_NEAR(value(e, "output_total"), value(e, "output_engine"), 2e-4);
  EXPECT_NEAR(value(e, "chance"), value(e, "exponential") / value(e, "exponentials"), 1e-2);
}

}  // namespace
}  // namespace gradus::book
