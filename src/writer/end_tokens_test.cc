#include "writer/end_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/expect_error.h"
#include "writer/test_checkpoint.h"

namespace hf2mlx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<NamedToken> kTokens = {
    {0, "<|endoftext|>", true}, {1, "<|im_start|>", true}, {2, "<|im_end|>", true}, {3, "<|end|>", false}};

TEST(SpecialTokens, AreReadWithoutTheVocabulary) {
  const TempFolder folder;
  const auto path = folder.put("tokenizer.json", R"({"version": "1.0", "added_tokens": [
    {"id": 7, "content": "</s>", "special": true}, {"content": "<x>", "id": 9, "special": false, "more": {"id": 99}}],
    "model": {"type": "BPE", "vocab": {"a": 3, "b": 12}, "merges": [["a", "b"]]}})");
  const TokenizerFile quick = read_tokenizer(path, ReadTokenizer::kAddedTokens);
  ASSERT_EQ(quick.added.size(), 2u);
  EXPECT_EQ(quick.added[0].id, 7);
  EXPECT_EQ(quick.added[0].content, "</s>");
  EXPECT_TRUE(quick.added[0].special);
  EXPECT_EQ(quick.added[1].id, 9);
  EXPECT_FALSE(quick.added[1].special);
  EXPECT_EQ(quick.largest_id, 9);
  EXPECT_EQ(read_tokenizer(path, ReadTokenizer::kAll).largest_id, 12);
}

TEST(SpecialTokens, OfAVocabularyThatIsAList) {
  const TempFolder folder;
  const auto path = folder.put("tokenizer.json", R"({"added_tokens": [], "model": {"vocab": [["a", -1.5], ["b", -2]]}})");
  EXPECT_EQ(read_tokenizer(path, ReadTokenizer::kAll).largest_id, 1);
}

TEST(SpecialTokens, BehindTheAddedTokensOnlyAFullReadLooks) {
  const TempFolder folder;
  const auto path = folder.put("tokenizer.json", R"({"added_tokens": [], "model": )");
  EXPECT_EQ(read_tokenizer(path, ReadTokenizer::kAddedTokens).largest_id, -1);
  EXPECT_EQ(error_of([&] { read_tokenizer(path, ReadTokenizer::kAll); }).code(), ErrorCode::kCorrupt);
}

TEST(SpecialTokens, OfATokenizerConfig) {
  const Json config = Json::parse(R"({"added_tokens_decoder": {"5": {"content": "<e>", "special": true}, "x": {"content": "y"}, "6": 1},
                                      "eos_token": {"content": "<e>"}, "bos_token": "<b>", "pad_token": null})");
  ASSERT_EQ(added_tokens_of(config).size(), 1u);
  EXPECT_EQ(added_tokens_of(config)[0].id, 5);
  EXPECT_EQ(token_text(config, "eos_token"), "<e>");
  EXPECT_EQ(token_text(config, "bos_token"), "<b>");
  EXPECT_EQ(token_text(config, "pad_token"), std::nullopt);
  EXPECT_THAT(added_tokens_of(Json(nullptr)), IsEmpty());
}

TEST(EndTokens, TheUnionNamesEachOnce) {
  const EndTokens ends = find_end_tokens({Json(5), {{"eos_token_id", {7, 5}}}, {{"eos_token", "<|endoftext|>"}}, kTokens, {"a<|im_end|>"}});
  EXPECT_THAT(ends.all, ElementsAre(5, 7, 0, 2));
  EXPECT_THAT(ends.read, ElementsAre(7, 5, 0));
  ASSERT_EQ(ends.left_out.size(), 1u);
  EXPECT_EQ(ends.left_out[0].id, 2);
  EXPECT_EQ(ends.left_out[0].by, "the chat template (<|im_end|>)");
}

TEST(EndTokens, AGenerationConfigStandsInForConfig) {
  const EndTokens ends = find_end_tokens({Json(5), {{"eos_token_id", 7}}, Json(), {}, {}});
  EXPECT_THAT(ends.read, ElementsAre(7));
  ASSERT_EQ(ends.left_out.size(), 1u);
  EXPECT_EQ(ends.left_out[0].by, "config.json");
}

