#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace hf2mlx::cli {
namespace {

using Words = std::vector<std::string>;

std::string command_of(const Words& words) { return parse(words).declared->entry.name; }

// "message | hint" of the usage error that the words must cause.
std::string refusal(const Words& words) {
  try {
    parse(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return std::string(error.what()) + " | " + error.hint();
  }
  return "accepted";
}

TEST(Parse, Commands) {
  EXPECT_EQ(command_of({"convert", "X"}), "convert");
  EXPECT_EQ(command_of({"plan", "X"}), "plan");
  EXPECT_EQ(command_of({"list"}), "list");
  EXPECT_EQ(command_of({"convert", "list"}), "convert");  // a model may be called as a command is
}

TEST(Parse, OptionsWithoutACommandMeanConvert) {
  EXPECT_EQ(command_of({"--hf-path", "X", "-q"}), "convert");
  EXPECT_EQ(command_of({"--source", "A", "--output", "B", "--force", "--quantize"}), "convert");
  EXPECT_EQ(command_of({"-q", "--model", "inspect"}), "convert");
}

TEST(Parse, CommonFlagsMayStandBeforeTheCommand) {
  EXPECT_EQ(command_of({"--json", "inspect", "X"}), "inspect");
  EXPECT_EQ(command_of({"--quiet", "--json", "convert", "X"}), "convert");
  EXPECT_EQ(command_of({"--quiet", "--model", "X"}), "convert");
}

TEST(Parse, AChoiceMayBeLeftOutBeforeTheModel) {
  const auto fit_of = [](Words words) {
    words.insert(words.begin(), "convert");
    const Invocation invocation = parse(words);
    const CLI::App& app = *invocation.declared->app;
    return app["--q-fit"]->as<std::string>() + ' ' + app["MODEL"]->as<std::string>();
  };
  EXPECT_EQ(fit_of({"--q-fit", "X"}), "fast X");
  EXPECT_EQ(fit_of({"--q-fit", "best", "X"}), "best X");
  EXPECT_EQ(fit_of({"--q-fit=best", "X"}), "best X");
  EXPECT_EQ(fit_of({"X", "--q-fit"}), "fast X");
  EXPECT_EQ(fit_of({"--q-fit", "-q", "X"}), "fast X");
  EXPECT_EQ(fit_of({"--", "X"}), " X");
  EXPECT_EQ(refusal({"convert", "--q-fit=bst", "X"}),
            "convert: --q-fit: 'bst' is none of fast, best; did you mean best? | hf2mlx convert --help explains its options");
}

TEST(Parse, HelpAndVersion) {
  EXPECT_EQ(parse(Words{}).action, Action::kNoCommand);
  EXPECT_EQ(parse(Words{"--help"}).action, Action::kGeneralHelp);
  EXPECT_EQ(parse(Words{"help"}).action, Action::kGeneralHelp);
  EXPECT_EQ(parse(Words{"--version"}).action, Action::kVersion);
  EXPECT_EQ(parse(Words{"convert", "X", "--help"}).action, Action::kHelp);
  EXPECT_EQ(parse(Words{"help", "convert"}).action, Action::kHelp);
}

TEST(Parse, MistypedCommands) {
  EXPECT_EQ(refusal({"convret", "X"}), "unknown command 'convret' | did you mean convert?");
  EXPECT_EQ(refusal({"frobnicate"}), "unknown command 'frobnicate' | hf2mlx --help lists the commands");
  EXPECT_EQ(refusal({"Qwen/Qwen3-8B"}), "unknown command 'Qwen/Qwen3-8B' | to convert a model: hf2mlx convert Qwen/Qwen3-8B");
  EXPECT_EQ(refusal({"help", "lsit"}), "unknown command 'lsit' | did you mean list?");
}

TEST(Parse, MistypedOptions) {
  EXPECT_EQ(refusal({"convert", "X", "--q-bit", "4"}), "convert: unknown option --q-bit | did you mean --q-bits?");
  EXPECT_EQ(refusal({"convert", "X", "--q-bit=4"}), "convert: unknown option --q-bit | did you mean --q-bits?");
  EXPECT_EQ(refusal({"convert", "X", "-quantize"}), "convert: unknown option -quantize | did you mean --quantize?");
  EXPECT_EQ(refusal({"inspect", "X", "--frobnicate"}), "inspect: unknown option --frobnicate | hf2mlx inspect --help lists its options");
}

TEST(Parse, ForgottenAndWrongValues) {
  EXPECT_EQ(refusal({"convert", "X", "--q-bits"}), "convert: --q-bits: needs a value | hf2mlx convert --help explains its options");
  EXPECT_THAT(refusal({"convert", "X", "--output", "--force"}), ::testing::HasSubstr("needs a value, but '--force' follows"));
  EXPECT_THAT(refusal({"convert", "X", "--q-bits", "four"}), ::testing::HasSubstr("--q-bits: 'four' is not a whole number"));
  EXPECT_THAT(refusal({"convert", "X", "--threads", "99999999999"}), ::testing::HasSubstr("--threads: '99999999999' is too large"));
  EXPECT_THAT(refusal({"convert", "X", "--q-mode", "mxfp5"}),
              ::testing::HasSubstr("--q-mode: 'mxfp5' is none of affine, mxfp4, nvfp4, mxfp8; did you mean mxfp4?"));
  EXPECT_THAT(refusal({"completion"}), ::testing::HasSubstr("SHELL is required"));
}

TEST(Parse, TooManyArguments) {
  EXPECT_EQ(refusal({"convert", "A", "B", "C"}), "convert: unexpected argument 'C' | usage: hf2mlx convert MODEL [OUT] [OPTIONS]");
  EXPECT_EQ(refusal({"list", "X"}), "list: unexpected argument 'X' | usage: hf2mlx list [OPTIONS]");
}

TEST(WantsJson, OnlyBeforeTheEndOfOptions) {
  EXPECT_TRUE(wants_json(Words{"convret", "--json"}));
  EXPECT_FALSE(wants_json(Words{"convert", "--", "--json"}));
  EXPECT_FALSE(wants_json(Words{}));
}

TEST(Perform, NothingAskedOnATerminalAndInAScript) {
  std::ostringstream out;
  std::ostringstream err;
  Context terminal{.console = {.out = out, .err = err, .out_is_terminal = true}, .environment = {}, .command_line = {}};
  parse(Words{}).perform(terminal);
  EXPECT_THAT(out.str(), ::testing::HasSubstr("Usage: hf2mlx COMMAND"));
  Context script{.console = {.out = out, .err = err}, .environment = {}, .command_line = {}};
  EXPECT_THROW(parse(Words{}).perform(script), Error);
}

}  // namespace
}  // namespace hf2mlx::cli
