#include "cli/picker_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/columns.h"
#include "cli/picker_prompt.h"

namespace hf2mlx::cli {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kLongName = "an-organisation/A-Model-With-A-Name-That-Is-Far-Too-Long-For-Any-Terminal-At-All-Instruct-v0.1";

PickerModel model_named(const std::string& name) {
  PickerModel model;
  model.name = name;
  model.organisation = name.substr(0, name.find('/'));
  model.short_name = name.substr(name.find('/') + 1);
  return model;
}

Picker filled(size_t more = 0) {
  std::vector<PickerModel> models = {model_named("GMLHUHE/PsyLLM"), model_named(kLongName), model_named("evil/\x1b]0;title\x07name")};
  for (size_t i = 0; i < more; ++i) models.push_back(model_named("org/model-" + std::to_string(i)));
  Picker picker({.cache_dir = "/cache",
                 .home = "/home/me",
                 .lm_studio = "/lm",
                 .memory_bytes = 8ull << 30,
                 .exists = [](const auto&) { return false; }},
                models);
  Inspection good;
  good.architecture = "qwen3";
  good.quantization = "none";
  good.parameters = 8'190'000'000;
  good.source_bytes = 16'400'000'000;
  good.dtypes = {{"BF16", good.source_bytes}};
  good.sizes = {{"unquantized", 16'400'000'000, 16}, {"4-bit", 4'600'000'000, 4.5, {"-q", "--q-bits", "4"}}};
  picker.learn(0, good);
  picker.learn(1, good);
  Inspection strange;
  strange.model_type = "\x1b[31mred";
  strange.why_not = "no description for model type \x1b[31mred";
  picker.learn(2, strange);
  return picker;
}

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line) text += span.text;
  return text;
}

std::string text_of(const Frame& frame) {
  std::string text;
  for (const Line& line : frame.lines) text += text_of(line) + '\n';
  return text;
}

TEST(PickerView, ShowsWhatAModelIs) {
  const std::string screen = text_of(draw(filled(), {80, 24}));
  EXPECT_THAT(screen, HasSubstr("Filter:"));
  EXPECT_THAT(screen, HasSubstr(" > GMLHUHE/PsyLLM"));
  EXPECT_THAT(screen, HasSubstr("qwen3"));
  EXPECT_THAT(screen, HasSubstr("8.19B"));
  EXPECT_THAT(screen, HasSubstr("16.4 GB"));
  EXPECT_THAT(screen, HasSubstr("BF16"));
  EXPECT_THAT(screen, HasSubstr("an-organisation/A-Model-W"));
  EXPECT_THAT(screen, HasSubstr("cannot"));
}

TEST(PickerView, FitsEveryTerminalOnEveryScreen) {
  Picker picker = filled(30);
  picker.select(1);
  for (int screen = 0; screen < 4; ++screen) {
    for (size_t columns = 1; columns < 140; ++columns) {
      for (const size_t rows : {1u, 2u, 5u, 10u, 24u, 60u}) {
        const Frame frame = draw(picker, {columns, rows});
        EXPECT_LE(frame.lines.size(), rows);
        for (const Line& line : frame.lines) EXPECT_LE(display_width(text_of(line)), columns);
        EXPECT_LT(frame.cursor.value_or(Frame::Cursor{}).column, columns);
      }
    }
    picker.accept();
  }
  EXPECT_EQ(picker.outcome(), Outcome::kChosen);
}

TEST(PickerView, TheSelectedModelIsAlwaysSeen) {
  Picker picker = filled(100);
  for (size_t row = 0; row < picker.shown().size(); ++row) {
    picker.select(row);
    int selected = 0;
    for (const Line& line : draw(picker, {80, 24}).lines) selected += text_of(line).starts_with(" > ");
    EXPECT_EQ(selected, 1) << row;
  }
}

TEST(PickerView, NothingThatATerminalObeysReachesIt) {
  Picker picker = filled();
  picker.select(2);
  picker.accept();
  for (const Line& line : draw(picker, {80, 24}).lines) EXPECT_EQ(printable(text_of(line)), text_of(line));
  picker.filter_by("\x1b[2J");
  EXPECT_THAT(text_of(draw(picker, {80, 24})), Not(HasSubstr("\x1b")));
}

