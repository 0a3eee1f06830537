#include "request/text.h"

#include <gtest/gtest.h>

#include "hf2mlx/error.h"

namespace hf2mlx {
namespace {

TEST(FormatBytes, ThreeDigitsInTheLargestUnit) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(999), "999 B");
  EXPECT_EQ(format_bytes(1000), "1.00 kB");
  EXPECT_EQ(format_bytes(4608000000), "4.61 GB");
  EXPECT_EQ(format_bytes(16381000000), "16.4 GB");
  EXPECT_EQ(format_bytes(999499999999), "999 GB");
  EXPECT_EQ(format_bytes(1510000000000), "1.51 TB");
}

TEST(FormatBytes, RoundingNeverReachesTheNextUnit) {
  EXPECT_EQ(format_bytes(999999), "1.00 MB");
  EXPECT_EQ(format_bytes(9996), "10.0 kB");
  EXPECT_EQ(format_bytes(99960), "100 kB");
}

TEST(FormatCount, Parameters) {
  EXPECT_EQ(format_count(8190735360), "8.19B");
  EXPECT_EQ(format_count(596049920), "596M");
  EXPECT_EQ(format_count(12), "12");
}

TEST(FormatDuration, EveryRange) {
  EXPECT_EQ(format_duration(0.754), "0.75 s");
  EXPECT_EQ(format_duration(7.06), "7.1 s");
  EXPECT_EQ(format_duration(59.4), "59 s");
  EXPECT_EQ(format_duration(59.6), "1 min 00 s");
  EXPECT_EQ(format_duration(200), "3 min 20 s");
  EXPECT_EQ(format_duration(3720), "1 h 02 min");
}

TEST(FormatRate, PerSecond) { EXPECT_EQ(format_rate(2.31e9), "2.31 GB/s"); }

TEST(FormatShape, Lists) {
  EXPECT_EQ(format_shape({}), "[]");
  EXPECT_EQ(format_shape({320, 128}), "[320, 128]");
}

TEST(ParseSize, PowersOf1024InEverySpelling) {
  EXPECT_EQ(parse_size("5GB", "--x"), 5ull << 30);
  EXPECT_EQ(parse_size("5 GiB", "--x"), 5ull << 30);
  EXPECT_EQ(parse_size("5g", "--x"), 5ull << 30);
  EXPECT_EQ(parse_size("512MB", "--x"), 512ull << 20);
  EXPECT_EQ(parse_size("64k", "--x"), 64ull << 10);
  EXPECT_EQ(parse_size("1.5TB", "--x"), 3ull << 39);
  EXPECT_EQ(parse_size("100B", "--x"), 100u);
}

TEST(ParseSize, RefusesWithTheOptionsName) {
  for (const char* text : {"", "GB", "5", "5XB", "5.5.5GB", "-5GB", "0GB", "99999999999TB", "5GBGB", "1e3MB"}) {
    try {
      parse_size(text, "--max-memory");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << text;
      EXPECT_EQ(std::string(error.what()).find("--max-memory: '" + std::string(text) + "'"), 0u) << error.what();
    }
  }
}

TEST(ShellQuote, OnlyWhereNeeded) {
  EXPECT_EQ(shell_quote("/models/Qwen3-8B_4.5+x@main"), "/models/Qwen3-8B_4.5+x@main");
  EXPECT_EQ(shell_quote("my models"), "'my models'");
  EXPECT_EQ(shell_quote("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_quote("*.mlp"), "'*.mlp'");
  EXPECT_EQ(shell_quote(""), "''");
  EXPECT_EQ(shell_quote("~x"), "'~x'");
}

TEST(WithTilde, PathsBelowTheHomeNameNoUser) {
  const auto shown = [](const std::string& word, const std::string& home = "/home/jo") {
    return with_tilde("hf2mlx convert " + shell_quote(word), home).substr(15);
  };
  EXPECT_EQ(shown("/home/jo/models/a"), "~/models/a");
  EXPECT_EQ(shown("/home/jo/my models/a"), "~/'my models/a'");
  EXPECT_EQ(shown("/home/jo"), "/home/jo");
  EXPECT_EQ(shown("/home/jos/a"), "/home/jos/a");
  EXPECT_EQ(shown("/mnt/home/jo/a"), "/mnt/home/jo/a");
  EXPECT_EQ(shown("/a", "/"), "/a");
  EXPECT_EQ(shown("/a", ""), "/a");
  EXPECT_EQ(with_tilde("x /home/jo/a /home/jo/b", "/home/jo"), "x ~/a ~/b");
}

}  // namespace
}  // namespace hf2mlx
