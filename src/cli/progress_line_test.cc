#include "cli/progress_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/columns.h"
#include "request/text.h"

namespace hf2mlx::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

ProgressState state_at(uint64_t done_bytes) {
  return {.what = "converting", .done_bytes = done_bytes, .total_bytes = 16'000'000'000, .bytes_per_second = 2e9};
}

TEST(RenderBar, EverythingWhereThereIsRoom) {
  EXPECT_EQ(render_bar(state_at(8'000'000'000), 200),
            "converting   50 %  [===================                   ]  8.00 GB of 16.0 GB  2.00 GB/s  4.0 s left");
}

TEST(RenderBar, NeverWiderThanTheTerminal) {
  for (size_t width = 1; width < 140; ++width) EXPECT_LE(display_width(render_bar(state_at(1'234'567'890), width)), width);
}

TEST(RenderBar, NarrowTerminalsLoseTheBarFirst) {
  EXPECT_EQ(render_bar(state_at(8'000'000'000), 50), "converting   50 %  8.00 GB of 16.0 GB");
  EXPECT_EQ(render_bar(state_at(8'000'000'000), 30), " 50 %  8.00 GB of 16.0 GB");
  EXPECT_EQ(render_bar(state_at(8'000'000'000), 6), " 50 %");
}

TEST(RenderBar, EndsAtExactlyAHundred) {
  EXPECT_THAT(render_bar(state_at(16'000'000'000), 200), HasSubstr("100 %  [======================================]"));
  EXPECT_THAT(render_bar(state_at(16'000'000'001), 200), HasSubstr("100 %"));
  EXPECT_THAT(render_bar(state_at(15'999'999'999), 200), HasSubstr(" 99 %"));
  EXPECT_THAT(render_bar({.what = "x"}, 200), HasSubstr("100 %"));  // nothing to do
}

TEST(RenderLine, SaysNothingItDoesNotKnow) {
  ProgressState state = state_at(4'000'000'000);
  EXPECT_EQ(render_line(state), "converting: 25 %, 4.00 GB of 16.0 GB, 2.00 GB/s, 6.0 s left");
  state.bytes_per_second = 0;
  EXPECT_EQ(render_line(state), "converting: 25 %, 4.00 GB of 16.0 GB");
}

class ProgressLineTest : public ::testing::Test {
 protected:
  ProgressLine::Surroundings surroundings() {
    return {.seconds = [this] { return now_; },
            .width = [] { return 100; },
            .note = [this](std::string_view line) { err_ << "note: " << line << '\n'; }};
  }

  // Advances evenly to the end of 100 bytes within `seconds`.
  void run(ProgressLine& progress, double seconds) {
    progress.begin("converting", 100);
    for (uint64_t done = 0; done <= 100; ++done) {
      progress.advance(done);
      now_ += seconds / 100;
    }
    progress.end();
  }

  std::vector<std::string> lines() const {
    std::istringstream in(err_.str());
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  double now_ = 1000;
  std::ostringstream err_;
};

TEST_F(ProgressLineTest, ShortRunsArePlainAndShort) {
  ProgressLine progress(err_, ProgressLine::Style::kLines, surroundings());
  run(progress, 1);
  EXPECT_EQ(err_.str(), "converting: 100 B\n");
}

TEST_F(ProgressLineTest, LongRunsHaveALineForEveryTenPercent) {
  ProgressLine progress(err_, ProgressLine::Style::kLines, surroundings());
  run(progress, 1000);
  ASSERT_EQ(lines().size(), 11u);
  EXPECT_EQ(lines()[1], "converting: 10 %, 10 B of 100 B, 0 B/s, 15 min 00 s left");
  EXPECT_EQ(lines()[10], "converting: 100 %, 100 B of 100 B, 0 B/s");
}

TEST_F(ProgressLineTest, RunsInBetweenHaveALineEveryTwoSeconds) {
  ProgressLine progress(err_, ProgressLine::Style::kLines, surroundings());
  run(progress, 9);
  EXPECT_EQ(lines().size(), 5u);
}

TEST_F(ProgressLineTest, TheBarIsRedrawnTenTimesASecondAndCleared) {
  ProgressLine progress(err_, ProgressLine::Style::kBar, surroundings());
  run(progress, 1);
  const std::string text = err_.str();
  EXPECT_LE(std::count(text.begin(), text.end(), '\r'), 12);
  EXPECT_GE(std::count(text.begin(), text.end(), '\r'), 8);
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  EXPECT_THAT(text, EndsWith("\r\x1b[K"));
}

TEST_F(ProgressLineTest, TheRateIsThatOfTheLastSeconds) {
  ProgressLine progress(err_, ProgressLine::Style::kBar, surroundings());
  progress.begin("converting", 100'000);
  for (int i = 1; i <= 100; ++i) {
    now_ += 0.2;
    progress.advance(static_cast<uint64_t>(i <= 50 ? i : 50 + (i - 50) * 100));
  }
  EXPECT_THAT(err_.str(), EndsWith("5.05 kB of 100 kB  500 B/s  3 min 10 s left"));
}

TEST_F(ProgressLineTest, ANoteDoesNotMixWithTheBar) {
  ProgressLine progress(err_, ProgressLine::Style::kBar, surroundings());
  progress.begin("converting", 100);
  progress.advance(50);
  progress.note("a layer is odd");
  EXPECT_THAT(err_.str(), EndsWith("\r\x1b[Knote: a layer is odd\n"));
}

TEST_F(ProgressLineTest, AFailureLeavesTheBarAndBeginsALine) {
  {
    ProgressLine progress(err_, ProgressLine::Style::kBar, surroundings());
    progress.begin("converting", 100);
    progress.advance(50);
  }
  EXPECT_THAT(err_.str(), HasSubstr("50 %"));
  EXPECT_THAT(err_.str(), EndsWith("\n"));
}

TEST_F(ProgressLineTest, QuietIsQuiet) {
  {
    ProgressLine progress(err_, ProgressLine::Style::kNothing, surroundings());
    run(progress, 100);
    progress.note("anything");
  }
  EXPECT_EQ(err_.str(), "");
}

}  // namespace
}  // namespace hf2mlx::cli