TEST(PickerView, WhatCannotBeConvertedIsFaintAndSaysWhy) {
  Picker picker = filled();
  picker.select(2);
  const Frame frame = draw(picker, {80, 24});
  EXPECT_THAT(text_of(frame), HasSubstr("cannot be converted: no description for model type\n ?[31mred"));
  picker.select(0);
  int faint = 0;
  for (const Line& line : draw(picker, {80, 24}).lines)
    faint += line.size() == 2 && line[1].text.starts_with("evil/") && line[1].style == Style::kFaint;
  EXPECT_EQ(faint, 1);
}

TEST(PickerView, SizesAreHeldAgainstMemory) {
  Picker picker = filled();
  picker.accept();
  const std::string screen = text_of(draw(picker, {80, 24}));
  EXPECT_THAT(screen, HasSubstr("IN 8 GB OF MEMORY"));
  EXPECT_THAT(screen, HasSubstr("16.4 GB           16.000  too large"));
  EXPECT_THAT(screen, HasSubstr("4.60 GB            4.500  fits"));
}

TEST(PickerView, SummaryHasTheCommandLine) {
  Picker picker = filled();
  for (int i = 0; i < 3; ++i) picker.accept();
  const std::string screen = text_of(draw(picker, {80, 24}));
  EXPECT_THAT(screen, HasSubstr("hf2mlx convert GMLHUHE/PsyLLM -q --q-bits 4 --lm-studio"));
  EXPECT_THAT(screen, HasSubstr("/lm/GMLHUHE/PsyLLM-MLX"));
}

TEST(PickerView, TheEndOfALongTextIsSeen) {
  Picker picker = filled();
  picker.accept();
  picker.accept();
  picker.edit(Field::kFolder, std::string(200, 'a') + "\xe6\xa8\xa1/end");
  const Frame frame = draw(picker, {60, 24});
  EXPECT_THAT(text_of(frame), HasSubstr("/end\n"));
  ASSERT_TRUE(frame.cursor.has_value());
  EXPECT_EQ(frame.cursor->column, display_width(text_of(frame.lines[frame.cursor->row])));
}

std::string asked(Picker& picker, const std::string& typed) {
  std::istringstream in(typed);
  std::ostringstream out;
  ask(picker, in, out);
  return out.str();
}

TEST(PickerPrompt, EmptyLinesTakeWhatIsOffered) {
  Picker picker = filled();
  const std::string said = asked(picker, "1\n\n\n\n\n\n");
  EXPECT_EQ(picker.outcome(), Outcome::kChosen);
  EXPECT_THAT(said, HasSubstr("   1  GMLHUHE/PsyLLM"));
  EXPECT_THAT(said, HasSubstr("hf2mlx convert GMLHUHE/PsyLLM -q --q-bits 4 --lm-studio"));
  EXPECT_EQ(said.find('\x1b'), std::string::npos);
}

TEST(PickerPrompt, FiltersGoesBackAndTakesAFolder) {
  Picker picker = filled();
  asked(picker, "psy\n1\nb\n1\n1\n2\n/tmp/out\ny\n");
  EXPECT_EQ(picker.outcome(), Outcome::kChosen);
  EXPECT_THAT(picker.words(), ::testing::ElementsAre("convert", "GMLHUHE/PsyLLM", "/tmp/out"));
}

TEST(PickerPrompt, SaysWhatCannotBe) {
  Picker picker = filled();
  EXPECT_THAT(asked(picker, "3\n99\nq\n"), HasSubstr("cannot be converted"));
  EXPECT_EQ(picker.outcome(), Outcome::kLeft);
}

TEST(PickerPrompt, TheEndOfTheInputLeaves) {
  for (const char* typed : {"", "1\n", "1\n\n", "1\n\n1\n", "1\n\n1\n\n\n"}) {
    Picker picker = filled();
    asked(picker, typed);
    EXPECT_EQ(picker.outcome(), Outcome::kLeft) << typed;
  }
}

}  // namespace
}  // namespace hf2mlx::cli
