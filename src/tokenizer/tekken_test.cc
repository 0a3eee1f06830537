#include "tokenizer/tekken.h"

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Tokens: "<", "s", "<s", and one more than is used.
std::string file(const std::string& config, const std::string& special) {
  return R"({"config": {"pattern": "p", )" + config + R"("version": "v7"}, "vocab": [{"rank": 0, "token_bytes": "PA==", "token_str": "<"},
    {"rank": 1, "token_bytes": "cw=="}, {"rank": 2, "token_bytes": "PHM="}, {"rank": 3, "token_bytes": "enM="}])" +
         special + "}";
}

const char* const kSpecial =
    R"(, "special_tokens": [{"rank": 1, "token_str": "<s"}, {"rank": 0, "token_str": "<unk>"}], "image": {"a": [{"rank": 9}]})";

TEST(Tekken, SpecialTokensComeFirstAndAreFilledUp) {
  const Tekken tekken = parse_tekken(file(R"("default_num_special_tokens": 3, "default_vocab_size": 6, )", kSpecial), "t");
  EXPECT_EQ(tekken.pattern, "p");
  EXPECT_THAT(tekken.special, ElementsAre("<unk>", "<s", "<SPECIAL_2>"));
  const Vocabulary& vocabulary = tekken.bpe.vocabulary;
  ASSERT_EQ(vocabulary.size(), 5u);  // <s is but once there
  EXPECT_EQ(vocabulary[3].text, "<");
  EXPECT_EQ(vocabulary[4].id, 4u);
  ASSERT_EQ(tekken.bpe.merges.size(), 1u);
  EXPECT_EQ(tekken.bpe.merges[0].left, 3u);
  EXPECT_EQ(tekken.bpe.merges[0].right, 4u);
}

TEST(Tekken, WithoutSizesEverythingCounts) { EXPECT_EQ(parse_tekken(file("", kSpecial), "t").bpe.vocabulary.size(), 5u); }

TEST(Tekken, OldFilesDoNotNameTheirSpecialTokens) {
  for (const char* special : {"", R"(, "special_tokens": null)"}) {
    const Tekken tekken = parse_tekken(file(R"("default_num_special_tokens": 22, )", special), "t");
    ASSERT_EQ(tekken.special.size(), 22u);
    EXPECT_EQ(tekken.special[1], "<s>");
    EXPECT_EQ(tekken.special[3], "[INST]");
    EXPECT_EQ(tekken.special[11], "<pad>");
    EXPECT_EQ(tekken.special[19], "[TOOL_CONTENT]");
    EXPECT_EQ(tekken.special[21], "<SPECIAL_21>");
  }
}

TEST(Tekken, WrongFilesAreNamed) {
  const auto error = [](const std::string& text) { return error_of([&] { parse_tekken(text, "t"); }); };
  EXPECT_THAT(error("{"), IsError(ErrorCode::kCorrupt, HasSubstr("t: JSON")));
  EXPECT_THAT(error(R"({"special_tokens": []})"), IsError(ErrorCode::kCorrupt, "t: config has no pattern"));
  EXPECT_THAT(error(file("", R"(, "special_tokens": [{"rank": 1, "token_str": "a"}])")),
              IsError(ErrorCode::kCorrupt, HasSubstr("token 0 is missing")));
  EXPECT_THAT(error(file(R"("default_num_special_tokens": 1, )", kSpecial)),
              IsError(ErrorCode::kCorrupt, HasSubstr("1 special tokens, where 2")));
  EXPECT_THAT(error(R"({"special_tokens": [], "vocab": [{"token_bytes": "="}]})"), IsError(ErrorCode::kCorrupt, HasSubstr("not base64")));
  EXPECT_EQ(error(R"({"special_tokens": 1, "vocab": {"a": {"token_bytes": 1}}, "config": []})").code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace hf2mlx
