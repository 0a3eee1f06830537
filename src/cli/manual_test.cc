// The manual page and the documents say what the program does.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "cli/commands.h"
#include "hf2mlx/error.h"
#include "request/options.h"

namespace hf2mlx::cli {
namespace {

constexpr ErrorCode kCodes[] = {ErrorCode::kUsage,    ErrorCode::kNotFound, ErrorCode::kUnsupported, ErrorCode::kCorrupt,
                                ErrorCode::kIo,       ErrorCode::kNoSpace,  ErrorCode::kNetwork,     ErrorCode::kAuth,
                                ErrorCode::kInternal, ErrorCode::kCancelled};

std::string document(const char* name) {
  std::ifstream file(std::filesystem::path(HF2MLX_SOURCE_DIR) / "docs" / name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// With the hyphens that roff writes as "\-".
std::string manual() { return std::regex_replace(document("hf2mlx.1"), std::regex(R"(\\-)"), "-"); }

TEST(Manual, HasEveryCommandAndOption) {
  const std::string text = manual();
  for (const CommandEntry& entry : commands()) {
    EXPECT_THAT(text, ::testing::HasSubstr(fmt::format("\n.TP\n.B {}\n", entry.name)));
    const DeclaredCommand declared(entry);
    for (const OptionView& option : options_of(*declared.app)) {
      for (const std::string& name : option.names) {
        // At the head of a paragraph, as a whole word: "--q-mode" does not stand for "--q-mo".
        EXPECT_TRUE(std::regex_search(text, std::regex("\n\\.TP\n\\.[^\n]*[ B]" + name + "[^a-z-][^\n]*"))) << entry.name << ' ' << name;
      }
      for (const std::string& choice : option.choices) EXPECT_THAT(text, ::testing::HasSubstr(choice));
    }
  }
}

TEST(Manual, HasEveryExitStatus) {
  const std::string text = manual();
  for (const ErrorCode code : kCodes) {
    EXPECT_THAT(text, ::testing::HasSubstr(fmt::format("\n{}\t{}\t", static_cast<int>(code), name_of(code))));
  }
}

// The example is run, and its output compared, by tests/docs/run.py.
TEST(Documents, HaveAnExampleOfEveryCommand) {
  const std::string text = document("commands.md");
  for (const std::string& name : command_names()) {
    const size_t begin = text.find(fmt::format("\n## {}\n", name));
    ASSERT_NE(begin, text.npos) << name;
    const std::string section = text.substr(begin, text.find("\n## ", begin + 1) - begin);
    EXPECT_TRUE(std::regex_search(section, std::regex(R"(\n```console\n(?:[^`]*\n)?\$ (?:[A-Z_]+=\w+ )?hf2mlx )" + name + "\\b"))) << name;
  }
}

TEST(Documents, KnowEveryErrorCode) {
  const std::string text = document("troubleshooting.md");
  for (const ErrorCode code : kCodes) EXPECT_THAT(text, ::testing::HasSubstr(fmt::format("`{}`", name_of(code))));
}

}  // namespace
}  // namespace hf2mlx::cli
