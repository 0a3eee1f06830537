#include "cli/picker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace hf2mlx::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Inspection inspection_of(const char* architecture, uint64_t bytes) {
  Inspection inspection;
  inspection.architecture = architecture;
  inspection.quantization = "none";
  inspection.source_bytes = bytes;
  inspection.parameters = bytes / 2;
  inspection.dtypes = {{"BF16", bytes}, {"F32", 1}};
  inspection.sizes = {{"unquantized", bytes, 16},
                      {"8-bit", bytes / 2, 8.5, {"-q", "--q-bits", "8"}},
                      {"4-bit", bytes / 4, 4.5, {"-q", "--q-bits", "4"}},
                      {"new", 1, 1},
                      {"mxfp4", bytes / 4, 4.25, {"-q", "--q-mode", "mxfp4"}}};
  return inspection;
}

PickerModel model_named(const std::string& organisation, const std::string& name) {
  PickerModel model;
  model.name = organisation.empty() ? name : organisation + "/" + name;
  model.folder = "/cache/snapshots/" + name;
  model.organisation = organisation;
  model.short_name = name;
  return model;
}

class PickerTest : public ::testing::Test {
 protected:
  PickerTest() {
    Inspection broken;
    broken.why_not = "no description for model type strange";
    picker.learn(0, inspection_of("qwen3", 16'000'000'000));
    picker.learn(1, broken);
    picker.learn(2, inspection_of("llama", 1'000'000'000));
  }

  static std::vector<PickerModel> models() {
    return {model_named("GMLHUHE", "PsyLLM"), model_named("some", "strange"), model_named("meta", "Llama-1B"), model_named("", "gpt2")};
  }

  void type(const std::string& text) { picker.press({Key::kText, text}); }
  void press(Key key, int times = 1) {
    for (int i = 0; i < times; ++i) picker.press({key});
  }

  std::set<std::filesystem::path> there;
  Picker picker{{.cache_dir = "/cache",
                 .home = "/home/me",
                 .lm_studio = "/home/me/.lmstudio/models",
                 .memory_bytes = 24ull << 30,
                 .exists = [this](const std::filesystem::path& path) { return there.count(path) > 0; }},
                models()};
};

TEST_F(PickerTest, EnterAllTheWayIsFourBitsForLmStudio) {
  press(Key::kEnter, 3);
  EXPECT_EQ(picker.screen(), Screen::kSummary);
  EXPECT_EQ(picker.target(), "/home/me/.lmstudio/models/GMLHUHE/PsyLLM-MLX");
  press(Key::kEnter);
  EXPECT_EQ(picker.outcome(), Outcome::kChosen);
  EXPECT_THAT(picker.words(), ElementsAre("convert", "GMLHUHE/PsyLLM", "-q", "--q-bits", "4", "--lm-studio"));
}

TEST_F(PickerTest, FilterLooksAtNamesAndArchitectures) {
  type("L");
  type("l");
  EXPECT_THAT(picker.shown(), ElementsAre(0, 2));  // PsyLLM and Llama
  type(" meta");
  EXPECT_THAT(picker.shown(), ElementsAre(2));
  press(Key::kClear);
  type("QWEN");
  EXPECT_THAT(picker.shown(), ElementsAre(0));
  press(Key::kBackspace, 4);
  EXPECT_EQ(picker.shown().size(), 4u);
}

TEST_F(PickerTest, FilterStaysWithTheSelectedModel) {
  press(Key::kDown, 2);
  type("l");
  EXPECT_EQ(picker.model()->short_name, "Llama-1B");
  press(Key::kBackspace);
  EXPECT_EQ(picker.selected_row(), 2u);
}

TEST_F(PickerTest, FilterThatLeavesNothing) {
  type("xyz");
  EXPECT_EQ(picker.model(), nullptr);
  press(Key::kDown);
  press(Key::kEnter);
  EXPECT_EQ(picker.screen(), Screen::kModels);
  EXPECT_THAT(picker.message(), HasSubstr("no model"));
  press(Key::kEscape);  // first the filter, then all
  EXPECT_EQ(picker.outcome(), Outcome::kOpen);
  EXPECT_EQ(picker.filter(), "");
  press(Key::kEscape);
  EXPECT_EQ(picker.outcome(), Outcome::kLeft);
}

TEST_F(PickerTest, WhatCannotBeConvertedCannotBeChosen) {
  press(Key::kDown);
  press(Key::kEnter);
  EXPECT_EQ(picker.screen(), Screen::kModels);
  EXPECT_THAT(picker.message(), HasSubstr("model type strange"));
  press(Key::kEnd);
  press(Key::kEnter);
  EXPECT_THAT(picker.message(), HasSubstr("being read"));
}

TEST_F(PickerTest, AnIncompleteModelSaysWhatBringsTheRest) {
  Inspection incomplete;
  incomplete.why_not = "/cache/snapshots/PsyLLM: incomplete snapshot: missing a.safetensors";
  picker.learn(0, incomplete);
  EXPECT_EQ(picker.model()->why_not, "hf2mlx download GMLHUHE/PsyLLM brings the rest; incomplete snapshot: missing a.safetensors");
}

TEST_F(PickerTest, OffersWhatInspectionKnows) {
  press(Key::kEnter);
  ASSERT_EQ(picker.choices().size(), 4u);  // without "new"
  EXPECT_EQ(picker.choice().label, "4-bit");
  EXPECT_EQ(picker.choice().bytes, 4'000'000'000u);
  press(Key::kDown);
  press(Key::kEnter, 3);
  EXPECT_THAT(picker.words(), ElementsAre("convert", "GMLHUHE/PsyLLM", "-q", "--q-mode", "mxfp4", "--lm-studio"));
}

TEST_F(PickerTest, ScalesAreSearchedForWhereThatIsAskedFor) {
  press(Key::kEnter);
  type("f");
  EXPECT_TRUE(picker.searches_for_scales());
  press(Key::kEnter, 2);
  EXPECT_THAT(picker.words(), ElementsAre("convert", "GMLHUHE/PsyLLM", "-q", "--q-bits", "4", "--q-fit", "--lm-studio"));
  press(Key::kEscape, 2);
  press(Key::kHome);
  EXPECT_FALSE(picker.searches_for_scales()) << "nothing is quantized";
  press(Key::kDown);
  EXPECT_TRUE(picker.searches_for_scales());
  type("f");
  press(Key::kEnter, 2);
  EXPECT_THAT(picker.words(), ElementsAre("convert", "GMLHUHE/PsyLLM", "-q", "--q-bits", "8", "--lm-studio"));
}

TEST_F(PickerTest, PublisherAndNameCanBeEdited) {
  press(Key::kEnter, 2);
  press(Key::kClear);
  type("me");
  press(Key::kDown);
  press(Key::kHome);
  type("My-");
  press(Key::kEnter);
  EXPECT_EQ(picker.target(), "/home/me/.lmstudio/models/me/My-PsyLLM-MLX");
  EXPECT_THAT(picker.words(),
              ElementsAre("convert", "GMLHUHE/PsyLLM", "-q", "--q-bits", "4", "--name", "My-PsyLLM-MLX", "--lm-studio", "me"));
}

TEST_F(PickerTest, FolderInPlaceOfLmStudio) {
  press(Key::kEnter, 2);
  press(Key::kUp);  // around
  EXPECT_EQ(picker.text_of(Field::kFolder).text(), "PsyLLM-MLX-4bit");
  press(Key::kClear);
  type("~/models/x y");
  press(Key::kEnter);
  EXPECT_EQ(picker.target(), "/home/me/models/x y");
  EXPECT_THAT(picker.words(), ElementsAre("convert", "GMLHUHE/PsyLLM", "/home/me/models/x y", "-q", "--q-bits", "4"));
}

TEST_F(PickerTest, NamesThatCannotBeAreRefused) {
  press(Key::kEnter, 2);
  for (const char* bad : {"", "a/b", "..", "{bits}", "-x"}) {
    picker.edit(Field::kPublisher, bad);
    press(Key::kEnter);
    EXPECT_EQ(picker.screen(), Screen::kDestination) << bad;
    EXPECT_NE(picker.message(), "") << bad;
  }
  picker.edit(Field::kFolder, "");
  press(Key::kEnter);
  EXPECT_EQ(picker.screen(), Screen::kDestination);
  picker.edit(Field::kFolder, "-x");
  press(Key::kEnter);
  EXPECT_EQ(picker.words()[2], "./-x");
}

TEST_F(PickerTest, AModelWithoutOrganisationNeedsAPublisher) {
  picker.learn(3, inspection_of("gpt2", 500'000'000));
  press(Key::kEnd);
  press(Key::kEnter, 3);
  EXPECT_EQ(picker.screen(), Screen::kDestination);
  type("me");
  press(Key::kEnter);
  EXPECT_THAT(picker.words(), ElementsAre("convert", "gpt2", "-q", "--q-bits", "4", "--lm-studio", "me"));
}

TEST_F(PickerTest, ASecondConversionGetsAnotherName) {
  there = {"/home/me/.lmstudio/models/GMLHUHE/PsyLLM-MLX"};
  press(Key::kEnter, 3);
  EXPECT_EQ(picker.target(), "/home/me/.lmstudio/models/GMLHUHE/PsyLLM-MLX-4bit");
}

TEST_F(PickerTest, NothingIsReplacedWithoutAWord) {
  there = {"/home/me/.lmstudio/models/GMLHUHE/PsyLLM-MLX", "/home/me/.lmstudio/models/GMLHUHE/PsyLLM-MLX-4bit"};
  press(Key::kEnter, 4);
  EXPECT_EQ(picker.outcome(), Outcome::kOpen);
  EXPECT_THAT(picker.message(), HasSubstr("exists already"));
  type("r");
  press(Key::kEscape);  // which takes the word back
  press(Key::kEnter, 2);
  EXPECT_EQ(picker.outcome(), Outcome::kOpen);
  type("r");
  press(Key::kEnter);
  EXPECT_EQ(picker.outcome(), Outcome::kChosen);
  EXPECT_THAT(picker.words(), ::testing::Contains("--force"));
}

TEST_F(PickerTest, AFolderOfTheModelsNameDoesNotStandInItsWay) {
  there = {"GMLHUHE/PsyLLM"};
  press(Key::kEnter, 3);
  EXPECT_EQ(picker.words()[1], "/cache/snapshots/PsyLLM");
}

TEST_F(PickerTest, EscapeGoesBackOneScreen) {
  press(Key::kEnter, 3);
  press(Key::kEscape);
  EXPECT_EQ(picker.screen(), Screen::kDestination);
  press(Key::kEscape, 2);
  EXPECT_EQ(picker.screen(), Screen::kModels);
}

TEST(FitOf, IsByTheShareOfMemory) {
  EXPECT_EQ(fit_of(1, 0), Fit::kUnknown);
  EXPECT_EQ(fit_of(60, 100), Fit::kFits);
  EXPECT_EQ(fit_of(61, 100), Fit::kTight);
  EXPECT_EQ(fit_of(75, 100), Fit::kTight);
  EXPECT_EQ(fit_of(76, 100), Fit::kTooLarge);
}

TEST(TextField, MovesByCodePoints) {
  TextField field("a\xc3\xa9z");
  field.left();
  field.erase_before();
  EXPECT_EQ(field.text(), "az");
  field.insert("\xc3\xb6");
  EXPECT_EQ(field.text(), "a\xc3\xb6z");
  field.home();
  field.right();
  field.erase_after();
  EXPECT_EQ(field.text(), "az");
  field.erase_before();
  field.erase_before();
  EXPECT_EQ(field.text(), "z");
  field.end();
  field.erase_after();
  field.right();
  EXPECT_EQ(field.cursor(), 1u);
}

}  // namespace
}  // namespace hf2mlx::cli
