#include "request/suggest.h"

#include <gtest/gtest.h>

namespace hf2mlx {
namespace {

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("convert", "convert"), 0u);
  EXPECT_EQ(edit_distance("convret", "convert"), 1u);  // neighbours swapped
  EXPECT_EQ(edit_distance("cnvert", "convert"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Nearest, TheNearestOrNothing) {
  const std::vector<std::string> commands = {"convert", "inspect", "list", "archs"};
  EXPECT_EQ(nearest("convret", commands), "convert");
  EXPECT_EQ(nearest("lst", commands), "list");
  EXPECT_EQ(nearest("conv", commands), "convert");  // an abbreviation
  EXPECT_EQ(nearest("banana", commands), "");
  EXPECT_EQ(nearest("x", commands), "");
  EXPECT_EQ(nearest("convret", {}), "");
}

TEST(DidYouMean, FallsBack) {
  EXPECT_EQ(did_you_mean("--q-bit", {"--q-bits", "--q-mode"}, "see --help"), "did you mean --q-bits?");
  EXPECT_EQ(did_you_mean("--frobnicate", {"--q-bits", "--q-mode"}, "see --help"), "see --help");
}

}  // namespace
}  // namespace hf2mlx