// mlx_lm does not look there.
TEST(EndTokens, OfATextConfig) {
  EndTokenSources sources;
  sources.text_config_eos = {7, 8};
  EXPECT_THAT(find_end_tokens(sources).read, IsEmpty());
  EXPECT_THAT(find_end_tokens(sources).all, ElementsAre(7, 8));
  EXPECT_EQ(find_end_tokens(sources).left_out.at(0).by, "text_config of config.json");
  EXPECT_EQ(eos_of_text_config({{"text_config", {{"eos_token_id", 3}}}}), 3);
  for (const Json& config : {Json(), Json::object(), Json{{"text_config", 1}}}) EXPECT_TRUE(eos_of_text_config(config).is_null());
}

// mlx_lm: `if eos := ...`
TEST(EndTokens, ZeroAloneInAGenerationConfigDoesNotCount) {
  EXPECT_THAT(find_end_tokens({Json(5), {{"eos_token_id", 0}}, Json(), {}, {}}).read, ElementsAre(5));
  EXPECT_THAT(find_end_tokens({Json(5), {{"eos_token_id", {0}}}, Json(), {}, {}}).read, ElementsAre(0));
}

TEST(EndTokens, OnlyRegisteredSpecialTokensOfATemplateCount) {
  EXPECT_THAT(end_of_turn_tokens("{{ m.content }}<|end|><|eot_id|>", kTokens), IsEmpty());
  EXPECT_EQ(end_of_turn_tokens("<|im_start|>{{ m.content }}<|im_end|>", kTokens).size(), 1u);
  EXPECT_THAT(end_of_turn_words("{{ '<|im_start|>' + c + '<|im_end|>' }} a < b <|eot_id|> </s>"), ElementsAre("<|im_end|>", "<|eot_id|>"));
}

// gpt-oss: <|end|> ends a message, and the turn goes on in another channel.
TEST(EndTokens, TurnsOfSeveralMessagesAreLeftAlone) {
  const std::vector<NamedToken> tokens = {{9, "<|end|>", true}};
  EXPECT_THAT(end_of_turn_tokens("<|start|>assistant<|channel|>final<|message|>{{ c }}<|end|>", tokens), IsEmpty());
  EXPECT_THAT(end_of_turn_words("<|channel|><|end|>"), IsEmpty());
}

TEST(EndTokens, AreTheNamesThatModelsGive) {
  for (const char* name : {"<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<turn|>", "<|end|>", "</s>", "<|END_OF_TURN_TOKEN|>",
                           "[|endofturn|]", "<|end_of_text|>", "<｜end▁of▁sentence｜>", "<|assistant_end|>", "<|eot|>"}) {
    EXPECT_EQ(end_of_turn_tokens(std::string("x") + name, {{1, name, true}}).size(), 1u) << name;
  }
  for (const char* name : {"<|im_start|>", "[/INST]", "<|user|>", "<｜Assistant｜>", "<|begin_of_text|>", "<|end_of_role|>"}) {
    EXPECT_THAT(end_of_turn_tokens(std::string("x") + name, {{1, name, true}}), IsEmpty()) << name;
  }
}

TEST(EndTokens, OfTheFilesOfASource) {
  const TempFolder folder;
  folder.put("tokenizer_config.json", R"({"eos_token": "</s>", "chat_template": "{{ c }}<|im_end|>",
    "added_tokens_decoder": {"2": {"content": "</s>", "special": true}, "4": {"content": "<|im_end|>", "special": true}}})");
  Checkpoint checkpoint = checkpoint_of(folder);
  checkpoint.config_eos = 2;
  EXPECT_THAT(find_end_tokens(checkpoint).all, ElementsAre(2, 4));
  folder.put("tokenizer.json", R"({"added_tokens": [{"id": 8, "content": "<|im_end|>", "special": true}]})");
  EXPECT_THAT(find_end_tokens(checkpoint_of(folder)).all, ElementsAre(8)) << "tokenizer.json counts before tokenizer_config.json";
}

}  // namespace
}  // namespace hf2mlx
