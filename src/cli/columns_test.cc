#include "cli/columns.h"

#include <gtest/gtest.h>

namespace hf2mlx::cli {
namespace {

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width("caf\xc3\xa9"), 4u);
  EXPECT_EQ(display_width("cafe\xcc\x81"), 4u);              // e and a mark that joins it
  EXPECT_EQ(display_width("\xe6\xa8\xa1\xe5\x9e\x8b"), 4u);  // two Chinese characters
  EXPECT_EQ(display_width("\xf0\x9f\xa4\x97"), 2u);          // an emoji
}

TEST(Printable, KeepsText) {
  EXPECT_EQ(printable("caf\xc3\xa9 \xe6\xa8\xa1 \xf0\x9f\xa4\x97"), "caf\xc3\xa9 \xe6\xa8\xa1 \xf0\x9f\xa4\x97");
}

TEST(Printable, LetsNothingThroughThatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[31mb"), "a?[31mb");
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "31m"),
            "a?31m");  // CSI as one character
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a?b");  // from right to left
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, KeepsTheLinesOfAList) {
  EXPECT_EQ(printable_lines("missing:\n  a\n    b\x1b[1A"), "missing:\n  a\n    b?[1A");
  EXPECT_EQ(printable_lines("name\nnote: done\n"), "name\n  note: done\n  ");
  EXPECT_EQ(printable_lines(""), "");
}

TEST(Printable, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "?31m");
  EXPECT_EQ(printable("\xc3"), "?");
  EXPECT_EQ(printable("\xc0\xaf"), "??");       // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "???");  // a surrogate
  EXPECT_EQ(printable("\xf5\x80\x80\x80"), "????");
}

TEST(Cut, TakesNoMoreColumns) {
  EXPECT_EQ(cut("abcdef", 6), "abcdef");
  EXPECT_EQ(cut("abcdef", 4), "abc\xe2\x80\xa6");
  EXPECT_EQ(cut("abcdef", 1), "\xe2\x80\xa6");
  EXPECT_EQ(cut("abcdef", 0), "");
  // A wide character is not cut in halves.
  EXPECT_EQ(cut("\xe6\xa8\xa1\xe5\x9e\x8b\xe6\xa8\xa1", 4), "\xe6\xa8\xa1\xe2\x80\xa6");
}

TEST(Fitted, FillsUp) {
  EXPECT_EQ(fitted_left("ab", 4), "ab  ");
  EXPECT_EQ(fitted_right("ab", 4), "  ab");
  EXPECT_EQ(display_width(fitted_left("\xe6\xa8\xa1\xe5\x9e\x8b\xe6\xa8\xa1", 4)), 4u);
  EXPECT_EQ(fitted_right("abcdef", 3), "ab\xe2\x80\xa6");
}

TEST(Wrap, BreaksAtSpaces) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("unbreakable x", 5), (std::vector<std::string>{"unbreakable", "x"}));
  EXPECT_EQ(wrap("", 5), std::vector<std::string>{""});
}

}  // namespace
}  // namespace hf2mlx::cli
