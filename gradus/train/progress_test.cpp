#include "gradus/train/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace gradus::train {
namespace {

std::string drawn(bool terminal) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  Progress progress(out, terminal);
  progress.on_step(
      {.epoch = 1, .epochs = 2, .batch = 10, .batches = 10, .step = 10, .loss = 0.5, .samples_per_s = 1000});
  progress.on_epoch({.epoch = 1, .step = 10, .train_loss = 0.5, .val_accuracy = 0.75, .seconds = 1.25}, 2);
  progress.on_note("saved");
  std::fclose(out);
  std::string result(text, size);
  free(text);  // NOLINT: open_memstream allocates by malloc
  return result;
}

TEST(Progress, BarShowsSpeedLossAccuracyAndTimeLeft) {
  EXPECT_EQ(bar_text({.epoch = 2,
                      .epochs = 8,
                      .batch = 430,
                      .batches = 860,
                      .step = 1290,
                      .loss = 0.4321,
                      .accuracy = 0.8512,
                      .samples_per_s = 12345,
                      .seconds_left = 41.2}),
            "epoch 2/8 [==========>         ]  50%  12345 samples/s  loss 0.4321  accuracy 0.8512  time left 0:41");
  EXPECT_EQ(bar_text({.batch = 0, .batches = 0}, 21), "epoch 1/1 [>         ");
}

TEST(Progress, PlainLinesElsewhere) {
  const std::string text = drawn(false);
  EXPECT_EQ(text.find('\r'), text.npos);
  EXPECT_EQ(text,
            "epoch 1/2  train loss 0.5000 accuracy 0.0000  validation loss 0.0000 accuracy 0.7500  0 samples/s  1.2 "
            "s\nsaved\n");
}

TEST(Progress, TerminalBarIsWipedBeforeALine) {
  const std::string text = drawn(true);
  EXPECT_THAT(text, ::testing::StartsWith("\repoch 1/2 ["));
  EXPECT_THAT(text, ::testing::HasSubstr(" \repoch 1/2  train loss"));
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_text(0.4), "0:00");
  EXPECT_EQ(duration_text(725), "12:05");
  EXPECT_EQ(duration_text(10800), "3:00:00");
}

}  // namespace
}  // namespace gradus::train
