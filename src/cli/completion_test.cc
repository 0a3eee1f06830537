#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "request/options.h"

namespace hf2mlx::cli {
namespace {

using ::testing::HasSubstr;

TEST(Completion, KnowsEveryOptionOfEveryCommand) {
  for (const CommandEntry& entry : commands()) {
    const DeclaredCommand declared(entry);
    for (const OptionView& option : options_of(*declared.app)) {
      for (const std::string& name : option.names) {
        EXPECT_THAT(bash_completion(), HasSubstr(name));
        EXPECT_THAT(zsh_completion(), HasSubstr(name));
        const std::string fish = name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        EXPECT_THAT(fish_completion(), HasSubstr(fish));
        EXPECT_THAT(command_help(declared), HasSubstr(name));
      }
    }
  }
}

TEST(Completion, KnowsTheValuesOfAChoice) {
  EXPECT_THAT(bash_completion(), HasSubstr("--q-mode) COMPREPLY=($(compgen -W 'affine mxfp4 nvfp4 mxfp8' -- \"$cur\")); return ;;"));
  EXPECT_THAT(zsh_completion(), HasSubstr(":value:(affine mxfp4 nvfp4 mxfp8)'"));
  EXPECT_THAT(fish_completion(), HasSubstr("-l q-mode -x -a 'affine mxfp4 nvfp4 mxfp8' -d"));
}

TEST(OptionsOf, SeesWhatWasDeclared) {
  const DeclaredCommand convert(*find_command("convert"));
  const std::vector<OptionView> options = options_of(*convert.app);
  const auto named = [&](const std::string& name) {
    const auto at =
        std::find_if(options.begin(), options.end(), [&](const OptionView& o) { return std::count(o.names.begin(), o.names.end(), name); });
    return at == options.end() ? OptionView{} : *at;
  };
  EXPECT_EQ(named("--source").positional, "MODEL");
  EXPECT_EQ(named("-q").value, "");
  EXPECT_EQ(named("--q-bits").value, "N");
  EXPECT_TRUE(named("--lm-studio").value_is_optional);
  EXPECT_FALSE(named("--output").value_is_optional);
  EXPECT_TRUE(named("--q-override").repeatable);
  EXPECT_FALSE(named("--q-bits").repeatable);
  EXPECT_THAT(named("--dtype").choices, ::testing::ElementsAre("float16", "bfloat16", "float32"));
}

TEST(Help, NoLineIsTooLong) {
  for (const CommandEntry& entry : commands()) {
    std::istringstream in(command_help(DeclaredCommand(entry)));
    for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 100u) << line;
  }
  std::istringstream in(general_help());
  for (std::string line; std::getline(in, line);) EXPECT_LE(line.size(), 100u) << line;
}

}  // namespace
}  // namespace hf2mlx::cli
