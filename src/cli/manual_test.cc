// The manual page says what the program does.
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

// With the hyphens that roff writes as "\-".
std::string manual() {
  std::ifstream file(std::filesystem::path(HF2MLX_SOURCE_DIR) / "docs" / "hf2mlx.1");
  std::ostringstream text;
  text << file.rdbuf();
  return std::regex_replace(text.str(), std::regex(R"(\\-)"), "-");
}

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

}  // namespace
}  // namespace hf2mlx::cli
