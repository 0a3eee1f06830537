#include "tokenizer/tiktoken.h"

#include "base/expect_error.h"

namespace hf2mlx {
namespace {

using testing::HasSubstr;

TEST(Tiktoken, RanksBecomeIdsAndMerges) {
  const ByteLevelBpe bpe = parse_tiktoken("IA== 0\nYQ== 1\r\n\nIGE= 2\n", "t");
  ASSERT_EQ(bpe.vocabulary.size(), 3u);
  EXPECT_EQ(bpe.vocabulary[2].text, "\u0120a");
  EXPECT_EQ(bpe.vocabulary[2].id, 2u);
  ASSERT_EQ(bpe.merges.size(), 1u);
  EXPECT_EQ(bpe.merges[0].left, 0u);
  EXPECT_EQ(bpe.merges[0].right, 1u);
}

TEST(Tiktoken, IsKnownByItsFirstLine) {
  EXPECT_TRUE(is_tiktoken("YQ== 0"));
  for (const char* text : {"", "\n", "YQ==", "YQ== ", " 0", "YQ== x", "YQ== 1 2", "YQ== -1", "YQ== 99999999999", "\n\x0B\n<unk>"}) {
    EXPECT_FALSE(is_tiktoken(text)) << text;
  }
}

TEST(Tiktoken, WrongLinesAreNamed) {
  const auto error = [](const char* text) { return error_of([&] { parse_tiktoken(text, "t"); }); };
  EXPECT_THAT(error("YQ== 0\nYg== b\n"), IsError(ErrorCode::kCorrupt, "t: line 2 is not a token in base64 and its rank"));
  EXPECT_THAT(error("YQ== 0\nYQ== 1\n"), IsError(ErrorCode::kCorrupt, HasSubstr("are the same")));
  EXPECT_THAT(error("YQ== 4\nYg== 4\n"), IsError(ErrorCode::kCorrupt, HasSubstr("two tokens have the number 4")));
}

TEST(VocabAndMerges, IdsNeedNotBeInOrder) {
  const ByteLevelBpe bpe = parse_vocab_and_merges(R"({"ab": 7, "a": 0, "b": 3})", "#version: 0.2\na b\r\n", "t");
  EXPECT_EQ(bpe.vocabulary[0].id, 7u);
  ASSERT_EQ(bpe.merges.size(), 1u);
  EXPECT_EQ(bpe.merges[0].left, 1u);
  EXPECT_EQ(bpe.merges[0].right, 2u);
}

TEST(VocabAndMerges, WrongFilesAreNamed) {
  const auto error = [](const char* vocab, const char* merges) { return error_of([&] { parse_vocab_and_merges(vocab, merges, "t"); }); };
  for (const char* vocab : {"[1]", R"({"a": "b"})", R"({"a": {"b": 1}})", R"({"a": -1})", R"({"a": 1.5})", R"({"a": 99999999999})", "1"}) {
    EXPECT_THAT(error(vocab, ""), IsError(ErrorCode::kCorrupt, HasSubstr("expected an object of tokens and their numbers"))) << vocab;
  }
  EXPECT_THAT(error("{", ""), IsError(ErrorCode::kCorrupt, HasSubstr("vocab.json")));
  EXPECT_THAT(error(R"({"a": 0, "b": 0})", ""), IsError(ErrorCode::kCorrupt, HasSubstr("two tokens have the number 0")));
  EXPECT_THAT(error(R"({"a": 0, "b": 1})", "a b"), IsError(ErrorCode::kCorrupt, HasSubstr("line 1 merges tokens that are not")));
  EXPECT_THAT(error(R"({"a": 0})", "#version: 0.2\na"), IsError(ErrorCode::kCorrupt, HasSubstr("line 2 is not two tokens")));
}

}  // namespace
}  // namespace hf2mlx
