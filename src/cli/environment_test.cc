#include "cli/environment.h"

#include <gtest/gtest.h>

namespace hf2mlx::cli {
namespace {

std::optional<std::string> home_of(const std::string&) { return "/home/me"; }

TEST(Environment, HomeAndTerminal) {
  const Environment plain = read_environment({{"HOME", "/h"}, {"NO_COLOR", ""}, {"TERM", "xterm"}}, home_of);
  EXPECT_EQ(plain.places.home, "/h");
  EXPECT_FALSE(plain.no_color);
  EXPECT_FALSE(plain.dumb_terminal);
  const Environment dumb = read_environment({{"NO_COLOR", "1"}, {"TERM", "dumb"}}, home_of);
  EXPECT_EQ(dumb.places.home, "/home/me");
  EXPECT_TRUE(dumb.no_color);
  EXPECT_TRUE(dumb.dumb_terminal);
}

}  // namespace
}  // namespace hf2mlx::cli
